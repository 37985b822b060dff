// SPDX-License-Identifier: GPL-3.0-or-later
// A small screen: nothing lies on anything else, and no text is cut.
#include "app/studio/language.h"
#include "app/studio/pages/page.h"
#include "filled_window.h"
#include "views/widgets/head_map_painter.h"
#include "views/widgets/plot.h"

#include <QAbstractButton>
#include <QAbstractSpinBox>
#include <QComboBox>
#include <QDialog>
#include <QDockWidget>
#include <QFocusFrame>
#include <QGroupBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QScrollArea>
#include <QStyle>
#include <QStyleOptionComboBox>
#include <QTabBar>
#include <QToolBar>
#include <QToolButton>

namespace zigzag::test {

namespace {

constexpr QSize smallScreen(1280, 720);

/// Whether Qt itself lays the parts out, one upon the other where it means to.
bool isOfOnePiece(const QWidget &widget)
{
    return (widget.inherits("QAbstractScrollArea") && !qobject_cast<const QScrollArea *>(&widget))
        || qobject_cast<const QComboBox *>(&widget) || qobject_cast<const QAbstractSpinBox *>(&widget)
        || qobject_cast<const QLineEdit *>(&widget) || qobject_cast<const QTabBar *>(&widget);
}

void expectApart(const QWidget &parent)
{
    std::vector<const QWidget *> shown;
    for (const QObject *child : parent.children())
        if (const auto *widget = qobject_cast<const QWidget *>(child); widget && isInSight(*widget) && !widget->isWindow()
            && !qobject_cast<const MessageBar *>(widget)
            && !qobject_cast<const QFocusFrame *>(widget)) // it lies round what it is about
            shown.push_back(widget);
    for (std::size_t a = 0; a < shown.size(); ++a)
        for (std::size_t b = a + 1; b < shown.size(); ++b) {
            const QRect both = shown[a]->geometry() & shown[b]->geometry();
            EXPECT_TRUE(both.isEmpty()) << whereIs(*shown[a]) << " and " << whereIs(*shown[b]) << " share " << both.width()
                                        << " × " << both.height();
        }
    for (const QWidget *widget : shown)
        if (!isOfOnePiece(*widget))
            expectApart(*widget);
}

/// Texts of Qt's own widgets; what we paint ourselves has tests of its own.
void expectWhole(QWidget &parent)
{
    for (QLabel *label : parent.findChildren<QLabel *>()) {
        if (!isInSight(*label) || label->text().isEmpty())
            continue;
        const int needed = label->wordWrap() ? label->heightForWidth(label->width()) : label->sizeHint().height();
        EXPECT_GE(label->height() + 1, needed) << whereIs(*label) << label->text().toStdString();
        if (!label->wordWrap()) {
            EXPECT_GE(label->width() + 1, label->sizeHint().width()) << whereIs(*label) << label->text().toStdString();
        }
    }
    for (const QAbstractButton *button : parent.findChildren<QAbstractButton *>())
        if (isInSight(*button) && !button->text().isEmpty() && !button->inherits("QDockWidgetTitleButton")) {
            EXPECT_GE(button->width(), button->minimumSizeHint().width()) << button->text().toStdString();
            EXPECT_GE(button->height(), button->minimumSizeHint().height()) << button->text().toStdString();
        }
    for (const QComboBox *box : parent.findChildren<QComboBox *>())
        if (isInSight(*box)) {
            QStyleOptionComboBox option;
            option.initFrom(box);
            option.editable = box->isEditable();
            const int room
                = box->style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, box).width();
            for (int item = 0; item < box->count(); ++item) // whichever is chosen next
                EXPECT_GE(room, box->fontMetrics().horizontalAdvance(box->itemText(item)))
                    << whereIs(*box) << ": " << box->itemText(item).toStdString();
        }
    for (const QLineEdit *line : parent.findChildren<QLineEdit *>())
        if (isInSight(*line) && !line->placeholderText().isEmpty()) {
            EXPECT_GE(line->width(), line->fontMetrics().horizontalAdvance(line->placeholderText()))
                << whereIs(*line) << line->placeholderText().toStdString();
        }
    for (const QAbstractSpinBox *box : parent.findChildren<QAbstractSpinBox *>())
        if (isInSight(*box)) {
            EXPECT_GE(box->width(), box->minimumSizeHint().width()) << whereIs(*box) << box->text().toStdString();
        }
    for (const QGroupBox *group : parent.findChildren<QGroupBox *>())
        if (isInSight(*group)) {
            EXPECT_GE(group->width(), group->fontMetrics().horizontalAdvance(group->title())) << group->title().toStdString();
        }
    for (const QTabBar *tabs : parent.findChildren<QTabBar *>())
        for (int tab = 0; isInSight(*tabs) && tab < tabs->count(); ++tab) {
            EXPECT_GE(tabs->tabRect(tab).width(), tabs->fontMetrics().horizontalAdvance(tabs->tabText(tab)));
            EXPECT_LE(tabs->tabRect(tab).right(), tabs->width()) << tabs->tabText(tab).toStdString();
        }
}

/// Headings of tables, of which Qt draws an end as dots where there is no room.
void expectWholeHeadings(QWidget &parent)
{
    for (const QHeaderView *header : parent.findChildren<QHeaderView *>()) {
        if (!isInSight(*header) || header->orientation() != Qt::Horizontal)
            continue;
        for (int section = 0; section < header->count(); ++section)
            if (!header->isSectionHidden(section)) {
                EXPECT_GE(header->sectionSize(section), header->sectionSizeHint(section))
                    << whereIs(*header) << header->model()->headerData(section, Qt::Horizontal).toString().toStdString();
            }
    }
}

/// A plot says what is along its axes, and has room for saying it.
void expectAxes(QWidget &parent)
{
    for (QCustomPlot *plot : parent.findChildren<QCustomPlot *>()) {
        if (!isInSight(*plot))
            continue;
        for (const QCPAxis *axis : {plot->xAxis, plot->yAxis}) {
            EXPECT_TRUE(axis->visible()) << whereIs(*plot);
            EXPECT_FALSE(axis->label().isEmpty()) << whereIs(*plot);
            const int room = axis == plot->xAxis ? plot->axisRect()->width() : plot->height();
            EXPECT_LE(QFontMetrics(axis->labelFont()).horizontalAdvance(axis->label()), room)
                << whereIs(*plot) << axis->label().toStdString();
        }
        EXPECT_GT(plot->axisRect()->width(), plot->fontMetrics().height() * 6) << whereIs(*plot) << "there is room to draw in";
    }
}

class RoomTest : public HeldWindow
{
protected:
    void expectRoom(const char *when)
    {
        SCOPED_TRACE(when);
        m_window->setAnimated(false);
        m_window->resize(smallScreen);
        for (const QDockWidget *dock : m_window->findChildren<QDockWidget *>()) {
            SCOPED_TRACE(dock->windowTitle().toStdString());
            m_window->showPage(dock->widget()->objectName());
            m_window->refreshNow();
            settle();
            ASSERT_EQ(m_window->size(), smallScreen);
            expectApart(*m_window);
            expectWhole(*m_window);
            expectWholeHeadings(*m_window);
            expectAxes(*m_window);
            expectHeadings();
        }
    }
    void expectHeadings()
    {
        const HeadMapView &view = m_window->headMap();
        const QFontMetrics metrics(view.font());
        for (const HeadMapPainter::Heading &each : view.headings()) {
            const QRect needed = metrics.boundingRect(QRect(0, 0, each.column.width(), 1 << 12), Qt::TextWordWrap, each.title);
            EXPECT_LE(needed.height(), view.geometryOfMap().headerHeight() - metrics.height() / 4) << each.title.toStdString();
            EXPECT_LE(needed.width(), each.column.width()) << each.title.toStdString();
        }
    }
};

} // namespace

TEST_F(RoomTest, NothingLiesOnAnythingElseOnASmallScreen)
{
    hold({RunName::Calibrate, RunName::Score, RunName::Measure});
    m_window->document().setScores(risingScores(3, 2));
    expectRoom("while it is calibrated");
    m_window->actions().measure->trigger();
    settle();
    expectRoom("with a queue");
    const auto *more = m_window->findChild<QToolButton *>("qt_toolbar_ext_button");
    EXPECT_TRUE(!more || !more->isVisible()) << "what stops a run is in sight";
    m_window->runs().cancelAll();
    expectRoom("idle");
    // The longest headings that there are, and a column more.
    FoundScores ablation;
    ablation.name = QStringLiteral("Ablation of layers");
    ablation.scores = risingScores(3, 2);
    ablation.isSearch = true;
    ablation.window = *map().oneWindow();
    ablation.effects.resize(3);
    ablation.effects[1].loss = 0.5;
    m_window->studio().scoreSources().add(ablation);
    m_window->refreshNow();
    m_window->resize(m_window->minimumSizeHint());
    settle();
    m_window->headMap().setCostTitles("KV bytes at 128K", "predicted TPOT at 128K (disturbed)");
    expectHeadings();
    m_window->headMap().setCostTitles("KV bytes at 128K", "TPOT at 128K, hatched: predicted");
    expectHeadings();
}

/// In every language, with something on every page: words of another language are longer.
class LanguageRoomTest : public FilledWindow, public testing::WithParamInterface<const char *>
{
protected:
    ~LanguageRoomTest() override { speak(QStringLiteral("en")); }
    void SetUp() override
    {
        ASSERT_TRUE(speak(QLatin1String(GetParam())));
        fill();
    }
};

TEST_P(LanguageRoomTest, NoTextOfAPageIsCut)
{
    activate();
    toEveryPage([this](Page &page) {
        ASSERT_EQ(m_window->size(), smallScreen);
        expectApart(*m_window);
        expectWhole(*m_window);
        expectWholeHeadings(page);
        expectAxes(page);
    });
}

TEST_P(LanguageRoomTest, NoTextOfADialogIsCut)
{
    activate();
    toEveryDialog([](QWidget &dialog) {
        EXPECT_LE(dialog.width(), smallScreen.width());
        EXPECT_LE(dialog.height(), smallScreen.height());
        expectApart(dialog);
        expectWhole(dialog);
        expectWholeHeadings(dialog);
    });
}

INSTANTIATE_TEST_SUITE_P(Each, LanguageRoomTest, testing::Values("en", "de"),
                         [](const auto &each) { return std::string(each.param); });

} // namespace zigzag::test
