// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/op_table.h"
#include "views/models/run_list_model.h"

#include <QAbstractTableModel>
#include <optional>
#include <vector>

namespace zigzag {

/// One group of two runs side by side, in milliseconds of a prefill or of a decode step.
struct ComparedRow {
    std::optional<Op> op; ///< none: all ops of the layer, or the whole run
    std::optional<int> layer; ///< −1: outside the layers; none: all layers, or the whole run
    double a = 0, b = 0; ///< medians of the passes
    std::optional<double> spreadA, spreadB; ///< interquartile ranges; nothing where there is one pass

    double difference() const { return b - a; }
    /// Whether the ranges a ± spread / 2 and b ± spread / 2 overlap; nothing where a spread is not known.
    std::optional<bool> isWithinSpread() const;
};

/// By own time of the groups that either run has, in the order of the forward pass; the whole comes first. `by` is Op, Layer
/// or OpAndLayer. Runs without a trace compare as a whole alone.
std::vector<ComparedRow> compareRuns(const RunEntry &a, const RunEntry &b, GroupBy by);

/// The comparison as a table; sorting by the difference puts what changed most on top.
class RunCompareModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Name, A, B, Difference, Change, Verdict, ColumnCount };
    enum Role { SortRole = Qt::UserRole, LayerRole };

    using QAbstractTableModel::QAbstractTableModel;

    void show(std::vector<ComparedRow> rows);
    const std::vector<ComparedRow> &rows() const { return m_rows; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    std::vector<ComparedRow> m_rows;
};

} // namespace zigzag
