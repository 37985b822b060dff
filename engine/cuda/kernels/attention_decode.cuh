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
#include "engine/cuda/kernels/attention_args.h"
#include "engine/cuda/kernels/attention_decode_tile.cuh"
#include "engine/cuda/kernels/cache_slot.h"

namespace zigzag::gpu {

/// Partials are kept for so many query rows of a block.
ZZ_DEVICE int partialRows(const AttentionKernelArgs &args)
{
    const int group = args.queryHeads / args.kvHeads;
    return group < decodeRows ? group : decodeRows;
}
/// This block's place in the partials.
ZZ_DEVICE std::int64_t partialIndex()
{
    return (static_cast<std::int64_t>(blockIdx().z) * gridDim().y + blockIdx().y) * gridDim().x + blockIdx().x;
}

/// Which part of the work a block has.
struct DecodeShare {
    int entry; ///< of the selected heads
    int kvHead, sequence, slice; ///< slice: which 16 query heads of the group
    int rows; ///< query heads here, at most 16
    int split, splits; ///< of `splits` blocks that have keys
    int begin, end; ///< steps of decodeKeys keys
    int visible; ///< rows of the cache
    int newestRow; ///< of this step's key, which the kernel before writes

    /// Computed where it is needed: a register less in between.
    ZZ_DEVICE int firstQueryHead(const AttentionKernelArgs &a) const
    {
        return kvHead * (a.queryHeads / a.kvHeads) + slice * decodeRows;
    }

    /// False where this block has no keys.
    ZZ_DEVICE bool find(const DecodeAttentionArgs &args)
    {
        const AttentionKernelArgs &a = args.attention;
        int low = 0, high = a.caches.selectedCount; // firstBlock[low] <= x < firstBlock[high]
        while (high - low > 1) {
            const int middle = (low + high) / 2;
            (args.firstBlock[middle] <= blockIdx().x ? low : high) = middle;
        }
        entry = low;
        kvHead = a.caches.selected[entry];
        sequence = static_cast<int>(blockIdx().y);
        slice = static_cast<int>(blockIdx().z);
        rows = a.queryHeads / a.kvHeads - slice * decodeRows;
        rows = rows < decodeRows ? rows : decodeRows;
        const int position = firstPosition(a.rows, sequence);
        const std::int64_t slots = a.caches.heads[kvHead].slots;
        visible = position < slots ? position + 1 : static_cast<int>(slots);
        newestRow = static_cast<int>(cacheSlot(position, slots, a.caches.heads[kvHead].sink));
        // The grid is for the longest context: a shorter one leaves blocks without work, never with a share of nothing.
        const int all = (visible + decodeKeys - 1) / decodeKeys, blocks = args.firstBlock[entry + 1] - args.firstBlock[entry];
        splits = blocks < all ? blocks : all;
        split = static_cast<int>(blockIdx().x) - args.firstBlock[entry];
        begin = static_cast<int>(static_cast<std::int64_t>(all) * split / splits);
        end = static_cast<int>(static_cast<std::int64_t>(all) * (split + 1) / splits);
        return split < splits;
    }
};

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

/// Merges 4 neighbouring values of one row over `count` states that were scaled already.
struct DecodeMerge {
    float sums[4] = {0, 0, 0, 0};

    ZZ_DEVICE void add(float weight, const Vec16 &values)
    {
        ZZ_UNROLL for (int i = 0; i < 4; ++i) sums[i] += weight * floatOfBits(values.w[i]);
    }
    ZZ_DEVICE void store(float *to) const
    {
        store16(to, {{bitsOfFloat(sums[0]), bitsOfFloat(sums[1]), bitsOfFloat(sums[2]), bitsOfFloat(sums[3])}});
    }
    template <class T> ZZ_DEVICE void write(T *out) const
    {
        auto *pairs = reinterpret_cast<std::uint32_t *>(out);
        pairs[0] = pack2<T>(sums[0], sums[1]);
        pairs[1] = pack2<T>(sums[2], sums[3]);
    }
};

/// The weights with which a head's splits are joined, [rows, splits] in shared memory. `first`: the head's first partial.
ZZ_DEVICE void weighSplits(const DecodeAttentionArgs &args, const DecodeShare &share, std::int64_t first, float *weights)
{
    constexpr int each = decodeMaxSplits / warpSize; // a lane's states
    const int capacity = partialRows(args.attention);
    for (int row = static_cast<int>(warpId()); row < share.rows; row += decodeWarps) {
        float maxima[each], sums[each], max = decodeLowest, sum = 0;
        ZZ_UNROLL for (int i = 0; i < each; ++i)
        {
            const int split = static_cast<int>(laneId()) + i * warpSize;
            const float *state = args.partialStates + ((first + split) * capacity + row) * 2;
            maxima[i] = split < share.splits ? loadCoherent(state) : decodeLowest;
            sums[i] = split < share.splits ? loadCoherent(state + 1) : 0;
        }
        ZZ_UNROLL for (int i = 0; i < each; ++i) max = maxOf(max, maxima[i]);
        max = warpMax(max);
        ZZ_UNROLL for (int i = 0; i < each; ++i)
        {
            maxima[i] = exp2Fast(maxima[i] - max);
            sum += maxima[i] * sums[i];
        }
        sum = warpSum(sum);
        if (const float *logits = args.attention.sinkLogits)
            sum += sinkWeight(logits[share.firstQueryHead(args.attention) + row], max);
        const float scale = args.attention.valueScale * (1.0f / sum);
        ZZ_UNROLL for (int i = 0; i < each; ++i)
        {
            const int split = static_cast<int>(laneId()) + i * warpSize;
            if (split < share.splits)
                weights[row * share.splits + split] = maxima[i] * scale;
        }
    }
}

/// The last block of a head joins the splits' results. All of it is waiting for memory: the first values are on their way
/// while their weights are computed, and where there are more threads than values to write, several share a value's splits.
template <class T, int headDim> ZZ_DEVICE void joinSplits(const DecodeAttentionArgs &args, const DecodeShare &share, T *out)
{
    constexpr int quads = headDim / 4, inFlight = headDim > 64 ? 16 : 8; // as registers allow
    const std::int64_t first = partialIndex() - share.split;
    const int capacity = partialRows(args.attention), items = share.rows * quads, thread = static_cast<int>(threadIdx().x);
    const int ways = items < decodeThreads ? decodeThreads / items : 1, way = ways > 1 ? thread / items : 0;
    int item = ways > 1 ? thread % items : thread;
    if (way >= ways)
        item = items; // nothing to do

    Vec16 values[inFlight];
    const auto load = [&](int split) {
        const float *from = args.partials + (first * capacity + item / quads) * headDim + item % quads * 4;
        ZZ_UNROLL for (int i = 0; i < inFlight; ++i) if (split + i * ways < share.splits) values[i]
            = loadCoherent16(from + static_cast<std::int64_t>(split + i * ways) * capacity * headDim);
    };
    if (item < items)
        load(way);
    auto *weights = sharedMemory<float>(); // [rows, splits]
    weighSplits(args, share, first, weights);
    syncThreads();

    DecodeMerge merge;
    for (int split = way; item < items;) {
        const float *weight = weights + item / quads * share.splits + split;
        ZZ_UNROLL for (int i = 0; i < inFlight; ++i) if (split + i * ways < share.splits) merge.add(weight[i * ways], values[i]);
        split += inFlight * ways;
        if (split >= share.splits) {
            if (ways > 1)
                break;
            merge.write(out + item / quads * headDim + item % quads * 4);
            merge = {};
            split = 0;
            item += decodeThreads;
        }
        if (item < items)
            load(split);
    }
    if (ways == 1)
        return;
    syncThreads(); // the weights have been read
    auto *sums = sharedMemory<float>(); // [ways, items, 4]
    if (item < items)
        merge.store(sums + (way * items + item) * 4);
    syncThreads();
    if (way > 0)
        return;
    for (int other = 1; other < ways; ++other)
        merge.add(1.0f, load16(sums + (other * items + item) * 4));
    merge.write(out + item / quads * headDim + item % quads * 4);
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
    if (isNew)
        loadFirst();

    Tile tile;
    tile.begin(static_cast<const T *>(a.queries) + activation, share.rows);
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
    const std::int64_t partRow = partialIndex() * partialRows(a);
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
    if (share.splits == 1)
        return;

    // One thread's fences order what the others wrote before the barrier, and what they read after it.
    syncThreads();
    auto *last = sharedMemory<int>();
    if (threadIdx().x == 0) {
        int *arrivals = args.arrivals + (share.slice * a.rows.count + share.sequence) * a.caches.selectedCount + share.entry;
        threadFence();
        *last = atomicAdd(arrivals, 1) == share.splits - 1 ? 1 : 0;
        if (*last)
            *arrivals = 0; // for the next launch
        threadFence();
    }
    syncThreads();
    const bool isLast = *last != 0;
    syncThreads();
    if (!isLast)
        return;
    joinSplits<T, headDim>(args, share, out);
}

/// `plan` is of this launch's heads and sequences. Returns a cudaError_t.
template <class T, class K = T>
int launchAttentionDecode(const DecodeAttentionArgs &args, const DecodePlan &plan, Stream stream, Start start)
{
    const auto run = [&]<int headDim>() {
        const auto kernel
            = args.attention.capScale != 0 ? attentionDecode<T, K, headDim, true> : attentionDecode<T, K, headDim, false>;
        return launch(kernel, {plan.blocks, static_cast<unsigned>(args.attention.rows.count), plan.slices}, decodeThreads,
                      plan.sharedBytes, stream, args, start);
    };
    return withDecodeHeadDim(args.attention.headDim, run);
}

} // namespace zigzag::gpu
