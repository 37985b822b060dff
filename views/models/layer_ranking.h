// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"

#include <optional>
#include <vector>

namespace zigzag {

/// The score of a layer: the mean over its KV heads, by which zigzag decides. A search of whole layers gave each head its
/// layer's own score, which is then the mean.
double layerScore(const HeadScores &scores, int layer);

/// Layers by their scores, and where a map that has as many streaming layers as this one would cut them. Layers that the
/// model's own file makes local stand outside: no map decides them.
struct LayerRanking {
    std::vector<double> scores; // [layers]
    std::vector<int> ranks; // [layers]: 1 = the highest score, the lower layer among equals; 0 = a local layer
    std::vector<int> order; // [layers]: layers from the highest score to the lowest, local ones last
    int retrieving = 0; ///< layers that the map's heads retrieve in, of `ranked`; heads of mixed layers count by their share
    int ranked = 0; ///< layers that a map decides
    /// Halfway between the lowest score above the cut and the highest below it; nothing where all retrieve or all stream.
    std::optional<double> cut;
    double highest = 0; ///< score of any ranked layer

    bool isAboveCut(int layer) const
    {
        const int rank = ranks[static_cast<std::size_t>(layer)];
        return rank > 0 && rank <= retrieving;
    }
};

/// `scores` are of the map's shape.
LayerRanking rankLayers(const HeadScores &scores, const HeadMap &map);

} // namespace zigzag
