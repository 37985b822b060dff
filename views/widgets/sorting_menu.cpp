// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/sorting_menu.h"

#include "views/models/text.h"

#include <QHeaderView>
#include <QMenu>
#include <QTreeView>

namespace zigzag {

void offerSorting(QTreeView &table)
{
    auto *menu = new QMenu(tr("Sort by"), &table);
    table.setContextMenuPolicy(Qt::ActionsContextMenu);
    table.addAction(menu->menuAction());
    QObject::connect(menu, &QMenu::aboutToShow, &table, [menu, &table] {
        menu->clear();
        const QHeaderView *header = table.header();
        for (int place = 0; place < header->count(); ++place) {
            const int column = header->logicalIndex(place);
            if (header->isSectionHidden(column))
                continue;
            QAction *action = menu->addAction(table.model()->headerData(column, Qt::Horizontal).toString().simplified());
            action->setCheckable(true);
            action->setChecked(column == header->sortIndicatorSection());
            QObject::connect(action, &QAction::triggered, &table, [&table, column] {
                const bool again = table.header()->sortIndicatorSection() == column;
                const bool falls = table.header()->sortIndicatorOrder() == Qt::DescendingOrder;
                table.sortByColumn(column, again && !falls ? Qt::DescendingOrder : Qt::AscendingOrder);
            });
        }
    });
}

} // namespace zigzag
