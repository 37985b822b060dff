// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/runs_page.h"

#include "views/models/run_list_model.h"
#include "views/models/text.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QScopedValueRollback>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>
#include <set>

namespace zigzag {

RunsPage::RunsPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("runs"), tr("Runs"), parent)
    , m_compared(new RunCompareModel(this))
    , m_sortedRuns(new QSortFilterProxyModel(this))
    , m_sortedRows(new QSortFilterProxyModel(this))
    , m_group(new QComboBox(this))
    , m_headline(new QLabel(this))
{
    m_sortedRuns->setSourceModel(&studio.runList());
    m_sortedRuns->setSortRole(RunListModel::SortRole);
    m_sortedRows->setSourceModel(m_compared);
    m_sortedRows->setSortRole(RunCompareModel::SortRole);
    m_list = makeTable(m_sortedRuns, QStringLiteral("runList"), tr("Runs"));
    m_list->sortByColumn(RunListModel::When, Qt::DescendingOrder);
    m_table = makeTable(m_sortedRows, QStringLiteral("runComparison"), tr("Comparison of two runs"));
    m_table->sortByColumn(RunCompareModel::Name, Qt::AscendingOrder);
    m_swap = offer(PageMenu::View, QStringLiteral("swapRuns"), tr("S&wap compared runs"), {}, [this] {
        m_swapped = !m_swapped;
        compare();
    });
    m_swap->setIconText(tr("⇄ Swap")); // on its button
    auto *split = new QSplitter(this);
    split->setObjectName(QStringLiteral("runsSplit"));
    split->setChildrenCollapsible(false);
    split->addWidget(m_list);
    split->addWidget(buildComparison());
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(split);

    connect(m_list->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        m_swapped = false;
        compare();
    });
    connect(&studio.runList(), &QAbstractItemModel::dataChanged, this, &RunsPage::compare);
    connect(&studio.runList(), &QAbstractItemModel::rowsInserted, this, [this] {
        for (int each = 0; each < m_sortedRuns->columnCount(); ++each)
            m_list->resizeColumnToContents(each);
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (m_following)
            return;
        std::vector<int> layers;
        for (const QModelIndex &row : m_table->selectionModel()->selectedRows())
            layers.push_back(row.data(RunCompareModel::LayerRole).toInt());
        this->studio().selection().set(layers);
    });
    connect(&studio.selection(), &LayerSelection::changed, this, [this] {
        const QScopedValueRollback following(m_following, true);
        QItemSelection rows;
        for (int row = 0; row < m_sortedRows->rowCount(); ++row)
            if (const QModelIndex index = m_sortedRows->index(row, 0);
                this->studio().selection().contains(index.data(RunCompareModel::LayerRole).toInt()))
                rows.select(index, index);
        m_table->selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    });
    exhibit(tableExhibit(tr("the list of runs"), QStringLiteral("runs"), *m_list, RunListModel::SortRole), m_list);
    exhibit(tableExhibit(tr("the comparison of runs"), QStringLiteral("comparison"), *m_table, RunCompareModel::SortRole),
            m_table);
    compare();
}

QTreeView *RunsPage::makeTable(QSortFilterProxyModel *sorted, const QString &name, const QString &accessible)
{
    auto *table = new QTreeView(this);
    table->setObjectName(name);
    table->setAccessibleName(accessible);
    table->setModel(sorted);
    table->setRootIsDecorated(false);
    table->setUniformRowHeights(true);
    table->setAlternatingRowColors(true);
    table->setAllColumnsShowFocus(true);
    table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    table->setFrameShape(QFrame::NoFrame);
    table->setSortingEnabled(true);
    table->header()->setStretchLastSection(true);
    return table;
}

QWidget *RunsPage::buildComparison()
{
    auto *box = new QWidget(this);
    auto *bar = new QHBoxLayout;
    const int gap = fontMetrics().height() / 3;
    bar->setContentsMargins(gap, gap / 2, gap, gap / 2);
    m_headline->setObjectName(QStringLiteral("comparisonHeadline"));
    m_headline->setWordWrap(true);
    m_group->setObjectName(QStringLiteral("compareBy"));
    m_group->setAccessibleName(tr("Rows of the comparison"));
    for (const auto &[name, by] : {std::pair(tr("op"), GroupBy::Op), std::pair(tr("layer"), GroupBy::Layer),
                                   std::pair(tr("op and layer"), GroupBy::OpAndLayer)})
        m_group->addItem(name, static_cast<int>(by));
    auto *swap = new QToolButton(box);
    swap->setDefaultAction(m_swap);
    swap->setAutoRaise(true);
    bar->addWidget(m_headline, 1);
    bar->addWidget(swap);
    bar->addWidget(new QLabel(tr("Rows by"), box));
    bar->addWidget(m_group);
    auto *column = new QVBoxLayout(box);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(bar);
    column->addWidget(m_table, 1);
    connect(m_group, &QComboBox::currentIndexChanged, this, &RunsPage::compare);
    return box;
}

std::optional<std::pair<int, int>> RunsPage::chosen() const
{
    std::vector<int> rows;
    for (const QModelIndex &index : m_list->selectionModel()->selectedRows())
        rows.push_back(m_sortedRuns->mapToSource(index).row());
    if (rows.size() != 2)
        return {};
    std::sort(rows.begin(), rows.end());
    return m_swapped ? std::pair(rows[1], rows[0]) : std::pair(rows[0], rows[1]);
}

void RunsPage::compare()
{
    const auto pair = chosen();
    m_swap->setEnabled(pair.has_value());
    m_group->setEnabled(false);
    if (!pair) {
        m_compared->show({});
        m_headline->setText(
            studio().runList().rowCount() == 0
                ? tr("Nothing has been measured yet: Run › Measure (F5) or Run › Record trace (F9), or open a trace.")
                : tr("Select two runs to compare them; traces compare per op and layer."));
        return;
    }
    const RunEntry &a = studio().runList().entry(pair->first), &b = studio().runList().entry(pair->second);
    m_group->setEnabled(a.trace && b.trace);
    m_compared->show(compareRuns(a, b, static_cast<GroupBy>(m_group->currentData().toInt())));
    for (int column = 0; column < m_compared->columnCount(); ++column)
        m_table->resizeColumnToContents(column);
    m_headline->setText(tr("A: %1 · B: %2 · %3").arg(nameOf(a), nameOf(b), changeText(b.ms, a.ms)));
}

void RunsPage::refresh()
{
    if (!chosen())
        compare();
}

} // namespace zigzag
