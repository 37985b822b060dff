// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// How decode's attention is dealt out to blocks, and how what they leave becomes one result: in a launch of its own. The last
// block of a head would have to wait for a few values at a time, where so many blocks can have all of them on their way.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/attention_args.h"
#include "engine/cuda/kernels/attention_scores.cuh"
#include "engine/cuda/kernels/cache_slot.h"

namespace zigzag::gpu {

/// Partials are kept for so many query rows of a block.
ZZ_DEVICE int partialRows(const AttentionKernelArgs &args)
{
    const int group = args.queryHeads / args.kvHeads;
    return group < decodeRows ? group : decodeRows;
}
/// Where the partials of this sequence's and slice's first block are.
ZZ_DEVICE std::int64_t firstPartial(const DecodeAttentionArgs &args)
{
    return (static_cast<std::int64_t>(blockIdx().z) * gridDim().y + blockIdx().y)
        * args.firstBlock[args.attention.caches.selectedCount];
}

/// Which part of the work a block has.
struct DecodeShare {
    int entry; ///< of the selected heads
    int kvHead, sequence, slice; ///< slice: which 16 query heads of the group
    int rows; ///< query heads here, at most 16
    int split, splits; ///< of `splits` blocks that have keys
    int begin, end; ///< steps of decodeKeys keys
    int position; ///< of the new token
    int visible; ///< rows of the cache
    int newestRow; ///< of this step's key, which the kernel before writes

    /// Computed where it is needed: a register less in between.
    ZZ_DEVICE int firstQueryHead(const AttentionKernelArgs &a) const
    {
        return kvHead * (a.queryHeads / a.kvHeads) + slice * decodeRows;
    }

    /// All but the split, for the entry-th of the selected heads.
    ZZ_DEVICE void findHead(const DecodeAttentionArgs &args, int which)
    {
        const AttentionKernelArgs &a = args.attention;
        entry = which;
        kvHead = a.caches.selected[entry];
        sequence = static_cast<int>(blockIdx().y);
        slice = static_cast<int>(blockIdx().z);
        rows = a.queryHeads / a.kvHeads - slice * decodeRows;
        rows = rows < decodeRows ? rows : decodeRows;
        position = firstPosition(a.rows, sequence);
        const std::int64_t slots = a.caches.heads[kvHead].slots;
        visible = position < slots ? position + 1 : static_cast<int>(slots);
        newestRow = static_cast<int>(cacheSlot(position, slots, a.caches.heads[kvHead].sink));
        // The grid is for the longest context: a shorter one leaves blocks without work, never with a share of nothing.
        const int all = steps(), blocks = args.firstBlock[entry + 1] - args.firstBlock[entry];
        splits = blocks < all ? blocks : all;
    }
    ZZ_DEVICE int steps() const { return (visible + decodeKeys - 1) / decodeKeys; }

    /// False where this block has no keys.
    ZZ_DEVICE bool find(const DecodeAttentionArgs &args)
    {
        int low = 0, high = args.attention.caches.selectedCount; // firstBlock[low] <= x < firstBlock[high]
        while (high - low > 1) {
            const int middle = (low + high) / 2;
            (args.firstBlock[middle] <= blockIdx().x ? low : high) = middle;
        }
        findHead(args, low);
        split = static_cast<int>(blockIdx().x) - args.firstBlock[entry];
        begin = static_cast<int>(static_cast<std::int64_t>(steps()) * split / splits);
        end = static_cast<int>(static_cast<std::int64_t>(steps()) * (split + 1) / splits);
        return split < splits;
    }
    /// Whether this block has the new token's key.
    ZZ_DEVICE bool hasNewest() const { return newestRow >= begin * decodeKeys && newestRow < end * decodeKeys; }
};

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

/// Joins the splits of a query head's results, where there are several: a block for each. All of it is waiting for memory, so
/// that every thread's values are on their way at once, several threads share a value's splits, and the weights follow meanwhile.
/// Grid: selected heads · partialRows, sequences, slices.
template <class T, int headDim>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(decodeJoinThreads, 2) void attentionJoin(ZZ_ARGS DecodeAttentionArgs args)
{
    allowNext();
    constexpr int quads = headDim / 4, ways = decodeJoinThreads / quads, inFlight = 8, each = decodeMaxSplits / warpSize;
    const AttentionKernelArgs &a = args.attention;
    const int capacity = partialRows(a), row = static_cast<int>(blockIdx().x) % capacity;
    DecodeShare share;
    share.findHead(args, static_cast<int>(blockIdx().x) / capacity);
    waitForPrevious();
    if (share.splits == 1 || row >= share.rows)
        return;
    const std::int64_t first = (firstPartial(args) + args.firstBlock[share.entry]) * capacity + row;
    const int thread = static_cast<int>(threadIdx().x), quad = thread % quads, way = thread / quads;
    const bool works = way < ways;

    Vec16 values[inFlight];
    const auto load = [&](int split) {
        ZZ_UNROLL for (int i = 0; i < inFlight; ++i) if (works && split + i * ways < share.splits) values[i]
            = load16(args.partials + (first + std::int64_t{split + i * ways} * capacity) * headDim + quad * 4);
    };
    load(way);
    auto *weights = sharedMemory<float>(); // [splits]
    float *sums = weights + decodeMaxSplits; // [ways, quads, 4]
    if (warpId() == 0) {
        float maxima[each], parts[each], max = decodeLowest, sum = 0;
        ZZ_UNROLL for (int i = 0; i < each; ++i)
        {
            const int split = thread + i * warpSize;
            const float *state = args.partialStates + (first + std::int64_t{split} * capacity) * 2;
            const Float2 both = split < share.splits ? loadAs<Float2>(state) : Float2{decodeLowest, 0};
            maxima[i] = both.x;
            parts[i] = both.y;
        }
        ZZ_UNROLL for (int i = 0; i < each; ++i) max = maxOf(max, maxima[i]);
        max = warpMax(max);
        ZZ_UNROLL for (int i = 0; i < each; ++i)
        {
            maxima[i] = exp2Fast(maxima[i] - max);
            sum += maxima[i] * parts[i];
        }
        sum = warpSum(sum);
        if (a.sinkLogits)
            sum += sinkWeight(a.sinkLogits[share.firstQueryHead(a) + row], max);
        const float scale = a.valueScale * (1.0f / sum);
        ZZ_UNROLL for (int i = 0; i < each; ++i) if (thread + i * warpSize < share.splits) weights[thread + i * warpSize]
            = maxima[i] * scale;
    }
    syncThreads();
    DecodeMerge merge;
    for (int split = way; works && split < share.splits;) {
        ZZ_UNROLL for (int i = 0; i < inFlight; ++i) if (split + i * ways < share.splits)
            merge.add(weights[split + i * ways], values[i]);
        split += inFlight * ways;
        load(split);
    }
    if (works)
        merge.store(sums + (way * quads + quad) * 4);
    syncThreads();
    if (way > 0)
        return;
    for (int other = 1; other < ways; ++other)
        merge.add(1.0f, load16(sums + (other * quads + quad) * 4));
    merge.write(static_cast<T *>(a.out)
                + (static_cast<std::int64_t>(share.sequence) * a.queryHeads + share.firstQueryHead(a) + row) * headDim
                + quad * 4);
}
inline constexpr std::size_t attentionJoinBytes = sizeof(float) * (decodeMaxSplits + 4 * std::size_t{decodeJoinThreads});

} // namespace zigzag::gpu
