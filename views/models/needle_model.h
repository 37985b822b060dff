// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/quality/needle.h"

#include <QAbstractTableModel>
#include <optional>

namespace zigzag {

/// One needle result as a table: a row per depth, a column per context.
class NeedleModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Role { AccuracyRole = Qt::UserRole }; ///< double in [0, 1]

    explicit NeedleModel(QObject *parent = nullptr);
    void show(const NeedleResult *result); ///< null = nothing measured
    bool isEmpty() const { return m_cells.empty(); }
    double accuracy() const { return m_accuracy; }
    int found() const;
    int trials() const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    const NeedleCell *cell(int row, int column) const;

    std::vector<NeedleCell> m_cells;
    std::vector<std::int64_t> m_contexts;
    std::vector<double> m_depths;
    double m_accuracy = 0;
};

} // namespace zigzag
