// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTreeView>

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

    /// Marks the rows of these layers as selected, without saying layersChosen.
    void selectLayers(const std::vector<int> &layers);
    QSize sizeHint() const override;

Q_SIGNALS:
    void layersChosen(const std::vector<int> &layers);

private:
    void fitColumns();

    OpTableModel *m_model;
    QSortFilterProxyModel *m_sorted;
    std::vector<int> m_layers;
    bool m_quiet = false; ///< a selection that another view made
};

} // namespace zigzag
