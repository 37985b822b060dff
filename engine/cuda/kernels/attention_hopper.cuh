// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Attention of many queries on Hopper, after FlashAttention-3 (arXiv 2407.08608). A block holds 128 queries of one query head
// and walks tiles of 128 keys, as attention_prefill.cuh does, with its segments and its key-range rule. One group of four warps
// copies keys and values into a ring of stages; two groups of 64 query rows each multiply, by products that run by themselves:
// while a tile's weights are multiplied with its values and the next tile's scores are computed, the group turns scores that
// have arrived into weights, and the two groups take turns at starting products, so that one multiplies while the other has
// the exponentials.
//
// Copies are the ordinary asynchronous ones, by threads, not those of the tensor memory accelerator: rows behind a segment's end
// must be zeros (what lies there was perhaps never written, and 0 · NaN is no 0), and one descriptor per head, ring and stage
// would have to travel with every launch. They are swizzled on the way.

#include "engine/cuda/gpu/hopper.h"
#include "engine/cuda/kernels/attention_prefill.cuh"

namespace zigzag::gpu {

inline constexpr int hopperLag = 2; ///< groups of copies that are under way before the oldest is told to the others

/// Shared memory of a block. Matrices are columns of 64 numbers, swizzled (hopper.h).
template <int headDim> struct HopperShared {
    static constexpr int columns = headDim / 64, rowBytes = 128;
    static constexpr int queryColumn = prefillQueries * rowBytes, keyColumn = hopperKeys * rowBytes;
    static constexpr int queryBytes = columns * queryColumn, tileBytes = columns * keyColumn;

    char *queries, *keys, *values; // values: behind all stages of keys
    std::uint64_t *queriesHere, *keysHere, *valuesHere, *keysLeft, *valuesLeft; // [hopperStages], but for the queries'
    PrefillWork *work;

    ZZ_DEVICE explicit HopperShared(char *shared)
    {
        queries = shared + (1024 - sharedAddress(shared) % 1024) % 1024;
        keys = queries + queryBytes;
        values = keys + hopperStages * tileBytes;
        queriesHere = reinterpret_cast<std::uint64_t *>(values + hopperStages * tileBytes);
        keysHere = queriesHere + 1;
        valuesHere = keysHere + hopperStages;
        keysLeft = valuesHere + hopperStages;
        valuesLeft = keysLeft + hopperStages;
        work = reinterpret_cast<PrefillWork *>(valuesLeft + hopperStages);
    }
};

/// Walks the stages of the ring.
struct HopperStage {
    int index = 0, phase = 0;

    ZZ_DEVICE void next()
    {
        if (++index == hopperStages) {
            index = 0;
            phase ^= 1;
        }
    }
};

/// The copying group.
template <int headDim> struct HopperCopies {
    using Shared = HopperShared<headDim>;
    static constexpr int chunks = headDim / 8, step = hopper::groupThreads / chunks; ///< 16 bytes each; rows of a round

    const Shared &shared;
    int thread, row, target; ///< of the first round: its row, and where its 16 bytes go in a matrix of so many rows
    std::uint64_t *pending[hopperLag]; ///< barriers of groups that are under way, the oldest first

    ZZ_DEVICE HopperCopies(const Shared &s, int thisThread)
        : shared(s)
        , thread(thisThread)
        , row(thisThread / chunks)
    {
        static_assert(step % 8 == 0, "a thread's rows are equal modulo 8, so one swizzle serves all");
        const int chunk = thread % chunks;
        target = row * Shared::rowBytes + (((chunk % 8) ^ (row % 8)) << 4);
        ZZ_UNROLL
        for (auto &barrier : pending)
            barrier = nullptr;
    }

    /// Starts copying `rows` rows that lie `stride` bytes apart, zeros from `count` on, and tells `barrier` some groups later.
    template <int rows> ZZ_DEVICE void start(char *to, const char *from, std::int64_t stride, int count, std::uint64_t *barrier)
    {
        const int chunk = thread % chunks;
        to += chunk / 8 * rows * Shared::rowBytes + target;
        from += row * stride + chunk * 16;
        ZZ_UNROLL_BY(4) // addresses of all rounds at once would not fit into the registers that this group keeps
        for (int at = row; at < rows; at += step) {
            copyAsync16(to, from, at < count);
            to += step * Shared::rowBytes;
            from += step * stride;
        }
        copyAsyncCommit();
        finish(barrier);
    }
    /// The oldest group has arrived; `next` is the newest.
    ZZ_DEVICE void finish(std::uint64_t *next)
    {
        copyAsyncWait<hopperLag>();
        if (pending[0]) {
            hopper::fenceForProducts();
            hopper::arrive(pending[0]);
        }
        ZZ_UNROLL
        for (int i = 0; i + 1 < hopperLag; ++i)
            pending[i] = pending[i + 1];
        pending[hopperLag - 1] = next;
    }
    ZZ_DEVICE void finishAll()
    {
        copyAsyncWait<0>();
        hopper::fenceForProducts();
        ZZ_UNROLL
        for (auto *barrier : pending)
            if (barrier)
                hopper::arrive(barrier);
    }
};

/// A group's 64 query rows. Registers as products have them (hopper.h): index h of `max` and `sum` is row 16 warp + 8 h + g.
template <class T, int headDim> struct HopperTile {
    using Shared = HopperShared<headDim>;

    float out[headDim / 2];
    float scores[hopperKeys / 2];
    std::uint32_t weights[hopperKeys / 4];
    float max[2] = {prefillLowest, prefillLowest}, sum[2] = {0, 0}; ///< as PrefillTile's

    ZZ_DEVICE void begin()
    {
        ZZ_UNROLL
        for (int i = 0; i < headDim / 2; ++i)
            out[i] = 0;
    }

    /// Starts scores = queries · keysᵀ.
    ZZ_DEVICE void startScores(const char *queries, const char *keys)
    {
        ZZ_UNROLL
        for (int s = 0; s < headDim / 16; ++s)
            hopper::multiplyShared<T>(scores, hopper::matrixAt(queries + s / 4 * Shared::queryColumn + s % 4 * 32, 16),
                                      hopper::matrixAt(keys + s / 4 * Shared::keyColumn + s % 4 * 32, 16), s > 0);
        hopper::endProducts();
    }
    /// Starts out += weights · values.
    ZZ_DEVICE void startOut(const char *values)
    {
        ZZ_UNROLL
        for (int s = 0; s < hopperKeys / 16; ++s) {
            const std::uint32_t w[4] = {weights[4 * s], weights[4 * s + 1], weights[4 * s + 2], weights[4 * s + 3]};
            hopper::multiplyRegisters<T>(out, w, hopper::matrixAt(values + s * 16 * Shared::rowBytes, Shared::keyColumn));
        }
        hopper::endProducts();
    }

    ZZ_DEVICE void cap(float capScale)
    {
        ZZ_UNROLL
        for (int i = 0; i < hopperKeys / 2; ++i)
            scores[i] = cappedScore(scores[i], capScale);
    }

    /// Hides what the group's rows, from position `firstRow` on, do not see of a tile, if there is anything.
    ZZ_DEVICE void hideEdges(const PrefillWork &work, int firstRow, int key, int end)
    {
        const int lastKey = key + hopperKeys - 1, lane = static_cast<int>(laneId());
        if (lastKey > firstRow || lastKey >= end || (lastKey >= work.sink && firstRow + 63 - key >= work.recent))
            hide(firstRow + static_cast<int>(warpId()) % 4 * 16 + lane / 4, key + lane % 4 * 2, end, work.sink, work.recent);
    }
    /// The key-range rule. `row`: position of the thread's first row, `key`: of the thread's first key, `end`: of the segment.
    ZZ_DEVICE void hide(int row, int key, int end, int sink, int recent)
    {
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            const int query = row + 8 * h, last = query < end ? query : end - 1;
            ZZ_UNROLL
            for (int j = 0; j < hopperKeys / 8; ++j)
                ZZ_UNROLL
            for (int i = 0; i < 2; ++i) {
                const int at = key + 8 * j + i;
                float &score = scores[4 * j + 2 * h + i]; // a choice, not a branch: a branch a number would cost registers
                score = at > last || (at >= sink && query - at >= recent) ? prefillHidden : score;
            }
        }
    }

    /// Turns scores into weights, where they are: products may still read `weights`. Whether `out` must be shrunk.
    ZZ_DEVICE bool soften(float (&shrink)[2], float scale)
    {
        float largest[2];
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            largest[h] = scores[2 * h];
            ZZ_UNROLL
            for (int j = 0; j < hopperKeys / 8; ++j)
                largest[h] = maxOf(largest[h], maxOf(scores[4 * j + 2 * h], scores[4 * j + 2 * h + 1]));
            largest[h] *= scale;
        }
        // The maximum only guards against overflow: weights up to 2^8 are as exact, so it follows late and seldom.
        const bool raises = warpAny(largest[0] > max[0] + 8.0f || largest[1] > max[1] + 8.0f);
        if (raises) {
            ZZ_UNROLL
            for (int h = 0; h < 2; ++h) {
                largest[h] = maxOf(largest[h], shuffleXor(largest[h], 1));
                largest[h] = maxOf(largest[h], shuffleXor(largest[h], 2));
                const float newMax = maxOf(max[h], largest[h]);
                shrink[h] = exp2Fast(max[h] - newMax);
                max[h] = newMax;
                sum[h] *= shrink[h];
            }
        }
        ZZ_UNROLL
        for (int j = 0; j < hopperKeys / 8; ++j)
            ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            float &low = scores[4 * j + 2 * h], &high = scores[4 * j + 2 * h + 1];
            low = exp2Fast(low * scale - max[h]);
            high = exp2Fast(high * scale - max[h]);
            sum[h] += low + high;
        }
        return raises;
    }
    ZZ_DEVICE void shrinkOut(const float (&shrink)[2])
    {
        ZZ_UNROLL
        for (int j = 0; j < headDim / 8; ++j)
            ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            out[4 * j + 2 * h] *= shrink[h];
            out[4 * j + 2 * h + 1] *= shrink[h];
        }
    }
    ZZ_DEVICE void pack()
    {
        ZZ_UNROLL
        for (int i = 0; i < hopperKeys / 4; ++i)
            weights[i] = pack2<T>(scores[2 * i], scores[2 * i + 1]);
        hopper::keepBehind(weights);
    }

    /// The rows in T, through the group's queries, which nobody needs any more. `to`: of the warp's first row;
    /// `sinkLogit`: the query head's, or null.
    ZZ_DEVICE void write(char *queries, char *to, std::int64_t stride, int warp, int rows, const float *sinkLogit)
    {
        const int lane = static_cast<int>(laneId()), g = lane / 4, t = lane % 4;
        queries += warp * 16 * Shared::rowBytes;
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            sum[h] += shuffleXor(sum[h], 1);
            sum[h] += shuffleXor(sum[h], 2);
            if (sinkLogit)
                sum[h] += sinkWeight(*sinkLogit, max[h]);
            const float scale = rcpFast(sum[h]);
            char *row = queries + (8 * h + g) * Shared::rowBytes + t * 4;
            ZZ_UNROLL
            for (int j = 0; j < headDim / 8; ++j)
                *reinterpret_cast<std::uint32_t *>(row + j / 8 * Shared::queryColumn + ((j % 8 ^ g) << 4))
                    = pack2<T>(out[4 * j + 2 * h] * scale, out[4 * j + 2 * h + 1] * scale);
        }
        syncWarp();
        constexpr int chunks = headDim / 8;
        ZZ_UNROLL
        for (int i = 0; i < chunks / 2; ++i) {
            const int at = lane + i * warpSize, row = at / chunks, chunk = at % chunks;
            if (row < rows)
                store16(
                    to + row * stride + chunk * 16,
                    load16(queries + chunk / 8 * Shared::queryColumn + row * Shared::rowBytes + ((chunk % 8 ^ row % 8) << 4)));
        }
    }
};

template <class T, int headDim, bool capped>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(hopperThreads, 1) void attentionHopper(ZZ_ARGS PrefillAttentionArgs args)
{
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    using Shared = HopperShared<headDim>;
    constexpr int globalRow = headDim * 2, consumerWarps = 8;
    const Shared shared(sharedMemory<char>());
    const int warp = static_cast<int>(warpId()), group = shuffle(warp / 4, 0);
    waitForPrevious();
    allowNext();
    if (threadIdx().x == 0) {
        hopper::initBarrier(shared.queriesHere, hopper::groupThreads);
        for (int i = 0; i < hopperStages; ++i) {
            hopper::initBarrier(shared.keysHere + i, hopper::groupThreads);
            hopper::initBarrier(shared.valuesHere + i, hopper::groupThreads);
            hopper::initBarrier(shared.keysLeft + i, consumerWarps);
            hopper::initBarrier(shared.valuesLeft + i, consumerWarps);
        }
        hopper::fenceBarrierInit();
        shared.work->find(args, globalRow);
    }
    syncThreads();
    const AttentionKernelArgs &a = args.attention;
    const PrefillWork &work = *shared.work;
    const std::int64_t tokenBytes = static_cast<std::int64_t>(a.queryHeads) * globalRow;
    const std::int64_t token = static_cast<std::int64_t>(work.sequence) * a.tokens + work.firstToken;
    const std::int64_t activation = (token * a.queryHeads + work.queryHead) * globalRow;

    if (group == 0) {
        hopper::giveRegisters<hopperCopyRegisters>();
        HopperCopies<headDim> copies(shared, static_cast<int>(threadIdx().x));
        copies.template start<prefillQueries>(shared.queries, static_cast<const char *>(a.queries) + activation, tokenBytes,
                                              work.queries, shared.queriesHere);
        HopperStage stage;
        for (int segment = 0; segment < work.segments; ++segment) {
            const PrefillSegment s = work.segment[segment];
            for (int key = s.begin; key < s.end; key += hopperKeys, stage.next()) {
                const std::int64_t offset = static_cast<std::int64_t>(key - s.begin) * globalRow;
                hopper::waitFor(shared.keysLeft + stage.index, stage.phase ^ 1);
                copies.template start<hopperKeys>(shared.keys + stage.index * Shared::tileBytes, s.keys + offset, globalRow,
                                                  s.end - key, shared.keysHere + stage.index);
                hopper::waitFor(shared.valuesLeft + stage.index, stage.phase ^ 1);
                copies.template start<hopperKeys>(shared.values + stage.index * Shared::tileBytes, s.values + offset, globalRow,
                                                  s.end - key, shared.valuesHere + stage.index);
            }
        }
        copies.finishAll();
        return;
    }

    hopper::takeRegisters<hopperProductRegisters>();
    const int which = group - 1, groupWarp = warp % 4, lane = static_cast<int>(laneId());
    char *queries = shared.queries + which * 64 * Shared::rowBytes;
    const int firstRow = work.first + which * 64;
    constexpr int turn = 1; // named barriers: turn + group
    const auto left = [&](std::uint64_t *barrier) {
        syncWarp();
        if (lane == 0)
            hopper::arrive(barrier);
    };
    HopperTile<T, headDim> tile;
    tile.begin();

    hopper::waitFor(shared.queriesHere, 0);
    HopperStage ahead, behind; // of the keys, of the values
    float shrink[2] = {1, 1};
    int segment = 0, key = work.segment[0].begin;
    hopper::waitFor(shared.keysHere + ahead.index, ahead.phase);
    hopper::beginProducts();
    tile.startScores(queries, shared.keys + ahead.index * Shared::tileBytes);
    hopper::waitForProducts<0>();
    hopper::keepBehind(tile.scores);
    left(shared.keysLeft + ahead.index);
    ahead.next();
    if constexpr (capped)
        tile.cap(a.capScale);
    tile.hideEdges(work, firstRow, key, work.segment[0].end);
    tile.soften(shrink, a.scoreScale);
    tile.pack();
    if (which == 0) // the first turn
        hopper::passBarrier(turn, 2 * hopper::groupThreads);
    for (;;) {
        key += hopperKeys;
        if (key >= work.segment[segment].end) {
            if (++segment == work.segments)
                break;
            key = work.segment[segment].begin;
        }
        hopper::waitFor(shared.keysHere + ahead.index, ahead.phase);
        hopper::waitFor(shared.valuesHere + behind.index, behind.phase); // copied before these keys
        barrier(turn + (which ^ 1), 2 * hopper::groupThreads);
        hopper::beginProducts();
        tile.startScores(queries, shared.keys + ahead.index * Shared::tileBytes);
        tile.startOut(shared.values + behind.index * Shared::tileBytes);
        hopper::passBarrier(turn + which, 2 * hopper::groupThreads);
        hopper::waitForProducts<1>();
        hopper::keepBehind(tile.scores);
        left(shared.keysLeft + ahead.index);
        ahead.next();
        if constexpr (capped)
            tile.cap(a.capScale);
        tile.hideEdges(work, firstRow, key, work.segment[segment].end);
        const bool raises = tile.soften(shrink, a.scoreScale);
        hopper::waitForProducts<0>();
        hopper::keepBehind(tile.out);
        left(shared.valuesLeft + behind.index);
        behind.next();
        if (raises)
            tile.shrinkOut(shrink);
        tile.pack();
    }
    if (which == 1) // the other group's last turn
        barrier(turn, 2 * hopper::groupThreads);
    hopper::waitFor(shared.valuesHere + behind.index, behind.phase);
    hopper::beginProducts();
    tile.startOut(shared.values + behind.index * Shared::tileBytes);
    hopper::waitForProducts<0>();
    hopper::keepBehind(tile.out);
    const int before = which * 64 + groupWarp * 16;
    tile.write(queries, static_cast<char *>(a.out) + activation + before * tokenBytes, tokenBytes, groupWarp,
               work.queries - before, a.sinkLogits ? a.sinkLogits + work.queryHead : nullptr);
#endif
}

} // namespace zigzag::gpu
