// SPDX-License-Identifier: GPL-3.0-or-later
// The keyboard where several could want a key: Esc, and the window's shortcuts while text is typed.
#include "app/studio/main_window.h"
#include "app/studio/runs_bar.h"
#include "views/widgets/focus_ring.h"
#include "views/widgets/head_map_view.h"

#include <QAbstractSpinBox>
#include <QAction>
#include <QApplication>
#include <QDockWidget>
#include <QKeyEvent>
#include <QLineEdit>
#include <QShortcut>

#include <algorithm>

namespace zigzag {

void MainWindow::buildKeys()
{
    m_escape = new QShortcut(QKeySequence(Qt::Key_Escape), this);
    connect(m_escape, &QShortcut::activated, this, &MainWindow::escape);
    qApp->installEventFilter(this);
    // What a page's run finds appears on that page.
    for (const Docked &each : m_docks)
        for (const QAction *action : each.page->actionsIn(PageMenu::Run))
            connect(action, &QAction::triggered, this, [this, page = each.page] { raisePage(page->objectName()); });
}

void MainWindow::escape()
{
    if (m_bar->isProgress(QApplication::focusWidget()) || !leaveFocus())
        runs().cancel();
}

/// Leaves what has the keyboard: a stroke, a stretch of time, a search, a field, selected heads. False where there is nothing.
bool MainWindow::leaveFocus()
{
    QWidget *focus = QApplication::focusWidget();
    if (focus && focus->window() != this && !isAncestorOf(focus))
        return false;
    if (focus) { // a view that has something to leave takes the key
        QKeyEvent press(QEvent::KeyPress, Qt::Key_Escape, Qt::NoModifier);
        m_escape->setEnabled(false); // else it would come back to here
        QCoreApplication::sendEvent(focus, &press);
        m_escape->setEnabled(true);
        if (press.isAccepted())
            return true;
    }
    if (auto *line = qobject_cast<QLineEdit *>(focus); line && line->isClearButtonEnabled() && !line->text().isEmpty()) {
        line->clear();
        return true;
    }
    if (qobject_cast<QLineEdit *>(focus) || qobject_cast<QAbstractSpinBox *>(focus)) {
        headMap().setFocus(Qt::OtherFocusReason);
        return true;
    }
    if (headMap().selectionModel()->hasSelection()) {
        headMap().selectionModel()->clearSelection();
        return true;
    }
    if (!m_studio.selection().isEmpty()) {
        m_studio.selection().clear();
        return true;
    }
    return false;
}

/// Whether the window wants a combination that a text field would take: all with Ctrl or Alt but those for editing text.
bool MainWindow::belongsToWindow(const QKeySequence &keys) const
{
    for (const QKeySequence::StandardKey editing : {QKeySequence::Undo, QKeySequence::Redo, QKeySequence::Cut, QKeySequence::Copy,
                                                    QKeySequence::Paste, QKeySequence::SelectAll})
        if (QKeySequence::keyBindings(editing).contains(keys))
            return false;
    const QList<QAction *> all = allActions();
    return std::any_of(all.begin(), all.end(), [&](const QAction *action) {
        return action->isEnabled() && action->shortcutContext() != Qt::WidgetShortcut && action->shortcuts().contains(keys);
    });
}

bool MainWindow::focusNextPrevChild(bool next)
{
    // Qt keeps pages behind other tabs where nobody sees them, and calls them visible.
    const auto isInFront = [this](const QWidget &widget) {
        return std::none_of(m_docks.begin(), m_docks.end(), [&](const Docked &each) {
            return each.dock->isAncestorOf(&widget) && shownPart(*each.page).isEmpty();
        });
    };
    QWidget *const start = focusWidget() ? focusWidget() : this;
    const auto step = [next](QWidget *from) { return next ? from->nextInFocusChain() : from->previousInFocusChain(); };
    for (QWidget *each = step(start); each != start; each = step(each)) {
        if ((each->focusPolicy() & Qt::TabFocus) != Qt::TabFocus || each->focusProxy() || !each->isEnabled()
            || each->window() != this || !each->isVisibleTo(this) || !isInFront(*each))
            continue;
        each->setFocus(next ? Qt::TabFocusReason : Qt::BacktabFocusReason);
        FocusRing::bringIntoSight(*each);
        return true;
    }
    return false;
}

bool MainWindow::eventFilter(QObject *watched, QEvent *event)
{
    // A text field claims Ctrl+E (end of the line), Ctrl+K and others before the window hears of them.
    if (event->type() == QEvent::ShortcutOverride
        && (qobject_cast<QLineEdit *>(watched) || qobject_cast<QAbstractSpinBox *>(watched))
        && static_cast<QWidget *>(watched)->window() == this) {
        const auto *key = static_cast<QKeyEvent *>(event);
        if ((key->modifiers() & (Qt::ControlModifier | Qt::AltModifier))
            && belongsToWindow(QKeySequence(key->keyCombination()))) {
            event->ignore();
            return true;
        }
    }
    return QMainWindow::eventFilter(watched, event);
}

} // namespace zigzag
