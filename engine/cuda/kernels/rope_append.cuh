// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/cache_slot.h"

namespace zigzag::gpu {

/// RopeAppendArgs of engine/run/backend.h.
struct RopeAppendKernelArgs {
    void *queries; // [rows, query_heads, head_dim], rotated in place
    const void *keys; // [rows, kv_heads, head_dim]
    const void *values; // [rows, kv_heads, head_dim]
    const float *queryNorm, *keyNorm; // [head_dim], or null
    const float *cosSin; // [context, 2, rotary_dim / 2], or null: no rotation
    int queryHeads, kvHeads;
    int headDim; ///< even, at most maxHeadDim
    float epsilon;
    float keyScale, valueScale; ///< what F8 keys and values are divided by
    RowsView rows;
    HeadCaches caches; // [kv_heads]
    int rotaryDim = 0; ///< even; 0: the whole head
    bool interleaved = false; ///< 2i and 2i + 1 turn together, else i and i + rotary_dim / 2
    const float *queryScales = nullptr; // [context], or null
};

inline constexpr int ropeAppendThreads = 128;

/// A block for each row and each four of its heads: queries, keys, values.
inline unsigned ropeAppendBlocksPerRow(int queryHeads, int kvHeads)
{
    constexpr int warps = ropeAppendThreads / warpSize;
    return static_cast<unsigned>((queryHeads + 2 * kvHeads + warps - 1) / warps);
}

/// Two neighbours, the second only where `both`; as one access where `both`.
template <class T> ZZ_DEVICE Float2 loadTwo(const T *from, bool both)
{
    if (both)
        return unpack2<T>(loadAs<std::uint32_t>(from));
    return {toFloat(from[0]), 0.0f};
}
template <> ZZ_DEVICE Float2 loadTwo<float>(const float *from, bool both)
{
    if (both)
        return loadAs<Float2>(from);
    return {from[0], 0.0f};
}
template <class T> ZZ_DEVICE void storeTwo(T *to, Float2 value, bool both)
{
    if (both)
        storeAs(to, pack2<T>(value.x, value.y));
    else
        to[0] = fromFloat<T>(value.x);
}
template <> ZZ_DEVICE void storeTwo<F8>(F8 *to, Float2 value, bool both)
{
    const F8 first = toF8(value.x);
    if (both)
        storeAs(to, static_cast<std::uint16_t>(first.bits | toF8(value.y).bits << 8));
    else
        to[0] = first;
}
template <> ZZ_DEVICE void storeTwo<float>(float *to, Float2 value, bool both)
{
    if (both)
        storeAs(to, value);
    else
        to[0] = value.x;
}

/// A head in a warp's registers. Slot k of a lane holds pairs i and, where `both`, i + 1, with i = step · (lane + 32 k): two
/// pairs where what is turned and what is not have an even number of them, so that every access is aligned. The first `turned`
/// pairs are those that rotary embedding turns; the rest of the head is halved the same way. Neighbours that turn together are
/// one pair a slot, and one access.
struct HeadShare {
    static constexpr int slots = 4;
    static_assert(slots * warpSize >= maxHeadDim / 2);
    Float2 low[slots], high[slots];
    int half, turned, step;
    bool interleaved, both;

    ZZ_DEVICE HeadShare(int headDim, int rotaryDim, bool neighbours)
        : half(headDim / 2)
        , turned(rotaryDim > 0 ? rotaryDim / 2 : half)
        , interleaved(neighbours)
        , both(half % 2 == 0 && turned % 2 == 0 && !neighbours)
    {
        step = both ? 2 : 1;
    }
    ZZ_DEVICE int lowAt(int pair) const { return interleaved ? 2 * pair : pair < turned ? pair : turned + pair; }
    ZZ_DEVICE int highAt(int pair) const { return interleaved ? 2 * pair + 1 : pair < turned ? pair + turned : half + pair; }
    ZZ_DEVICE int element(int slot) const { return step * (static_cast<int>(laneId()) + warpSize * slot); }

    /// body(slot, element) for the lane's elements.
    template <class Body> ZZ_DEVICE void forEach(Body body) const
    {
        ZZ_UNROLL
        for (int k = 0; k < slots; ++k)
            if (element(k) < half)
                body(k, element(k));
    }
    template <class T> ZZ_DEVICE void load(const T *head)
    {
        forEach([&](int k, int i) {
            if (interleaved) {
                const Float2 pair = loadTwo(head + 2 * i, true);
                low[k] = {pair.x, 0.0f};
                high[k] = {pair.y, 0.0f};
                return;
            }
            low[k] = loadTwo(head + lowAt(i), both);
            high[k] = loadTwo(head + highAt(i), both);
        });
    }
    template <class T> ZZ_DEVICE void store(T *head) const
    {
        forEach([&](int k, int i) {
            if (interleaved)
                return storeTwo(head + 2 * i, {low[k].x, high[k].x}, true);
            storeTwo(head + lowAt(i), low[k], both);
            storeTwo(head + highAt(i), high[k], both);
        });
    }
    ZZ_DEVICE void norm(const float *weight, float epsilon)
    {
        float squares = 0;
        forEach([&](int k, int) {
            squares += low[k].x * low[k].x + low[k].y * low[k].y + high[k].x * high[k].x + high[k].y * high[k].y;
        });
        const float scale = rsqrtFast(warpSum(squares) / static_cast<float>(2 * half) + epsilon);
        forEach([&](int k, int i) {
            const Float2 a = loadTwo(weight + lowAt(i), both), b = loadTwo(weight + highAt(i), both);
            low[k] = {low[k].x * scale * a.x, low[k].y * scale * a.y};
            high[k] = {high[k].x * scale * b.x, high[k].y * scale * b.y};
        });
    }
    ZZ_DEVICE void divide(float by)
    {
        forEach([&](int k, int) {
            low[k] = {low[k].x / by, low[k].y / by};
            high[k] = {high[k].x / by, high[k].y / by};
        });
    }
    /// A pair as a point in the plane, turned (arXiv 2104.09864).
    ZZ_DEVICE void rotate(const float *cosSin)
    {
        forEach([&](int k, int i) {
            if (i >= turned)
                return;
            const Float2 c = loadTwo(cosSin + i, both), s = loadTwo(cosSin + turned + i, both), a = low[k], b = high[k];
            low[k] = {a.x * c.x - b.x * s.x, a.y * c.y - b.y * s.y};
            high[k] = {b.x * c.x + a.x * s.x, b.y * c.y + a.y * s.y};
        });
    }
    ZZ_DEVICE void multiply(float scale)
    {
        forEach([&](int k, int) {
            low[k] = {low[k].x * scale, low[k].y * scale};
            high[k] = {high[k].x * scale, high[k].y * scale};
        });
    }
};

/// Query/key norm, rotation, and keys and values to the cache. A warp for each head. Grid: rows, ropeAppendBlocksPerRow.
template <class Activation, class Cache>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(ropeAppendThreads, 1) void ropeAppend(ZZ_ARGS RopeAppendKernelArgs args)
{
    allowNext(); // attention's first keys, and the weights after it, are read meanwhile
    waitForPrevious();
    const std::int64_t row = blockIdx().x;
    const int task = static_cast<int>(blockIdx().y * (ropeAppendThreads / warpSize) + warpId());
    if (task >= args.queryHeads + 2 * args.kvHeads)
        return;
    const std::int64_t position = positionOf(args.rows, row);
    HeadShare share(args.headDim, args.rotaryDim, args.interleaved);
    const float *cosSin = args.cosSin ? args.cosSin + position * 2 * share.turned : nullptr;
    if (task < args.queryHeads) {
        Activation *query = static_cast<Activation *>(args.queries) + (row * args.queryHeads + task) * args.headDim;
        share.load(query);
        if (args.queryNorm)
            share.norm(args.queryNorm, args.epsilon);
        if (cosSin)
            share.rotate(cosSin);
        if (args.queryScales)
            share.multiply(args.queryScales[position]);
        share.store(query);
        return;
    }
    const bool isKey = task < args.queryHeads + args.kvHeads;
    const int head = task - args.queryHeads - (isKey ? 0 : args.kvHeads);
    share.load(static_cast<const Activation *>(isKey ? args.keys : args.values) + (row * args.kvHeads + head) * args.headDim);
    if (isKey) {
        if (args.keyNorm)
            share.norm(args.keyNorm, args.epsilon);
        if (cosSin)
            share.rotate(cosSin);
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
    if constexpr (std::is_same_v<Cache, F8>)
        share.divide(isKey ? args.keyScale : args.valueScale);
    share.store(to);
}

} // namespace zigzag::gpu
