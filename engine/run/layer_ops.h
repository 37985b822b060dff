// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"

#include <cstdint>
#include <span>

namespace zigzag {

/// A norm over the heads of all ranks: each gathers them, norms them, and takes its own. [ranks]
struct WidthOfRanks {
    std::span<const std::int64_t> queryWidths, keyWidths; ///< numbers of a token that each rank has, host
    int rank = 0;
    float *parts = nullptr; // [tokens, this rank's queries and keys]: queries, and keys behind them
    float *whole = nullptr; // [tokens, query_heads of all, head_dim]
    void *normed = nullptr; // the same as activations

    explicit operator bool() const { return parts != nullptr; }
};

/// What the ops of one layer read and write, beside its weights. Pointers are device pointers; what is behind a `void *` is of
/// the backend's activation type.
struct LayerArgs {
    std::int64_t tokens = 0, firstPosition = 0;
    const float *in = nullptr; // [tokens, hidden], the residual stream before the layer
    float *out = nullptr; // [tokens, hidden], behind it; may be `in`
    void *normed = nullptr; // [tokens, hidden]
    void *queries = nullptr, *attended = nullptr; // [tokens, query_heads, head_dim]
    void *keys = nullptr, *values = nullptr; // [tokens, kv_heads, head_dim]
    void *gate = nullptr, *up = nullptr; // [tokens, intermediate]
    float *routes = nullptr; // [tokens, experts]
    float *added = nullptr; // [tokens, hidden], what is added to the residual stream once it is normed; null where no layer does
    const float *rotation = nullptr; // [context, 2, rotated / 2], or null
    const float *queryScales = nullptr; // [context], or null
    std::span<const HeadCache> heads; // [kv_heads], host
    DType cacheType = DType::F32;
    SequenceRows rows;
    Collective *collective = nullptr; ///< of a rank: what it adds to the residual stream is its part of a sum
    float *part = nullptr; // [tokens, hidden], where it is put together; with a collective alone
    WidthOfRanks width = {}; ///< of a rank of a model whose norms of queries and keys are over all heads together
};

/// Launches one op of a layer's plan, whichever but attention, which its callers run in ways of their own. Sessions
/// (transformer.h) and single layers (layer_pass.h) run layers through here alone.
void runLayerOp(Backend &backend, const ModelConfig &config, const DeviceLayer &layer, const OpPlan &op, const LayerArgs &run);

} // namespace zigzag
