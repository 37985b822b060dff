// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The gradient of attention in its simplest form, for any type and any even head_dim up to 256: what float32 and head dimensions
// beyond the tensor-core kernels take. A warp has one query of one query head, or one key of one KV head; each lane scores one
// pair of both, then each lane sums its own dimensions. Weights are computed again from the queries' stored sums
// (FlashAttention-2, arXiv 2307.08691, algorithm 2).

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/attention_gradient_args.h"
#include "engine/cuda/kernels/attention_scores.cuh"
#include "engine/cuda/kernels/attention_simple.cuh"
#include "engine/cuda/kernels/block_sum.cuh"

namespace zigzag::gpu {

inline constexpr int simpleGradientWarps = 4;

/// Σ over a row's pairs of a · b; `a` in shared memory.
template <class T> ZZ_DEVICE float dotRow(const float *a, const T *b, int pairs)
{
    float dot = 0;
    for (int i = 0; i < pairs; ++i) {
        const Float2 other = loadPair(b, i);
        dot += a[2 * i] * other.x + a[2 * i + 1] * other.y;
    }
    return dot;
}

/// A lane's dimensions of a row: pairs lane, lane + 32, …
struct LanePairs {
    static constexpr int most = simpleAttentionMaxDim / 2 / warpSize;

    Float2 sum[most];

    ZZ_DEVICE void begin()
    {
        for (Float2 &pair : sum)
            pair = {0, 0};
    }
    template <class T> ZZ_DEVICE void add(float weight, const T *row, int pairs)
    {
        ZZ_UNROLL
        for (int i = 0; i < most; ++i)
            if (const int pair = static_cast<int>(laneId()) + i * warpSize; pair < pairs) {
                const Float2 value = loadPair(row, pair);
                sum[i] = {sum[i].x + weight * value.x, sum[i].y + weight * value.y};
            }
    }
    ZZ_DEVICE void write(float *to, int pairs, bool added) const
    {
        ZZ_UNROLL
        for (int i = 0; i < most; ++i)
            if (const int pair = static_cast<int>(laneId()) + i * warpSize; pair < pairs) {
                to[2 * pair] = (added ? to[2 * pair] : 0.0f) + sum[i].x;
                to[2 * pair + 1] = (added ? to[2 * pair + 1] : 0.0f) + sum[i].y;
            }
    }
};

/// The two rows that a warp keeps in shared memory: [2, head_dim].
template <class T> ZZ_DEVICE void keepRows(float *kept, const T *first, const T *second, int headDim)
{
    for (int c = static_cast<int>(laneId()); c < headDim; c += warpSize) {
        kept[c] = toFloat(first[c]);
        kept[headDim + c] = toFloat(second[c]);
    }
    syncWarp();
}

/// The gradient of one query, and its line of `rows`.
template <class T>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(simpleGradientWarps *warpSize, 4) void queryGradientSimple(ZZ_ARGS AttentionGradientKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const int lane = static_cast<int>(laneId()), dim = args.headDim, pairs = dim / 2;
    const std::int64_t item = static_cast<std::int64_t>(blockIdx().x) * simpleGradientWarps + warpId();
    const int head = static_cast<int>(item % args.queryHeads), token = static_cast<int>(item / args.queryHeads);
    if (token >= args.tokens)
        return;
    const HeadCacheView &cache = args.caches.heads[head / (args.queryHeads / args.kvHeads)];
    const auto *keys = static_cast<const T *>(cache.keys), *values = static_cast<const T *>(cache.values);
    const std::int64_t at = item * dim;
    float *query = sharedMemory<float>() + warpId() * 2 * simpleAttentionMaxDim;
    keepRows(query, static_cast<const T *>(args.queries) + at, static_cast<const T *>(args.gradOut) + at, dim);
    const float *gradOut = query + dim;
    const float powers = log2e * args.scale;

    // body(position, count): of 32 keys, and how many of them there are.
    const auto overKeys = [&](auto &&body) {
        const int windowBegin = token - cache.recent + 1 > 0 ? token - cache.recent + 1 : 0;
        const int sinkEnd = cache.sink < windowBegin ? cache.sink : windowBegin;
        for (int from = 0; from < sinkEnd; from += warpSize)
            body(from, sinkEnd - from < warpSize ? sinkEnd - from : warpSize);
        for (int from = windowBegin; from <= token; from += warpSize)
            body(from, token + 1 - from < warpSize ? token + 1 - from : warpSize);
    };
    const auto score = [&](int key) { return powers * dotRow(query, keys + std::int64_t{key} * dim, pairs); };
    const auto gradWeight = [&](int key) { return dotRow(gradOut, values + std::int64_t{key} * dim, pairs); };

    float max = -1e30f, sum = 0, mean = 0; // max: of the warp; the sums: of this lane's keys
    overKeys([&](int from, int count) {
        const float mine = lane < count ? score(from + lane) : -1e38f;
        const float newMax = maxOf(max, warpMax(mine)), shrink = exp2Fast(max - newMax);
        const float weight = lane < count ? exp2Fast(mine - newMax) : 0.0f;
        max = newMax;
        sum = sum * shrink + weight;
        mean = mean * shrink + (lane < count ? weight * gradWeight(from + lane) : 0.0f);
    });
    sum = warpSum(sum);
    if (args.sinkLogits)
        sum += sinkWeight(args.sinkLogits[head], max);
    mean = warpSum(mean) / sum;
    const float whole = max + log2Fast(sum);
    if (lane == 0)
        args.rows[std::int64_t{head} * args.rowStride + token] = {whole, mean};

    LanePairs grad;
    grad.begin();
    overKeys([&](int from, int count) {
        const float mine
            = lane < count ? exp2Fast(score(from + lane) - whole) * (gradWeight(from + lane) - mean) * args.scale : 0.0f;
        for (int k = 0; k < count; ++k)
            grad.add(shuffle(mine, k), keys + std::int64_t{from + k} * dim, pairs);
    });
    grad.write(args.gradQueries + at, pairs, args.add);
}

/// The gradients of one key and its value.
template <class T>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(simpleGradientWarps *warpSize, 4) void keyGradientSimple(ZZ_ARGS AttentionGradientKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const int lane = static_cast<int>(laneId()), dim = args.headDim, pairs = dim / 2, group = args.queryHeads / args.kvHeads;
    const std::int64_t item = static_cast<std::int64_t>(blockIdx().x) * simpleGradientWarps + warpId();
    const int head = static_cast<int>(item % args.kvHeads), position = static_cast<int>(item / args.kvHeads);
    if (position >= args.tokens)
        return;
    const HeadCacheView &cache = args.caches.heads[head];
    float *key = sharedMemory<float>() + warpId() * 2 * simpleAttentionMaxDim;
    keepRows(key, static_cast<const T *>(cache.keys) + std::int64_t{position} * dim,
             static_cast<const T *>(cache.values) + std::int64_t{position} * dim, dim);
    const float *value = key + dim;
    const float powers = log2e * args.scale;
    // The queries that see the key: [position, end).
    const int leaves = position + cache.recent;
    const int end = position < cache.sink || leaves > args.tokens ? args.tokens : leaves;

    LanePairs gradKey, gradValue;
    gradKey.begin();
    gradValue.begin();
    for (int g = 0; g < group; ++g) {
        const int queryHead = head * group + g;
        const auto row = [&](const void *from, int token) {
            return static_cast<const T *>(from) + (std::int64_t{token} * args.queryHeads + queryHead) * dim;
        };
        for (int from = position; from < end; from += warpSize) {
            const int count = end - from < warpSize ? end - from : warpSize;
            float weight = 0, slope = 0;
            if (lane < count) {
                const Float2 known = args.rows[std::int64_t{queryHead} * args.rowStride + from + lane];
                weight = exp2Fast(powers * dotRow(key, row(args.queries, from + lane), pairs) - known.x);
                slope = weight * (dotRow(value, row(args.gradOut, from + lane), pairs) - known.y) * args.scale;
            }
            for (int k = 0; k < count; ++k) {
                gradKey.add(shuffle(slope, k), row(args.queries, from + k), pairs);
                gradValue.add(shuffle(weight, k), row(args.gradOut, from + k), pairs);
            }
        }
    }
    gradKey.write(args.gradKeys + item * dim, pairs, args.add);
    gradValue.write(args.gradValues + item * dim, pairs, args.add);
}

struct SinkLogitGradientArgs {
    const Float2 *rows; // [query_heads, rowStride], of AttentionGradientKernelArgs
    int rowStride, tokens;
    const float *sinkLogits; // [query_heads]
    double *out; // [query_heads]
};

inline constexpr int sinkLogitThreads = 256;
inline constexpr int sinkLogitSharedBytes = sinkLogitThreads / warpSize * static_cast<int>(sizeof(double));

/// The sink's own weight adds nothing to the output: all it does is to take from the others. Grid: a block for each query head.
template <class T = double>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(sinkLogitThreads, 1) void sinkLogitGradient(ZZ_ARGS SinkLogitGradientArgs args)
{
    waitForPrevious();
    allowNext();
    const int head = static_cast<int>(blockIdx().x);
    T sum = 0;
    for (int t = static_cast<int>(threadIdx().x); t < args.tokens; t += sinkLogitThreads) {
        const Float2 row = args.rows[std::int64_t{head} * args.rowStride + t];
        sum -= static_cast<T>(exp2Fast(log2e * args.sinkLogits[head] - row.x)) * static_cast<T>(row.y);
    }
    sum = blockSum(sum, sharedMemory<T>(), sinkLogitThreads / warpSize);
    if (threadIdx().x == 0)
        args.out[head] = sum;
}

/// Returns a cudaError_t.
template <class T> int launchAttentionGradientSimple(const AttentionGradientKernelArgs &args, Stream stream, Start start)
{
    const auto run = [&](auto kernel, int heads) {
        const std::int64_t items = std::int64_t{args.tokens} * heads;
        return launch(kernel, {static_cast<unsigned>((items + simpleGradientWarps - 1) / simpleGradientWarps), 1, 1},
                      simpleGradientWarps * warpSize, simpleGradientWarps * 2 * simpleAttentionMaxDim * sizeof(float), stream,
                      args, start);
    };
    const int status = run(queryGradientSimple<T>, args.queryHeads);
    return status != 0 ? status : run(keyGradientSimple<T>, args.kvHeads);
}

} // namespace zigzag::gpu
