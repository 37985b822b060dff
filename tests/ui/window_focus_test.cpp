// SPDX-License-Identifier: GPL-3.0-or-later
// Where the keyboard is: Tab comes to everything, nothing keeps it, and eyes see what has it; texts that can be read.
#include "filled_window.h"
#include "views/models/colors.h"
#include "views/widgets/focus_ring.h"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QComboBox>
#include <QFocusFrame>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QScrollArea>
#include <QTabBar>
#include <QTextBlock>
#include <QTextBrowser>
#include <QTextDocument>
#include <QToolBar>
#include <QToolButton>
#include <QTreeView>

#include <algorithm>
#include <map>

namespace zigzag::test {

namespace {

/// What Tab has to come to.
QList<QWidget *> reachable(QWidget &area)
{
    QList<QWidget *> all = area.findChildren<QWidget *>();
    all.removeIf([&](QWidget *each) {
        return (each->focusPolicy() & Qt::TabFocus) != Qt::TabFocus || each->focusProxy() || !each->isEnabled()
            || !each->isVisibleTo(&area) || each->window() != area.window();
    });
    return all;
}

/// Everything that has the keyboard until it is back where it was.
QList<QWidget *> goRound(QWidget &window, Qt::Key key)
{
    constexpr int most = 400; // presses; texts have a stop at each of their links
    QWidget *start = QApplication::focusWidget();
    QList<QWidget *> stops;
    for (int press = 0; press < most; ++press) {
        QWidget *focus = QApplication::focusWidget();
        if (!focus || focus->window() != &window) {
            ADD_FAILURE() << "the keyboard is nowhere after " << (stops.isEmpty() ? "the first" : whereIs(*stops.last()));
            return stops;
        }
        if (!stops.contains(focus)) {
            stops << focus;
            EXPECT_TRUE(isInSight(*focus)) << whereIs(*focus) << " has the keyboard where nobody sees it";
        }
        QTest::keyClick(focus, key, key == Qt::Key_Backtab ? Qt::ShiftModifier : Qt::NoModifier);
        QCoreApplication::processEvents();
        if (QApplication::focusWidget() == start)
            return stops;
    }
    ADD_FAILURE() << "Tab does not come round; it is kept at " << whereIs(*QApplication::focusWidget());
    return stops;
}

QImage pictureOf(QWidget &window, const QRect &area)
{
    return window.grab(area).toImage().convertToFormat(QImage::Format_RGB32);
}

/// Pixels whose contrast to what they were is enough to be seen.
class Changes
{
public:
    Changes(const QImage &without, const QImage &with)
        : m_with(with)
        , m_seen(with.size(), QImage::Format_Grayscale8)
    {
        m_seen.fill(0);
        for (int y = 0; y < with.height(); ++y)
            for (int x = 0; x < with.width(); ++x)
                if (without.pixel(x, y) != with.pixel(x, y) && contrast(without.pixel(x, y), with.pixel(x, y)) >= leastContrast) {
                    m_seen.setPixel(x, y, qRgb(255, 255, 255));
                    ++m_count;
                }
    }
    int count() const { return m_count; }
    /// Whether who looks inwards from an edge, along a line of the picture, meets a change that stands out from what lies beside
    /// it, on one side of it at least.
    bool standsOut(QPoint from, QPoint step) const
    {
        for (; m_with.rect().contains(from); from += step) {
            if (!isSeen(from))
                continue;
            QPoint end = from;
            while (isSeen(end + step))
                end += step;
            return isApart(from, from - step) || isApart(end, end + step);
        }
        return false;
    }

private:
    static double contrast(QRgb a, QRgb b)
    {
        static std::map<std::pair<QRgb, QRgb>, double> known; // a picture has few colours, and many pixels
        const auto [found, isNew] = known.try_emplace({a, b}, 0.0);
        if (isNew)
            found->second = contrastRatio(QColor(a), QColor(b));
        return found->second;
    }
    bool isSeen(QPoint at) const { return m_seen.rect().contains(at) && qGray(m_seen.pixel(at)) > 0; }
    bool isApart(QPoint at, QPoint other) const
    {
        return m_with.rect().contains(other) && contrast(m_with.pixel(at), m_with.pixel(other)) >= leastContrast;
    }

    QImage m_with, m_seen;
    int m_count = 0;
};

void expectFocusIsSeen(QWidget &widget)
{
    QWidget &window = *widget.window();
    widget.setFocus(Qt::TabFocusReason);
    QCoreApplication::processEvents();
    if (!widget.hasFocus())
        return; // it hands the keyboard on, and what has it then is a stop of its own
    const QRect part = FocusRing::placeOf(widget);
    constexpr int beside = 3;
    const QRect area
        = QRect(widget.mapTo(&window, part.topLeft()), part.size()).adjusted(-beside, -beside, beside, beside) & window.rect();
    const QImage with = pictureOf(window, area);
    widget.clearFocus();
    QCoreApplication::processEvents();
    const Changes changes(pictureOf(window, area), with);
    // WCAG 2.2 asks for the area of a frame two pixels wide; texts that it crosses may take some of it.
    EXPECT_GE(changes.count(),
              0.9 * 4 * (widget.rect().intersected(part).width() + widget.rect().intersected(part).height()) - 16)
        << whereIs(widget);
    int sides = 0;
    const QPoint middle = QRect(QPoint(), area.size()).center();
    for (const auto &[from, step] :
         {std::pair(QPoint(0, middle.y()), QPoint(1, 0)), std::pair(QPoint(area.width() - 1, middle.y()), QPoint(-1, 0)),
          std::pair(QPoint(middle.x(), 0), QPoint(0, 1)), std::pair(QPoint(middle.x(), area.height() - 1), QPoint(0, -1))})
        sides += changes.standsOut(from, step);
    EXPECT_EQ(sides, 4) << whereIs(widget);
}

/// In a list, where in it the keyboard is.
void expectCurrentIsSeen(QAbstractItemView &view)
{
    if (!view.model() || view.model()->rowCount(view.rootIndex()) == 0)
        return;
    view.setFocus(Qt::TabFocusReason);
    const QModelIndex was = view.currentIndex();
    const QModelIndex first = view.model()->index(0, view.model()->columnCount() > 1 ? 1 : 0, view.rootIndex());
    const QModelIndex shown = view.visualRect(first).isEmpty() ? first.siblingAtColumn(0) : first;
    for (const bool chosen : {false, true}) {
        const QSignalBlocker quiet(view.selectionModel()); // what it means to choose a row is no matter here
        view.selectionModel()->select(QItemSelection(shown.siblingAtColumn(0), shown.siblingAtColumn(0)),
                                      chosen ? QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows
                                             : QItemSelectionModel::Clear);
        view.selectionModel()->setCurrentIndex(shown, QItemSelectionModel::NoUpdate);
        const QImage with = pictureOf(*view.viewport(), view.viewport()->rect());
        view.selectionModel()->setCurrentIndex({}, QItemSelectionModel::NoUpdate);
        const Changes changes(pictureOf(*view.viewport(), view.viewport()->rect()), with);
        EXPECT_GE(changes.count(), view.visualRect(shown).height()) << whereIs(view) << (chosen ? " chosen" : " not chosen");
    }
    const QSignalBlocker quiet(view.selectionModel());
    view.selectionModel()->setCurrentIndex(was, QItemSelectionModel::NoUpdate);
}

constexpr double readable = 4.5; // WCAG 2, AA

/// The best contrast of any ink on what most of the picture is.
double contrastOfText(QWidget &widget, const QRect &part)
{
    const QImage picture = pictureOf(widget, part);
    std::map<QRgb, int> colors;
    for (int y = 0; y < picture.height(); ++y)
        for (int x = 0; x < picture.width(); ++x)
            ++colors[picture.pixel(x, y)];
    if (colors.empty())
        return 0;
    const auto ground = std::max_element(colors.begin(), colors.end(), [](auto &a, auto &b) { return a.second < b.second; });
    double best = 0;
    for (const auto &[color, count] : colors)
        best = std::max(best, contrastRatio(QColor(color), QColor(ground->first)));
    return best;
}

/// Colours that a text brings along, on the ground behind it.
void expectOwnColorsAreReadable(const QTextDocument &text, const QColor &ground, const std::string &where)
{
    for (QTextBlock block = text.begin(); block.isValid(); block = block.next())
        for (auto part = block.begin(); !part.atEnd(); ++part)
            if (const QTextCharFormat format = part.fragment().charFormat();
                format.hasProperty(QTextFormat::ForegroundBrush) && !part.fragment().text().trimmed().isEmpty()) {
                const QColor behind = format.hasProperty(QTextFormat::BackgroundBrush) ? format.background().color() : ground;
                EXPECT_GE(contrastRatio(format.foreground().color(), behind), readable)
                    << where << ": " << part.fragment().text().toStdString();
            }
}

void expectReadable(QWidget &area)
{
    for (QWidget *widget : area.findChildren<QWidget *>()) {
        if (!isInSight(*widget) || !widget->isEnabled() || widget->visibleRegion().boundingRect() != widget->rect())
            continue;
        const auto *label = qobject_cast<QLabel *>(widget);
        const auto *line = qobject_cast<QLineEdit *>(widget);
        const auto *box = qobject_cast<QComboBox *>(widget);
        const auto *button = qobject_cast<QAbstractButton *>(widget);
        if (const auto *tool = qobject_cast<const QToolButton *>(button);
            tool && tool->toolButtonStyle() == Qt::ToolButtonIconOnly && !tool->icon().isNull())
            continue; // its text is in its tooltip
        const auto *tabs = qobject_cast<QTabBar *>(widget);
        const auto *header = qobject_cast<QHeaderView *>(widget);
        const QString text = label                             ? label->text()
            : line                                             ? line->text() + line->placeholderText()
            : box                                              ? box->currentText()
            : button                                           ? button->text()
            : tabs && tabs->count() > 0                        ? tabs->tabText(0)
            : header && header->count() > 0 && header->model() ? header->model()->headerData(0, header->orientation()).toString()
                                                               : QString();
        if (text.trimmed().isEmpty())
            continue;
        const QRect part = button ? button->rect().adjusted(6, 4, -6, -4) : widget->rect().adjusted(2, 2, -2, -2);
        EXPECT_GE(contrastOfText(*widget, part), readable) << whereIs(*widget) << text.toStdString();
        if (label && Qt::mightBeRichText(text)) {
            QTextDocument document;
            document.setHtml(text);
            expectOwnColorsAreReadable(document, widget->palette().color(QPalette::Base), whereIs(*widget));
        }
    }
    for (const QTextBrowser *browser : area.findChildren<QTextBrowser *>())
        expectOwnColorsAreReadable(*browser->document(), browser->palette().color(QPalette::Base), whereIs(*browser));
    for (const QAbstractItemView *view : area.findChildren<QAbstractItemView *>()) {
        const QAbstractItemModel *model = view->model();
        for (int row = 0; model && row < std::min(model->rowCount(), 50); ++row)
            for (int column = 0; column < model->columnCount(); ++column) {
                const QModelIndex index = model->index(row, column);
                const QVariant ink = index.data(Qt::ForegroundRole), ground = index.data(Qt::BackgroundRole);
                if (index.data().toString().isEmpty() || (!ink.isValid() && !ground.isValid())
                    || !(index.flags() & Qt::ItemIsEnabled))
                    continue;
                const auto colorOf = [](const QVariant &role) {
                    return role.canConvert<QBrush>() ? role.value<QBrush>().color() : role.value<QColor>();
                };
                EXPECT_GE(contrastRatio(ink.isValid() ? colorOf(ink) : view->palette().color(QPalette::Text),
                                        ground.isValid() ? colorOf(ground) : view->palette().color(QPalette::Base)),
                          readable)
                    << whereIs(*view) << index.data().toString().toStdString();
            }
    }
}

class FocusTest : public FilledWindow, public testing::WithParamInterface<Theme>
{
protected:
    void SetUp() override
    {
        fill();
        if (HasFatalFailure())
            return;
        m_window->setTheme(GetParam());
        activate();
    }
    void TearDown() override { m_window->setTheme(Theme::Light); }

    void expectReached(QWidget &area)
    {
        const QList<QWidget *> wanted = reachable(area);
        for (const Qt::Key key : {Qt::Key_Tab, Qt::Key_Backtab}) {
            QWidget *start = QApplication::focusWidget();
            ASSERT_TRUE(start) << "nothing has the keyboard";
            const QList<QWidget *> stops = goRound(*area.window(), key);
            for (QWidget *each : wanted)
                EXPECT_TRUE(stops.contains(each)) << whereIs(*each) << (key == Qt::Key_Tab ? "" : " backwards");
            start->setFocus(Qt::OtherFocusReason);
        }
    }
    void expectSeen(QWidget &area)
    {
        for (QWidget *each : reachable(area)) {
            for (QWidget *outer = each->parentWidget(); outer; outer = outer->parentWidget())
                if (auto *scrolled = qobject_cast<QScrollArea *>(outer))
                    scrolled->ensureWidgetVisible(each);
            expectFocusIsSeen(*each);
            if (auto *view = qobject_cast<QAbstractItemView *>(each))
                expectCurrentIsSeen(*view);
        }
    }
};

} // namespace

TEST_P(FocusTest, TabComesToEverythingOfEveryPage)
{
    toEveryPage([this](Page &page) { expectReached(page); });
    m_window->headMap().setFocus();
    expectReached(*m_window->centralWidget());
}

TEST_P(FocusTest, TabComesToEverythingOfEveryDialog)
{
    toEveryDialog([this](QWidget &dialog) { expectReached(dialog); });
}

TEST_P(FocusTest, WhatHasTheKeyboardIsSeenOnEveryPage)
{
    toEveryPage([this](Page &page) { expectSeen(page); });
    expectSeen(*m_window->centralWidget());
    for (QToolBar *bar : m_window->findChildren<QToolBar *>())
        expectSeen(*bar);
}

TEST_P(FocusTest, WhatHasTheKeyboardIsSeenInEveryDialog)
{
    toEveryDialog([this](QWidget &dialog) { expectSeen(dialog); });
}

TEST_P(FocusTest, EveryTextOfEveryPageAndDialogCanBeRead)
{
    toEveryPage([](Page &page) { expectReadable(*page.window()); });
    toEveryDialog([](QWidget &dialog) { expectReadable(dialog); });
}

TEST_P(FocusTest, TheCurrentHeadIsSeenWhateverItsColour)
{
    HeadMapView &view = m_window->headMap();
    view.setFocus();
    for (int layer = 0; layer < map().layers(); ++layer)
        for (int head = 0; head < map().model().kvHeads; ++head) {
            const QRect cell = view.visibleCell(layer, head);
            if (!view.viewport()->rect().contains(cell))
                continue;
            view.selectionModel()->setCurrentIndex(view.selectionModel()->model()->index(layer, head),
                                                   QItemSelectionModel::NoUpdate);
            const QImage with = pictureOf(*view.viewport(), cell);
            view.selectionModel()->setCurrentIndex({}, QItemSelectionModel::NoUpdate);
            const Changes changes(pictureOf(*view.viewport(), cell), with);
            EXPECT_GE(changes.count(), 2 * (cell.width() + cell.height()) / 2) << layer << ' ' << head; // every other dot
        }
}

INSTANTIATE_TEST_SUITE_P(Both, FocusTest, testing::Values(Theme::Light, Theme::Dark),
                         [](const auto &each) { return each.param == Theme::Light ? "Light" : "Dark"; });

TEST_F(FilledWindow, TheKeyboardDoesNotStayBehindATab)
{
    fill();
    activate();
    const auto focusIsIn = [&](const char *page) {
        const QWidget *focus = QApplication::focusWidget();
        return focus && isInSight(*focus) && m_window->findChild<Page *>(QLatin1String(page))->isAncestorOf(focus);
    };
    m_window->showPage(QStringLiteral("compare"));
    ASSERT_TRUE(comesToFront("compare"));
    ASSERT_TRUE(focusIsIn("compare"));
    m_window->raisePage(QStringLiteral("find"));
    ASSERT_TRUE(comesToFront("find"));
    EXPECT_TRUE(QTest::qWaitFor([&] { return focusIsIn("find"); })) << "what it was on cannot be seen any more";
    m_window->raisePage(QStringLiteral("inspector"));
    ASSERT_TRUE(comesToFront("inspector"));
    settle();
    EXPECT_TRUE(focusIsIn("find")) << "which still is seen";
}

TEST_F(FilledWindow, TablesAreSortedWithoutAMouse)
{
    fill();
    int tables = 0;
    for (QTreeView *table : m_window->findChildren<QTreeView *>()) {
        if (!table->isSortingEnabled())
            continue;
        ++tables;
        QMenu *menu = nullptr;
        for (const QAction *action : table->actions())
            if (action->menu())
                menu = action->menu();
        ASSERT_TRUE(menu) << whereIs(*table);
        EXPECT_EQ(table->contextMenuPolicy(), Qt::ActionsContextMenu) << whereIs(*table);
        Q_EMIT menu->aboutToShow();
        ASSERT_GT(menu->actions().size(), 1) << whereIs(*table);
        QAction *second = menu->actions().at(1);
        second->trigger();
        EXPECT_EQ(table->model()->headerData(table->header()->sortIndicatorSection(), Qt::Horizontal).toString().simplified(),
                  second->text());
        const Qt::SortOrder order = table->header()->sortIndicatorOrder();
        Q_EMIT menu->aboutToShow();
        EXPECT_TRUE(menu->actions().at(1)->isChecked());
        menu->actions().at(1)->trigger();
        EXPECT_NE(table->header()->sortIndicatorOrder(), order);
    }
    EXPECT_GE(tables, 3);
}

} // namespace zigzag::test
