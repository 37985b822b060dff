// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Attention in its simplest form, for any type and any even head_dim up to 256: the fallback of the tensor-core kernels, the
// one that tells the strongest key, and their reference on the device. A warp computes one query of one head: each lane
// scores one key, then each lane sums its own dimensions of the values.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/attention_args.h"
#include "engine/cuda/kernels/attention_scores.cuh"
#include "engine/cuda/kernels/cache_slot.h"

namespace zigzag::gpu {

inline constexpr int simpleAttentionWarps = 4;
inline constexpr int simpleAttentionMaxDim = maxHeadDim;

template <class T> ZZ_DEVICE Float2 loadPair(const T *row, int pair)
{
    return unpack2<T>(reinterpret_cast<const std::uint32_t *>(row)[pair]);
}
ZZ_DEVICE Float2 loadPair(const float *row, int pair)
{
    return reinterpret_cast<const Float2 *>(row)[pair];
}

ZZ_DEVICE Float2 loadPair(const F8 *row, int pair)
{
    return {toFloat(row[2 * pair]), toFloat(row[2 * pair + 1])};
}

/// One query's softmax over the keys so far, of type T, spread over a warp: lane l holds the dimension pairs l, l + 32, …
template <class T> struct SimpleRow {
    static constexpr int pairsOfLane = simpleAttentionMaxDim / 2 / warpSize;

    const HeadCacheView *cache;
    const T *keys, *values; // this sequence's
    int first; ///< position of the first query, and of the first staged key
    int sink, headDim;
    float scale, capScale; // AttentionKernelArgs
    const float *query; // [head_dim], shared memory

    float max, sum;
    float best; ///< this lane's
    int bestPosition;
    Float2 out[pairsOfLane];

    ZZ_DEVICE void begin()
    {
        max = -1e30f; // below every score and finite: no difference of infinities
        sum = 0;
        best = -1e38f;
        bestPosition = 0x7fffffff;
        for (int i = 0; i < pairsOfLane; ++i)
            out[i] = {0, 0};
    }

    ZZ_DEVICE bool staged(int position) const { return cache->stagedKeys && position >= first; }
    ZZ_DEVICE std::int64_t row(int position) const
    {
        return staged(position) ? position - first : cacheSlot(position, cache->slots, sink);
    }

    /// The keys at [begin, end), in ascending order.
    ZZ_DEVICE void attend(int begin, int end)
    {
        const int lane = static_cast<int>(laneId()), pairs = headDim / 2;
        for (int base = begin; base < end; base += warpSize) {
            const int position = base + lane, count = end - base < warpSize ? end - base : warpSize;
            float score = -1e38f;
            if (lane < count) {
                const T *key = (staged(position) ? static_cast<const T *>(cache->stagedKeys) : keys) + row(position) * headDim;
                float dot = 0;
                for (int i = 0; i < pairs; ++i) {
                    const Float2 k = loadPair(key, i);
                    dot += query[2 * i] * k.x + query[2 * i + 1] * k.y;
                }
                score = scale * (capScale != 0 ? cappedScore(dot, capScale) : dot);
                if (score > best) { // not >=: the lowest position among equals
                    best = score;
                    bestPosition = position;
                }
            }
            const float blockMax = warpMax(score), newMax = blockMax > max ? blockMax : max;
            const float shrink = exp2Fast(max - newMax), weight = lane < count ? exp2Fast(score - newMax) : 0.0f;
            max = newMax;
            sum = sum * shrink + weight;
            for (int i = 0; i < pairsOfLane; ++i)
                out[i] = {out[i].x * shrink, out[i].y * shrink};
            for (int k = 0; k < count; ++k) {
                const float w = shuffle(weight, k);
                const int at = base + k;
                const T *value = (staged(at) ? static_cast<const T *>(cache->stagedValues) : values) + row(at) * headDim;
                for (int i = 0; i < pairsOfLane; ++i)
                    if (lane + warpSize * i < pairs) {
                        const Float2 v = loadPair(value, lane + warpSize * i);
                        out[i] = {out[i].x + w * v.x, out[i].y + w * v.y};
                    }
            }
        }
    }
};

/// T is the type of queries and outputs, K of the cache.
template <class T, class K>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(simpleAttentionWarps *warpSize, 4) void attentionSimple(ZZ_ARGS SimpleAttentionArgs args)
{
    waitForPrevious();
    allowNext();
    const AttentionKernelArgs &a = args.attention;
    const int lane = static_cast<int>(laneId()), group = a.queryHeads / a.kvHeads;
    const int heads = a.caches.selectedCount * group;
    const std::int64_t item = static_cast<std::int64_t>(blockIdx().x) * simpleAttentionWarps + warpId();
    const std::int64_t token = item / heads; // of all sequences'
    if (token >= static_cast<std::int64_t>(a.rows.count) * a.tokens)
        return;
    const int nth = static_cast<int>(item % heads);
    const int kvHead = a.caches.selected[nth / group], queryHead = kvHead * group + nth % group;
    const int sequence = static_cast<int>(token / a.tokens);
    const int first = firstPosition(a.rows, sequence);
    const int position = first + static_cast<int>(token % a.tokens);
    const std::int64_t at = token * a.queryHeads + queryHead;

    const T *from = static_cast<const T *>(a.queries) + at * a.headDim;
    float *query = sharedMemory<float>() + warpId() * simpleAttentionMaxDim;
    for (int c = lane; c < a.headDim; c += warpSize)
        query[c] = toFloat(from[c]);
    syncWarp();

    const HeadCacheView &cache = a.caches.heads[kvHead];
    const std::int64_t offset = (a.rows.first + sequence) * a.caches.sequenceStride;
    SimpleRow<K> row;
    row.cache = &cache;
    row.keys = reinterpret_cast<const K *>(static_cast<const char *>(cache.keys) + offset);
    row.values = reinterpret_cast<const K *>(static_cast<const char *>(cache.values) + offset);
    row.first = first, row.sink = cache.sink, row.headDim = a.headDim, row.scale = a.scoreScale, row.capScale = a.capScale;
    row.query = query;
    row.begin();
    if (position < cache.recent || cache.recent == everyKey) {
        row.attend(0, position + 1);
    } else {
        const int windowBegin = position + 1 - cache.recent;
        row.attend(0, cache.sink < windowBegin ? cache.sink : windowBegin);
        row.attend(windowBegin, position + 1);
    }

    float sum = warpSum(row.sum);
    if (a.sinkLogits)
        sum += sinkWeight(a.sinkLogits[queryHead], row.max);
    const float scale = a.valueScale / sum;
    T *to = static_cast<T *>(a.out) + at * a.headDim;
    for (int i = 0; i < SimpleRow<K>::pairsOfLane; ++i) {
        const int pair = lane + warpSize * i;
        if (pair < a.headDim / 2) {
            to[2 * pair] = fromFloat<T>(row.out[i].x * scale);
            to[2 * pair + 1] = fromFloat<T>(row.out[i].y * scale);
        }
    }
    if (args.strongestKey) {
        for (int mask = warpSize / 2; mask > 0; mask /= 2) {
            const float best = shuffleXor(row.best, mask);
            const int where = shuffleXor(row.bestPosition, mask);
            if (best > row.best || (best == row.best && where < row.bestPosition)) {
                row.best = best;
                row.bestPosition = where;
            }
        }
        if (lane == 0)
            args.strongestKey[at] = row.bestPosition;
    }
}

/// Any even head_dim up to 256. Returns a cudaError_t.
template <class T, class K = T> int launchAttentionSimple(const SimpleAttentionArgs &args, Stream stream, Start start)
{
    const AttentionKernelArgs &a = args.attention;
    const std::int64_t items
        = static_cast<std::int64_t>(a.rows.count) * a.tokens * a.caches.selectedCount * (a.queryHeads / a.kvHeads);
    const auto blocks = static_cast<unsigned>((items + simpleAttentionWarps - 1) / simpleAttentionWarps);
    return launch(attentionSimple<T, K>, {blocks, 1, 1}, simpleAttentionWarps * warpSize,
                  simpleAttentionWarps * simpleAttentionMaxDim * sizeof(float), stream, args, start);
}

} // namespace zigzag::gpu
