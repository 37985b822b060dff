// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// What decode's attention does with its new tokens where nobody has done it before (DecodeTurn): as rope_append.cuh, to the bit.
// A launch less is worth more than the work, which every block of a KV head does again for the few query heads that it has.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/attention_args.h"
#include "engine/cuda/kernels/rope_append.cuh"

namespace zigzag::gpu {

/// Query rows [rows, headDim], turned, to shared memory, rows of which begin `pitch` numbers apart. The block's warps share them.
template <class T, int headDim>
ZZ_DEVICE void turnQueries(const DecodeTurn &turn, const T *queries, int rows, int position, T *to, int pitch)
{
    for (int row = static_cast<int>(warpId()); row < rows; row += decodeWarps) {
        HeadShare share(headDim, turn.rotaryDim, turn.interleaved);
        share.load(queries + row * headDim);
        if (turn.queryNorm)
            share.norm(turn.queryNorm, turn.epsilon);
        if (turn.cosSin)
            share.rotate(turn.cosSin + static_cast<std::int64_t>(position) * 2 * share.turned);
        if (turn.queryScales)
            share.multiply(turn.queryScales[position]);
        share.store(to + row * pitch);
    }
}

/// The new token's key, turned, and its value to their rows of the cache: a warp for each.
template <class T, class K, int headDim>
ZZ_DEVICE void appendNewest(const DecodeTurn &turn, std::int64_t head, int position, K *key, K *value)
{
    const bool isKey = warpId() == 0;
    if (warpId() > 1)
        return;
    HeadShare share(headDim, turn.rotaryDim, turn.interleaved);
    share.load(static_cast<const T *>(isKey ? turn.keys : turn.values) + head * headDim);
    if (isKey && turn.keyNorm)
        share.norm(turn.keyNorm, turn.epsilon);
    if (isKey && turn.cosSin)
        share.rotate(turn.cosSin + static_cast<std::int64_t>(position) * 2 * share.turned);
    if constexpr (std::is_same_v<K, F8>)
        share.divide(isKey ? turn.keyScale : turn.valueScale);
    share.store(isKey ? key : value);
}

} // namespace zigzag::gpu
