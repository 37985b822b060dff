// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/pages/runs_page.h"

#include "app/studio/state/quality_records.h"
#include "profiler/measure/bench_file.h"
#include "views/models/native_path.h"
#include "views/models/run_list_model.h"
#include "views/models/text.h"
#include "views/widgets/sorting_menu.h"

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
#include <map>

namespace zigzag {

namespace {

/// Columns as wide as what is in them, with some air: numbers on the right of one must not touch words on the left of the next.
void fitColumns(QTreeView &table)
{
    for (int column = 0; column < table.model()->columnCount(); ++column) {
        table.resizeColumnToContents(column);
        table.setColumnWidth(column, table.columnWidth(column) + table.fontMetrics().averageCharWidth());
    }
}

bool arePredicted(const std::vector<RunEntry> &runs)
{
    return !runs.empty() && runs.front().predicted;
}

} // namespace

RunsPage::RunsPage(Studio &studio, QWidget *parent)
    : Page(studio, QStringLiteral("runs"), tr("Runs"), parent)
    , m_compared(new RunCompareModel(this))
    , m_sortedRuns(new QSortFilterProxyModel(this))
    , m_sortedRows(new QSortFilterProxyModel(this))
    , m_group(new QComboBox(this))
    , m_headline(new QLabel(this))
{
    setGuidePage(QStringLiteral("profile#runs"));
    m_sortedRuns->setSourceModel(&studio.runList());
    m_sortedRuns->setSortRole(RunListModel::SortRole);
    m_sortedRows->setSourceModel(m_compared);
    m_sortedRows->setSortRole(RunCompareModel::SortRole);
    m_list = makeTable(m_sortedRuns, QStringLiteral("runList"), tr("Runs"));
    setFocusProxy(m_list);
    m_list->sortByColumn(RunListModel::When, Qt::DescendingOrder);
    // The time is what one looks for; the batch mostly is 1.
    m_list->header()->moveSection(m_list->header()->visualIndex(RunListModel::Batch),
                                  m_list->header()->visualIndex(RunListModel::Floor));
    m_table = makeTable(m_sortedRows, QStringLiteral("runComparison"), tr("Comparison of two runs"));
    m_table->sortByColumn(-1, Qt::AscendingOrder); // as the comparison comes: the whole, then what changed most
    m_swap = offer(PageMenu::View, QStringLiteral("swapRuns"), tr("S&wap compared runs"), {}, [this] {
        m_swapped = !m_swapped;
        compare();
    });
    m_swap->setIconText(tr("⇄ Swap")); // on its button
    m_all = offer(PageMenu::View, QStringLiteral("selectWholeRun"), tr("Select all points of this &run"), {}, [this] {
        std::vector<int> rows;
        const RunListModel &runs = this->studio().runList();
        for (const int chosen : selectedRuns())
            for (int row = 0; row < runs.rowCount(); ++row)
                if (runs.entry(row).source == runs.entry(chosen).source)
                    rows.push_back(row);
        selectRuns(rows);
    });
    m_list->setContextMenuPolicy(Qt::ActionsContextMenu);
    m_list->addAction(m_all);
    m_line = offer(PageMenu::View, QStringLiteral("copyRunLine"), tr("Copy this run as command &line"), {}, [this] {
        const std::vector<int> rows = selectedRuns();
        const Job *job = rows.empty() ? nullptr : this->studio().jobs().find(this->studio().runList().entry(rows.front()).source);
        this->studio().copyLine(job ? job->request.commandLine : nullptr);
    });
    m_list->addAction(m_line);
    auto *split = new QSplitter(this);
    split->setObjectName(QStringLiteral("runsSplit"));
    split->setChildrenCollapsible(false);
    auto *records = new QSplitter(Qt::Vertical, split);
    records->setObjectName(QStringLiteral("recordsSplit"));
    records->setChildrenCollapsible(false);
    records->addWidget(m_list);
    records->addWidget(buildQualities());
    split->addWidget(records);
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
        fitColumns(*m_list);
        if (!m_list->selectionModel()->hasSelection()) // something to look at: the newest run beside its prediction
            selectRuns({this->studio().runList().rowCount() - 1});
    });
    fitColumns(*m_list); // to its headings
    connect(&studio, &Studio::calibrated, this, &RunsPage::compare);
    connect(&studio.runs(), &RunController::busyChanged, this, [this] {
        if (this->studio().runList().rowCount() == 0)
            compare(); // the hint says what is going on
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
    exhibit(tableExhibit(tr("the list of runs"), QStringLiteral("runs"), *m_list), m_list);
    exhibit(tableExhibit(tr("the comparison of runs"), QStringLiteral("comparison"), *m_table), m_table);
    compare();
}

/// What maps were asked stands below the runs as soon as there is any; a row opens where it is read.
QWidget *RunsPage::buildQualities()
{
    QualityRecords &records = studio().qualities();
    m_qualities = new QTreeView(this);
    m_qualities->setObjectName(QStringLiteral("askedQualities"));
    m_qualities->setAccessibleName(tr("What maps were asked"));
    m_qualities->setModel(&records);
    m_qualities->setRootIsDecorated(false);
    m_qualities->setUniformRowHeights(true);
    m_qualities->setAlternatingRowColors(true);
    m_qualities->setAllColumnsShowFocus(true);
    m_qualities->setFrameShape(QFrame::NoFrame);
    QAction *open = offer(PageMenu::View, QStringLiteral("openQuality"), tr("&Open what maps were asked"), {}, [this] {
        if (const QModelIndex row = m_qualities->currentIndex(); row.isValid())
            Q_EMIT qualityAsked(row.row());
    });
    m_qualities->setContextMenuPolicy(Qt::ActionsContextMenu);
    m_qualities->addAction(open);
    connect(m_qualities, &QTreeView::activated, this, [this](const QModelIndex &row) { Q_EMIT qualityAsked(row.row()); });
    const auto show = [this] {
        m_qualities->setVisible(m_qualities->model()->rowCount() > 0);
        fitColumns(*m_qualities);
    };
    connect(&records, &QAbstractItemModel::modelReset, this, show);
    connect(&records, &QAbstractItemModel::rowsInserted, this, show);
    connect(&records, &QAbstractItemModel::dataChanged, this, show);
    exhibit(tableExhibit(tr("what maps were asked"), QStringLiteral("asked"), *m_qualities), m_qualities);
    show();
    return m_qualities;
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
    offerSorting(*table);
    table->header()->setStretchLastSection(true);
    return table;
}

QWidget *RunsPage::buildComparison()
{
    auto *box = new QWidget(this);
    auto *bar = new QHBoxLayout;
    const int gap = fontMetrics().height() / 3;
    bar->setContentsMargins(gap, gap / 2, gap, gap / 2);
    bar->setSpacing(gap); // or it takes the column's, which is none
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

std::vector<int> RunsPage::selectedRuns() const
{
    std::vector<int> rows;
    for (const QModelIndex &index : m_list->selectionModel()->selectedRows())
        rows.push_back(m_sortedRuns->mapToSource(index).row());
    std::sort(rows.begin(), rows.end());
    return rows;
}

void RunsPage::selectRuns(const std::vector<int> &rows)
{
    QItemSelection selection;
    for (const int row : rows) {
        const QModelIndex index = m_sortedRuns->mapFromSource(studio().runList().index(row, 0));
        selection.select(index, index);
    }
    m_list->selectionModel()->select(selection, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    if (!selection.isEmpty())
        m_list->scrollTo(selection.first().topLeft());
}

RunsPage::Sides RunsPage::againstPrediction(const std::vector<RunEntry> &runs) const
{
    Sides found;
    for (const RunEntry &run : runs)
        if (auto predicted = predictionOf(run, studio().costHere())) {
            found.a.push_back(run);
            found.b.push_back(std::move(*predicted));
        }
    if (found.a.empty()) {
        found.why
            = tr("Select a second run to compare with. Runs of this session are held against their prediction by themselves, "
                 "once predictions are calibrated.");
        return found;
    }
    found.nameA = found.a.size() == 1 ? nameOf(found.a.front()) : tr("%1 measured points").arg(found.a.size());
    found.nameB = tr("the same as predicted");
    return found;
}

RunsPage::Sides RunsPage::sides() const
{
    const RunListModel &runs = studio().runList();
    const std::vector<int> rows = selectedRuns();
    Sides found;
    if (rows.empty()) {
        const bool measures = studio().runs().isRunning(RunName::Measure) || studio().runs().isRunning("trace");
        found.why = runs.rowCount() == 0 && measures ? tr("Measuring: what it finds is listed here as it comes.")
            : runs.rowCount() == 0
            ? tr("Nothing has been measured yet: Run › Measure (F5) or Run › Record trace (F9), or open a trace or a file of "
                 "bench.")
            : tr("Select two runs to compare them, one to hold it against its prediction, or all points of two files. Traces "
                 "compare per op and layer.");
        return found;
    }
    if (rows.size() == 2) {
        found.a = {runs.entry(rows[0])};
        found.b = {runs.entry(rows[1])};
        found.nameA = nameOf(found.a.front());
        found.nameB = nameOf(found.b.front());
        if (!found.a.front().record.failure.empty() || !found.b.front().record.failure.empty())
            found = {{}, {}, {}, {}, tr("One of these two failed: there is no time to compare.")};
        return found;
    }
    std::map<int, std::vector<RunEntry>> sources;
    std::vector<int> order; // the older first
    for (const int row : rows) {
        const RunEntry &entry = runs.entry(row);
        if (!sources.count(entry.source))
            order.push_back(entry.source);
        sources[entry.source].push_back(entry);
    }
    if (order.size() == 1)
        return againstPrediction(sources[order.front()]);
    if (order.size() > 2) {
        found.why = tr("These are of %1 measurements or files: select points of two, or two runs.").arg(order.size());
        return found;
    }
    found.a = std::move(sources[order[0]]);
    found.b = std::move(sources[order[1]]);
    const auto name = [](const std::vector<RunEntry> &side) {
        return side.size() == 1 ? nameOf(side.front()) : tr("%1 points, %2").arg(side.size()).arg(side.front().origin);
    };
    found.nameA = name(found.a);
    found.nameB = name(found.b);
    return found;
}

void RunsPage::compare()
{
    Sides chosen = sides();
    m_swap->setEnabled(!chosen.a.empty());
    const std::vector<int> rowsChosen = selectedRuns();
    m_all->setEnabled(!rowsChosen.empty());
    m_line->setEnabled(!rowsChosen.empty() && studio().jobs().find(studio().runList().entry(rowsChosen.front()).source));
    const bool traces = chosen.a.size() == 1 && chosen.b.size() == 1 && chosen.a.front().trace && chosen.b.front().trace;
    m_group->setEnabled(traces);
    if (chosen.a.empty()) {
        m_compared->show({}, false, false);
        m_headline->setText(chosen.why);
        return;
    }
    if (m_swapped) {
        std::swap(chosen.a, chosen.b);
        std::swap(chosen.nameA, chosen.nameB);
    }
    m_compared->show(compareRuns(chosen.a, chosen.b, static_cast<GroupBy>(m_group->currentData().toInt())),
                     arePredicted(chosen.a), arePredicted(chosen.b));
    fitColumns(*m_table);
    const auto &rows = m_compared->rows();
    const auto count = [&](Verdict verdict) {
        return std::count_if(rows.begin(), rows.end(), [&](const Difference &row) { return row.verdict() == verdict; });
    };
    QString text = tr("A: %1 · B: %2").arg(chosen.nameA, chosen.nameB);
    if (rows.size() == 1 || traces)
        text += QStringLiteral(" · %1").arg(changeText(rows.front().b, rows.front().a));
    else
        text += tr(" · %1 grew, %2 shrank, %3 within the spread")
                    .arg(count(Verdict::Grew))
                    .arg(count(Verdict::Shrank))
                    .arg(count(Verdict::Within));
    m_headline->setText(text);
}

Result<void> RunsPage::openRuns(const QString &path)
{
    ZIGZAG_TRY(file, readBenchFile(pathOf(path)));
    if (file.records.empty())
        return badInput(tr("%1 holds no records yet: let the sweep finish a point").arg(shownPath(path)).toStdString());
    // One file stays selected beside the next: that is what a person opens two for.
    std::vector<int> rows = selectedRuns();
    const RunListModel &runs = studio().runList();
    const bool isOneFile = std::all_of(rows.begin(), rows.end(), [&](int row) {
        return runs.entry(row).source == runs.entry(rows.front()).source && !runs.entry(row).trace && !runs.entry(row).map;
    });
    if (!isOneFile)
        rows.clear();
    const int first = studio().runList().addFile(shownFileName(path), lastModified(path), file);
    for (std::size_t record = 0; record < file.records.size(); ++record)
        rows.push_back(first + static_cast<int>(record));
    selectRuns(rows);
    return {};
}

void RunsPage::refresh()
{
    if (const bool fitted = studio().costHere().isFitted(); fitted != m_fitted) {
        m_fitted = fitted;
        compare();
    } else if (m_compared->rowCount() == 0) {
        compare();
    }
}

} // namespace zigzag
