// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Attention of one new token per sequence, its keys split over blocks (Flash-Decoding; the merge of partial softmax states
// is that of arXiv 2205.14135, appendix B.3). Bound by the cache's bytes: each is read once, in order, by a warp that keeps
// its own ring of asynchronous copies and meets no other warp before the end.
//
// What a head sees of its cache is rows [0, min(position + 1, slots)), whatever its pattern. A head that keeps everything has
// as many slots as positions. Any other has min(context, sink + recent) of them: as long as position < slots, every key so
// far is a sink or within the window, and lies in its row; later all slots are in use, the sinks' and a ring with the
// latest `recent` positions, which are exactly the visible keys. A softmax is a sum over keys, so the ring's order is of no
// importance.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/attention_decode_tile.cuh"
#include "engine/cuda/kernels/decode_join.cuh"
#include "engine/cuda/kernels/decode_turn.cuh"

namespace zigzag::gpu {

/// Starts the copies of one warp's 16 keys, or values, which lie one after another; zeros from row `count` on. `pitch`: of rows
/// in shared memory.
template <class K, int headDim, int pitch> ZZ_DEVICE void copyDecodeRows(char *shared, const char *global, int count)
{
    constexpr int chunks = headDim * static_cast<int>(sizeof(K)) / 16; // of a row
    constexpr int all = decodeWarpKeys * chunks;
    const int lane = static_cast<int>(laneId());
    ZZ_UNROLL for (int i = 0; i < (all + warpSize - 1) / warpSize; ++i)
    {
        const int chunk = lane + i * warpSize;
        const int row = chunk / chunks;
        if (all % warpSize == 0 || chunk < all)
            copyAsync16(shared + row * pitch + chunk % chunks * 16, global + chunk * 16, row < count);
    }
}

/// T is the type of queries and outputs, K of the cache: T, or F8.
template <class T, class K, int headDim, bool capped>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(decodeThreads, decodeBlocksPerSm(headDim)) void attentionDecode(ZZ_ARGS DecodeAttentionArgs args)
{
    allowNext();
    // The kernel before writes the newest key's row and the queries. Positions and older keys are there since the step's first
    // kernel (embed.cuh), which lets others start only when it has waited: they may be read while the kernel before runs.
    DecodeShare share;
    const bool works = share.find(args);
    if (!works) {
        waitForPrevious();
        return;
    }
    const AttentionKernelArgs &a = args.attention;
    const HeadCacheView &cache = a.caches.heads[share.kvHead];
    const int warp = static_cast<int>(warpId());
    const std::int64_t offset = (a.rows.first + share.sequence) * a.caches.sequenceStride, rowBytes = headDim * sizeof(K);
    const char *keys = static_cast<const char *>(cache.keys) + offset;
    const char *values = static_cast<const char *>(cache.values) + offset;
    const std::int64_t activation
        = (static_cast<std::int64_t>(share.sequence) * a.queryHeads + share.firstQueryHead(a)) * headDim;

    using Tile = DecodeTile<T, K, headDim>;
    constexpr int half = decodeWarpKeys * Tile::rowBytes, stageBytes = 2 * half, stages = decodeStages<sizeof(K)>;
    static_assert(stages * Tile::rowBytes <= decodeStages<2> * paddedRow<headDim>, "fits where 16-bit keys do");
    char *ring = sharedMemory<char>() + warp * stages * stageBytes;
    const auto load = [&](int step, int stage) {
        const int row = step * decodeKeys + warp * decodeWarpKeys;
        if (step < share.end && row < share.visible) {
            copyDecodeRows<K, headDim, Tile::rowBytes>(ring + stage * stageBytes, keys + row * rowBytes, share.visible - row);
            copyDecodeRows<K, headDim, Tile::rowBytes>(ring + stage * stageBytes + half, values + row * rowBytes,
                                                       share.visible - row);
        }
        copyAsyncCommit(); // an empty group too: groups are counted
    };
    const auto loadFirst = [&] { ZZ_UNROLL for (int i = 0; i + 1 < stages; ++i) load(share.begin + i, i); };
    const int firstRow = share.begin * decodeKeys + warp * decodeWarpKeys, lastRow = firstRow + (stages - 2) * decodeKeys;
    const bool isNew = share.newestRow >= firstRow && share.newestRow < lastRow + decodeWarpKeys;
    if (!isNew)
        loadFirst();
    waitForPrevious();
    const T *queries = static_cast<const T *>(a.queries) + activation;
    int queryPitch = headDim;
    if (args.turn.keys) {
        queryPitch = paddedRow<headDim> / 2;
        T *turned = reinterpret_cast<T *>(sharedMemory<char>() + (stages - 1) * stageBytes); // of a ring that is not full yet
        static_assert(decodeRows * paddedRow<headDim> <= stageBytes);
        turnQueries<T, headDim>(args.turn, queries, share.rows, share.position, turned, queryPitch);
        queries = turned;
        if (share.hasNewest()) {
            const std::int64_t head = std::int64_t{share.sequence} * a.kvHeads + share.kvHead, row = share.newestRow * rowBytes;
            appendNewest<T, K, headDim>(args.turn, head, share.position,
                                        reinterpret_cast<K *>(static_cast<char *>(cache.keys) + offset + row),
                                        reinterpret_cast<K *>(static_cast<char *>(cache.values) + offset + row));
        }
        syncThreads();
    }
    if (isNew)
        loadFirst();

    Tile tile;
    tile.begin(queries, share.rows, queryPitch);
    if (args.turn.keys)
        syncThreads(); // the queries' place is the ring's now
    int stage = 0;
    for (int step = share.begin; step < share.end; ++step) {
        copyAsyncWait<stages - 2>();
        syncWarp(); // every lane's copies are here, and every lane has left the stage that is filled next
        load(step + stages - 1, stages == 2 ? stage ^ 1 : stage == 0 ? stages - 1 : stage - 1);
        const int row = step * decodeKeys + warp * decodeWarpKeys;
        const char *at = ring + stage * stageBytes;
        if (row < share.visible)
            tile.template attend<capped>(at, at + half, share.visible - row, a.scoreScale, a.capScale);
        stage = stages == 2 ? stage ^ 1 : stage == stages - 1 ? 0 : stage + 1;
    }

    // The four warps' states.
    copyAsyncWait<0>();
    syncThreads();
    constexpr int pitch = headDim + 8;
    auto *sums = sharedMemory<float>(); // [warps, 16, pitch]
    float *states = sums + decodeWarps * decodeRows * pitch; // [warps, 16, 2]
    tile.store(sums + warp * decodeRows * pitch, states + warp * decodeRows * 2, share.rows);
    syncThreads();
    T *out = static_cast<T *>(a.out) + activation;
    const std::int64_t partRow = (firstPartial(args) + blockIdx().x) * partialRows(a);
    constexpr int quads = headDim / 4;
    for (int item = static_cast<int>(threadIdx().x); item < share.rows * quads; item += decodeThreads) {
        const int row = item / quads, quad = item % quads;
        float max = decodeLowest, sum = 0, weights[decodeWarps];
        ZZ_UNROLL for (int w = 0; w < decodeWarps; ++w) max = maxOf(max, states[(w * decodeRows + row) * 2]);
        ZZ_UNROLL for (int w = 0; w < decodeWarps; ++w)
        {
            weights[w] = exp2Fast(states[(w * decodeRows + row) * 2] - max);
            sum += weights[w] * states[(w * decodeRows + row) * 2 + 1];
        }
        if (a.sinkLogits && share.splits == 1) // otherwise who joins the splits adds it, once
            sum += sinkWeight(a.sinkLogits[share.firstQueryHead(a) + row], max);
        const float scale = share.splits == 1 ? a.valueScale * (1.0f / sum) : 1.0f;
        DecodeMerge merge;
        ZZ_UNROLL for (int w = 0; w < decodeWarps; ++w)
            merge.add(weights[w] * scale, load16(sums + (w * decodeRows + row) * pitch + quad * 4));
        if (share.splits == 1) {
            merge.write(out + row * headDim + quad * 4);
        } else {
            merge.store(args.partials + (partRow + row) * headDim + quad * 4);
            if (quad == 0) {
                args.partialStates[(partRow + row) * 2] = max;
                args.partialStates[(partRow + row) * 2 + 1] = sum;
            }
        }
    }
}

/// `plan` is of this launch's heads and sequences. Returns a cudaError_t.
template <class T, class K = T>
int launchAttentionDecode(const DecodeAttentionArgs &args, const DecodePlan &plan, Stream stream, Start start)
{
    const auto run = [&]<int headDim>() {
        const auto kernel
            = args.attention.capScale != 0 ? attentionDecode<T, K, headDim, true> : attentionDecode<T, K, headDim, false>;
        const auto sequences = static_cast<unsigned>(args.attention.rows.count);
        const int status
            = launch(kernel, {plan.blocks, sequences, plan.slices}, decodeThreads, plan.sharedBytes, stream, args, start);
        if (status != 0 || plan.joins == 0)
            return status;
        return launch(attentionJoin<T, headDim>, {plan.joins, sequences, plan.slices}, decodeJoinThreads, attentionJoinBytes,
                      stream, args, start);
    };
    return withDecodeHeadDim(args.attention.headDim, run);
}

} // namespace zigzag::gpu
