// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/page.h"

#include "views/models/native_path.h"

namespace zigzag {

Page::Page(Studio &studio, const QString &name, const QString &title, QWidget *parent)
    : QWidget(parent)
    , m_studio(studio)
{
    setObjectName(name);
    setWindowTitle(title);
    setAccessibleName(title); // where nothing in it takes the keyboard, it has the keyboard itself
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    connect(&studio, &Studio::refreshed, this, [this] { refresh(); });
}

QAction *Page::offer(PageMenu menu, const QString &name, const QString &text, const QKeySequence &keys)
{
    auto *action = new QAction(text, this);
    action->setObjectName(name);
    action->setShortcut(keys);
    action->setData(static_cast<int>(menu));
    addAction(action);
    return action;
}

void Page::exhibit(const Exhibit &exhibit, QWidget *shown)
{
    m_exhibits.push_back(exhibit);
    const QString name = QStringLiteral("save_") + exhibit.fileName;
    QAction *action = offer(PageMenu::Export, name, tr("Save %1…").arg(exhibit.name), {}, [this, exhibit] {
        const QString title = tr("Save %1").arg(exhibit.name);
        const QString path = studio().prompts().exhibitToSave(this, title, exhibit.fileName + QStringLiteral(".png"));
        if (path.isEmpty())
            return;
        if (const auto saved = saveExhibit(exhibit, path, studio().paper()); !saved)
            return studio().say(saved.error());
        studio().say(MessageBar::Kind::Note, tr("Saved %1 to %2").arg(exhibit.name, shownPath(path)));
    });
    shown->setContextMenuPolicy(Qt::ActionsContextMenu);
    shown->addAction(action);
}

QList<QAction *> Page::actionsIn(PageMenu menu) const
{
    QList<QAction *> found;
    for (QAction *action : actions())
        if (action->data().toInt() == static_cast<int>(menu))
            found.append(action);
    return found;
}

} // namespace zigzag
