// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/compare/compare.h"
#include "views/models/run_list_model.h"

#include <QAbstractTableModel>
#include <vector>

namespace zigzag {

/// Two runs, or the same points of two measurements, as profiler/compare/compare.h compares them: two traces by op, layer or
/// both, two points as a whole, several points by what they are points of.
std::vector<Difference> compareRuns(const std::vector<RunEntry> &a, const std::vector<RunEntry> &b, GroupBy by);

/// The comparison as a table; sorting by the difference puts what changed most on top.
class RunCompareModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Name, A, B, Change, Relative, Says, ColumnCount };
    enum Role { SortRole = Qt::UserRole, LayerRole };

    using QAbstractTableModel::QAbstractTableModel;

    /// A side that is predicted is shown as such.
    void show(std::vector<Difference> rows, bool predictedA, bool predictedB);
    const std::vector<Difference> &rows() const { return m_rows; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    QString text(const Difference &row, int column) const;
    QVariant number(const Difference &row, int column, int place) const;
    QString describe(const Difference &row) const;
    QStringList csvHeading(int column) const;
    QVariantList csvValues(const Difference &row, int column) const;

    std::vector<Difference> m_rows;
    bool m_predictedA = false, m_predictedB = false;
};

} // namespace zigzag
