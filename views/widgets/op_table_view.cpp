// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/op_table_view.h"

#include "views/models/op_table_model.h"

#include <QHeaderView>
#include <QScopedValueRollback>
#include <QSortFilterProxyModel>

#include <algorithm>
#include <set>

namespace zigzag {

OpTableView::OpTableView(OpTableModel *model, QWidget *parent)
    : QTreeView(parent)
    , m_model(model)
    , m_sorted(new QSortFilterProxyModel(this))
{
    m_sorted->setSourceModel(model);
    m_sorted->setSortRole(OpTableModel::SortRole);
    setModel(m_sorted);
    setRootIsDecorated(false);
    setUniformRowHeights(true);
    setAlternatingRowColors(true);
    setAllColumnsShowFocus(true);
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setFrameShape(QFrame::NoFrame);
    setSortingEnabled(true);
    sortByColumn(OpTableModel::Self, Qt::DescendingOrder);
    setAccessibleName(tr("Op table"));
    header()->setSectionsMovable(true);
    header()->setStretchLastSection(false);
    connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
        fitColumns();
        selectLayers(m_layers);
    });
    connect(selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (m_quiet)
            return;
        std::set<int> layers;
        for (const QModelIndex &row : selectionModel()->selectedRows())
            if (const int layer = row.data(OpTableModel::LayerRole).toInt(); layer >= 0)
                layers.insert(layer);
        m_layers.assign(layers.begin(), layers.end());
        Q_EMIT layersChosen(m_layers);
    });
}

QSize OpTableView::sizeHint() const
{
    return {fontMetrics().averageCharWidth() * 110, fontMetrics().height() * 14};
}

void OpTableView::fitColumns()
{
    // By the rows that there are, and for the figures to come: the columns do not jump while an area is dragged.
    const int least = fontMetrics().horizontalAdvance(QStringLiteral("999.9 MB/s"));
    for (int column = 0; column < m_model->columnCount(); ++column) {
        resizeColumnToContents(column);
        if (column > 0 && columnWidth(column) < least)
            setColumnWidth(column, least);
    }
    const auto anyKernel
        = std::any_of(m_model->rows().begin(), m_model->rows().end(), [](const OpRow &row) { return row.kernelNs > 0; });
    setColumnHidden(OpTableModel::Kernels, !anyKernel);
}

void OpTableView::selectLayers(const std::vector<int> &layers)
{
    const QScopedValueRollback quiet(m_quiet, true);
    m_layers = layers;
    QItemSelection rows;
    for (int row = 0; row < m_sorted->rowCount(); ++row) {
        const QModelIndex index = m_sorted->index(row, 0);
        if (std::binary_search(layers.begin(), layers.end(), index.data(OpTableModel::LayerRole).toInt()))
            rows.select(index, index);
    }
    selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    if (!rows.isEmpty())
        scrollTo(rows.first().topLeft());
}

} // namespace zigzag
