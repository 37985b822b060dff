// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Attention of many queries on Hopper, after FlashAttention-3 (arXiv 2407.08608). A piece of work is 128 queries of one query
// head, which walk tiles of keys as in attention_prefill.cuh, with its segments and its key-range rule. A block takes one piece
// after another. One group of four warps copies keys and values into a ring of stages, of the next piece while the last one ends;
// two groups of 64 query rows each multiply, by products that run by themselves: while a tile's weights are multiplied with its
// values and the next tile's scores are computed, the group turns scores that have arrived into weights, and the two groups take
// turns at starting products, so that one multiplies while the other has the exponentials.

#include "engine/cuda/kernels/attention_hopper_copies.cuh"
#include "engine/cuda/kernels/attention_hopper_tile.cuh"

namespace zigzag::gpu {

/// A multiplying group. T: of queries and outputs, K: of the cache.
template <class T, int headDim, bool isWide, bool capped, class K> struct HopperGroup {
    using Shared = HopperShared<headDim, isWide, K>;
    using Product = std::conditional_t<Shared::isF8, F16, T>; ///< of matrices: F16 holds all of F8
    static constexpr int turn = 1; ///< named barriers: turn + group

    const Shared &shared;
    const HopperArgs &args;
    const int which; ///< 0 or 1
    HopperStage<Shared::stages> stage; ///< of the tile that is next
    HopperTile<Product, headDim, Shared> tile;
    // Of the piece of work.
    char *queries; ///< the group's
    int firstRow = 0; ///< its position
    bool idle = false; ///< the chunk has ended before this group's rows
    int segment = 0, key = 0; ///< of the tile that is next

    ZZ_DEVICE HopperGroup(const Shared &s, const HopperArgs &a, int w)
        : shared(s)
        , args(a)
        , which(w)
        , queries(s.queries + w * 64 * Shared::rowBytes)
    { }

    ZZ_DEVICE void leave(std::uint64_t *barrierOfStage) const
    {
        syncWarp();
        if (laneId() == 0)
            hopper::arrive(barrierOfStage);
    }
    ZZ_DEVICE void takeTurn() const { barrier(turn + (which ^ 1), 2 * hopper::groupThreads); }
    ZZ_DEVICE void passTurn() const { hopper::passBarrier(turn + which, 2 * hopper::groupThreads); }

    /// Goes to the next tile of which this group's rows see anything, past others. False: there is none.
    ZZ_DEVICE bool find(const PrefillWork &work)
    {
        for (; segment < work.segments; advance(work)) {
            const int lastKey = key + Shared::tileKeys - 1;
            if (idle || (key <= firstRow + 63 && (key < work.sink || firstRow - lastKey < work.recent)))
                return true;
            hopper::waitFor(shared.keysHere + stage.index, stage.phase);
            leave(shared.keysLeft + stage.index);
            hopper::waitFor(shared.valuesHere + stage.index, stage.phase);
            leave(shared.valuesLeft + stage.index);
            stage.next();
            takeTurn();
            passTurn();
        }
        return false;
    }
    ZZ_DEVICE void advance(const PrefillWork &work)
    {
        key += Shared::tileKeys;
        if (key >= work.segment[segment].end && ++segment < work.segments)
            key = work.segment[segment].begin;
    }

    /// Queries of another type than F16, where products need that.
    ZZ_DEVICE void convertQueries()
    {
        if constexpr (!std::is_same_v<Product, T>) {
            const int thread = static_cast<int>(threadIdx().x) % hopper::groupThreads;
            ZZ_UNROLL
            for (int column = 0; column < Shared::columns; ++column)
                for (int at = thread; at < 64 * Shared::rowBytes / 16; at += hopper::groupThreads) {
                    char *chunk = queries + column * Shared::queryColumn + at * 16;
                    Vec16 v = load16(chunk);
                    ZZ_UNROLL
                    for (std::uint32_t &pair : v.w)
                        pair = toF16Pair<T>(pair);
                    store16(chunk, v);
                }
            hopper::fenceForProducts();
            barrier(4 + which, hopper::groupThreads);
        }
    }

    ZZ_DEVICE void run(const PrefillWork &work, int phase)
    {
        const AttentionKernelArgs &a = args.prefill.attention;
        tile.begin();
        float shrink[2] = {1, 1};
        hopper::waitFor(shared.queriesHere, phase);
        firstRow = work.first + which * 64;
        idle = which * 64 >= work.queries;
        segment = 0, key = work.segment[0].begin;
        convertQueries();
        find(work);
        hopper::waitFor(shared.keysHere + stage.index, stage.phase);
        takeTurn();
        hopper::beginProducts();
        tile.startScores(queries, shared.keys + stage.index * Shared::tileBytes);
        passTurn();
        hopper::waitForProducts<0>();
        hopper::keepBehind(tile.scores);
        weigh(work, shrink);
        tile.pack();
        for (;;) {
            const int behind = stage.index, behindPhase = stage.phase; // of the weights' values
            stage.next();
            advance(work);
            if (!find(work)) {
                leave(shared.queriesLeft);
                hopper::waitFor(shared.valuesHere + behind, behindPhase);
                hopper::beginProducts();
                tile.startOut(shared.values + behind * Shared::tileBytes);
                hopper::waitForProducts<0>();
                hopper::keepBehind(tile.out);
                leave(shared.valuesLeft + behind);
                break;
            }
            hopper::waitFor(shared.keysHere + stage.index, stage.phase);
            hopper::waitFor(shared.valuesHere + behind, behindPhase); // copied before these keys
            takeTurn();
            hopper::beginProducts();
            tile.startScores(queries, shared.keys + stage.index * Shared::tileBytes);
            tile.startOut(shared.values + behind * Shared::tileBytes);
            passTurn();
            hopper::waitForProducts<1>();
            hopper::keepBehind(tile.scores);
            const bool raises = weigh(work, shrink);
            hopper::keepBehind(tile.scores); // their exponentials come before the wait, in which there is nothing else to do
            hopper::waitForProducts<0>();
            hopper::keepBehind(tile.out);
            leave(shared.valuesLeft + behind);
            if (raises)
                tile.shrinkOut(shrink);
            tile.pack();
        }
        const int before = which * 64 + static_cast<int>(warpId()) % 4 * 16;
        const std::int64_t tokenBytes = static_cast<std::int64_t>(a.queryHeads) * headDim * 2;
        const std::int64_t token = static_cast<std::int64_t>(work.sequence) * a.tokens + work.firstToken + before;
        tile.template write<T>(static_cast<char *>(a.out) + token * tokenBytes + work.queryHead * headDim * 2, tokenBytes,
                               work.queries - before, a.sinkLogits ? a.sinkLogits + work.queryHead : nullptr, a.valueScale);
    }

    /// Scores that have arrived become weights. Whether `out` must be shrunk.
    ZZ_DEVICE bool weigh(const PrefillWork &work, float (&shrink)[2])
    {
        leave(shared.keysLeft + stage.index);
        if constexpr (capped)
            tile.cap(args.prefill.attention.capScale);
        tile.hideEdges(work, firstRow, key, work.segment[segment].end);
        return tile.soften(shrink, args.prefill.attention.scoreScale);
    }
};

template <class T, int headDim, bool isWide, bool capped, class K>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(hopperThreads, 1) void attentionHopper(ZZ_ARGS HopperArgs args)
{
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    using Shared = HopperShared<headDim, isWide, K>;
    const Shared shared(sharedMemory<char>());
    const int group = shuffle(static_cast<int>(warpId()) / 4, 0);
    waitForPrevious();
    allowNext();
    if (threadIdx().x == 0)
        shared.initBarriers();
    syncThreads();

    if (group == 0) {
        hopper::giveRegisters<hopperCopyRegisters<Shared::isF8>>();
        copyForHopper<headDim, isWide, K>(shared, args);
        return;
    }
    hopper::takeRegisters<hopperProductRegisters<Shared::isF8>>();
    HopperGroup<T, headDim, isWide, capped, K> mine(shared, args, group - 1);
    if (mine.which == 1) // the first turn is the other's
        mine.passTurn();
    for (HopperQueue queue(args); queue.has(); ++queue.round)
        mine.run(shared.works[queue.round % hopperWorks], queue.round & 1);
    if (mine.which == 0) // the other's last pass
        mine.takeTurn();
#endif
}

} // namespace zigzag::gpu
