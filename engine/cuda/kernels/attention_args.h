// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu_types.h"
#include "engine/cuda/kernels/cache_view.h"

namespace zigzag::gpu {

/// What every attention kernel reads. T is the type of queries and outputs; that of the cache is T as well, or F8.
struct AttentionKernelArgs {
    const void *queries; // T [sequences, tokens, query_heads, head_dim]
    void *out; // T [sequences, tokens, query_heads, head_dim]
    RowsView rows; ///< count = sequences
    int tokens; ///< queries of each sequence, from its position on
    int queryHeads, kvHeads, headDim;
    float scoreScale; ///< of a query's product with a key, or of what cappedScore makes of it: scores become powers of two
    float capScale; ///< of a product before cappedScore; 0: scores have no cap
    const float *sinkLogits; // [query_heads] or null (AttentionArgs)
    float valueScale; ///< of outputs: what values were divided by
    HeadCaches caches;
};

/// `scale`: of a query's product with a key as it is stored. `softCap`: AttentionArgs.
inline void setScores(AttentionKernelArgs &args, float scale, float softCap)
{
    args.scoreScale = log2e * (softCap != 0 ? softCap : scale);
    args.capScale = softCap != 0 ? 2 * log2e * scale / softCap : 0;
}

struct SimpleAttentionArgs {
    AttentionKernelArgs attention;
    std::int32_t *strongestKey; // [sequences, tokens, query_heads] or null: the position with the largest weight
};

/// What rope_append.cuh would have done before decode's attention: new queries, keys and values are as their products left them.
struct DecodeTurn {
    const void *keys, *values; // T [sequences, kv_heads, head_dim]; null: queries are turned, and keys and values in their caches
    const float *queryNorm, *keyNorm; // [head_dim], or null
    const float *cosSin; // [context, 2, rotary_dim / 2], or null
    const float *queryScales; // [context], or null
    float epsilon;
    float keyScale, valueScale; ///< what F8 keys and values are divided by
    int rotaryDim; ///< 0: the whole head
    bool interleaved;
};

/// Decode: blocks [firstBlock[i], firstBlock[i + 1]) share the keys of the i-th selected head.
struct DecodeAttentionArgs {
    AttentionKernelArgs attention; ///< tokens = 1
    std::uint16_t firstBlock[maxKvHeads + 1];
    DecodeTurn turn; ///< only where all heads are selected
    float *partials; // [slices, sequences, blocks, rows, head_dim]: unnormalised sums of the splits, not read where not split
    float *partialStates; // [slices, sequences, blocks, rows, 2]: their maxima and sums of weights
};

struct PrefillAttentionArgs {
    AttentionKernelArgs attention;
    int fullCount; ///< the first so many selected heads keep everything: their blocks are the longest
};

} // namespace zigzag::gpu
