// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu_types.h"
#include "engine/cuda/kernels/cache_view.h"

namespace zigzag::gpu {

/// What the kernels of attention's gradient read (AttentionGradientArgs of engine/run/gradients.h). T is the type of queries,
/// caches and gradOut. The kernel of the queries comes first: it leaves in `rows` what the kernel of the keys needs.
struct AttentionGradientKernelArgs {
    const void *queries; // T [tokens, query_heads, head_dim], rotated
    const void *gradOut; // T [tokens, query_heads, head_dim]
    float *gradQueries; // [tokens, query_heads, head_dim]
    float *gradKeys, *gradValues; // [tokens, kv_heads, head_dim]
    /// [query_heads, rowStride]: of each query the logarithm to base 2 of its sum of weights, and Σ weight · ∂loss/∂weight.
    Float2 *rows;
    int rowStride; ///< at least `tokens`, whole tiles
    int tokens;
    int queryHeads, kvHeads, headDim;
    float scale; ///< of a query's product with a key
    const float *sinkLogits; // [query_heads] or null
    bool add; ///< to what the gradients hold
    HeadCaches caches;
};

/// Rows of queries or keys that a block of the tensor-core kernels holds, and rows of the others that it takes at a time.
inline constexpr int gradientTile = 64;

/// A row that no query has: its weights are zero.
inline constexpr float gradientNoRow = 1e30f;

} // namespace zigzag::gpu
