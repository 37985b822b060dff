// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"

#include <memory>

namespace zigzag::test {

inline ModelShape shapeOf(int layers, int kvHeads, int headDim = 64)
{
    return {"sample", layers, kvHeads * 4, kvHeads, headDim, {}};
}

inline HeadMap fullMap(int layers, int kvHeads, int sink = 4, int recent = 60)
{
    return HeadMap(shapeOf(layers, kvHeads), HeadKind::Retrieval, sink, recent);
}

/// Gates that differ everywhere and grow with layer and head: layer 0 streams first.
inline std::shared_ptr<const HeadScores> risingScores(int layers, int kvHeads)
{
    HeadScores scores;
    scores.model = shapeOf(layers, kvHeads);
    scores.method = "attention";
    const int heads = layers * kvHeads;
    for (int head = 0; head < heads; ++head)
        scores.scores.push_back(static_cast<float>(head) / static_cast<float>(heads));
    return std::make_shared<const HeadScores>(std::move(scores));
}

} // namespace zigzag::test
