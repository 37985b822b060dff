// SPDX-License-Identifier: GPL-3.0-or-later
// Whole layers stream, those whose strongest head is weakest: no layer with a strong retrieval head is given up for the
// sake of many weak neighbours.
#include "engine/map/criteria/criterion_list.h"

#include <algorithm>

namespace zigzag {

Criterion zigzagMaxCriterion()
{
    return {"zigzag-max", "whole layers stream, those with the lowest largest gate", Unit::Layer, [](const HeadScores &scores) {
                return layerPenalties(scores, [](std::span<const float> gates) {
                    return penaltyOf(*std::max_element(gates.begin(), gates.end()));
                });
            }};
}

} // namespace zigzag
