// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/model_config.h"

#include <cstdint>
#include <vector>

namespace zigzag {

/// The one rule by which ranks get KV heads: in runs of equal length, in order; with more ranks than KV heads, each head is held
/// by several.
struct HeadRange {
    int first = 0, end = 0;
};
/// Where `checkDealing` accepts the numbers.
HeadRange headsOfRank(int kvHeads, int gpus, int rank);
/// Refused where the model's heads cannot be dealt out to so many GPUs: neither predicted nor planned.
Result<void> checkDealing(const ModelConfig &config, int gpus);

/// What one GPU holds and does under tensor parallelism.
struct RankLoad {
    std::int64_t kvBytes = 0; ///< its KV heads' share, textbook bytes
    double attentionMs = 0; ///< to read its own keys and values once, over all layers, where it never waits
};

/// A map dealt out to GPUs. After every layer's attention the ranks add up their parts, so in each layer the slowest rank
/// decides.
struct TensorParallelPlan {
    int gpus = 1;
    std::vector<RankLoad> ranks; // [gpus]
    std::int64_t weightBytesPerRank = 0; ///< read per token: an equal share
    std::int64_t largestKvBytes = 0; ///< what each GPU has to have room for
    /// The fullest rank against the mean: 1 where all are equal.
    double memoryImbalance = 1;
    /// Reads per token at the bandwidth: the weights' share, and in each layer the keys and values of its slowest rank. A
    /// floor: what the links between the GPUs take comes on top.
    double decodeFloorMs = 0;
    /// Attention time with the slowest rank in each layer, against ranks that are all equal: 1 where nobody waits.
    double timeImbalance = 1;
};

/// `bytesPerSecond` of one GPU's memory. Refused where the model's heads cannot be dealt out to so many.
Result<TensorParallelPlan> planTensorParallel(const ModelConfig &config, const HeadMap &map, int gpus, std::int64_t context,
                                              double bytesPerSecond);

} // namespace zigzag
