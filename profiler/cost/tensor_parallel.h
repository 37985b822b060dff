// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/model_config.h"

#include <cstdint>
#include <optional>
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

/// How vLLM is served: `--block-size` (16 on GPUs, 128 on CPUs) and `--max-num-batched-tokens`.
struct VllmServing {
    std::int64_t blockTokens = 16, batchedTokens = 2048;
};

/// Bytes that vLLM's hybrid KV cache reserves for one sequence, on all GPUs together. It bills layers in groups of equal size
/// g = min(F, S) for F full and S sliding layers, or max(F, S) where max < 1.5 · min, each kind rounded up to whole groups;
/// tokens come in blocks, and a sliding window of `recent` tokens can touch one block more than it fills. A mixed layer
/// is a full one there, and there are no sinks. Admission counts with a step's tokens beside the window
/// (SlidingWindowSpec.max_memory_usage_bytes): that is the "maximum concurrency" of its log.
struct VllmBill {
    int groupSize = 0;
    int fullLayers = 0, slidingLayers = 0; ///< of the map
    int billedFull = 0, billedSliding = 0; ///< rounded up to groups
    std::int64_t bytes = 0; ///< while decoding
    std::int64_t admissionBytes = 0;
};
/// A layer with a window of the model's own file slides with that. Nothing where its sliding layers would need windows that
/// differ: it has one.
std::optional<VllmBill> vllmBill(const ModelConfig &config, const HeadMap &map, std::int64_t context,
                                 const VllmServing &serving = {});

} // namespace zigzag
