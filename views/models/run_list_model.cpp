// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/run_list_model.h"

#include "profiler/compare/compare.h"
#include "profiler/compare/predicted_trace.h"
#include "profiler/cost/cost_model.h"
#include "profiler/measure/bench_file.h"
#include "views/models/csv.h"
#include "views/models/glossary.h"
#include "views/models/text.h"

#include <QFont>
#include <QLocale>

#include <algorithm>

namespace zigzag {

namespace {

QString phaseText(Phase phase)
{
    return phase == Phase::Prefill ? RunListModel::tr("TTFT") : RunListModel::tr("TPOT");
}

QString machineText(const MachineProfile &machine)
{
    if (machine.device.empty())
        return {};
    return RunListModel::tr("%1, %2 threads, zigzag %3")
        .arg(QString::fromStdString(machine.device))
        .arg(machine.threads)
        .arg(QString::fromStdString(machine.build));
}

/// Of a map that mixes heads, how these are run belongs to its name.
QString mapText(const BenchRecord &record)
{
    const QString map = QString::fromStdString(record.map);
    const std::string_view mode = nameOf(record.mixed);
    return record.mixed == MixedMode::Fused
        ? map
        : QStringLiteral("%1, %2").arg(map, QString::fromUtf8(mode.data(), static_cast<qsizetype>(mode.size())));
}

int alignmentOf(int column)
{
    const bool numeric = column >= RunListModel::Context && column <= RunListModel::Floor;
    return static_cast<int>(Qt::AlignVCenter | (numeric ? Qt::AlignRight : Qt::AlignLeft));
}

bool isSamePoint(const BenchRecord &a, const BenchRecord &b)
{
    return a.map == b.map && a.phase == b.phase && a.context == b.context && a.batch == b.batch && a.mixed == b.mixed;
}

} // namespace

RunEntry entryOf(std::shared_ptr<const Trace> trace, const QString &origin, const QDateTime &when)
{
    const TraceInfo &info = trace->info;
    RunEntry entry;
    entry.when = when;
    entry.model = QString::fromStdString(info.model);
    entry.origin = origin;
    entry.machine = machineText(info.machine);
    entry.predicted = info.predicted;
    BenchRecord &record = entry.record;
    record.map = info.map;
    record.phase = info.phase;
    record.context = info.context;
    record.batch = info.batch;
    record.mixed = info.mixed;
    record.kvType = info.kvType;
    const std::vector<double> passes = passTimes(*trace);
    if (!passes.empty()) {
        record.medianMs = quantile(passes, 0.5);
        record.spreadMs = passes.size() > 1 ? quantile(passes, 0.75) - quantile(passes, 0.25) : 0.0;
    }
    if (!info.predicted)
        record.samplesMs = passes;
    entry.trace = std::move(trace);
    return entry;
}

std::optional<RunEntry> predictionOf(const RunEntry &run, const CostModel &cost)
{
    if (!cost.isFitted() || !run.map || run.predicted || !run.record.failure.empty())
        return {};
    const HeadMap &map = *run.map;
    bool mixes = false;
    for (int layer = 0; layer < map.layers(); ++layer)
        mixes = mixes || map.layerKind(layer) == LayerKind::Mixed;
    if (map.layers() != cost.config().layers || map.kvHeads() != cost.config().kvHeads
        || (mixes && run.record.mixed != MixedMode::Fused) || (run.record.kvType && run.record.kvType != cost.config().kvType))
        return {};
    const Workload work{.phase = run.record.phase, .context = run.record.context, .batch = run.record.batch};
    RunEntry entry = entryOf(std::make_shared<const Trace>(predictedTrace(cost, {run.record.map, map}, work)),
                             RunListModel::tr("predicted"), run.when);
    entry.model = run.model;
    return entry;
}

QString nameOf(const RunEntry &entry)
{
    if (entry.trace && entry.trace->info.isForeign)
        return entry.origin;
    QString name = RunListModel::tr("%1, %2 at %3")
                       .arg(mapText(entry.record), phaseText(entry.record.phase), contextText(entry.record.context));
    if (entry.record.batch != 1)
        name += QStringLiteral(" × %1").arg(entry.record.batch);
    return entry.predicted ? RunListModel::tr("%1 (predicted)").arg(name) : name;
}

void RunListModel::append(std::vector<RunEntry> entries)
{
    if (entries.empty())
        return;
    const int first = rowCount();
    beginInsertRows({}, first, first + static_cast<int>(entries.size()) - 1);
    m_entries.insert(m_entries.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
    endInsertRows();
}

void RunListModel::setRecords(int id, const QString &model, const std::vector<NamedMap> &maps,
                              const std::vector<BenchRecord> &records)
{
    std::vector<RunEntry> added;
    for (const BenchRecord &record : records) {
        if (record.failure.empty() && record.samplesMs.empty())
            continue;
        const auto known = std::find_if(m_entries.begin(), m_entries.end(), [&](const RunEntry &entry) {
            return entry.source == id && isSamePoint(entry.record, record);
        });
        if (known != m_entries.end()) {
            known->record = record;
            const int row = static_cast<int>(known - m_entries.begin());
            Q_EMIT dataChanged(index(row, Median), index(row, Floor));
            continue;
        }
        RunEntry entry;
        entry.when = QDateTime::currentDateTime();
        entry.model = model;
        entry.origin = tr("measured");
        entry.record = record;
        entry.source = id;
        const auto named = std::find_if(maps.begin(), maps.end(), [&](const NamedMap &map) { return map.name == record.map; });
        if (named != maps.end())
            entry.map = named->map;
        added.push_back(std::move(entry));
    }
    append(std::move(added));
}

void RunListModel::addTrace(RunEntry entry, std::optional<HeadMap> map)
{
    entry.source = --m_lastFile;
    entry.map = std::move(map);
    append({std::move(entry)});
}

void RunListModel::clear()
{
    beginResetModel();
    m_entries.clear();
    endResetModel();
}

void RunListModel::addKept(std::vector<RunEntry> entries)
{
    --m_lastFile;
    for (RunEntry &entry : entries)
        entry.source = m_lastFile;
    append(std::move(entries));
}

int RunListModel::addFile(const QString &name, const QDateTime &when, const BenchFile &file)
{
    const int first = rowCount();
    --m_lastFile;
    std::vector<RunEntry> added;
    for (const BenchRecord &record : file.records) {
        RunEntry entry;
        entry.when = when;
        entry.model = QString::fromStdString(file.model);
        entry.origin = name;
        entry.machine = machineText(file.machine);
        entry.record = record;
        entry.predicted = file.predicted;
        entry.source = m_lastFile;
        added.push_back(std::move(entry));
    }
    append(std::move(added));
    return first;
}

int RunListModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

int RunListModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString RunListModel::text(const RunEntry &entry, int column) const
{
    const BenchRecord &record = entry.record;
    const bool failed = !record.failure.empty();
    switch (column) {
    case When:
        return QLocale().toString(entry.when,
                                  entry.when.date() == QDate::currentDate() ? QStringLiteral("HH:mm:ss")
                                                                            : QStringLiteral("yyyy-MM-dd HH:mm"));
    case Map:
        return mapText(record);
    case PhaseOf:
        return phaseText(record.phase);
    case Context:
        return contextText(record.context);
    case Batch:
        return QString::number(record.batch);
    case Median: // a prediction never looks like a measurement
        return failed ? tr("failed") : (entry.predicted ? QStringLiteral("~") : QString()) + timeText(record.medianMs);
    case Spread:
        return failed                      ? QStringLiteral("–")
            : entry.predicted              ? tr("predicted")
            : record.samplesMs.size() == 1 ? tr("one sample")
            : record.isDisturbed()         ? tr("± %1, disturbed").arg(timeText(record.spreadMs))
                                           : QStringLiteral("± %1").arg(timeText(record.spreadMs));
    case Floor:
        return record.floorShare() && !failed ? percentText(*record.floorShare()) : QStringLiteral("–");
    case Origin:
        return entry.origin;
    case Model:
        return entry.model;
    default:
        return {};
    }
}

QVariantList RunListModel::csvValues(const RunEntry &entry, int column) const
{
    const BenchRecord &record = entry.record;
    const bool failed = !record.failure.empty();
    const auto known = [failed](double value, bool isKnown = true) { return failed || !isKnown ? QVariant() : QVariant(value); };
    switch (column) {
    case When:
        return {entry.when.toOffsetFromUtc(entry.when.offsetFromUtc()).toString(Qt::ISODate)};
    case Origin:
        return {entry.origin,
                failed                     ? tr("failed")
                    : entry.predicted      ? tr("predicted")
                    : record.isDisturbed() ? tr("measured, disturbed")
                                           : tr("measured")};
    case Context:
        return {static_cast<qlonglong>(record.context)};
    case Batch:
        return {record.batch};
    case Median:
        return {known(record.medianMs)};
    case Spread: // one sample has none
        return {known(record.spreadMs, !entry.predicted && record.samplesMs.size() > 1)};
    case Floor:
        return {known(record.floorRatio * 100.0, record.floorRatio > 0)};
    case Model:
        return {entry.model, entry.machine, QString::fromStdString(record.failure)};
    default:
        return {text(entry, column)};
    }
}

QVariant RunListModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const RunEntry &entry = this->entry(index.row());
    switch (role) {
    case Qt::DisplayRole:
        return text(entry, index.column());
    case Qt::TextAlignmentRole:
        return alignmentOf(index.column());
    case Qt::FontRole:
        if (entry.predicted) {
            QFont font;
            font.setItalic(true);
            return font;
        }
        return {};
    case Qt::ToolTipRole: {
        QStringList lines{nameOf(entry), entry.model, entry.machine};
        if (!entry.record.failure.empty())
            lines << QString::fromStdString(entry.record.failure);
        else if (!entry.predicted)
            lines << tr("samples: %1").arg(entry.record.samplesMs.size());
        if (entry.record.isDisturbed())
            lines << explained(Term::Disturbed);
        if (entry.record.disturbed > 0)
            lines << tr("other programs slowed the machine during %1 of them").arg(entry.record.disturbed);
        if (entry.record.ceilingMoved())
            lines << tr(
                "no floor: it was faster than the ceiling that was measured beside it, so the machine changed in between");
        lines.removeAll(QString());
        return lines.join(QLatin1Char('\n'));
    }
    case csvRole:
        return csvValues(entry, index.column());
    case SortRole:
        switch (index.column()) {
        case When:
            return index.row();
        case Context:
            return static_cast<qlonglong>(entry.record.context);
        case Batch:
            return entry.record.batch;
        case Median:
            return entry.record.medianMs;
        case Spread:
            return entry.record.spreadMs;
        case Floor:
            return entry.record.floorShare().value_or(0);
        default:
            return text(entry, index.column());
        }
    default:
        return {};
    }
}

QVariant RunListModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return alignmentOf(section);
    if (role == Qt::ToolTipRole && section == Floor)
        return explained(Term::FloorReached);
    if (role == csvRole)
        switch (section) {
        case Origin:
            return QStringList{tr("From"), tr("Source")};
        case Context:
            return QStringList{tr("Context tokens")};
        case Batch:
            return QStringList{tr("Batch sequences")};
        case Median:
            return QStringList{tr("Median ms")};
        case Spread:
            return QStringList{tr("Spread ms")};
        case Floor:
            return QStringList{tr("Floor reached %")};
        case Model:
            return QStringList{tr("Model"), tr("Machine"), tr("Failure")};
        default:
            return {}; // as it is shown
        }
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
    case Batch:
        return tr("Batch");
    case Median:
        return tr("Median");
    case Spread:
        return tr("Spread");
    case Floor:
        return tr("Floor reached");
    case Origin:
        return tr("From");
    case Model:
        return tr("Model");
    default:
        return {};
    }
}

} // namespace zigzag
