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

/// Softmax over a token's routes and its `perToken` largest, the lower number among equals; what is no number comes last, and
/// spoils the token's weights. A warp for each token. Grid: expertWarpBlocks(tokens). The argument serves to make a template.
template <int experts = maxExperts> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertWarpThreads, 1) void routeExperts(ZZ_ARGS RouteArgs args)
{
    constexpr int each = experts / warpSize; // a lane's
    static_assert(each <= 32);
    waitForPrevious();
    allowNext();
    const int lane = static_cast<int>(laneId());
    const int token = static_cast<int>(blockIdx().x) * expertWarps + static_cast<int>(warpId());
    if (token >= args.tokens)
        return;
    const float infinity = floatOfBits(0x7f800000u);
    const float *routes = args.routes + static_cast<std::int64_t>(token) * args.experts;
    std::int32_t *chosen = args.chosen + static_cast<std::int64_t>(token) * args.perToken;
    float *weights = args.weights + static_cast<std::int64_t>(token) * args.perToken;
    std::uint32_t taken = 0; // of this lane's experts lane, lane + 32, …
    float most = 0, all = 0, some = 0;
    for (int i = 0; i < args.perToken; ++i) {
        float best = -infinity;
        int expert = maxExperts;
        for (int k = 0, e = lane; e < args.experts; ++k, e += warpSize) {
            const float route = maxOf(routes[e], -infinity);
            if ((taken >> k & 1u) == 0 && (route > best || (route == best && e < expert))) {
                best = route;
                expert = e;
            }
        }
        for (int mask = warpSize / 2; mask > 0; mask /= 2) {
            const float otherBest = shuffleXor(best, mask);
            const int other = shuffleXor(expert, mask);
            if (otherBest > best || (otherBest == best && other < expert)) {
                best = otherBest;
                expert = other;
            }
        }
        if (expert % warpSize == lane)
            taken |= 1u << expert / warpSize;
        const float route = routes[expert];
        if (i == 0) {
            most = route;
            for (int e = lane; e < args.experts; e += warpSize)
                all += exp2Fast(log2e * (routes[e] - most));
            all = warpSum(all);
        }
        const float weight = exp2Fast(log2e * (route - most)) / all;
        some += weight;
        if (lane == 0) {
            chosen[i] = expert;
            weights[i] = weight;
        }
    }
    if (!args.renormalises)
        return;
    syncWarp();
    for (int i = lane; i < args.perToken; i += warpSize)
        weights[i] /= some;
}

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
    allowNext();
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

inline constexpr std::size_t expertDownSharedBytes = maxExpertsPerToken * (sizeof(void *) + sizeof(float));

/// A warp for each token and row: a lane adds up its part of all of the token's experts, in their order. Grid:
/// expertWarpBlocks(hidden), tokens.
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertWarpThreads, 2) void expertDown(ZZ_ARGS ExpertDownArgs args)
{
    waitForPrevious();
    allowNext();
    auto *matrices = sharedMemory<const T *>(); // [perToken]
    auto *weights = reinterpret_cast<float *>(matrices + maxExpertsPerToken); // [perToken]
    const std::int64_t token = blockIdx().y;
    if (const int i = static_cast<int>(threadIdx().x); i < args.perToken) {
        matrices[i] = static_cast<const T *>(args.downs.at[args.chosen[token * args.perToken + i]]);
        weights[i] = args.weights[token * args.perToken + i];
    }
    syncThreads();
    const int lane = static_cast<int>(laneId()), columns = args.intermediate;
    const int row = static_cast<int>(blockIdx().x) * expertWarps + static_cast<int>(warpId());
    if (row >= args.hidden)
        return;
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
            loadWeights(matrices[expert] + at + c, w);
            loadVector(middle + static_cast<std::int64_t>(expert) * columns + c, x);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k)
                part += w[k] * x[k];
            sum += weights[expert] * part;
            c += warpSize * vectorWidth;
            settle();
        }
    } else {
        for (int expert = 0; expert < args.perToken; ++expert) {
            float part = 0;
            for (int c = lane; c < columns; c += warpSize)
                part += toFloat(matrices[expert][at + c]) * toFloat(middle[static_cast<std::int64_t>(expert) * columns + c]);
            sum += weights[expert] * part;
        }
    }
    sum = warpSum(sum);
    if (lane == 0)
        args.out[token * args.hidden + row] += sum;
}

} // namespace zigzag::gpu
