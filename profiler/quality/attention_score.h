// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores.h"
#include "engine/map/map_io.h"
#include "profiler/quality/needle.h"

namespace zigzag {

struct AttentionScorePlan {
    std::vector<std::int64_t> contexts;
    std::vector<double> depths;
    int trials = 3; ///< per context and depth
    std::uint64_t seed = 1;
    Fold fold = Fold::Max;
};

/// Retrieval score of arXiv 2404.15574, section 2: while the answer is decoded, the share of steps in which the head's
/// strongest attention rests on the needle token being copied. Per query head, mean over trials; folded to KV heads, with
/// the standard deviation over trials as spread.
Result<HeadScores> scoreByAttention(const std::shared_ptr<DeviceModel> &deviceModel, const Model &model,
                                    const AttentionScorePlan &plan, const std::atomic<bool> *cancel = nullptr,
                                    const std::function<void(int done, int all)> &progress = {});

} // namespace zigzag
