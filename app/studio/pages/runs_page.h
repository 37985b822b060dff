// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/pages/page.h"
#include "views/models/run_compare.h"

#include <optional>
#include <utility>

class QComboBox;
class QLabel;
class QSortFilterProxyModel;
class QTreeView;

namespace zigzag {

/// What was measured in this session and opened from files; two runs that are selected stand side by side.
class RunsPage : public Page
{
    Q_OBJECT
public:
    RunsPage(Studio &studio, QWidget *parent);

    const RunCompareModel &comparison() const { return *m_compared; }
    QTreeView &list() { return *m_list; }

protected:
    void refresh() override;

private:
    QTreeView *makeTable(QSortFilterProxyModel *sorted, const QString &name, const QString &accessible);
    QWidget *buildComparison();
    /// Rows of the run list: A is the older one, unless they were swapped.
    std::optional<std::pair<int, int>> chosen() const;
    void compare();

    RunCompareModel *m_compared;
    QSortFilterProxyModel *m_sortedRuns;
    QSortFilterProxyModel *m_sortedRows;
    QTreeView *m_list;
    QTreeView *m_table;
    QComboBox *m_group;
    QLabel *m_headline;
    QAction *m_swap;
    bool m_swapped = false;
    bool m_following = false; ///< the selection comes from another view
};

} // namespace zigzag
