// SPDX-License-Identifier: GPL-3.0-or-later
// Whole layers stream, those whose strongest head is weakest: no layer with a strong retrieval head is given up for the
// sake of many weak neighbours.
#include "engine/map/criteria/criterion_list.h"

namespace zigzag {

namespace {

Assignment assign(const HeadScores &scores, double sparsity, int sink, int recent)
{
    std::vector<float> largest; // [layers]
    for (int layer = 0; layer < scores.model.layers; ++layer) {
        float gate = 0;
        for (int head = 0; head < scores.model.kvHeads; ++head)
            gate = std::max(gate, scores.at(layer, head));
        largest.push_back(gate);
    }
    return streamLowestLayers(scores, largest, sparsity, sink, recent);
}

} // namespace

Criterion zigzagMaxCriterion()
{
    return {"zigzag-max", "whole layers stream, those with the lowest largest gate", assign};
}

} // namespace zigzag
