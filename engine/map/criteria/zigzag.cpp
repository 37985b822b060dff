// SPDX-License-Identifier: GPL-3.0-or-later
// The exclusive map at the least transport cost from the gates. Turning a layer to streaming costs Σ g instead of Σ (1 − g):
// a difference of 2 Σ g − heads, which grows with the layer's mean gate. So for a given number of streaming layers the
// cheapest ones are those with the lowest mean.
#include "engine/map/criteria/criterion_list.h"

#include <cstdint>

namespace zigzag {

namespace {

/// The sum of a layer's gates in units of 2⁻⁵⁰. Integers add up the same in every order, so layers whose means are equal
/// are seen as equal; floats of at least 2⁻²⁷ are represented without rounding.
std::int64_t gateSum(const HeadScores &scores, int layer)
{
    std::int64_t sum = 0;
    for (int head = 0; head < scores.model.kvHeads; ++head)
        sum += std::llround(std::ldexp(static_cast<double>(scores.at(layer, head)), 50));
    return sum;
}

Assignment assign(const HeadScores &scores, double sparsity, int sink, int recent)
{
    std::vector<std::int64_t> sums; // [layers]; every layer has as many heads, so sums rank as means do
    for (int layer = 0; layer < scores.model.layers; ++layer)
        sums.push_back(gateSum(scores, layer));
    return streamLowestLayers(scores, sums, sparsity, sink, recent);
}

} // namespace

Criterion zigzagCriterion()
{
    return {"zigzag", "whole layers stream, those with the lowest mean gate", assign};
}

} // namespace zigzag
