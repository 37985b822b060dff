// SPDX-License-Identifier: GPL-3.0-or-later
// What the hand and the keys do to a view, and what a view shows of the document, in the real window.
#include "app/studio/pages/map_page.h"
#include "views/models/glossary.h"
#include "views/models/score_sources.h"
#include "views/widgets/cost_plot.h"
#include "views/widgets/plots_panel.h"
#include "views/widgets/series_legend.h"
#include "window_fixture.h"

#include <QAbstractItemView>
#include <QComboBox>
#include <QDockWidget>
#include <QDoubleSpinBox>
#include <QFocusEvent>
#include <QFormLayout>
#include <QHelpEvent>
#include <QLabel>
#include <QSlider>
#include <QSpinBox>
#include <QToolTip>
#include <QTreeView>

#include <set>

namespace zigzag::test {

namespace {

using Cells = std::set<std::pair<int, int>>;

class ViewsTest : public WindowTest
{
protected:
    void drag(const QPoint &from, const QPoint &to, Qt::KeyboardModifiers keys)
    {
        QWidget *view = m_window->headMap().viewport();
        QTest::mousePress(view, Qt::LeftButton, keys, from);
        for (int step = 1; step <= 8; ++step)
            QTest::mouseMove(view, from + (to - from) * step / 8);
        QTest::mouseRelease(view, Qt::LeftButton, keys, to);
        settle();
    }
    Cells selected()
    {
        Cells cells;
        for (const QModelIndex &index : m_window->headMap().selectionModel()->selectedIndexes())
            cells.insert({index.row(), index.column()});
        return cells;
    }
    static Cells area(int top, int left, int bottom, int right)
    {
        Cells cells;
        for (int layer = top; layer <= bottom; ++layer)
            for (int head = left; head <= right; ++head)
                cells.insert({layer, head});
        return cells;
    }
    template <class T> T &child(const char *name)
    {
        T *found = m_window->findChild<T *>(QString::fromLatin1(name));
        if (!found)
            throw std::runtime_error(std::string("there is no ") + name);
        return *found;
    }
};

} // namespace

TEST_F(ViewsTest, ADragWithShiftSelectsFromWhereItBegan)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    click(7, 3);
    const HeadMap before = map();
    drag(cell(1, 1), cell(3, 2), Qt::ShiftModifier);
    EXPECT_EQ(selected(), area(1, 1, 3, 2)) << "not from the cell that was clicked last";
    EXPECT_EQ(map(), before);
    key(Qt::Key_Down, Qt::ShiftModifier);
    EXPECT_EQ(selected(), area(1, 1, 4, 2)) << "the keys go on where the drag ended";
    drag(cell(6, 0), cell(5, 0), Qt::ControlModifier);
    Cells both = area(1, 1, 4, 2);
    both.merge(area(5, 0, 6, 0));
    EXPECT_EQ(selected(), both) << "with Ctrl it adds";
    // A hand that trembles within a cell clicks: from the current cell.
    click(0, 0);
    QWidget *view = m_window->headMap().viewport();
    QTest::mousePress(view, Qt::LeftButton, Qt::ShiftModifier, cell(2, 1));
    QTest::mouseMove(view, cell(2, 1) + QPoint(1, 1));
    QTest::mouseRelease(view, Qt::LeftButton, Qt::ShiftModifier, cell(2, 1));
    EXPECT_EQ(selected(), area(0, 0, 2, 1));
    // Layers chosen in another view: keys extend from there.
    m_window->studio().selection().set({5});
    settle();
    key(Qt::Key_Down, Qt::ShiftModifier);
    EXPECT_EQ(selected(), area(5, 0, 6, 0));
}

TEST_F(ViewsTest, OpeningAPageEditsNothing)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    const auto first = risingScores(8, 4), second = risingScores(8, 4);
    m_window->studio().takeScores(first);
    const int steps = m_window->document().undoStack().count();
    FoundScores partial; // as a search that goes on delivers them
    partial.name = QStringLiteral("Ablation of layers");
    partial.scores = second;
    partial.isSearch = true;
    partial.done = 3;
    partial.all = 8;
    m_window->studio().scoreSources().add(partial);
    m_window->refreshNow();
    const DocumentState before = m_window->document().state();
    for (const QDockWidget *dock : m_window->findChildren<QDockWidget *>()) {
        m_window->showPage(dock->widget()->objectName());
        settle();
        for (QAbstractItemView *list : dock->findChildren<QAbstractItemView *>()) {
            if (!list->selectionModel())
                continue;
            list->selectionModel()->clear();
            for (const Qt::FocusReason reason : {Qt::TabFocusReason, Qt::OtherFocusReason}) {
                QFocusEvent focus(QEvent::FocusIn, reason);
                QCoreApplication::sendEvent(list, &focus);
            }
            settle();
        }
        EXPECT_EQ(m_window->document().undoStack().count(), steps) << dock->objectName().toStdString();
        EXPECT_EQ(m_window->document().state(), before) << dock->objectName().toStdString();
    }
    // A click chooses, and so does Enter on the row that the keys have walked to.
    auto &sources = child<QTreeView>("scoreSources");
    m_window->showPage("find");
    settle();
    QTest::mouseClick(sources.viewport(), Qt::LeftButton, {}, sources.visualRect(sources.model()->index(1, 0)).center());
    EXPECT_EQ(m_window->document().state().scores, second);
    m_window->refreshNow();
    QTest::keyClick(&sources, Qt::Key_Up);
    m_window->refreshNow();
    EXPECT_EQ(m_window->document().state().scores, second);
    QTest::keyClick(&sources, Qt::Key_Return);
    EXPECT_EQ(m_window->document().state().scores, first);
}

TEST_F(ViewsTest, TheAssignPanelShowsTheMapThatIsThere)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    EXPECT_EQ(child<QSlider>("sparsitySlider").value(), 0) << "nothing streams";
    m_window->document().setScores(risingScores(8, 4));
    ASSERT_TRUE(m_window->document().assign(QStringLiteral("zigzag"), 0.5));
    m_window->document().endSeries();
    settle();
    EXPECT_EQ(child<QSlider>("sparsitySlider").value(), 50);

    HeadMap point = fullMap(8, 4, 2, 31);
    for (int layer = 0; layer < 6; ++layer)
        point.setLayer(layer, HeadKind::Streaming);
    point.setProvenance({"zigzag-max", "attention", 0.75, "0"});
    m_window->document().applyMap(point);
    settle();
    EXPECT_EQ(child<QSlider>("sparsitySlider").value(), 75);
    EXPECT_DOUBLE_EQ(child<QDoubleSpinBox>("sparsity").value(), 75);
    EXPECT_EQ(child<QSpinBox>("sink").value(), 2);
    EXPECT_EQ(child<QSpinBox>("recent").value(), 31);
    EXPECT_EQ(child<QComboBox>("criterion").currentText(), "zigzag-max");
    EXPECT_DOUBLE_EQ(m_window->plotted().sparsity(), 0.75);
    EXPECT_EQ(m_window->plotted().map(Series::Zigzag)->streamingHeads(), 24) << "the reference stands at the same sparsity";
    EXPECT_EQ(m_window->plotted().map(Series::Duo)->oneWindow()->recent, 31);
    EXPECT_EQ(nameOf(Series::Zigzag, m_window->plotted()), "Zigzag 75 %");

    // The other targets follow the map too, unless it is the answer to what was asked there.
    auto &kind = child<QComboBox>("targetKind");
    auto &layers = child<QSpinBox>("targetLayers");
    kind.setCurrentIndex(1);
    Q_EMIT kind.activated(1);
    EXPECT_EQ(layers.value(), 6);
    layers.setValue(3);
    settle();
    EXPECT_EQ(map().streamingHeads(), 12);
    EXPECT_EQ(layers.value(), 3);
    m_window->actions().undo->trigger();
    settle();
    EXPECT_EQ(layers.value(), 6);

    // By hand: a brush, a layer, keys.
    m_window->document().toggleLayer(0);
    settle();
    EXPECT_EQ(child<QSlider>("sparsitySlider").value(), 63); // 20 of 32
    click(7, 0);
    EXPECT_DOUBLE_EQ(m_window->document().state().sparsity, 21.0 / 32);
    m_window->actions().undo->trigger();
    m_window->actions().undo->trigger();
    settle();
    EXPECT_EQ(child<QSlider>("sparsitySlider").value(), 75);
}

TEST_F(ViewsTest, WordsAreExplainedOnTheLabelsThatBearThem)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    m_window->document().setScores(risingScores(8, 4));
    settle();
    for (const auto &[name, term] : {std::pair("streamingHeads", Term::StreamingHead), std::pair("mixedLayers", Term::MixedLayer),
                                     std::pair("flipped", Term::Flipped), std::pair("demoted", Term::Demoted),
                                     std::pair("transportCost", Term::TransportCost), std::pair("ties", Term::Ties)}) {
        auto &value = child<QLabel>(name);
        const auto *form = qobject_cast<QFormLayout *>(value.parentWidget()->layout());
        ASSERT_TRUE(form);
        const QWidget *caption = form->labelForField(&value);
        ASSERT_TRUE(caption) << name;
        EXPECT_EQ(caption->toolTip(), explained(term)) << name;
        EXPECT_EQ(caption->whatsThis(), explained(term)) << name;
        EXPECT_FALSE(explained(term).isEmpty());
    }
    auto &criterion = child<QComboBox>("criterion");
    criterion.setCurrentText("zigzag-convex");
    const auto *form = qobject_cast<QFormLayout *>(criterion.parentWidget()->layout());
    EXPECT_TRUE(form->labelForField(&criterion)->toolTip().contains("cubed gates"));
    EXPECT_TRUE(criterion.toolTip().contains("zigzag-convex: whole layers"));
    const auto tip = [](QWidget &widget, const QPoint &at) {
        QToolTip::hideText();
        QHelpEvent help(QEvent::ToolTip, at, widget.mapToGlobal(at));
        QCoreApplication::sendEvent(&widget, &help);
        return QToolTip::text();
    };
    HeadMapView &view = m_window->headMap();
    const QPoint lost(view.geometryOfMap().lost(0).center().x(), 4);
    EXPECT_TRUE(tip(*view.viewport(), lost).contains(explained(Term::Demoted))) << "the heading says it";
    EXPECT_EQ(m_window->findChild<SeriesLegend *>()->toolTip(), explained(Term::Disturbed));
}

TEST_F(ViewsTest, TheNeedleGridShowsAResultThatGrows)
{
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    NeedleResult growing;
    growing.grid = {{256, 0.0, 4, 3}, {256, 1.0, 1, 1}, {512, 0.0, 0, 0}};
    growing.accuracy = 0.8;
    growing.planned = 4;
    m_window->studio().plotted().measurements().addNeedle(map(), growing);
    m_window->refreshNow();
    m_window->showPage("needle");
    settle();
    const auto &hint = child<QLabel>("needleHint");
    EXPECT_FALSE(hint.isVisible());
    bool painted = false;
    for (const QWidget *grid : m_window->findChildren<QWidget *>())
        if (grid->accessibleName() == "Needle result: This map") {
            painted = true;
            EXPECT_EQ(grid->accessibleDescription(), "80 % of keys found") << "4 of the 5 that were asked";
        }
    EXPECT_TRUE(painted);
    EXPECT_TRUE(m_window->headline().text().contains("Needle 80 % so far")) << m_window->headline().text().toStdString();
}

TEST_F(ViewsTest, ASmallWindowKeepsRoomForTheMap)
{
    ASSERT_TRUE(m_window->open(QStringLiteral("bundled:zigzag-tiny"))) << message().toStdString();
    m_window->resize(m_window->minimumSizeHint());
    for (const char *page : {"profile", "needle", "runs", "find", "quality", "compare"}) {
        m_window->showPage(page);
        settle();
        m_window->resize(m_window->minimumSizeHint());
        const QList<QDockWidget *> docks = m_window->findChildren<QDockWidget *>();
        m_window->resizeDocks(docks, QList<int>(docks.size(), 4000), Qt::Vertical); // drawn up as far as they go
        settle();
        HeadMapView &view = m_window->headMap();
        const int rows = (view.viewport()->height() - view.geometryOfMap().headerHeight()) / view.geometryOfMap().rowHeight();
        EXPECT_GT(rows, 3) << page;
    }
    EXPECT_LE(m_window->minimumSizeHint().width(), 1280);
    EXPECT_LE(m_window->minimumSizeHint().height(), 720);
    EXPECT_TRUE(child<QAbstractItemView>("opTable").isHidden()) << "it is empty, and gives its room away";
    for (const CostPlot *plot : m_window->plots().plots()) {
        const QFontMetrics metrics(plot->yAxis->labelFont());
        EXPECT_LE(metrics.horizontalAdvance(plot->yAxis->label()), plot->axisRect()->height() + metrics.height())
            << "the axis title does not reach into the plot's title";
    }
}

} // namespace zigzag::test
