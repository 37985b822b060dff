// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/run_types.h"
#include "profiler/trace/trace.h"

#include <QAbstractTableModel>
#include <QDateTime>
#include <memory>
#include <vector>

namespace zigzag {

/// One thing that was measured in this session, or opened from a file.
struct RunEntry {
    QDateTime when;
    QString model;
    QString map; ///< the name that it went by
    Phase phase = Phase::Decode;
    std::int64_t context = 0;
    double ms = 0; ///< a prefill, or a decode step: median
    double spreadMs = 0; ///< interquartile range; 0 where there is one sample alone
    QString origin; ///< "measured", "trace", or the file's name
    std::shared_ptr<const Trace> trace; ///< null: the times of the whole alone
};

/// What was measured, the newest last.
class RunListModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { When, Map, PhaseOf, Context, Median, Spread, Origin, Model, ColumnCount };
    enum Role { SortRole = Qt::UserRole };

    using QAbstractTableModel::QAbstractTableModel;

    /// The records of one measurement so far: they replace those that came with the same id.
    void setRecords(int id, const QString &model, const std::vector<BenchRecord> &records);
    void addTrace(RunEntry entry);
    const RunEntry &entry(int row) const { return m_entries[static_cast<std::size_t>(row)].entry; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    struct Kept {
        RunEntry entry;
        int id = 0; ///< of the measurement; 0: none
    };
    void append(std::vector<Kept> entries);

    std::vector<Kept> m_entries;
};

/// What a trace says of the whole: the median of its passes for decode, their sum for a prefill.
RunEntry entryOf(std::shared_ptr<const Trace> trace, const QString &origin);
/// "full at 2K, TPOT".
QString nameOf(const RunEntry &entry);

} // namespace zigzag
