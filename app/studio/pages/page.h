// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/studio.h"
#include "views/widgets/exhibit.h"

#include <QAction>
#include <QWidget>
#include <vector>

namespace zigzag {

/// The menu of the window that an action of a page belongs in.
enum class PageMenu { File, Export, Edit, Run, View };

/// A view with a dock of its own in the window: its object name names the dock and the saved layout, its window title is the
/// dock's title and its entry in the View menu. It brings its actions along; the menus, the command palette and the list of
/// shortcuts find them by themselves.
class Page : public QWidget
{
    Q_OBJECT
public:
    /// `name` such as "quality"; `title` translated.
    Page(Studio &studio, const QString &name, const QString &title, QWidget *parent);

    QList<QAction *> actionsIn(PageMenu menu) const;
    /// What can be saved of it.
    const std::vector<Exhibit> &exhibits() const { return m_exhibits; }
    /// What F1 opens here: a page of resources/guide, such as "plots", or a heading of it, such as "edit#assign".
    const QString &guidePage() const { return m_guidePage; }

protected:
    void setGuidePage(const QString &place) { m_guidePage = place; }
    /// Shows what the studio knows by now. Called after every change, once a turn of the event loop, whether or not the page
    /// can be seen: be quick when nothing that you show has changed.
    virtual void refresh() = 0;

    Studio &studio() const { return m_studio; }
    /// An action for a menu. `name` is the object name, by which tests find it.
    template <class Slot>
    QAction *offer(PageMenu menu, const QString &name, const QString &text, const QKeySequence &keys, Slot slot)
    {
        QAction *action = offer(menu, name, text, keys);
        connect(action, &QAction::triggered, this, slot);
        return action;
    }

    /// A plot or a table that can be saved as PNG, SVG, PDF or CSV: by the context menu of `shown`, from the File menu and
    /// from the command palette.
    void exhibit(const Exhibit &exhibit, QWidget *shown);

private:
    QAction *offer(PageMenu menu, const QString &name, const QString &text, const QKeySequence &keys);

    Studio &m_studio;
    std::vector<Exhibit> m_exhibits;
    QString m_guidePage = QStringLiteral("window");
};

} // namespace zigzag
