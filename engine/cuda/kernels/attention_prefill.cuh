// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Attention of many queries, after FlashAttention-2 (arXiv 2307.08691): a block holds 128 queries of one query head and
// walks tiles of 64 keys. A warp has 32 query rows, two matrix tiles, so that each fragment of keys or values that it reads
// from shared memory is multiplied twice: with 16 rows, reading would be the bound. Only tiles at an edge of what a warp
// sees (the diagonal, the window's lower end, the last rows) are masked.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/attention_args.h"
#include "engine/cuda/kernels/attention_scores.cuh"
#include "engine/cuda/kernels/cache_slot.h"

namespace zigzag::gpu {

/// Visible keys of a block at positions [begin, end) that lie one after another in memory.
struct PrefillSegment {
    const char *keys, *values; // of position `begin`
    int begin, end;
    int written; ///< rows from `begin` on that hold numbers, whether a query of this block sees them or not
    bool staged; ///< in the chunk's stage, not in the slots
};

inline constexpr int prefillMaxSegments = 8;

/// What a block works on, and its segments (keyRuns of engine/run/key_runs.h, cut to what its queries see), kept in shared
/// memory. The window comes first, then the sinks.
struct PrefillWork {
    int kvHead, queryHead, sequence;
    int firstToken; ///< of the chunk, the block's first query
    int queries; ///< at most prefillQueries
    int first; ///< the position of its first query
    int sink, recent; ///< the head's own
    int segments;
    PrefillSegment segment[prefillMaxSegments];

    ZZ_DEVICE void find(const PrefillAttentionArgs &args, int rowBytes)
    {
        find(args, rowBytes, static_cast<int>(blockIdx().x), static_cast<int>(blockIdx().y));
    }
    /// The `block`-th of a sequence's.
    ZZ_DEVICE void find(const PrefillAttentionArgs &args, int rowBytes, int block, int sequenceOfBlock)
    {
        const AttentionKernelArgs &a = args.attention;
        const int group = a.queryHeads / a.kvHeads, tiles = (a.tokens + prefillQueries - 1) / prefillQueries;
        // Heads that keep everything first, and the last queries first, which see the most keys: what is left at the end is
        // short.
        int entry = 0, heads = args.fullCount * group;
        if (block >= tiles * heads) {
            block -= tiles * heads;
            entry = args.fullCount;
            heads = (a.caches.selectedCount - args.fullCount) * group;
        }
        const int nth = block % heads;
        kvHead = a.caches.selected[entry + nth / group];
        queryHead = kvHead * group + nth % group;
        sequence = sequenceOfBlock;
        firstToken = (tiles - 1 - block / heads) * prefillQueries;
        queries = a.tokens - firstToken < prefillQueries ? a.tokens - firstToken : prefillQueries;
        const int chunk = firstPosition(a.rows, sequence);
        first = chunk + firstToken;
        segments = 0;

        const HeadCacheView &cache = a.caches.heads[kvHead];
        const std::int64_t offset = (a.rows.first + sequence) * a.caches.sequenceStride;
        const char *keys = static_cast<const char *>(cache.keys) + offset;
        const char *values = static_cast<const char *>(cache.values) + offset;
        const int end = first + queries;
        sink = cache.sink, recent = cache.recent;
        if (recent == everyKey) {
            add({keys, values, 0, end, chunk + a.tokens, false});
            return;
        }
        const int windowBegin = first + 1 - recent > 0 ? first + 1 - recent : 0;
        const int sinkEnd = sink < windowBegin ? sink : windowBegin;
        const int slots = static_cast<int>(cache.slots), ring = slots - sink;
        const int held = cache.stagedKeys ? chunk : chunk + a.tokens; // positions that went through the slots
        // `rows`: how many of that memory are written.
        const auto addRun = [&](const void *k, const void *v, int rows, int row, int runBegin, int runEnd, int from, int to) {
            from = from > runBegin ? from : runBegin;
            to = to < runEnd ? to : runEnd;
            row += from - runBegin;
            const std::int64_t at = static_cast<std::int64_t>(row) * rowBytes;
            if (from < to)
                add({static_cast<const char *>(k) + at, static_cast<const char *>(v) + at, from, to, rows - row, k != keys});
        };
        const auto addSpan = [&](int from, int to) {
            if (held <= slots) {
                addRun(keys, values, held, 0, 0, held, from, to);
            } else {
                const int oldest = held - ring, row = static_cast<int>(cacheSlot(oldest, slots, sink));
                const int wrap = oldest + slots - row; // the position in slot `sink`
                addRun(keys, values, slots, 0, 0, sink, from, to);
                addRun(keys, values, slots, row, oldest, wrap < held ? wrap : held, from, to);
                addRun(keys, values, slots, sink, wrap, held, from, to);
            }
            if (cache.stagedKeys)
                addRun(cache.stagedKeys, cache.stagedValues, a.tokens, 0, chunk, chunk + a.tokens, from, to);
        };
        if (sinkEnd == windowBegin) {
            addSpan(0, end);
        } else {
            addSpan(windowBegin, end);
            addSpan(0, sinkEnd);
        }
    }
    ZZ_DEVICE void add(const PrefillSegment &s) { segment[segments++] = s; }
};

/// Starts the copies of `rows` rows that lie `stride` bytes apart; zeros from row `count` on.
template <int headDim, int rows> ZZ_DEVICE void copyPrefillRows(char *shared, const char *global, std::int64_t stride, int count)
{
    constexpr int chunks = headDim / 8; // of a row
    static_assert(rows * chunks % prefillThreads == 0);
    const int thread = static_cast<int>(threadIdx().x);
    if constexpr (prefillThreads % chunks == 0) {
        // A thread keeps its column: few registers, and the distances are constants.
        constexpr int step = prefillThreads / chunks;
        const int row = thread / chunks, column = thread % chunks * 16;
        shared += row * paddedRow<headDim> + column;
        global += row * stride + column;
        ZZ_UNROLL
        for (int i = 0; i < rows / step; ++i)
            copyAsync16(shared + i * step * paddedRow<headDim>, global + i * step * stride, row < count - i * step);
    } else {
        ZZ_UNROLL
        for (int i = 0; i < rows * chunks / prefillThreads; ++i) {
            const int at = thread + i * prefillThreads, row = at / chunks, column = at % chunks * 16;
            copyAsync16(shared + row * paddedRow<headDim> + column, global + row * stride + column, row < count);
        }
    }
}

/// A warp's 32 query rows. T is the type of matrices. Lane = 4 g + t; index 2 m + h of `max` and `sum` is row 16 m + 8 h + g.
template <class T, int headDim> struct PrefillTile {
    static constexpr int rowBytes = paddedRow<headDim>;

    float out[2][headDim / 8][4];
    float max[4], sum[4]; ///< max: in powers of two, of the whole row; sum: of this lane's keys

    ZZ_DEVICE void begin()
    {
        ZZ_UNROLL
        for (auto &half : out)
            ZZ_UNROLL
        for (auto &tile : half)
            ZZ_UNROLL
        for (float &value : tile)
            value = 0;
        ZZ_UNROLL
        for (int r = 0; r < 4; ++r) {
            max[r] = prefillLowest;
            sum[r] = 0;
        }
    }

    /// scores = queries · keysᵀ
    static ZZ_DEVICE void score(float (&scores)[2][prefillKeys / 8][4], const char *queries, const char *keys)
    {
        const int lane = static_cast<int>(laneId());
        const char *query = queries + (lane & 15) * rowBytes + (lane & 16);
        const char *key = keys + ((lane & 7) + (lane & 16) / 2) * rowBytes + (lane & 8) * 2;
        ZZ_UNROLL
        for (int s = 0; s < headDim / 16; ++s) {
            std::uint32_t q[2][4];
            loadMatrix4(q[0], query + s * 32);
            loadMatrix4(q[1], query + 16 * rowBytes + s * 32);
            ZZ_UNROLL
            for (int n = 0; n < prefillKeys / 16; ++n) {
                std::uint32_t k[4];
                loadMatrix4(k, key + n * 16 * rowBytes + s * 32);
                ZZ_UNROLL
                for (int m = 0; m < 2; ++m) {
                    mma16816<T>(scores[m][2 * n], q[m], {k[0], k[1]});
                    mma16816<T>(scores[m][2 * n + 1], q[m], {k[2], k[3]});
                }
            }
        }
    }

    static ZZ_DEVICE void cap(float (&scores)[2][prefillKeys / 8][4], float capScale)
    {
        ZZ_UNROLL
        for (auto &half : scores)
            ZZ_UNROLL
        for (auto &tile : half)
            ZZ_UNROLL
        for (float &score : tile)
            score = cappedScore(score, capScale);
    }

    /// Hides all but the keys that are in [row - recent + 1, row] and before `end`. `query`: position of the warp's first
    /// row, `key`: of the first key.
    static ZZ_DEVICE void hide(float (&scores)[2][prefillKeys / 8][4], int query, int key, int end, int recent)
    {
        const int lane = static_cast<int>(laneId());
        ZZ_UNROLL
        for (int r = 0; r < 4; ++r) {
            const int row = query + r / 2 * 16 + r % 2 * 8 + lane / 4, last = row < end ? row : end - 1;
            const int first = row - recent + 1, column = key + lane % 4 * 2 - first; // one comparison for both ends
            const auto count = static_cast<unsigned>(last >= first ? last - first + 1 : 0);
            ZZ_UNROLL
            for (int n = 0; n < prefillKeys / 8; ++n)
                ZZ_UNROLL
            for (int i = 0; i < 2; ++i)
                if (static_cast<unsigned>(column + n * 8 + i) >= count)
                    scores[r / 2][n][r % 2 * 2 + i] = prefillHidden;
        }
    }
    /// The whole rule, for tiles that have both sinks and keys that have left the window of some rows.
    static ZZ_DEVICE void hideBetween(float (&scores)[2][prefillKeys / 8][4], int query, int key, int sink, int recent)
    {
        const int lane = static_cast<int>(laneId());
        ZZ_UNROLL
        for (int r = 0; r < 4; ++r) {
            const int row = query + r / 2 * 16 + r % 2 * 8 + lane / 4, column = key + lane % 4 * 2;
            const int begin = sink - column, count = row - recent + 1 - sink; // hidden: `count` keys from the sinks on
            ZZ_UNROLL
            for (int n = 0; n < prefillKeys / 8; ++n)
                ZZ_UNROLL
            for (int i = 0; i < 2; ++i)
                if (n * 8 + i >= begin && n * 8 + i - begin < count)
                    scores[r / 2][n][r % 2 * 2 + i] = prefillHidden;
        }
    }

    /// Both, as a tile of keys from `key` on needs them.
    static ZZ_DEVICE void hideEdges(float (&scores)[2][prefillKeys / 8][4], int query, int key, int end, int sink, int recent)
    {
        // Sinks, where a tile has any, are in every row's range: only what follows them can leave the window.
        hide(scores, query, key, end, key < sink ? everyKey : recent);
        if (key < sink && end > sink && query + prefillWarpQueries - 1 - key >= recent)
            hideBetween(scores, query, key, sink, recent);
    }

    /// Turns scores into weights.
    ZZ_DEVICE void soften(float (&scores)[2][prefillKeys / 8][4], float scale)
    {
        float largest[4];
        bool above = false;
        ZZ_UNROLL
        for (int r = 0; r < 4; ++r) {
            largest[r] = scores[r / 2][0][r % 2 * 2];
            ZZ_UNROLL
            for (int n = 0; n < prefillKeys / 8; ++n)
                ZZ_UNROLL
            for (int i = 0; i < 2; ++i)
                largest[r] = maxOf(largest[r], scores[r / 2][n][r % 2 * 2 + i]);
            largest[r] *= scale;
            above = above || largest[r] > max[r] + 8.0f;
        }
        // The maximum only guards against overflow: weights up to 2^8 are as exact, so it follows late and seldom.
        if (warpAny(above))
            raise(largest);
        ZZ_UNROLL
        for (int r = 0; r < 4; ++r)
            ZZ_UNROLL
        for (int n = 0; n < prefillKeys / 8; ++n)
            ZZ_UNROLL
        for (int i = 0; i < 2; ++i) {
            float &score = scores[r / 2][n][r % 2 * 2 + i];
            score = exp2Fast(score * scale - max[r]);
            sum[r] += score;
        }
    }

    ZZ_DEVICE void raise(float (&largest)[4])
    {
        ZZ_UNROLL
        for (int r = 0; r < 4; ++r) {
            largest[r] = maxOf(largest[r], shuffleXor(largest[r], 1));
            largest[r] = maxOf(largest[r], shuffleXor(largest[r], 2));
            const float newMax = maxOf(max[r], largest[r]), shrink = exp2Fast(max[r] - newMax);
            max[r] = newMax;
            sum[r] *= shrink;
            ZZ_UNROLL
            for (auto &tile : out[r / 2]) {
                tile[r % 2 * 2] *= shrink;
                tile[r % 2 * 2 + 1] *= shrink;
            }
        }
    }

    /// out += weights · values
    ZZ_DEVICE void add(const float (&weights)[2][prefillKeys / 8][4], const char *values)
    {
        const int lane = static_cast<int>(laneId());
        const char *value = values + (lane & 15) * rowBytes + (lane & 16);
        ZZ_UNROLL
        for (int s = 0; s < prefillKeys / 16; ++s) {
            std::uint32_t w[2][4];
            ZZ_UNROLL
            for (int m = 0; m < 2; ++m)
                ZZ_UNROLL
            for (int i = 0; i < 4; ++i)
                w[m][i] = pack2<T>(weights[m][2 * s + i / 2][i % 2 * 2], weights[m][2 * s + i / 2][i % 2 * 2 + 1]);
            ZZ_UNROLL
            for (int n = 0; n < headDim / 16; ++n) {
                std::uint32_t v[4];
                loadMatrix4Transposed(v, value + s * 16 * rowBytes + n * 32);
                ZZ_UNROLL
                for (int m = 0; m < 2; ++m) {
                    mma16816<T>(out[m][2 * n], w[m], {v[0], v[1]});
                    mma16816<T>(out[m][2 * n + 1], w[m], {v[2], v[3]});
                }
            }
        }
    }

    /// The rows in Out, through the warp's rows of shared memory, which nobody else uses. `to`: of the warp's first query;
    /// `sinkLogit`: the query head's, or null.
    template <class Out = T>
    ZZ_DEVICE void write(char *shared, char *to, std::int64_t stride, int rows, const float *sinkLogit, float valueScale = 1)
    {
        const int lane = static_cast<int>(laneId());
        syncWarp(); // every lane has read its queries
        ZZ_UNROLL
        for (int r = 0; r < 4; ++r) {
            sum[r] += shuffleXor(sum[r], 1);
            sum[r] += shuffleXor(sum[r], 2);
            if (sinkLogit)
                sum[r] += sinkWeight(*sinkLogit, max[r]);
            const float scale = rcpFast(sum[r]) * valueScale;
            char *row = shared + (r / 2 * 16 + r % 2 * 8 + lane / 4) * rowBytes + lane % 4 * 4;
            ZZ_UNROLL
            for (int n = 0; n < headDim / 8; ++n)
                *reinterpret_cast<std::uint32_t *>(row + n * 16)
                    = pack2<Out>(out[r / 2][n][r % 2 * 2] * scale, out[r / 2][n][r % 2 * 2 + 1] * scale);
        }
        syncWarp();
        constexpr int chunks = headDim / 8;
        ZZ_UNROLL
        for (int i = 0; i < chunks; ++i) {
            const int at = lane + i * warpSize, row = at / chunks, chunk = at % chunks;
            if (row < rows)
                store16(to + row * stride + chunk * 16, load16(shared + row * rowBytes + chunk * 16));
        }
    }
};

/// With two stages of keys and values a tile's copies have the time of a whole tile; with one, values arrive while scores
/// are computed, and the next keys while weights and sums are.
template <class T, int headDim, int stages, bool capped>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(prefillThreads, 2) void attentionPrefill(ZZ_ARGS PrefillAttentionArgs args)
{
    constexpr int rowBytes = paddedRow<headDim>, keyBytes = prefillKeys * rowBytes, globalRow = headDim * 2;
    waitForPrevious();
    allowNext();
    const AttentionKernelArgs &a = args.attention;
    char *queries = sharedMemory<char>();
    char *stage = queries + prefillQueries * rowBytes; // [stages]: keys, then values
    auto *work = reinterpret_cast<PrefillWork *>(stage + stages * 2 * keyBytes);
    if (threadIdx().x == 0)
        work->find(args, globalRow);
    syncThreads();

    const int warp = static_cast<int>(warpId());
    const int firstQuery = work->first + warp * prefillWarpQueries; // of this warp
    const std::int64_t tokenBytes = static_cast<std::int64_t>(a.queryHeads) * globalRow;
    const auto activation = [&] { // computed twice rather than kept: registers are full in between
        const std::int64_t token = static_cast<std::int64_t>(work->sequence) * a.tokens + work->firstToken;
        return (token * a.queryHeads + work->queryHead) * globalRow;
    };
    copyPrefillRows<headDim, prefillQueries>(queries, static_cast<const char *>(a.queries) + activation(), tokenBytes,
                                             work->queries);

    const auto load = [&](bool values, int segment, int key, char *to) {
        const PrefillSegment &s = work->segment[segment];
        const char *from = (values ? s.values : s.keys) + static_cast<std::int64_t>(key - s.begin) * globalRow;
        copyPrefillRows<headDim, prefillKeys>(to, from, globalRow, s.end - key);
    };
    int segment = 0, key = work->segment[0].begin;
    load(false, segment, key, stage);
    if constexpr (stages == 2)
        load(true, segment, key, stage + keyBytes);
    copyAsyncCommit();

    PrefillTile<T, headDim> tile;
    tile.begin();
    char *keys = stage;
    while (segment < work->segments) {
        const int end = work->segment[segment].end;
        int nextSegment = segment, nextKey = key + prefillKeys;
        if (nextKey >= end && ++nextSegment < work->segments)
            nextKey = work->segment[nextSegment].begin;
        const bool more = nextSegment < work->segments;
        char *nextKeys = stages == 1 || keys != stage ? stage : stage + 2 * keyBytes;

        copyAsyncWait<0>();
        syncThreads(); // this stage's copies are here, and every warp has left the one that is filled next
        if constexpr (stages == 2) {
            if (more) {
                load(false, nextSegment, nextKey, nextKeys);
                load(true, nextSegment, nextKey, nextKeys + keyBytes);
            }
        } else {
            load(true, segment, key, keys + keyBytes);
        }
        copyAsyncCommit();

        const int sink = work->sink, recent = work->recent;
        // What of this tile the warp's rows see: nothing, a part, or all.
        const int lastKey = key + prefillKeys - 1, lastQuery = firstQuery + prefillWarpQueries - 1;
        const bool none = key > lastQuery || (key >= sink && firstQuery - lastKey >= recent);
        const bool all = lastKey <= firstQuery && lastKey < end && (lastKey < sink || lastQuery - key < recent);
        float scores[2][prefillKeys / 8][4] = {};
        if (!none)
            tile.score(scores, queries + warp * prefillWarpQueries * rowBytes, keys);
        if constexpr (stages == 1) {
            copyAsyncWait<0>();
            syncThreads(); // the values are here, and every warp has left the keys
            if (more)
                load(false, nextSegment, nextKey, nextKeys);
            copyAsyncCommit();
        }
        if (!none) {
            if constexpr (capped)
                tile.cap(scores, a.capScale);
            if (!all)
                tile.hideEdges(scores, firstQuery, key, end, sink, recent);
            tile.soften(scores, a.scoreScale);
            tile.add(scores, keys + keyBytes);
        }
        segment = nextSegment;
        key = nextKey;
        keys = nextKeys;
    }
    copyAsyncWait<0>();
    const int before = warp * prefillWarpQueries;
    tile.write(queries + before * rowBytes, static_cast<char *>(a.out) + activation() + before * tokenBytes, tokenBytes,
               work->queries - before, a.sinkLogits ? a.sinkLogits + work->queryHead : nullptr);
}

/// `args.attention.caches.selected` has heads that keep everything first. Returns a cudaError_t.
template <class T>
int launchAttentionPrefill(const PrefillAttentionArgs &args, const PrefillPlan &plan, Stream stream, Start start)
{
    const auto run = [&]<int headDim>() {
        const auto pick = [&]<bool capped>() {
            const auto kernel
                = plan.stages == 2 ? attentionPrefill<T, headDim, 2, capped> : attentionPrefill<T, headDim, 1, capped>;
            return launch(kernel, {plan.blocks, static_cast<unsigned>(args.attention.rows.count), 1}, prefillThreads,
                          plan.sharedBytes, stream, args, start);
        };
        return args.attention.capScale != 0 ? pick.template operator()<true>() : pick.template operator()<false>();
    };
    return withHeadDim(args.attention.headDim, run);
}

} // namespace zigzag::gpu
