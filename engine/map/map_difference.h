// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/criterion.h"
#include "engine/map/head_map.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace zigzag {

/// One of the two maps, in one layer or in all.
struct MapSide {
    int streaming = 0; ///< KV heads that stream
    std::int64_t kvSlots = 0; ///< tokens that its heads keep at the context, added up over heads
    std::optional<Sacrifice> lost; ///< nothing without scores
};

struct LayerDifference {
    int layer = 0;
    std::vector<int> heads; ///< KV heads whose kind differs, rising
    MapSide a, b;
};

/// Where two maps of one model differ, and what each side costs there.
struct MapDifference {
    std::vector<LayerDifference> layers; ///< those in which a head differs
    int heads = 0; ///< that differ, in all
    bool windowsDiffer = false; ///< sink or recent of some layer: then what streams there costs otherwise
    MapSide a, b; ///< in all layers
};

/// Refuses maps of different shapes, and scores of another. `scores` may be null.
/// Local layers (HeadMap::isLocal) of either are local in both, and do not differ.
Result<MapDifference> differenceOf(const HeadMap &left, const HeadMap &right, std::int64_t context, const HeadScores *scores);

} // namespace zigzag
