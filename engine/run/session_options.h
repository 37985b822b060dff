// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace zigzag {

/// How a layer with both kinds of heads is run (design: every comparison names which).
enum class MixedMode {
    Fused, ///< one attention call, a key range per KV head
    TwoLaunch, ///< two attention calls on the same memory, no copies
    Reference, ///< two attention calls with the gathers and the scatter of the published implementation
};
std::string_view nameOf(MixedMode mode);
Result<MixedMode> parseMixedMode(std::string_view name);

struct SessionOptions {
    std::int64_t maxContext = 0;
    std::int64_t chunk = 0; ///< most tokens of one forward pass in prefill; 0: as many as keep the device busy
    MixedMode mixed = MixedMode::Fused;
    int batch = 1; ///< sequences, each with a cache of its own; 1 to 64
};

/// Told of each layer's attention: the position of each query head's strongest key.
/// strongest: [tokens, query_heads].
using AttentionObserver = std::function<void(int layer, std::span<const std::int32_t> strongest)>;

} // namespace zigzag
