// SPDX-License-Identifier: GPL-3.0-or-later
// Whole layers stream, and as few strong heads as possible with them: no exclusive map with as many streaming layers demotes
// fewer heads, and among those that demote as few this is the one at the least transport cost. A mean hides what it
// averages: a layer of one gate at 1 and seven at 0.1 looks weaker than one of eight gates at 0.3, but loses a head that
// surely retrieves.
#include "engine/map/criteria/criterion_list.h"

namespace zigzag {

Criterion zigzagStrongCriterion()
{
    return {"zigzag-strong", "whole layers stream, those with the fewest gates of 0.9 and above, then the lowest mean",
            Unit::Layer, [](const HeadScores &scores) {
                Penalty all = 1; // a strong head weighs more than all gates together, so that their sum decides second
                for (const float gate : scores.scores)
                    all += penaltyOf(gate);
                return layerPenalties(scores, [all](std::span<const float> gates) {
                    Penalty sum = 0;
                    for (const float gate : gates)
                        sum += penaltyOf(gate) + (gate >= strongGate ? all : 0);
                    return sum;
                });
            }};
}

} // namespace zigzag
