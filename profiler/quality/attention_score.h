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
    int needles = 1; ///< keys in a prompt, all asked for in turn; at most 16
    std::uint64_t seed = 1;
    Fold fold = Fold::Max;
};

/// Per query head the mean over prompts, and the standard deviation.
struct AttentionMeasure {
    std::vector<float> mean, deviation; // [layers, query_heads]
    std::vector<float> groupMean, groupDeviation; // [layers, kv_heads], of the mean over each group
    int done = 0, all = 0; ///< prompts; fewer done after a cancel
};

/// Retrieval score of arXiv 2404.15574, section 2: while an answer is decoded, the share of steps in which the head's
/// strongest attention rests on the needle token being copied. With several needles, the mean over their answers. Cancelled,
/// it returns the prompts that were done, or the error where there were none.
Result<AttentionMeasure> measureAttention(const std::shared_ptr<DeviceModel> &deviceModel, const Model &model,
                                          const AttentionScorePlan &plan, const std::atomic<bool> *cancel = nullptr,
                                          const std::function<void(int done, int all)> &progress = {});
/// The same, folded to KV heads.
HeadScores foldAttention(const Model &model, const AttentionMeasure &measure, Fold fold);
Result<HeadScores> scoreByAttention(const std::shared_ptr<DeviceModel> &deviceModel, const Model &model,
                                    const AttentionScorePlan &plan, const std::atomic<bool> *cancel = nullptr,
                                    const std::function<void(int done, int all)> &progress = {});

} // namespace zigzag
