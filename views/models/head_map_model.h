// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/criterion.h"
#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"
#include "views/models/layer_ranking.h"
#include "views/models/layer_times.h"

#include <QAbstractTableModel>
#include <memory>
#include <optional>
#include <vector>

namespace zigzag {

/// What a layer costs at the chosen context, beside the layer that costs most with full attention.
struct LayerCost {
    double kv = 0; ///< bytes, or keys where the head dimension is not known
    double fullKv = 0; ///< of the layer that keeps most where every head retrieves
    std::optional<LayerTimes::Stack> predictedMs; ///< by group of ops; nothing without a cost model
    std::optional<LayerTimes::Stack> measuredMs; ///< nothing until the map was traced
    double longestMs = 0; ///< the length of a full bar; 0 = no times yet
    /// What this layer costs when it alone streams, by the newest ablation (of whichever loss), and its standard error.
    double loss = 0, lossError = 0;
    double leastLoss = 0, largestLoss = 0; ///< of any layer, both above 0; 0 = no ablation

    /// Where a loss lies between the least one and the largest, by its logarithm: losses of layers differ by orders of
    /// magnitude. A third of a decade of room lies below the least one, so that its bar can be seen.
    double lossShare(double loss) const;
};

/// A head map as a table: a row per layer, a column per KV head; what holds for a whole layer is in the row's header.
class HeadMapModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Role {
        StreamingRole = Qt::UserRole, ///< bool
        ScoreRole, ///< double, invalid without scores
        SpreadRole, ///< double, invalid where not known
        LayerKindRole, ///< int(LayerKind), vertical header
        FlippedRole, ///< int, vertical header, invalid without scores
        DemotedRole, ///< int, vertical header, invalid without scores
        LockedRole, ///< bool, vertical header
        MeanScoreRole, ///< double, vertical header, invalid without scores
    };

    explicit HeadMapModel(QObject *parent = nullptr);

    /// Shows another state; the cells that differ are announced, or everything when the shape changed.
    void show(const HeadMap &map, std::shared_ptr<const HeadScores> scores, std::vector<bool> locked);
    /// What the costs are of.
    struct CostBasis {
        Phase phase = Phase::Decode;
        std::int64_t context = 0;
    };
    void showCosts(std::vector<LayerCost> costs, CostBasis basis); // [layers], or empty
    const CostBasis &costBasis() const { return m_basis; }
    bool isScored() const { return m_scores != nullptr; }
    /// Nothing without scores.
    const std::optional<LayerRanking> &ranking() const { return m_ranking; }
    const HeadMap &map() const { return m_map; }
    const std::optional<SacrificeReport> &sacrifice() const { return m_sacrifice; }
    bool isLocked(int layer) const { return m_locked[static_cast<std::size_t>(layer)]; }
    const LayerCost *cost(int layer) const;
    bool hasAblation() const { return !m_costs.empty() && m_costs.front().largestLoss > 0; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    QString describe(int layer, int head) const;
    QString spoken(int layer, int head) const;
    QString standing(int layer) const;
    QVariant layerData(int layer, int role) const;

    HeadMap m_map;
    std::shared_ptr<const HeadScores> m_scores;
    std::vector<bool> m_locked; // [layers]
    std::optional<SacrificeReport> m_sacrifice;
    std::optional<LayerRanking> m_ranking;
    std::vector<LayerCost> m_costs; // [layers], or empty
    CostBasis m_basis;
};

QString nameOf(LayerKind kind);

} // namespace zigzag
