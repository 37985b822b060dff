// SPDX-License-Identifier: GPL-3.0-or-later
// Docks: where each page begins, and what is remembered of where a person put it.
#include "app/studio/main_window.h"
#include "app/studio/pages/map_page.h"
#include "views/widgets/focus_ring.h"

#include <QActionGroup>
#include <QDockWidget>
#include <QTabBar>
#include <QTimer>

#include <algorithm>

namespace zigzag {

namespace {

/// What of a page takes the keyboard: what the page names, or the first that can. A page without any takes it itself.
QWidget *firstToFocus(Page &page)
{
    if (page.focusProxy())
        return page.focusProxy();
    for (QWidget *next = page.nextInFocusChain(); next != &page; next = next->nextInFocusChain())
        if (page.isAncestorOf(next) && (next->focusPolicy() & Qt::TabFocus) && !next->focusProxy() && next->isEnabled()
            && next->isVisibleTo(&page))
            return next;
    return &page;
}

} // namespace

void MainWindow::dock(Page *page, Qt::DockWidgetArea area)
{
    auto *box = new QDockWidget(page->windowTitle(), this);
    box->setObjectName(page->objectName() + QStringLiteral("Dock"));
    box->setWidget(page);
    m_docks.push_back({page, box, area});
    // Who chooses another tab leaves the keyboard behind it, where it would press what nobody sees.
    connect(box, &QDockWidget::visibilityChanged, this, [this, box](bool visible) {
        if (!visible && box->isAncestorOf(focusWidget()))
            QTimer::singleShot(0, box, [this, box] { leaveHidden(*box); });
    });
}

void MainWindow::resetLayout()
{
    setDockNestingEnabled(true);
    setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
    // The bottom reaches under the left: a timeline wants width, the plots on the right want height.
    setCorner(Qt::BottomLeftCorner, Qt::BottomDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    const int em = fontMetrics().averageCharWidth();
    const int line = fontMetrics().height();
    for (const auto &[area, orientation, size] : {std::tuple(Qt::LeftDockWidgetArea, Qt::Horizontal, em * 36),
                                                  std::tuple(Qt::RightDockWidgetArea, Qt::Horizontal, em * 56),
                                                  std::tuple(Qt::BottomDockWidgetArea, Qt::Vertical, line * 22)}) {
        QDockWidget *first = nullptr;
        for (const Docked &each : m_docks) {
            if (each.area != area)
                continue;
            each.dock->setFloating(false);
            addDockWidget(area, each.dock);
            if (first)
                tabifyDockWidget(first, each.dock);
            else
                first = each.dock;
            each.dock->show();
        }
        if (!first)
            continue;
        first->raise();
        resizeDocks({first}, {size}, orientation);
    }
}

void MainWindow::restoreLayout()
{
    if (!m_settings)
        return;
    restoreGeometry(m_settings->value(QStringLiteral("geometry")).toByteArray());
    restoreState(m_settings->value(QStringLiteral("layout")).toByteArray(), sessionLayoutVersion);
    const int paper = m_settings->value(QStringLiteral("paper")).toInt();
    for (QAction *action : m_papers->actions())
        if (action->data().toInt() == paper)
            action->trigger();
    for (QAction *action : pageActions(PageMenu::View))
        if (action->isCheckable())
            action->setChecked(m_settings->value(QStringLiteral("view/") + action->objectName()).toBool());
    m_theme = parseTheme(m_settings->value(QStringLiteral("theme")).toString()).value_or(Theme::System);
}

void MainWindow::saveLayout()
{
    if (!m_settings)
        return;
    m_settings->setValue(QStringLiteral("geometry"), saveGeometry());
    m_settings->setValue(QStringLiteral("layout"), saveState(sessionLayoutVersion));
    m_settings->setValue(QStringLiteral("theme"), nameOf(m_theme));
    m_settings->setValue(QStringLiteral("paper"), static_cast<int>(m_studio.paper()));
    for (const QAction *action : pageActions(PageMenu::View))
        if (action->isCheckable())
            m_settings->setValue(QStringLiteral("view/") + action->objectName(), action->isChecked());
    m_settings->sync(); // the process may end before an idle moment comes
}

void MainWindow::showPage(const QString &name)
{
    raisePage(name);
    const auto found
        = std::find_if(m_docks.begin(), m_docks.end(), [&](const Docked &each) { return each.page->objectName() == name; });
    if (found == m_docks.end())
        return;
    QWidget *first = firstToFocus(*found->page);
    first->setFocus(Qt::OtherFocusReason);
    FocusRing::bringIntoSight(*first);
}

/// The keyboard goes to the page that has come to the front of this one, if that is where it is; else to the map.
void MainWindow::leaveHidden(const QDockWidget &dock)
{
    if (!dock.isAncestorOf(focusWidget()) || !shownPart(*dock.widget()).isEmpty())
        return;
    const QList<QDockWidget *> others = tabifiedDockWidgets(const_cast<QDockWidget *>(&dock));
    QWidget *next = firstToFocus(*m_map);
    for (const Docked &each : m_docks)
        if (others.contains(each.dock) && !shownPart(*each.page).isEmpty())
            next = firstToFocus(*each.page);
    next->setFocus(Qt::OtherFocusReason);
}

void MainWindow::raisePage(const QString &name)
{
    for (const Docked &each : m_docks)
        if (each.page->objectName() == name) {
            each.dock->show();
            each.dock->raise();
        }
}

} // namespace zigzag
