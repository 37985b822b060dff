// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/op_table.h"

#include <QAbstractTableModel>
#include <vector>

namespace zigzag {

/// The op table of a trace, or of a stretch of it: a row per group, sortable by the number behind each text.
class OpTableModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column {
        Name,
        Count,
        Total,
        Self,
        Share,
        Mean,
        P50,
        P99,
        Bandwidth,
        Rate,
        FloorReached,
        Waiting,
        Exchange,
        Kernels,
        ColumnCount
    };
    enum Role {
        SortRole = Qt::UserRole, ///< what a column sorts by: a number, or the name
        LayerRole, ///< int, −1 where the row speaks of several layers or of none
        OpRole, ///< int(Op), invalid where the row speaks of several
        KindRole, ///< int(LayerKind), invalid where the row speaks of several
    };

    using QAbstractTableModel::QAbstractTableModel;

    void show(std::vector<OpRow> rows);
    /// GPU kernels by name instead: their own times, without bytes and operations, which kernels do not tell.
    void showKernels(const std::vector<KernelRow> &kernels);
    const std::vector<OpRow> &rows() const { return m_rows; }
    /// Whether any row waits for other ranks or exchanges with them.
    bool isOfRanks() const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    void reset(std::vector<OpRow> rows, QStringList kernels);
    QString name(int row) const;
    QString text(int row, int column) const;
    QVariant number(int row, int column) const;
    QStringList csvHeading(int column) const;
    QVariantList csvValues(int row, int column) const;

    std::vector<OpRow> m_rows;
    QStringList m_kernels; ///< [rows]; empty: the rows are of spans
    double m_selfNs = 0; ///< of all rows
};

} // namespace zigzag
