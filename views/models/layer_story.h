// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"

#include <QAbstractTableModel>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <optional>
#include <vector>

namespace zigzag {

class PlottedMaps;
class ScoreSources;

/// Why a layer does what it does: its score beside the cut, what each source of scores says, and what it and the map would
/// cost either way.
struct LayerStory {
    /// One quantity, as the map is and with the layer the one way or the other; what is not known is empty.
    struct Row {
        enum class Unit { Bytes, Keys, Milliseconds, Heads };
        QString what;
        Unit unit = Unit::Bytes;
        std::optional<double> now = {}, streaming = {}, retrieving = {};
        bool isPredicted = false;
    };
    /// What one source says of the layer.
    struct Opinion {
        QString source;
        double score = 0;
        int rank = 0, ranked = 0; ///< 1 = the highest score of `ranked` layers
        int retrieving = 0; ///< layers that retrieve now, of which it would be one
        std::optional<double> margin = {}; ///< its score less the cut; nothing where all retrieve or all stream
        std::optional<double> loss = {}, lossError = {}; ///< by an ablation: of this layer alone, and the standard error
        bool inFront = false; ///< the scores that the window shows
        bool keeps() const { return rank <= retrieving; }
    };

    int layer = -1;
    QString title; ///< "Layer 3 retrieves"
    QStringList facts; ///< a sentence each
    std::vector<Row> rows; ///< none of a local layer
    std::vector<Opinion> opinions; ///< none of a local layer
};

struct StoryAsked {
    const HeadMap &map;
    const HeadScores *scores = nullptr; ///< in front; null: none
    bool isLocked = false;
    const ScoreSources &sources;
    const PlottedMaps &plotted;
    std::int64_t context = 0;
};
LayerStory tellLayer(int layer, const StoryAsked &asked);

/// The quantities of a story as a table.
class LayerCostsModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { What, Now, Streaming, Retrieving, ColumnCount };
    using QAbstractTableModel::QAbstractTableModel;

    void show(std::vector<LayerStory::Row> rows);
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    std::vector<LayerStory::Row> m_rows;
};

/// What the sources say of a layer as a table.
class LayerOpinionsModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Source, Says, Score, Margin, Rank, Loss, ColumnCount };
    using QAbstractTableModel::QAbstractTableModel;

    void show(std::vector<LayerStory::Opinion> opinions);
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    std::vector<LayerStory::Opinion> m_opinions;
};

} // namespace zigzag
