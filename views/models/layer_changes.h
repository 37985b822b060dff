// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/criterion.h"
#include "views/models/plotted_maps.h"
#include "views/models/score_sources.h"

#include <QAbstractTableModel>
#include <QString>
#include <array>
#include <optional>
#include <vector>

namespace zigzag {

/// One layer, or all of them, under two maps.
struct LayerChange {
    struct Side {
        QString keeps; ///< "all", "4 + 60", "2 of 8 all, else 4 + 60"
        double kv = 0; ///< bytes, or keys where the head dimension is not known
        std::array<std::optional<double>, 2> ms; ///< prefill and decode; nothing without a calibration or a trace
        std::optional<Sacrifice> lost; ///< nothing without scores
    };
    int layer = -1; ///< −1: all of them
    std::array<Side, 2> sides;
    std::optional<double> score; ///< the highest one of the heads that differ; nothing without scores, or of all layers
    std::optional<AblationEffect> effect; ///< what streaming this layer alone did, where an ablation in this window was run
};

/// Where two maps of one model make it compute otherwise, in what heads keep, and what that costs: from the records of the plots.
struct LayerChanges {
    std::vector<LayerChange> layers; ///< those that differ, and behind them the row of all; empty where they run alike
    bool isMeasured = false; ///< times are of recorded traces of both maps; else predicted
};
LayerChanges layerChanges(const PlottedMaps &plotted, const std::array<HeadMap, 2> &maps, std::int64_t context,
                          const HeadScores *scores, const FoundScores *ablation);

/// The same as a table; each cost stands as "one → the other", so that a row reads as one sentence.
class LayerChangesModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Layer, Keeps, Kv, Decode, Prefill, Score, Demoted, Effect, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    /// `hasBytes`: KV is counted in bytes. `lossName`: of the ablation behind the effects; empty: there was none.
    void show(LayerChanges changes, bool hasBytes, const QString &lossName);
    /// −1 in the row of all layers.
    int layerAt(int row) const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QString text(const LayerChange &change, int column) const;
    QVariantList csvValues(const LayerChange &change, int column) const;

    LayerChanges m_changes;
    bool m_hasBytes = true;
    QString m_lossName;
};

} // namespace zigzag
