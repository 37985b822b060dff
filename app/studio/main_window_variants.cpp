// SPDX-License-Identifier: GPL-3.0-or-later
// Several variants of the map: named, copied, switched and removed. Each is undone on its own.
#include "app/studio/main_window.h"
#include "app/studio/window_actions.h"

#include "views/widgets/command_palette.h"

#include <QAction>
#include <QMenu>

namespace zigzag {

QMenu *MainWindow::buildVariantsMenu()
{
    WindowActions &all = *m_actions;
    all.variants = new QMenu(tr("&Variants"), this);
    const auto make = [this](const QString &name, const QString &text, const QKeySequence &keys, auto &&slot) {
        QAction *action = m_actions->variants->addAction(text);
        action->setObjectName(name);
        action->setShortcut(keys);
        connect(action, &QAction::triggered, this, slot);
        return action;
    };
    all.newVariant
        = make(QStringLiteral("newVariant"), tr("&Copy this map as another variant…"), QKeySequence(tr("Ctrl+D")), [this] {
              const QString name
                  = m_studio.prompts().textFor(this, tr("Another variant"), tr("What it is called:"),
                                               document().freeVariantName(document().variantName(document().variant())));
              if (!name.simplified().isEmpty())
                  document().duplicateVariant(name.simplified());
          });
    all.newVariant->setToolTip(tr("Go on with a copy of this map, which has a name and an undo history of its own"));
    all.renameVariant = make(QStringLiteral("renameVariant"), tr("&Rename this variant…"), {}, [this] {
        const int index = document().variant();
        document().renameVariant(
            index,
            m_studio.prompts().textFor(this, tr("Rename the variant"), tr("What it is called:"), document().variantName(index)));
    });
    all.noteVariant = make(QStringLiteral("noteVariant"), tr("&Note on this variant…"), {}, [this] {
        const int index = document().variant();
        const QString before = document().variantAt(index).notes;
        const QString notes
            = m_studio.prompts().textFor(this, tr("A note on the variant"), tr("What is to be remembered of it:"), before);
        if (!notes.isNull()) // cancelled
            document().setVariantNotes(index, notes);
    });
    all.removeVariant = make(QStringLiteral("removeVariant"), tr("Re&move this variant"), {},
                             [this] { document().removeVariant(document().variant()); });
    all.nextVariant = make(QStringLiteral("nextVariant"), tr("Ne&xt variant"), QKeySequence(tr("Ctrl+PgDown")),
                           [this] { document().showVariant((document().variant() + 1) % document().variants()); });
    QAction *drawing = all.variants->addAction(tr("&Draw the other variants in the plots"));
    drawing->setObjectName(QStringLiteral("drawVariants"));
    drawing->setCheckable(true);
    drawing->setChecked(m_studio.drawsVariants());
    drawing->setToolTip(tr("Curves and measurements of every variant beside this map's"));
    connect(drawing, &QAction::toggled, this, [this](bool on) { m_studio.setDrawsVariants(on); });
    all.variants->addSeparator();
    connect(&document(), &Document::variantsChanged, this, &MainWindow::refreshVariants);
    connect(&document(), &Document::variantsChanged, this, &MainWindow::refreshTitle);
    refreshVariants();
    return all.variants;
}

void MainWindow::refreshVariants()
{
    for (QAction *action : m_variantActions) { // one of them may be what is being triggered
        m_actions->variants->removeAction(action);
        action->deleteLater();
    }
    m_variantActions.clear();
    for (int index = 0; index < document().variants(); ++index) {
        const MapVariant variant = document().variantAt(index);
        QString shown = variant.name;
        QAction *action = m_actions->variants->addAction(shown.replace(QLatin1Char('&'), QLatin1String("&&")));
        action->setCheckable(true);
        action->setChecked(index == document().variant());
        action->setToolTip(variant.notes);
        action->setProperty(CommandPalette::prefix, tr("Variant: "));
        connect(action, &QAction::triggered, this, [this, index] { document().showVariant(index); });
        m_variantActions.append(action);
    }
    const bool several = document().variants() > 1;
    m_actions->removeVariant->setEnabled(several);
    m_actions->nextVariant->setEnabled(several);
}

} // namespace zigzag
