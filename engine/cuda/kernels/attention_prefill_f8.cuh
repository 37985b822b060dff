// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Attention of many queries over a cache of F8 numbers: attention_prefill.cuh, whose work and matrix products it has, but for the
// way of keys and values. They are copied as they lie, and a block turns each tile into F16, which holds every one of them,
// before it multiplies: some 5 % of a tile's time, while the next tile is already on its way.

#include "engine/cuda/kernels/attention_prefill.cuh"

namespace zigzag::gpu {

/// Starts the copies of `rows` rows of F8 that lie one after another, and stay so; zeros from row `count` on.
template <int headDim, int rows> ZZ_DEVICE void copyF8Rows(char *shared, const char *global, int count)
{
    constexpr int chunks = headDim / 16, all = rows * chunks;
    const int thread = static_cast<int>(threadIdx().x);
    ZZ_UNROLL
    for (int i = 0; i < (all + prefillThreads - 1) / prefillThreads; ++i) {
        const int at = thread + i * prefillThreads;
        if (all % prefillThreads == 0 || at < all)
            copyAsync16(shared + at * 16, global + at * 16, at / chunks < count);
    }
}

/// Rows of F8 as padded rows of F16.
template <int headDim, int rows> ZZ_DEVICE void widenF8Rows(char *to, const char *from)
{
    constexpr int chunks = headDim / 16, all = rows * chunks;
    const int thread = static_cast<int>(threadIdx().x);
    ZZ_UNROLL_BY(4) // more at once would not fit beside a tile's registers
    for (int at = thread; at < all; at += prefillThreads) {
        const Vec16 narrow = load16(from + at * 16);
        char *wide = to + at / chunks * paddedRow<headDim> + at % chunks * 32;
        ZZ_UNROLL
        for (int half = 0; half < 2; ++half)
            store16(wide + half * 16,
                    {{f8PairToF16(narrow.w[2 * half]), f8PairToF16(narrow.w[2 * half] >> 16), f8PairToF16(narrow.w[2 * half + 1]),
                      f8PairToF16(narrow.w[2 * half + 1] >> 16)}});
    }
}

/// T is the type of queries and outputs.
template <class T, int headDim, bool capped>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(prefillThreads, 2) void attentionPrefillF8(ZZ_ARGS PrefillAttentionArgs args)
{
    constexpr int rowBytes = paddedRow<headDim>, tileBytes = prefillKeys * rowBytes, activationRow = headDim * 2;
    waitForPrevious();
    allowNext();
    const AttentionKernelArgs &a = args.attention;
    char *queries = sharedMemory<char>(), *keys = queries + prefillQueries * rowBytes, *values = keys + tileBytes;
    char *narrow = values + tileBytes; // keys, then values, as they lie in the cache: the next tile's
    constexpr int narrowBytes = prefillKeys * headDim;
    auto *work = reinterpret_cast<PrefillWork *>(narrow + 2 * narrowBytes);
    if (threadIdx().x == 0)
        work->find(args, headDim);
    syncThreads();

    const int warp = static_cast<int>(warpId());
    const int firstQuery = work->first + warp * prefillWarpQueries; // of this warp
    const std::int64_t tokenBytes = static_cast<std::int64_t>(a.queryHeads) * activationRow;
    const auto activation = [&] { // computed twice rather than kept: registers are full in between
        const std::int64_t token = static_cast<std::int64_t>(work->sequence) * a.tokens + work->firstToken;
        return (token * a.queryHeads + work->queryHead) * activationRow;
    };
    copyPrefillRows<headDim, prefillQueries>(queries, static_cast<const char *>(a.queries) + activation(), tokenBytes,
                                             work->queries);
    const auto load = [&](int segment, int key) {
        const PrefillSegment &s = work->segment[segment];
        const std::int64_t offset = static_cast<std::int64_t>(key - s.begin) * headDim;
        copyF8Rows<headDim, prefillKeys>(narrow, s.keys + offset, s.end - key);
        copyF8Rows<headDim, prefillKeys>(narrow + narrowBytes, s.values + offset, s.end - key);
        copyAsyncCommit();
    };
    int segment = 0, key = work->segment[0].begin;
    load(segment, key);
    if constexpr (!std::is_same_v<T, F16>) {
        copyAsyncWait<0>();
        syncThreads();
        for (int at = static_cast<int>(threadIdx().x); at < prefillQueries * (headDim / 8); at += prefillThreads) {
            char *chunk = queries + at / (headDim / 8) * rowBytes + at % (headDim / 8) * 16;
            Vec16 v = load16(chunk);
            ZZ_UNROLL
            for (std::uint32_t &pair : v.w)
                pair = toF16Pair<T>(pair);
            store16(chunk, v);
        }
    }

    PrefillTile<F16, headDim> tile;
    tile.begin();
    while (segment < work->segments) {
        const int end = work->segment[segment].end;
        int nextSegment = segment, nextKey = key + prefillKeys;
        if (nextKey >= end && ++nextSegment < work->segments)
            nextKey = work->segment[nextSegment].begin;

        copyAsyncWait<0>();
        syncThreads(); // this tile's copies are here, and every warp has left the one before
        widenF8Rows<headDim, 2 * prefillKeys>(keys, narrow);
        syncThreads();
        if (nextSegment < work->segments)
            load(nextSegment, nextKey);

        const int sink = work->sink, recent = work->recent;
        // What of this tile the warp's rows see: nothing, a part, or all.
        const int lastKey = key + prefillKeys - 1, lastQuery = firstQuery + prefillWarpQueries - 1;
        const bool none = key > lastQuery || (key >= sink && firstQuery - lastKey >= recent);
        const bool all = lastKey <= firstQuery && lastKey < end && (lastKey < sink || lastQuery - key < recent);
        if (!none) {
            float scores[2][prefillKeys / 8][4] = {};
            tile.score(scores, queries + warp * prefillWarpQueries * rowBytes, keys);
            if constexpr (capped)
                tile.cap(scores, a.capScale);
            if (!all)
                tile.hideEdges(scores, firstQuery, key, end, sink, recent);
            tile.soften(scores, a.scoreScale);
            tile.add(scores, values);
        }
        segment = nextSegment;
        key = nextKey;
    }
    copyAsyncWait<0>();
    const int before = warp * prefillWarpQueries;
    tile.template write<T>(queries + before * rowBytes, static_cast<char *>(a.out) + activation() + before * tokenBytes,
                           tokenBytes, work->queries - before, a.sinkLogits ? a.sinkLogits + work->queryHead : nullptr,
                           a.valueScale);
}

/// `args.attention.caches.selected` has heads that keep everything first; with planPrefillF8's plan. Returns a cudaError_t.
template <class T>
int launchAttentionPrefillF8(const PrefillAttentionArgs &args, const PrefillPlan &plan, Stream stream, Start start)
{
    const auto run = [&]<int headDim>() {
        const auto kernel
            = args.attention.capScale != 0 ? attentionPrefillF8<T, headDim, true> : attentionPrefillF8<T, headDim, false>;
        return launch(kernel, {plan.blocks, static_cast<unsigned>(args.attention.rows.count), 1}, prefillThreads,
                      plan.sharedBytes, stream, args, start);
    };
    return withHeadDim(args.attention.headDim, run);
}

} // namespace zigzag::gpu
