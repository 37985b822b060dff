// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/criteria/ranking.h"
#include "engine/map/criterion.h"

namespace zigzag {

// Each is defined in the file of its name and listed in criteria.cpp.
Criterion duoCriterion();
Criterion zigzagCriterion();
Criterion zigzagMaxCriterion();

/// The map of `duo` with an exact number of streaming heads: what any other map is compared with.
Assignment assignDuo(const HeadScores &scores, std::size_t streamingHeads, int sink, int recent);

/// A map in which the layers with the lowest keys stream, round(sparsity · layers) of them.
template <class Key>
Assignment streamLowestLayers(const HeadScores &scores, const std::vector<Key> &keys, double sparsity, int sink, int recent)
{
    const Lowest layers = lowest(keys, countAt(sparsity, keys.size()));
    Assignment result{HeadMap(scores.model, HeadKind::Retrieval, sink, recent), layers.ties};
    for (const std::size_t layer : layers.chosen)
        result.map.setLayer(static_cast<int>(layer), HeadKind::Streaming);
    return result;
}

} // namespace zigzag
