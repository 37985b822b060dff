// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/needle.h"

#include <QAbstractTableModel>
#include <optional>

namespace zigzag {

/// One needle result as a table: a row per depth, a column per context.
class NeedleModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Role { AccuracyRole = Qt::UserRole }; ///< double in [0, 1]; of a difference in [−1, 1]

    explicit NeedleModel(QObject *parent = nullptr);
    void show(const NeedleResult *result); ///< null = nothing measured
    /// What `of` finds more or less than `than`, in the cells that both have; nothing where either is null.
    void showDifference(const NeedleResult *of, const NeedleResult *than);
    bool isDifference() const { return m_isDifference; }
    bool isEmpty() const { return m_cells.empty(); }
    std::int64_t contextAt(int column) const { return m_contexts[static_cast<std::size_t>(column)]; }
    double depthAt(int row) const { return m_depths[static_cast<std::size_t>(row)]; }
    double accuracy() const { return m_accuracy; }
    int found() const;
    int trials() const;
    /// Whether some questions are still to be asked: a run that goes on, or was stopped.
    bool isPartial() const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    void set(const NeedleResult *result, std::vector<double> differences, bool isDifference);
    const NeedleCell *cell(int row, int column) const;

    std::vector<NeedleCell> m_cells;
    std::vector<std::int64_t> m_contexts;
    std::vector<double> m_depths;
    std::vector<double> m_differences; // as m_cells, where this is a difference
    double m_accuracy = 0;
    bool m_isDifference = false;
    int m_planned = 0; ///< cells of the whole run; 0 = not known
};

} // namespace zigzag
