// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Experts of a feed-forward (ExpertsArgs, engine/run/backend.h) for a few tokens: which ones a token takes, and then a warp for
// each row of their matrices, so that the chosen rows are read once for each token, at the memory's own rate, and no others.

#include "engine/cuda/gpu/gpu.h"
#include "engine/cuda/kernels/experts_args.h"
#include "engine/cuda/kernels/swiglu.cuh"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

inline constexpr int expertWarps = 8;
inline constexpr int expertWarpThreads = expertWarps * warpSize;

inline unsigned expertWarpBlocks(std::int64_t items)
{
    return static_cast<unsigned>((items + expertWarps - 1) / expertWarps);
}

/// A number that is larger where the route is, and never 0: what is no number counts as the smallest of all.
ZZ_DEVICE std::uint32_t routeKey(float route)
{
    const float infinity = floatOfBits(0x7f800000u);
    const std::uint32_t bits = bitsOfFloat(maxOf(route, -infinity) + 0.0f); // one zero
    return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}

/// Softmax over a token's routes and its `perToken` largest, the lower number among equals; what is no number comes last, and
/// spoils the token's weights. `most` of them at most. A warp for each token. Grid: expertWarpBlocks(tokens).
template <int most> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertWarpThreads, 1) void routeExperts(ZZ_ARGS RouteArgs args)
{
    constexpr int each = most / warpSize; // a lane's: experts lane, lane + 32, …
    static_assert(each <= 32);
    static_assert(maxExpertsPerToken <= warpSize);
    waitForPrevious();
    allowNext();
    const int lane = static_cast<int>(laneId());
    const int token = static_cast<int>(blockIdx().x) * expertWarps + static_cast<int>(warpId());
    if (token >= args.tokens)
        return;
    float routes[each];
    std::uint32_t keys[each]; // 0: taken, or none
    ZZ_UNROLL
    for (int k = 0; k < each; ++k) {
        const int expert = lane + k * warpSize;
        routes[k] = expert < args.experts ? args.routes[static_cast<std::int64_t>(token) * args.experts + expert] : 0.0f;
        keys[k] = expert < args.experts ? routeKey(routes[k]) : 0;
    }
    int chosen = 0; // the lane-th choice
    float route = 0;
    for (int i = 0; i < args.perToken; ++i) {
        std::uint32_t best = 0;
        ZZ_UNROLL
        for (int k = 0; k < each; ++k)
            best = best < keys[k] ? keys[k] : best;
        best = warpMaxOf(best);
        std::uint32_t last = 0; // the lower an expert, the larger
        ZZ_UNROLL
        for (int k = each - 1; k >= 0; --k)
            last = keys[k] == best ? static_cast<std::uint32_t>(most - lane - k * warpSize) : last;
        const int expert = most - static_cast<int>(warpMaxOf(last));
        float found = 0;
        ZZ_UNROLL
        for (int k = 0; k < each; ++k)
            if (lane + k * warpSize == expert) {
                keys[k] = 0;
                found = routes[k];
            }
        found = shuffle(found, expert % warpSize);
        if (lane == i) {
            chosen = expert;
            route = found;
        }
    }
    const float largest = shuffle(route, 0);
    float all = 0;
    ZZ_UNROLL
    for (int k = 0; k < each; ++k)
        all += lane + k * warpSize < args.experts ? exp2Fast(log2e * (routes[k] - largest)) : 0.0f;
    all = warpSum(all);
    const float weight = lane < args.perToken ? exp2Fast(log2e * (route - largest)) / all : 0.0f;
    const float some = args.renormalises ? warpSum(weight) : 1.0f;
    if (lane < args.perToken) {
        args.chosen[static_cast<std::int64_t>(token) * args.perToken + lane] = chosen;
        args.weights[static_cast<std::int64_t>(token) * args.perToken + lane] = weight / some;
    }
}

/// A token's experts in a block's shared memory.
struct BlockRoute {
    std::int32_t chosen[maxExpertsPerToken];
    float weights[maxExpertsPerToken];

    /// All threads call it; a barrier ends it.
    ZZ_DEVICE void load(const ExpertDownArgs &args, std::int64_t token)
    {
        if (const int i = static_cast<int>(threadIdx().x); i < args.perToken) {
            chosen[i] = args.chosen[token * args.perToken + i];
            weights[i] = args.weights[token * args.perToken + i];
        }
        syncThreads();
    }
};

/// Eight weights, which are read once in a while.
template <class T> ZZ_DEVICE void loadWeights(const T *from, float (&to)[vectorWidth])
{
    const Vec16 v = loadStreaming16(from);
    ZZ_UNROLL
    for (int i = 0; i < vectorWidth / 2; ++i) {
        const Float2 pair = unpack2<T>(v.w[i]);
        to[2 * i] = pair.x;
        to[2 * i + 1] = pair.y;
    }
}
template <> ZZ_DEVICE void loadWeights<float>(const float *from, float (&to)[vectorWidth])
{
    const Vec16 low = loadStreaming16(from), high = loadStreaming16(from + 4);
    ZZ_UNROLL
    for (int i = 0; i < 4; ++i) {
        to[i] = floatOfBits(low.w[i]);
        to[4 + i] = floatOfBits(high.w[i]);
    }
}

/// A warp for each pair and row. Grid: expertWarpBlocks(intermediate), pairs.
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertWarpThreads, 2) void expertGateUp(ZZ_ARGS ExpertGateUpArgs args)
{
    waitForPrevious();
    allowNext(); // not before: expertDown reads who was chosen while this runs
    const int lane = static_cast<int>(laneId()), columns = args.hidden;
    const int row = static_cast<int>(blockIdx().x) * expertWarps + static_cast<int>(warpId());
    const std::int64_t pair = blockIdx().y, at = static_cast<std::int64_t>(row) * columns;
    if (row >= args.intermediate)
        return;
    const int expert = args.chosen[pair];
    const T *in = static_cast<const T *>(args.in) + pair / args.perToken * columns;
    const T *gate = static_cast<const T *>(args.gates.at[expert]) + at, *up = static_cast<const T *>(args.ups.at[expert]) + at;
    float gateSum = 0, upSum = 0;
    if (columns % vectorWidth == 0 && isAligned16(in)) {
        ZZ_UNROLL_BY(4)
        for (int c = lane * vectorWidth; c < columns; c += warpSize * vectorWidth) {
            float x[vectorWidth], g[vectorWidth], u[vectorWidth];
            loadWeights(gate + c, g);
            loadWeights(up + c, u);
            loadVector(in + c, x);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k) {
                gateSum += g[k] * x[k];
                upSum += u[k] * x[k];
            }
        }
    } else {
        for (int c = lane; c < columns; c += warpSize) {
            gateSum += toFloat(gate[c]) * toFloat(in[c]);
            upSum += toFloat(up[c]) * toFloat(in[c]);
        }
    }
    gateSum = warpSum(gateSum);
    upSum = warpSum(upSum);
    if (lane == 0)
        static_cast<T *>(args.middle)[pair * args.intermediate + row] = fromFloat<T>(silu(gateSum) * upSum);
}

/// A warp for each token and row: a lane adds up its part of all of the token's experts, in their order. Grid:
/// expertWarpBlocks(hidden), tokens. Its shared memory: BlockRoute.
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertWarpThreads, 2) void expertDown(ZZ_ARGS ExpertDownArgs args)
{
    allowNext();
    const std::int64_t token = blockIdx().y;
    const int lane = static_cast<int>(laneId()), columns = args.intermediate;
    const int row = static_cast<int>(blockIdx().x) * expertWarps + static_cast<int>(warpId());
    auto *route = sharedMemory<BlockRoute>();
    route->load(args, token); // it has been there since before expertGateUp
    waitForPrevious();
    if (row >= args.hidden)
        return;
    const auto matrixOf = [&](int i) { return static_cast<const T *>(args.downs.at[route->chosen[i]]); };
    const std::int64_t at = static_cast<std::int64_t>(row) * columns;
    const T *middle = static_cast<const T *>(args.middle) + token * args.perToken * columns;
    float sum = 0;
    if (columns % vectorWidth == 0) {
        int expert = 0, c = lane * vectorWidth;
        const auto settle = [&] { // columns behind an expert's last are the next one's
            for (; expert < args.perToken && c >= columns; c -= columns)
                ++expert;
        };
        settle();
        ZZ_UNROLL_BY(4)
        while (expert < args.perToken) {
            float x[vectorWidth], w[vectorWidth], part = 0;
            loadWeights(matrixOf(expert) + at + c, w);
            loadVector(middle + static_cast<std::int64_t>(expert) * columns + c, x);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k)
                part += w[k] * x[k];
            sum += route->weights[expert] * part;
            c += warpSize * vectorWidth;
            settle();
        }
    } else {
        for (int expert = 0; expert < args.perToken; ++expert) {
            float part = 0;
            for (int c = lane; c < columns; c += warpSize)
                part += toFloat(matrixOf(expert)[at + c]) * toFloat(middle[static_cast<std::int64_t>(expert) * columns + c]);
            sum += route->weights[expert] * part;
        }
    }
    sum = warpSum(sum);
    if (lane == 0)
        args.out[token * args.hidden + row] += sum;
}

} // namespace zigzag::gpu
