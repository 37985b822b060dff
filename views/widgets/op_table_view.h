// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/trace.h"

#include <QTreeView>
#include <optional>
#include <vector>

class QSortFilterProxyModel;

namespace zigzag {

class OpTableModel;

/// The op table: sorted by a click on a heading, the largest own time first to begin with; layers that are chosen in it, and
/// in other views, stand out.
class OpTableView : public QTreeView
{
    Q_OBJECT
public:
    explicit OpTableView(OpTableModel *model, QWidget *parent = nullptr);

    /// What is chosen in another view.
    struct Chosen {
        std::vector<int> layers;
        std::optional<Op> op;
        std::optional<LayerKind> kind;
    };
    /// Marks the rows that speak of it, as far as the grouping tells, without saying so.
    void choose(const Chosen &chosen);
    QSize sizeHint() const override;

Q_SIGNALS:
    /// Of the rows that a person selected: the layers, and where rows are by op the ops.
    void rowsChosen(const std::vector<int> &layers, const std::vector<zigzag::Op> &ops);

private:
    void fitColumns();
    void markChosen();
    bool speaksOf(const QModelIndex &row) const;

    OpTableModel *m_model;
    QSortFilterProxyModel *m_sorted;
    Chosen m_chosen;
    bool m_quiet = false; ///< a selection that another view made
};

} // namespace zigzag
