// SPDX-License-Identifier: GPL-3.0-or-later
// Between the mean and the maximum: whole layers stream, those with the lowest Σ g³. Losing one head at gate 1 weighs as
// much as losing eight at one half, so that a strong head is not outvoted by weak neighbours, and weak ones still count.
#include "engine/map/criteria/criterion_list.h"

namespace zigzag {

Criterion zigzagConvexCriterion()
{
    return {"zigzag-convex", "whole layers stream, those with the lowest sum of cubed gates", Unit::Layer,
            [](const HeadScores &scores) {
                return layerPenalties(scores, [](std::span<const float> gates) {
                    Penalty sum = 0;
                    for (const double gate : gates)
                        sum += penaltyOf(gate * gate * gate);
                    return sum;
                });
            }};
}

} // namespace zigzag
