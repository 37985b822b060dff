// SPDX-License-Identifier: GPL-3.0-or-later
// What assistive technology is told, and what eyes that see little can tell apart.
#include "views/models/colors.h"
#include "views/models/score_sources.h"
#include "views/widgets/accessible_grid.h"
#include "views/widgets/cost_plot.h"
#include "views/widgets/needle_view.h"
#include "views/widgets/pareto_plot.h"
#include "views/widgets/plots_panel.h"
#include "window_fixture.h"

#include <QAccessible>
#include <QApplication>
#include <QComboBox>
#include <QDockWidget>
#include <QLabel>

#include <algorithm>

namespace zigzag::test {

namespace {

QAccessibleInterface &interfaceOf(QObject *object)
{
    QAccessibleInterface *found = QAccessible::queryAccessibleInterface(object);
    if (!found)
        throw std::runtime_error("no accessible interface");
    return *found;
}

class AccessibleTest : public WindowTest
{
protected:
    void SetUp() override
    {
        ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
        m_window->document().setScores(risingScores(8, 4));
        m_window->document().setKind({{3, 1}}, HeadKind::Streaming);
        settle();
    }
};

} // namespace

TEST_F(AccessibleTest, TheHeadMapIsATableOfNamedCells)
{
    HeadMapView &view = m_window->headMap();
    QAccessibleInterface &map = interfaceOf(&view);
    EXPECT_EQ(map.role(), QAccessible::Table);
    EXPECT_EQ(map.text(QAccessible::Name), "Head map");
    QAccessibleTableInterface *table = map.tableInterface();
    ASSERT_TRUE(table);
    EXPECT_EQ(table->rowCount(), 8);
    EXPECT_EQ(table->columnCount(), 4);
    EXPECT_EQ(map.childCount(), 32);
    EXPECT_EQ(table->rowDescription(3), "layer 3");
    EXPECT_EQ(table->columnDescription(1), "KV head 1");
    QAccessibleInterface *cell = table->cellAt(3, 1);
    ASSERT_TRUE(cell && cell->isValid());
    EXPECT_EQ(cell->role(), QAccessible::Cell);
    EXPECT_EQ(cell->text(QAccessible::Name), "layer 3, KV head 1: streaming, score 0.41"); // 13 of 32
    EXPECT_TRUE(cell->text(QAccessible::Description).contains("keeps 4 sink and 60 recent tokens"));
    EXPECT_EQ(table->cellAt(3, 2)->text(QAccessible::Name), "layer 3, KV head 2: retrieval, score 0.44");
    EXPECT_EQ(cell, map.child(3 * 4 + 1)) << "one object for one cell";
    EXPECT_EQ(map.indexOfChild(cell), 13);
    EXPECT_EQ(cell->parent(), &map);
    EXPECT_EQ(table->cellAt(8, 0), nullptr);
    ASSERT_TRUE(cell->tableCellInterface());
    EXPECT_EQ(cell->tableCellInterface()->rowIndex(), 3);
    const QRect place = this->m_window->headMap().visibleCell(3, 1);
    EXPECT_EQ(cell->rect(), QRect(view.viewport()->mapToGlobal(place.topLeft()), place.size()));
    EXPECT_EQ(map.childAt(cell->rect().center().x(), cell->rect().center().y()), cell);

    m_window->document().toggle({{3, 1}});
    settle();
    EXPECT_EQ(cell->text(QAccessible::Name), "layer 3, KV head 1: retrieval, score 0.41") << "it follows an edit";
    view.selectLayers({3});
    EXPECT_TRUE(cell->state().selected);
    EXPECT_EQ(table->selectedRows(), QList<int>{3});
    EXPECT_EQ(table->selectedCellCount(), 4);
    EXPECT_TRUE(table->unselectRow(3));
    EXPECT_FALSE(cell->state().selected);
    EXPECT_TRUE(table->selectRow(5));
    EXPECT_EQ(view.selectedLayers(), std::vector<int>{5});

    // Its headings, and what can be done with a cell and with a row.
    ASSERT_EQ(cell->tableCellInterface()->rowHeaderCells().size(), 1);
    QAccessibleInterface *row = cell->tableCellInterface()->rowHeaderCells().front();
    EXPECT_EQ(row->role(), QAccessible::RowHeader);
    EXPECT_EQ(row->text(QAccessible::Name), "layer 3");
    EXPECT_TRUE(row->text(QAccessible::Description).contains("Mean score"));
    EXPECT_EQ(row->parent(), &map);
    EXPECT_EQ(table->cellAt(3, 2)->tableCellInterface()->rowHeaderCells().front(), row) << "one object for one heading";
    QAccessibleInterface *column = cell->tableCellInterface()->columnHeaderCells().value(0);
    ASSERT_TRUE(column);
    EXPECT_EQ(column->role(), QAccessible::ColumnHeader);
    EXPECT_EQ(column->text(QAccessible::Name), "KV head 1");
    EXPECT_EQ(column->actionInterface(), nullptr) << "no head of all layers is flipped at once";
    ASSERT_TRUE(cell->actionInterface());
    EXPECT_EQ(cell->actionInterface()->actionNames(), QStringList{QAccessibleActionInterface::toggleAction()});
    cell->actionInterface()->doAction(QAccessibleActionInterface::toggleAction());
    settle();
    EXPECT_EQ(cell->text(QAccessible::Name), "layer 3, KV head 1: streaming, score 0.41");
    ASSERT_TRUE(row->actionInterface());
    row->actionInterface()->doAction(QAccessibleActionInterface::toggleAction());
    settle();
    EXPECT_EQ(this->map().layerKind(3), LayerKind::Streaming);
    m_window->actions().undo->trigger();
    m_window->actions().undo->trigger();
    settle();
    EXPECT_EQ(this->map().layerKind(3), LayerKind::Retrieval) << "each a step of undo";

    ASSERT_TRUE(m_prompts->saving.empty());
    m_prompts->saving = {UserPrompts::Saving::Discard};
    ASSERT_TRUE(open(savedMap(fullMap(2, 2), "small.json")));
    EXPECT_EQ(table->rowCount(), 2);
    EXPECT_FALSE(cell->isValid()) << "the map has no such cell any more";
    EXPECT_EQ(cell->text(QAccessible::Name), "");
}

TEST_F(AccessibleTest, WhoFlipsAHeadHearsWhatItBecame)
{
    HeadMapView &view = m_window->headMap();
    m_window->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(m_window.get()));
    view.setFocus();
    std::vector<std::pair<QAccessible::Event, QString>> told; // the kind of news, and of whom
    listenToCells([&told](const QAccessibleEvent &event) {
        told.emplace_back(event.type(), event.accessibleInterface()->text(QAccessible::Name));
    });
    view.selectionModel()->setCurrentIndex(view.selectionModel()->model()->index(3, 1), QItemSelectionModel::NoUpdate);
    EXPECT_TRUE(std::count(told.begin(), told.end(),
                           std::pair(QAccessible::Focus, QString("layer 3, KV head 1: streaming, score 0.41"))));
    EXPECT_TRUE(view.accessibleDescription().contains("streaming"));
    told.clear();
    key(Qt::Key_Space);
    EXPECT_EQ(std::count(told.begin(), told.end(),
                         std::pair(QAccessible::NameChanged, QString("layer 3, KV head 1: retrieval, score 0.41"))),
              1);
    EXPECT_TRUE(view.accessibleDescription().contains("retrieval")) << view.accessibleDescription().toStdString();
    told.clear();
    m_window->document().toggle({{0, 0}});
    settle();
    EXPECT_TRUE(told.empty()) << "of another head nobody asked";
    listenToCells({});
}

TEST_F(AccessibleTest, APageThatIsShownHasANameAndTheFocusInIt)
{
    m_window->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(m_window.get()));
    NeedleResult result; // a grid that can be read
    result.grid = {{256, 0.0, 4, 3}};
    m_window->studio().plotted().measurements().addNeedle(map(), result);
    m_window->refreshNow();
    for (const QDockWidget *dock : m_window->findChildren<QDockWidget *>()) {
        QWidget *page = dock->widget();
        m_window->showPage(page->objectName());
        settle();
        QWidget *focus = QApplication::focusWidget();
        ASSERT_TRUE(focus) << page->objectName().toStdString();
        EXPECT_TRUE(page->isAncestorOf(focus)) << page->objectName().toStdString() << ": " << focus->metaObject()->className();
        EXPECT_FALSE(interfaceOf(focus).text(QAccessible::Name).isEmpty()) << page->objectName().toStdString();
        EXPECT_EQ(interfaceOf(page).text(QAccessible::Name), page->windowTitle());
    }
    auto &grid = m_window->findChild<NeedleView *>()->currentGrid();
    m_window->showPage("needle");
    settle();
    EXPECT_TRUE(grid.hasFocus()); // that it is seen to have it: window_focus_test.cpp
    QWidget *timeline = m_window->findChild<QWidget *>("timeline");
    EXPECT_EQ(interfaceOf(timeline).role(), QAccessible::Chart);
}

TEST_F(AccessibleTest, ValuesAndCombosHaveNamesAndValues)
{
    const auto *value = m_window->findChild<QLabel *>("streamingHeads");
    QAccessibleInterface &streaming = interfaceOf(const_cast<QLabel *>(value));
    EXPECT_EQ(streaming.text(QAccessible::Name), "1 of 32 (3 %)") << "the value, not its caption";
    const auto labels = streaming.relations(QAccessible::Label);
    EXPECT_TRUE(std::any_of(labels.begin(), labels.end(), [](const auto &each) { // the other one is the group's title
        return each.first->text(QAccessible::Name) == "Streaming heads";
    }));

    auto *criterion = m_window->findChild<QComboBox *>("criterion");
    QAccessibleInterface &combo = interfaceOf(criterion);
    EXPECT_EQ(combo.role(), QAccessible::ComboBox);
    EXPECT_EQ(combo.text(QAccessible::Name), "Criterion: zigzag");
    EXPECT_EQ(combo.text(QAccessible::Value), "zigzag");
    EXPECT_TRUE(combo.text(QAccessible::Description).contains("zigzag: whole layers"))
        << "what the chosen one does: " << combo.text(QAccessible::Description).toStdString();
    EXPECT_TRUE(combo.state().hasPopup);
    int combos = 0;
    for (QComboBox *box : m_window->findChildren<QComboBox *>()) {
        if (box->isEditable())
            continue;
        ++combos;
        const QString name = interfaceOf(box).text(QAccessible::Name);
        EXPECT_FALSE(box->accessibleName().isEmpty()) << box->objectName().toStdString();
        EXPECT_TRUE(name.startsWith(box->accessibleName())) << name.toStdString();
    }
    EXPECT_GE(combos, 7);
    // Nothing that takes the focus is without a name.
    for (QWidget *widget : m_window->findChildren<QWidget *>()) {
        if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisible() || widget->focusProxy())
            continue;
        const QAccessibleInterface &reached = interfaceOf(widget);
        EXPECT_FALSE(reached.text(QAccessible::Name).isEmpty() && reached.text(QAccessible::Value).isEmpty())
            << widget->metaObject()->className() << ' ' << widget->objectName().toStdString() << " in "
            << widget->parentWidget()->metaObject()->className();
    }
}

TEST_F(AccessibleTest, PlotsHaveNamesAndTheKeysWalkAlongThem)
{
    m_window->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(m_window.get()));
    for (CostPlot *plot : m_window->plots().plots()) {
        QAccessibleInterface &known = interfaceOf(plot);
        EXPECT_EQ(known.role(), QAccessible::Chart);
        EXPECT_FALSE(known.text(QAccessible::Name).isEmpty());
        plot->setFocus(Qt::TabFocusReason);
        settle();
        ASSERT_TRUE(plot->hasFocus());
        QTest::keyClick(plot, Qt::Key_Right);
        EXPECT_TRUE(known.text(QAccessible::Description).startsWith("Context ")) << "the keys walk along it";
    }
    EXPECT_EQ(interfaceOf(m_window->findChild<ParetoPlot *>()).text(QAccessible::Name), "Quality against speed");
}

TEST(Accessible, ANeedleGridIsATable)
{
    NeedleResult result;
    result.grid = {{256, 0.0, 4, 3}, {256, 1.0, 4, 4}, {512, 0.0, 0, 0}, {512, 1.0, 4, 1}};
    NeedleGrid grid(QStringLiteral("This map"));
    grid.model().show(&result);
    QAccessibleTableInterface *table = interfaceOf(&grid).tableInterface();
    ASSERT_TRUE(table);
    EXPECT_EQ(table->rowCount(), 2);
    EXPECT_EQ(table->columnDescription(1), "context 512");
    EXPECT_EQ(table->cellAt(0, 0)->text(QAccessible::Name), "Context 256, depth 0 %: 3 of 4 keys found");
    EXPECT_EQ(table->cellAt(0, 1)->text(QAccessible::Name), "Context 512, depth 0 %: not asked yet");
    EXPECT_TRUE(grid.model().isPartial());
    NeedleResult half;
    half.grid = {{256, 0.0, 4, 3}};
    half.planned = 2;
    NeedleModel growing;
    growing.show(&half);
    EXPECT_TRUE(growing.isPartial()) << "another cell is still to be asked";
    half.planned = 1;
    growing.show(&half);
    EXPECT_FALSE(growing.isPartial());
    EXPECT_DOUBLE_EQ(grid.model().accuracy(), 8.0 / 12) << "of what was asked";
    EXPECT_FALSE(grid.model().index(0, 1).data(NeedleModel::AccuracyRole).isValid());
    NeedleResult full = result;
    full.grid[2] = {512, 0.0, 4, 4};
    grid.model().showDifference(&result, &full);
    EXPECT_EQ(grid.model().columnCount(), 2);
    EXPECT_EQ(grid.model().index(0, 1).data().toString(), "") << "nothing to hold against what was not asked";
}

class ThemeTest : public WindowTest, public testing::WithParamInterface<Theme>
{
protected:
    void TearDown() override { m_window->setTheme(Theme::Light); }
};

TEST_P(ThemeTest, EveryFrameIsSeen)
{
    m_window->setTheme(GetParam());
    const QPalette palette = QApplication::palette();
    const QColor base = palette.color(QPalette::Base), alternate = palette.color(QPalette::AlternateBase);
    for (int step = 0; step <= 1000; ++step) {
        const QColor frame = standingOut(scoreColor(step / 1000.0), {base, alternate});
        EXPECT_GE(contrastRatio(frame, base), leastContrast) << step;
        EXPECT_GE(contrastRatio(frame, alternate), leastContrast) << step;
    }
    for (const Series series : allSeries)
        EXPECT_GE(contrastRatio(seriesColor(series, isDark(palette)), base), leastContrast);

    // As it is painted: 8 × 4 streaming heads with scores from 0 to 1.
    HeadMap map = fullMap(8, 4);
    for (int layer = 0; layer < 8; ++layer)
        map.setLayer(layer, HeadKind::Streaming);
    ASSERT_TRUE(open(savedMap(map)));
    auto scores = std::make_shared<HeadScores>(*risingScores(8, 4));
    for (std::size_t head = 0; head < scores->scores.size(); ++head)
        scores->scores[head] = static_cast<float>(head) / 31.0f;
    m_window->document().setScores(scores);
    m_window->headMap().clearFocus();
    settle();
    const QImage picture = m_window->headMap().viewport()->grab().toImage();
    for (int layer = 0; layer < 8; ++layer)
        for (int head = 0; head < 4; ++head) {
            const QRect cell = m_window->headMap().visibleCell(layer, head);
            if (!picture.rect().contains(cell))
                continue;
            const QColor frame = picture.pixelColor(cell.left() + 2, cell.center().y());
            const int within = 2 + std::max(2, std::min(cell.width() - 2, cell.height() - 2) / 6); // behind the frame
            const QColor ground = picture.pixelColor(cell.left() + within, cell.top() + within);
            EXPECT_GE(contrastRatio(frame, base), leastContrast) << layer << ' ' << head << ' ' << frame.name().toStdString();
            EXPECT_GE(contrastRatio(ground, frame), leastContrast) << layer << ' ' << head << ": it is hollow";
        }
}

TEST_P(ThemeTest, EveryTextCanBeRead)
{
    m_window->setTheme(GetParam());
    constexpr double readable = 4.5; // WCAG 2, AA
    const QPalette palette = QApplication::palette();
    using Role = QPalette::ColorRole;
    for (const auto &[ink, ground] :
         {std::pair(Role::Text, Role::Base), std::pair(Role::Text, Role::AlternateBase),
          std::pair(Role::WindowText, Role::Window), std::pair(Role::ButtonText, Role::Button),
          std::pair(Role::HighlightedText, Role::Highlight), std::pair(Role::ToolTipText, Role::ToolTipBase),
          std::pair(Role::PlaceholderText, Role::Base), std::pair(Role::Link, Role::Base), std::pair(Role::Link, Role::Window)})
        EXPECT_GE(contrastRatio(palette.color(ink), palette.color(ground)), readable) << ink << " on " << ground;
    // Where the focus or a selection is: a frame, which need not be read.
    for (const Role ground : {Role::Base, Role::AlternateBase, Role::Window})
        EXPECT_GE(contrastRatio(palette.color(Role::Highlight), palette.color(ground)), leastContrast) << ground;
    // The ink of headings and numbers that matter less.
    const QColor quiet = mixed(palette.color(Role::Text), palette.color(Role::Base), 0.3);
    for (const Role ground : {Role::Base, Role::AlternateBase})
        EXPECT_GE(contrastRatio(quiet, palette.color(ground)), readable) << ground;
}

TEST_P(ThemeTest, EveryFieldHasAFrameThatIsSeen)
{
    m_window->setTheme(GetParam());
    ASSERT_TRUE(open(savedMap(fullMap(8, 4))));
    m_window->headMap().setFocus();
    settle();
    for (const char *name : {"sink", "recent", "sparsity", "traceSearch"}) {
        auto *field = m_window->findChild<QWidget *>(QLatin1String(name));
        ASSERT_TRUE(field) << name;
        field->setEnabled(true);
        const QImage picture = field->grab().toImage();
        const QColor ground = picture.pixelColor(4, 4);
        double best = 0;
        for (int x = 0; x < 3; ++x)
            best = std::max(best, contrastRatio(picture.pixelColor(x, field->height() / 2), ground));
        EXPECT_GE(best, leastContrast) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(Both, ThemeTest, testing::Values(Theme::Light, Theme::Dark),
                         [](const auto &each) { return each.param == Theme::Light ? "Light" : "Dark"; });

} // namespace zigzag::test
