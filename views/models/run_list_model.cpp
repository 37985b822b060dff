// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/run_list_model.h"

#include "views/models/text.h"

#include <QLocale>

#include <algorithm>
#include <numeric>

namespace zigzag {

namespace {

QString phaseText(Phase phase)
{
    return phase == Phase::Prefill ? RunListModel::tr("TTFT") : RunListModel::tr("TPOT");
}

} // namespace

RunEntry entryOf(std::shared_ptr<const Trace> trace, const QString &origin)
{
    RunEntry entry;
    entry.when = QDateTime::currentDateTime();
    entry.model = QString::fromStdString(trace->info.model);
    entry.map = QString::fromStdString(trace->info.map);
    entry.phase = trace->info.phase;
    entry.context = trace->info.context;
    entry.origin = origin;
    std::vector<double> passes;
    for (const TraceSpan &span : trace->spans)
        if (span.op == Op::Pass)
            passes.push_back(static_cast<double>(span.durationNs) * 1e-6);
    if (entry.phase == Phase::Prefill) {
        entry.ms = std::accumulate(passes.begin(), passes.end(), 0.0);
    } else if (!passes.empty()) {
        entry.ms = quantile(passes, 0.5);
        entry.spreadMs = quantile(passes, 0.75) - quantile(passes, 0.25);
    }
    entry.trace = std::move(trace);
    return entry;
}

QString nameOf(const RunEntry &entry)
{
    return RunListModel::tr("%1, %2 at %3").arg(entry.map, phaseText(entry.phase), contextText(entry.context));
}

void RunListModel::append(std::vector<Kept> entries)
{
    if (entries.empty())
        return;
    const int first = rowCount();
    beginInsertRows({}, first, first + static_cast<int>(entries.size()) - 1);
    m_entries.insert(m_entries.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
    endInsertRows();
}

void RunListModel::setRecords(int id, const QString &model, const std::vector<BenchRecord> &records)
{
    std::vector<Kept> added;
    for (const BenchRecord &record : records) {
        if (!record.failure.empty() || record.samplesMs.empty())
            continue;
        const QString map = QString::fromStdString(record.map);
        const auto known = std::find_if(m_entries.begin(), m_entries.end(), [&](const Kept &kept) {
            return kept.id == id && kept.entry.map == map && kept.entry.phase == record.phase
                && kept.entry.context == record.context;
        });
        if (known != m_entries.end()) {
            known->entry.ms = record.medianMs;
            known->entry.spreadMs = record.spreadMs;
            const int row = static_cast<int>(known - m_entries.begin());
            Q_EMIT dataChanged(index(row, Median), index(row, Spread));
        } else {
            added.push_back({{QDateTime::currentDateTime(), model, map, record.phase, record.context, record.medianMs,
                              record.spreadMs, tr("measured"), nullptr},
                             id});
        }
    }
    append(std::move(added));
}

void RunListModel::addTrace(RunEntry entry)
{
    append({{std::move(entry), 0}});
}

int RunListModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

int RunListModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant RunListModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const RunEntry &entry = this->entry(index.row());
    const bool numeric = index.column() == Context || index.column() == Median || index.column() == Spread;
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(Qt::AlignVCenter | (numeric ? Qt::AlignRight : Qt::AlignLeft));
    if (role == SortRole)
        switch (index.column()) {
        case When:
            return index.row();
        case Context:
            return static_cast<qlonglong>(entry.context);
        case Median:
            return entry.ms;
        case Spread:
            return entry.spreadMs;
        default:
            return data(index, Qt::DisplayRole);
        }
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
    case When:
        return QLocale().toString(entry.when.time(), QStringLiteral("HH:mm:ss"));
    case Map:
        return entry.map;
    case PhaseOf:
        return phaseText(entry.phase);
    case Context:
        return contextText(entry.context);
    case Median:
        return timeText(entry.ms);
    case Spread:
        return entry.spreadMs > 0 ? QStringLiteral("± %1").arg(timeText(entry.spreadMs)) : QStringLiteral("–");
    case Origin:
        return entry.origin;
    case Model:
        return entry.model;
    default:
        return {};
    }
}

QVariant RunListModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return data(index(0, section), role);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case When:
        return tr("When");
    case Map:
        return tr("Map");
    case PhaseOf:
        return tr("Time of");
    case Context:
        return tr("Context");
    case Median:
        return tr("Median");
    case Spread:
        return tr("Spread");
    case Origin:
        return tr("From");
    case Model:
        return tr("Model");
    default:
        return {};
    }
}

} // namespace zigzag
