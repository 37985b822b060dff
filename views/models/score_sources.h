// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores.h"
#include "profiler/search/quality_sweep.h"
#include "profiler/search/search.h"

#include <QAbstractTableModel>
#include <QString>
#include <memory>
#include <vector>

namespace zigzag {

/// Scores from one source, and what a search measured on the way to them.
struct FoundScores {
    QString name; ///< "Ablation of layers"
    std::shared_ptr<const HeadScores> scores;
    StreamingWindow window; ///< that the search assumed
    bool isSearch = false; ///< window, effort and completeness mean something
    Unit unit = Unit::Layer;
    std::vector<AblationEffect> effects; ///< ablation
    double forwardPasses = 0, seconds = 0;
    int done = 0, all = 0; ///< fewer done than all: cancelled, and the scores are of what was done
};

/// The sources of scores that the window knows, a row each: choose one and its scores become the document's.
class ScoreSources : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Source, Window, Spread, Effort, ColumnCount };

    explicit ScoreSources(QObject *parent = nullptr);

    /// A source of the same name and window is replaced. Returns its row.
    int add(FoundScores found);
    void clear();
    const FoundScores &at(int row) const { return m_found[static_cast<std::size_t>(row)]; }
    /// The row of these very scores, or −1.
    int rowOf(const HeadScores *scores) const;
    /// The newest ablation of layers in this window by zigzag's engine, or null.
    const FoundScores *ablation(StreamingWindow window) const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    std::vector<FoundScores> m_found;
};

/// What to call the outcome of a search.
QString nameOf(SearchMethod method, Unit unit, SearchLoss loss);

} // namespace zigzag
