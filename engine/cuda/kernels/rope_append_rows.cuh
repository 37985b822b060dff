// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// ropeAppend (rope_append.cuh) for the many rows of a prefill: a thread moves 32 bytes where that kernel's lanes move eight.

#include "engine/cuda/kernels/rope_append.cuh"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

inline constexpr int ropeRowsThreads = 256;
inline constexpr int ropeRowsLeast = 64; ///< rows for which it is worth its divisions

/// Whether the kernel below does these: rows of one sequence, whole heads that turn in halves, no norms. Numbers have 16 bits.
inline bool takesRopeRows(const RopeAppendKernelArgs &args, std::int64_t rows)
{
    return rows >= ropeRowsLeast && args.rows.count == 1 && !args.queryNorm && !args.keyNorm && !args.interleaved && args.cosSin
        && (args.rotaryDim == 0 || args.rotaryDim == args.headDim) && args.headDim % 16 == 0;
}
/// Blocks for `rows` rows.
inline unsigned ropeRowsBlocks(std::int64_t rows, int queryHeads, int kvHeads, int headDim)
{
    const std::int64_t threads = rows * (queryHeads + 2 * kvHeads) * (headDim / 16);
    return static_cast<unsigned>((threads + ropeRowsThreads - 1) / ropeRowsThreads);
}

struct RopeRowsArgs {
    RopeAppendKernelArgs rope;
    std::int64_t count; ///< of rows
};

/// Eight numbers to a row of queries or of a cache.
template <class T> ZZ_DEVICE void storeEight(T *to, const float (&from)[vectorWidth])
{
    storeVector(to, from);
}
template <> ZZ_DEVICE void storeEight<F8>(F8 *to, const float (&from)[vectorWidth])
{
    ZZ_UNROLL
    for (int i = 0; i < vectorWidth; i += 4) {
        std::uint32_t four = 0;
        ZZ_UNROLL
        for (int k = 0; k < 4; ++k)
            four |= static_cast<std::uint32_t>(toF8(from[i + k]).bits) << (8 * k);
        storeAs(to + i, four);
    }
}

/// A thread for eight numbers of a head's first half and the eight that turn with them; of values they are only moved.
template <class Activation, class Cache>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(ropeRowsThreads, 4) void ropeAppendRows(ZZ_ARGS RopeRowsArgs all)
{
    const RopeAppendKernelArgs &args = all.rope;
    allowNext();
    const int half = args.headDim / 2, parts = half / vectorWidth, heads = args.queryHeads + 2 * args.kvHeads;
    const std::int64_t item = std::int64_t{blockIdx().x} * ropeRowsThreads + threadIdx().x;
    const std::int64_t row = item / (heads * parts);
    waitForPrevious();
    if (row >= all.count)
        return;
    const int within = static_cast<int>(item % (heads * parts)), task = within / parts, at = within % parts * vectorWidth;
    const std::int64_t position = positionOf(args.rows, row);
    const bool isQuery = task < args.queryHeads, isKey = !isQuery && task < args.queryHeads + args.kvHeads;
    const int head = isQuery ? task : task - args.queryHeads - (isKey ? 0 : args.kvHeads);
    const void *base = isQuery ? args.queries : isKey ? args.keys : args.values;
    const auto *from
        = static_cast<const Activation *>(base) + (row * (isQuery ? args.queryHeads : args.kvHeads) + head) * args.headDim + at;
    float low[vectorWidth], high[vectorWidth];
    loadVector(from, low);
    loadVector(from + half, high);
    if (isQuery || isKey) {
        const float *angles = args.cosSin + position * 2 * half + at;
        float cosine[vectorWidth], sine[vectorWidth];
        loadVector(angles, cosine);
        loadVector(angles + half, sine);
        ZZ_UNROLL
        for (int k = 0; k < vectorWidth; ++k) {
            const float a = low[k], b = high[k];
            low[k] = a * cosine[k] - b * sine[k];
            high[k] = b * cosine[k] + a * sine[k];
        }
    }
    if (isQuery) {
        const float scale = args.queryScales ? args.queryScales[position] : 1.0f;
        ZZ_UNROLL
        for (int k = 0; k < vectorWidth; ++k) {
            low[k] *= scale;
            high[k] *= scale;
        }
        auto *to = static_cast<Activation *>(args.queries) + (row * args.queryHeads + head) * args.headDim + at;
        storeEight(to, low);
        storeEight(to + half, high);
        return;
    }
    const HeadCacheView &cache = args.caches.heads[head];
    Cache *to;
    if (cache.stagedKeys) {
        to = static_cast<Cache *>(isKey ? cache.stagedKeys : cache.stagedValues) + row * args.headDim;
    } else {
        auto *memory = static_cast<unsigned char *>(isKey ? cache.keys : cache.values);
        to = reinterpret_cast<Cache *>(memory + cacheOffset(args.caches, args.rows, row))
            + cacheSlot(position, cache.slots, cache.sink) * args.headDim;
    }
    if constexpr (std::is_same_v<Cache, F8>) {
        const float by = isKey ? args.keyScale : args.valueScale;
        ZZ_UNROLL
        for (int k = 0; k < vectorWidth; ++k) {
            low[k] /= by;
            high[k] /= by;
        }
    }
    storeEight(to + at, low);
    storeEight(to + at + half, high);
}

} // namespace zigzag::gpu
