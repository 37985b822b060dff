// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/op_table_view.h"

#include "views/models/op_table_model.h"
#include "views/widgets/sorting_menu.h"

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
    offerSorting(*this);
    sortByColumn(OpTableModel::Self, Qt::DescendingOrder);
    setAccessibleName(tr("Op table"));
    header()->setSectionsMovable(true);
    header()->setStretchLastSection(false);
    connect(m_model, &QAbstractItemModel::modelReset, this, [this] {
        fitColumns();
        markChosen();
    });
    connect(selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (m_quiet)
            return;
        std::set<int> layers;
        std::set<Op> ops;
        for (const QModelIndex &row : selectionModel()->selectedRows()) {
            if (const int layer = row.data(OpTableModel::LayerRole).toInt(); layer >= 0)
                layers.insert(layer);
            if (const QVariant op = row.data(OpTableModel::OpRole); op.isValid())
                ops.insert(static_cast<Op>(op.toInt()));
        }
        m_chosen = {{layers.begin(), layers.end()}, {}, {}};
        if (ops.size() == 1)
            m_chosen.op = *ops.begin();
        Q_EMIT rowsChosen(m_chosen.layers, {ops.begin(), ops.end()});
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
    for (const auto column : {OpTableModel::Waiting, OpTableModel::Exchange})
        setColumnHidden(column, !m_model->isOfRanks());
}

void OpTableView::choose(const Chosen &chosen)
{
    m_chosen = chosen;
    markChosen();
}

bool OpTableView::speaksOf(const QModelIndex &row) const
{
    const OpRow &of = m_model->rows()[static_cast<std::size_t>(m_sorted->mapToSource(row).row())];
    if (of.op && m_chosen.op != of.op)
        return false;
    if (of.kind && m_chosen.kind != of.kind)
        return false;
    if (!of.layer)
        return of.op || of.kind;
    // What lies outside the layers has an op, and no layer.
    return *of.layer < 0 ? m_chosen.layers.empty() && m_chosen.op
                         : std::binary_search(m_chosen.layers.begin(), m_chosen.layers.end(), *of.layer);
}

void OpTableView::markChosen()
{
    const QScopedValueRollback quiet(m_quiet, true);
    QItemSelection rows;
    for (int row = 0; row < m_sorted->rowCount(); ++row)
        if (const QModelIndex index = m_sorted->index(row, 0); speaksOf(index))
            rows.select(index, index);
    selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    if (!rows.isEmpty())
        scrollTo(rows.first().topLeft());
}

} // namespace zigzag
