// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The gradient of attention on tensor cores, after FlashAttention-2 (arXiv 2307.08691, section 3.1.2): weights are computed
// again, tile by tile, and never written. Two kernels, so that every sum has one owner and no order: a block of the first has 64
// queries of one query head and walks the keys that they see twice, for the sums of weights and for the gradient; a block of the
// second has 64 keys of one KV head and walks the queries of its group that see them.

#include "engine/cuda/kernels/attention_gradient_tile.cuh"

namespace zigzag::gpu {

/// The tiles that a block walks: [0, sinks), then [window, end).
struct GradientWalk {
    int sinks, window, count;

    ZZ_DEVICE int operator[](int i) const { return i < sinks ? i : window + i - sinks; }
    /// Of keys, for the queries of [first, first + 64).
    ZZ_DEVICE static GradientWalk ofKeys(const GradientRange &range, int first, int tokens)
    {
        const int last = first + gradientTile < tokens ? first + gradientTile - 1 : tokens - 1;
        const int begin = first - range.recent + 1 > 0 ? first - range.recent + 1 : 0;
        const int window = begin / gradientTile, sinkTiles = (range.sink + gradientTile - 1) / gradientTile;
        const int sinks = sinkTiles < window ? sinkTiles : window;
        return {sinks, window, sinks + last / gradientTile - window + 1};
    }
    /// Of queries, for the keys of [first, first + 64).
    ZZ_DEVICE static GradientWalk ofQueries(const GradientRange &range, int first, int tokens)
    {
        const int leaves = first + gradientTile - 1 + range.recent; // the first query that sees none
        const int end = first < range.sink || leaves > tokens ? tokens : leaves;
        return {0, first / gradientTile, (end - 1) / gradientTile - first / gradientTile + 1};
    }
};

/// A warp's 16 queries.
template <class T, int headDim> struct QueryGradientTile {
    float max[2], sum[2], mean[2]; ///< rows g and 8 + g; the sums are of this lane's keys until `finish`
    float grad[headDim / 8][4];
    float scores[gradientTile / 8][4], gradWeights[gradientTile / 8][4];

    ZZ_DEVICE void begin()
    {
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            max[h] = prefillLowest;
            sum[h] = mean[h] = 0;
        }
        ZZ_UNROLL
        for (auto &tile : grad)
            ZZ_UNROLL
        for (float &value : tile)
            value = 0;
    }

    /// Both products of the warp's rows with a tile of keys and values; hidden keys get the lowest score.
    ZZ_DEVICE void multiply(const char *queries, const char *gradOut, const char *keys, const char *values,
                            const GradientRange &range, int query, int key)
    {
        scoreRows<T, headDim, gradientTile>(scores, queries, keys);
        scoreRows<T, headDim, gradientTile>(gradWeights, gradOut, values);
        if (range.all(query, gradientWarpRows, key, gradientTile))
            return;
        const int lane = static_cast<int>(laneId());
        ZZ_UNROLL
        for (int n = 0; n < gradientTile / 8; ++n)
            ZZ_UNROLL
        for (int i = 0; i < 4; ++i)
            if (!range.sees(query + i / 2 * 8 + lane / 4, key + n * 8 + lane % 4 * 2 + i % 2))
                scores[n][i] = prefillHidden;
    }

    /// The sums of weights, and of weights times their gradients. `powers`: scores become powers of two.
    ZZ_DEVICE void gather(float powers)
    {
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            float largest = scores[0][2 * h];
            ZZ_UNROLL
            for (int n = 0; n < gradientTile / 8; ++n)
                ZZ_UNROLL
            for (int i = 0; i < 2; ++i)
                largest = maxOf(largest, scores[n][2 * h + i]);
            largest = maxOf(largest, shuffleXor(largest, 1));
            largest = maxOf(largest, shuffleXor(largest, 2));
            const float newMax = maxOf(max[h], largest * powers), shrink = exp2Fast(max[h] - newMax);
            max[h] = newMax;
            sum[h] *= shrink;
            mean[h] *= shrink;
            ZZ_UNROLL
            for (int n = 0; n < gradientTile / 8; ++n)
                ZZ_UNROLL
            for (int i = 0; i < 2; ++i) {
                const float weight = exp2Fast(scores[n][2 * h + i] * powers - newMax);
                sum[h] += weight;
                mean[h] += weight * gradWeights[n][2 * h + i];
            }
        }
    }

    /// `max` becomes the logarithm of the whole sum, and `mean` the mean of the weights' gradients.
    ZZ_DEVICE void finish(const float *sinkLogit)
    {
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            ZZ_UNROLL
            for (const int mask : {1, 2}) {
                sum[h] += shuffleXor(sum[h], mask);
                mean[h] += shuffleXor(mean[h], mask);
            }
            if (sinkLogit)
                sum[h] += sinkWeight(*sinkLogit, max[h]);
            mean[h] /= sum[h];
            max[h] += log2Fast(sum[h]);
        }
    }

    ZZ_DEVICE void addGradient(const char *keys, float powers)
    {
        ZZ_UNROLL
        for (int n = 0; n < gradientTile / 8; ++n)
            ZZ_UNROLL
        for (int i = 0; i < 4; ++i)
            scores[n][i] = exp2Fast(scores[n][i] * powers - max[i / 2]) * (gradWeights[n][i] - mean[i / 2]);
        addRows<T, headDim, gradientTile>(grad, scores, keys);
    }
};

/// Grid: query heads · tiles of queries, the last ones first, which see the most keys.
template <class T, int headDim>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(gradientThreads, 2) void queryGradient(ZZ_ARGS AttentionGradientKernelArgs args)
{
    constexpr int rowBytes = headDim * 2, tileBytes = gradientTileBytes<headDim>;
    waitForPrevious();
    allowNext();
    const int tiles = (args.tokens + gradientTile - 1) / gradientTile, block = static_cast<int>(blockIdx().x);
    const int head = block % args.queryHeads, first = (tiles - 1 - block / args.queryHeads) * gradientTile;
    const HeadCacheView &cache = args.caches.heads[head / (args.queryHeads / args.kvHeads)];
    const GradientRange range = {cache.sink, cache.recent};
    const GradientWalk walk = GradientWalk::ofKeys(range, first, args.tokens);

    char *queries = sharedMemory<char>(), *gradOut = queries + tileBytes, *stages = gradOut + tileBytes; // keys, values: twice
    const std::int64_t at = std::int64_t{first} * args.queryHeads + head, tokenBytes = std::int64_t{args.queryHeads} * rowBytes;
    copyGradientTile<headDim>(queries, static_cast<const char *>(args.queries) + at * rowBytes, tokenBytes, args.tokens - first);
    copyGradientTile<headDim>(gradOut, static_cast<const char *>(args.gradOut) + at * rowBytes, tokenBytes, args.tokens - first);
    const auto load = [&](int step) {
        const int key = walk[step % walk.count] * gradientTile;
        char *to = stages + step % 2 * 2 * tileBytes;
        const std::int64_t from = std::int64_t{key} * rowBytes;
        copyGradientTile<headDim>(to, static_cast<const char *>(cache.keys) + from, rowBytes, args.tokens - key);
        copyGradientTile<headDim>(to + tileBytes, static_cast<const char *>(cache.values) + from, rowBytes, args.tokens - key);
    };
    load(0);
    copyAsyncCommit();

    const float powers = log2e * args.scale;
    const int own = static_cast<int>(warpId()) * gradientWarpRows, query = first + own;
    const int ownBytes = own * paddedRow<headDim>;
    QueryGradientTile<T, headDim> tile;
    tile.begin();
    for (int step = 0; step < 2 * walk.count; ++step) {
        copyAsyncWait<0>();
        syncThreads(); // this stage's copies are here, and every warp has left the one that is filled next
        if (step + 1 < 2 * walk.count)
            load(step + 1);
        copyAsyncCommit();
        if (step == walk.count) {
            tile.finish(args.sinkLogits ? args.sinkLogits + head : nullptr);
            const int lane = static_cast<int>(laneId());
            for (int h = 0; lane % 4 == 0 && h < 2; ++h) {
                const int row = query + 8 * h + lane / 4;
                args.rows[std::int64_t{head} * args.rowStride + row]
                    = row < args.tokens ? Float2{tile.max[h], tile.mean[h]} : Float2{gradientNoRow, 0};
            }
        }
        const int key = walk[step % walk.count] * gradientTile;
        const char *keys = stages + step % 2 * 2 * tileBytes;
        if (range.none(query, gradientWarpRows, key, gradientTile))
            continue;
        tile.multiply(queries + ownBytes, gradOut + ownBytes, keys, keys + tileBytes, range, query, key);
        if (step < walk.count)
            tile.gather(powers);
        else
            tile.addGradient(keys, powers);
    }
    writeRows<headDim>(tile.grad, args.gradQueries + (at + std::int64_t{own} * args.queryHeads) * headDim,
                       std::int64_t{args.queryHeads} * headDim, args.tokens - query, args.scale, args.add);
}

/// A warp's 16 keys.
template <class T, int headDim> struct KeyGradientTile {
    static constexpr int part = gradientTile / 2; ///< queries at a time: more would not fit into registers

    float gradKeys[headDim / 8][4], gradValues[headDim / 8][4];

    ZZ_DEVICE void begin()
    {
        ZZ_UNROLL
        for (int n = 0; n < headDim / 8; ++n)
            ZZ_UNROLL
        for (int i = 0; i < 4; ++i)
            gradKeys[n][i] = gradValues[n][i] = 0;
    }

    /// `rows`: of the part's queries, in shared memory.
    ZZ_DEVICE void add(const char *keys, const char *values, const char *queries, const char *gradOut, const Float2 *rows,
                       const GradientRange &range, int query, int key, float powers)
    {
        float weights[part / 8][4], slopes[part / 8][4];
        scoreRows<T, headDim, part>(weights, keys, queries);
        scoreRows<T, headDim, part>(slopes, values, gradOut);
        const bool all = range.all(query, part, key, gradientWarpRows);
        const int lane = static_cast<int>(laneId());
        ZZ_UNROLL
        for (int n = 0; n < part / 8; ++n) {
            const int column = n * 8 + lane % 4 * 2;
            const Vec16 known = load16(rows + column); // of two queries
            ZZ_UNROLL
            for (int i = 0; i < 4; ++i) {
                const float whole = floatOfBits(known.w[i % 2 * 2]), mean = floatOfBits(known.w[i % 2 * 2 + 1]);
                const bool seen = all || range.sees(query + column + i % 2, key + i / 2 * 8 + lane / 4);
                weights[n][i] = seen ? exp2Fast(weights[n][i] * powers - whole) : 0.0f;
                slopes[n][i] = weights[n][i] * (slopes[n][i] - mean);
            }
        }
        addRows<T, headDim, part>(gradValues, weights, gradOut);
        addRows<T, headDim, part>(gradKeys, slopes, queries);
    }
};

/// Grid: KV heads · tiles of keys, the first ones first, which are seen by the most queries.
template <class T, int headDim>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(gradientThreads, 2) void keyGradient(ZZ_ARGS AttentionGradientKernelArgs args)
{
    constexpr int rowBytes = headDim * 2, tileBytes = gradientTileBytes<headDim>;
    constexpr int stageBytes = 2 * tileBytes + gradientTile * static_cast<int>(sizeof(Float2)); // queries, gradOut, rows
    waitForPrevious();
    allowNext();
    const int block = static_cast<int>(blockIdx().x), head = block % args.kvHeads, first = block / args.kvHeads * gradientTile;
    const int group = args.queryHeads / args.kvHeads;
    const HeadCacheView &cache = args.caches.heads[head];
    const GradientRange range = {cache.sink, cache.recent};
    const GradientWalk walk = GradientWalk::ofQueries(range, first, args.tokens);

    char *keys = sharedMemory<char>(), *values = keys + tileBytes, *stages = values + tileBytes;
    const std::int64_t from = std::int64_t{first} * rowBytes, tokenBytes = std::int64_t{args.queryHeads} * rowBytes;
    copyGradientTile<headDim>(keys, static_cast<const char *>(cache.keys) + from, rowBytes, args.tokens - first);
    copyGradientTile<headDim>(values, static_cast<const char *>(cache.values) + from, rowBytes, args.tokens - first);
    const auto load = [&](int step) {
        const int queryHead = head * group + step / walk.count, query = walk[step % walk.count] * gradientTile;
        char *to = stages + step % 2 * stageBytes;
        const std::int64_t at = (std::int64_t{query} * args.queryHeads + queryHead) * rowBytes;
        copyGradientTile<headDim>(to, static_cast<const char *>(args.queries) + at, tokenBytes, args.tokens - query);
        copyGradientTile<headDim>(to + tileBytes, static_cast<const char *>(args.gradOut) + at, tokenBytes, args.tokens - query);
        const int thread = static_cast<int>(threadIdx().x);
        if (thread < gradientTile / 2) // two rows each
            copyAsync16(to + 2 * tileBytes + 16 * thread,
                        args.rows + std::int64_t{queryHead} * args.rowStride + query + 2 * thread, true);
    };
    load(0);
    copyAsyncCommit();

    const float powers = log2e * args.scale;
    const int own = static_cast<int>(warpId()) * gradientWarpRows, key = first + own, ownBytes = own * paddedRow<headDim>;
    KeyGradientTile<T, headDim> tile;
    tile.begin();
    for (int step = 0; step < group * walk.count; ++step) {
        copyAsyncWait<0>();
        syncThreads(); // this stage's copies are here, and every warp has left the one that is filled next
        if (step + 1 < group * walk.count)
            load(step + 1);
        copyAsyncCommit();
        const char *queries = stages + step % 2 * stageBytes;
        const auto *rows = reinterpret_cast<const Float2 *>(queries + 2 * tileBytes);
        const int query = walk[step % walk.count] * gradientTile;
        for (int half = 0; half < gradientTile; half += tile.part) {
            if (range.none(query + half, tile.part, key, gradientWarpRows))
                continue;
            const char *part = queries + half * paddedRow<headDim>;
            tile.add(keys + ownBytes, values + ownBytes, part, part + tileBytes, rows + half, range, query + half, key, powers);
        }
    }
    const std::int64_t to = ((std::int64_t{first} + own) * args.kvHeads + head) * headDim,
                       stride = std::int64_t{args.kvHeads} * headDim;
    writeRows<headDim>(tile.gradKeys, args.gradKeys + to, stride, args.tokens - key, args.scale, args.add);
    writeRows<headDim>(tile.gradValues, args.gradValues + to, stride, args.tokens - key, 1, args.add);
}

/// T is a 16-bit type, the head dimensions are those of supportsTensorAttention. `rows` has whole tiles. Returns a cudaError_t.
template <class T> int launchAttentionGradientTiles(const AttentionGradientKernelArgs &args, Stream stream, Start start)
{
    return withHeadDim(args.headDim, [&]<int headDim>() -> int {
        const auto tiles = static_cast<unsigned>((args.tokens + gradientTile - 1) / gradientTile);
        constexpr std::size_t shared = 6 * gradientTileBytes<headDim>, rows = 2 * gradientTile * sizeof(Float2);
        const int status = launch(queryGradient<T, headDim>, {tiles * static_cast<unsigned>(args.queryHeads), 1, 1},
                                  gradientThreads, shared, stream, args, start);
        return status != 0 ? status
                           : launch(keyGradient<T, headDim>, {tiles * static_cast<unsigned>(args.kvHeads), 1, 1}, gradientThreads,
                                    shared + rows, stream, args, start);
    });
}

} // namespace zigzag::gpu
