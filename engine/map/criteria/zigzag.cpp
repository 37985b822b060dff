// SPDX-License-Identifier: GPL-3.0-or-later
// The exclusive map at the least transport cost from the gates. Turning a layer to streaming costs Σ g instead of Σ (1 − g):
// a difference of 2 Σ g − heads, which grows with the layer's mean gate. So for a given number of streaming layers the
// cheapest ones are those with the lowest mean.
#include "engine/map/criteria/criterion_list.h"

namespace zigzag {

Criterion zigzagCriterion()
{
    return {"zigzag", "whole layers stream, those with the lowest mean gate", Unit::Layer, [](const HeadScores &scores) {
                // Every layer has as many heads, so sums rank as means do.
                return layerPenalties(scores, [](std::span<const float> gates) {
                    Penalty sum = 0;
                    for (const float gate : gates)
                        sum += penaltyOf(gate);
                    return sum;
                });
            }};
}

} // namespace zigzag
