// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/model/model_config.h"
#include "engine/run/trace_sink.h"
#include "profiler/base/run_types.h"

#include <cstdint>
#include <string_view>

namespace zigzag {

/// One call of the forward pass: a decode step has one token, a chunk of a prefill has several.
struct PassShape {
    std::int64_t tokens = 1; ///< of each sequence
    std::int64_t firstPosition = 0; ///< of the first of them: as many are in the cache
    int batch = 1; ///< sequences
};

/// What one op of one layer must move and compute at least.
struct OpCost {
    double bytes = 0; ///< weights and KV read once
    double activationBytes = 0; ///< float32 activations read and written once
    double flops = 0; ///< of matrix products and attention; causal attention counts the visible pairs alone
    double tokens = 0; ///< rows that pass through
};

/// Exact counts for one pass, from config and map. `layer` says nothing for ops outside the layers. Ops inside attention
/// (commit, copies) count what they move; Op::Pass nothing, as its parts are counted. Zero where the layer's plan has no such op.
/// Experts: those that so many tokens are expected to choose.
OpCost passCost(const ModelConfig &config, const HeadMap &map, Op op, int layer, const PassShape &pass);

/// The least time that the machine's measured ceilings allow for one op of one pass; 0 where no ceiling is known.
/// `cached`: weights and KV of a whole step stay in the last-level cache. Nanoseconds.
double opFloorNs(const OpCost &cost, const ModelConfig &config, const MachineProfile &machine, bool cached);

/// A whole prefill or one decode step in one pass: exact counts from config and map; sums over the key-range rule for attention.
/// Layer −1 for ops outside the layers.
OpCost opCost(const ModelConfig &config, const HeadMap &map, Op op, int layer, Phase phase, std::int64_t context, int batch = 1);

/// The least time that bytes and operations allow, and the measured ceiling that it is computed with.
struct Floor {
    double ms = 0;
    double rate = 0; ///< bytes or operations per second
    std::string_view ceiling; ///< its name
};
Floor computeFloor(const ModelConfig &config, const HeadMap &map, const MachineProfile &machine, Phase phase,
                   std::int64_t context, int batch = 1);

/// The floor alone: decode (weights + KV) / bandwidth; prefill FLOPs / matrix rate. Milliseconds.
double floorMs(const ModelConfig &config, const HeadMap &map, const MachineProfile &machine, Phase phase, std::int64_t context);

} // namespace zigzag
