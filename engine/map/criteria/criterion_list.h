// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/criterion.h"

namespace zigzag {

// Each is defined in the file of its name and listed in criteria.cpp.
Criterion duoCriterion();
Criterion zigzagCriterion();
Criterion zigzagMaxCriterion();
Criterion zigzagStrongCriterion();
Criterion zigzagConvexCriterion();

/// One penalty for each layer, from the gates of its heads.
template <class OfLayer> std::vector<Penalty> layerPenalties(const HeadScores &scores, OfLayer ofLayer)
{
    const auto kvHeads = static_cast<std::size_t>(scores.model.kvHeads);
    std::vector<Penalty> penalties; // [layers]
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(scores.model.layers); ++layer)
        penalties.push_back(ofLayer(std::span(scores.scores).subspan(layer * kvHeads, kvHeads)));
    return penalties;
}

} // namespace zigzag
