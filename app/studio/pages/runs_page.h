// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "views/models/run_compare.h"

#include <vector>

class QComboBox;
class QLabel;
class QSortFilterProxyModel;
class QTreeView;

namespace zigzag {

/// What was measured in this session and opened from files. Two selected runs stand side by side; a single one beside its
/// prediction; the points of two measurements or files point by point.
class RunsPage : public Page
{
    Q_OBJECT
public:
    RunsPage(Studio &studio, QWidget *parent);

    const RunCompareModel &comparison() const { return *m_compared; }
    QTreeView &list() { return *m_list; }
    /// A file that `bench` or `predict` wrote; its points are selected.
    Result<void> openRuns(const QString &path);

Q_SIGNALS:
    /// What maps were asked, by its row in Studio::qualities, is to be read.
    void qualityAsked(int row);

protected:
    void refresh() override;

private:
    QTreeView *makeTable(QSortFilterProxyModel *sorted, const QString &name, const QString &accessible);
    QWidget *buildComparison();
    QWidget *buildQualities();
    struct Sides {
        std::vector<RunEntry> a, b; ///< both empty: nothing to compare
        QString nameA, nameB;
        QString why; ///< there is nothing to compare, and what to do
    };
    /// What the selected rows ask to compare: A is the older one.
    Sides sides() const;
    Sides againstPrediction(const std::vector<RunEntry> &runs) const;
    std::vector<int> selectedRuns() const;
    void selectRuns(const std::vector<int> &rows);
    void compare();

    RunCompareModel *m_compared;
    QSortFilterProxyModel *m_sortedRuns;
    QSortFilterProxyModel *m_sortedRows;
    QTreeView *m_list;
    QTreeView *m_qualities; ///< what maps were asked
    QTreeView *m_table;
    QComboBox *m_group;
    QLabel *m_headline;
    QAction *m_swap;
    QAction *m_all;
    QAction *m_line; ///< of a run of this session
    bool m_fitted = false; ///< there is a cost model, so that a run can be held against its prediction
    bool m_swapped = false;
    bool m_following = false; ///< the selection comes from another view
};

} // namespace zigzag
