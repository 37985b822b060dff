// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/model/model_config.h"
#include "engine/run/trace_sink.h"
#include "profiler/run_types.h"

#include <cstdint>

namespace zigzag {

/// What one op of one layer must move and compute at least, for a whole prefill or one decode step.
struct OpCost {
    double bytes = 0; ///< weights and KV read once
    double flops = 0; ///< causal attention counts the visible pairs alone
    double tokens = 0; ///< rows that pass through
};

/// Exact counts from config and map; sums over the key-range rule for attention. Layer −1 for ops outside the layers.
OpCost opCost(const ModelConfig &config, const HeadMap &map, Op op, int layer, Phase phase, std::int64_t context);

/// The floor of section 5 of the design: decode (weights + KV) / bandwidth; prefill FLOPs / matrix rate. Milliseconds.
double floorMs(const ModelConfig &config, const HeadMap &map, const MachineProfile &machine, Phase phase, std::int64_t context);

} // namespace zigzag
