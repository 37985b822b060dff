// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/base/run_types.h"
#include "profiler/trace/trace.h"

#include <QAbstractTableModel>
#include <QDateTime>
#include <memory>
#include <optional>
#include <vector>

namespace zigzag {

class CostModel;
struct BenchFile;

/// One thing that was measured in this session, or opened from a file: measured, or predicted.
struct RunEntry {
    QDateTime when; ///< it was measured, or the file written
    QString model;
    QString origin; ///< "measured", "trace", or the file's name
    QString machine; ///< one line: device, threads, build; empty = not known
    BenchRecord record; ///< of a trace: its passes as samples
    bool predicted = false;
    int source = 0; ///< runs of one measurement or of one file have the same
    std::optional<HeadMap> map; ///< known of what was measured here
    std::shared_ptr<const Trace> trace; ///< null: the times of the whole alone
};

/// What a trace says of the whole.
RunEntry entryOf(std::shared_ptr<const Trace> trace, const QString &origin, const QDateTime &when);
/// The same run as the cost model predicts it, op by op; nothing where its map or its model is another or not known, or where
/// it mixes heads in more than one launch.
std::optional<RunEntry> predictionOf(const RunEntry &run, const CostModel &cost);
/// What a person calls it: "zigzag, TPOT at 2K".
QString nameOf(const RunEntry &entry);

/// What was measured, the newest last.
class RunListModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { When, Origin, Map, PhaseOf, Context, Batch, Median, Spread, Floor, Model, ColumnCount };
    enum Role { SortRole = Qt::UserRole };

    using QAbstractTableModel::QAbstractTableModel;

    /// The records of one measurement so far: they replace those that came with the same id. Records that wait for their first
    /// sample are left out; those that failed are there with the reason.
    void setRecords(int id, const QString &model, const std::vector<NamedMap> &maps, const std::vector<BenchRecord> &records);
    /// `map` where it is known.
    void addTrace(RunEntry entry, std::optional<HeadMap> map = {});
    /// The records of `bench`, or a prediction. Returns the first row; as many follow as the file has records.
    int addFile(const QString &name, const QDateTime &when, const BenchFile &file);

    void clear();
    /// Runs of one measurement or of one file, as a session kept them.
    void addKept(std::vector<RunEntry> entries);

    const std::vector<RunEntry> &entries() const { return m_entries; }
    const RunEntry &entry(int row) const { return m_entries[static_cast<std::size_t>(row)]; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    void append(std::vector<RunEntry> entries);
    QString text(const RunEntry &entry, int column) const;
    QVariantList csvValues(const RunEntry &entry, int column) const;

    std::vector<RunEntry> m_entries;
    int m_lastFile = 0; ///< sources that are no measurement count down from here
};

} // namespace zigzag
