// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

struct RmsNormKernelArgs {
    const float *in; // [rows, width]
    const float *weight; // [width], or null: out is `in` in the kernel's type
    void *out; // [rows, width], of the kernel's type; may be `in` where that is float32
    std::int64_t width;
    float epsilon;
    const float *residual = nullptr; // [rows, width] or null, added to what the norm gives; may be `out`
};

/// Threads of a block: each holds eight elements, or more where a row has more than 8192.
inline int rmsNormThreads(std::int64_t width)
{
    const std::int64_t threads = (width + vectorWidth - 1) / vectorWidth;
    return static_cast<int>(threads > 1024 ? 1024 : (threads + warpSize - 1) / warpSize * warpSize);
}

inline constexpr int rmsNormSharedBytes = warpSize * static_cast<int>(sizeof(float)); // a partial sum for each warp

/// out = in / sqrt(mean(in²) + epsilon) · weight (+ residual). Grid: a block for each row.
template <class Out> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(1024, 1) void rmsNorm(ZZ_ARGS RmsNormKernelArgs args)
{
    const std::int64_t row = blockIdx().x, thread = threadIdx().x, threads = blockDim().x;
    const float *in = args.in + row * args.width;
    const float *residual = args.residual ? args.residual + row * args.width : nullptr;
    Out *out = static_cast<Out *>(args.out) + row * args.width;
    const bool wide = isAligned16(in) && isAligned16(out) && isAligned16(args.weight) && isAligned16(residual);
    // The first eight elements stay in registers, which is all of them for rows of up to 8192; the weights, which no
    // kernel writes, are under way before the row is there.
    const bool holds = wide && (thread + 1) * vectorWidth <= args.width;
    float held[vectorWidth] = {}, weight[vectorWidth], added[vectorWidth];
    ZZ_UNROLL
    for (int k = 0; k < vectorWidth; ++k) {
        weight[k] = 1.0f;
        added[k] = 0.0f;
    }
    if (holds && args.weight)
        loadVector(args.weight + thread * vectorWidth, weight);
    waitForPrevious();
    allowNext();
    float squares = 0;
    if (holds)
        loadVector(in + thread * vectorWidth, held);
    ZZ_UNROLL
    for (int k = 0; k < vectorWidth; ++k)
        squares += held[k] * held[k];
    const std::int64_t first = wide ? (args.width / vectorWidth < threads ? args.width / vectorWidth : threads) * vectorWidth : 0;
    forEachVector(
        args.width - first, thread, threads, wide,
        [&](std::int64_t i) {
            float values[vectorWidth];
            loadVector(in + first + i, values);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k)
                squares += values[k] * values[k];
        },
        [&](std::int64_t i) { squares += in[first + i] * in[first + i]; });

    float *sums = sharedMemory<float>(); // [warps]
    squares = warpSum(squares);
    if (laneId() == 0)
        sums[warpId()] = squares;
    syncThreads();
    squares = warpSum(laneId() < threads / warpSize ? sums[laneId()] : 0.0f);
    const float scale = args.weight ? rsqrtFast(squares / static_cast<float>(args.width) + args.epsilon) : 1.0f;

    if (holds) {
        if (residual)
            loadVector(residual + thread * vectorWidth, added);
        ZZ_UNROLL
        for (int k = 0; k < vectorWidth; ++k)
            held[k] = held[k] * scale * weight[k] + added[k];
        storeVector(out + thread * vectorWidth, held);
    }
    forEachVector(
        args.width - first, thread, threads, wide,
        [&](std::int64_t i) {
            loadVector(in + first + i, held);
            if (args.weight)
                loadVector(args.weight + first + i, weight);
            if (residual)
                loadVector(residual + first + i, added);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k)
                held[k] = held[k] * scale * weight[k] + added[k];
            storeVector(out + first + i, held);
        },
        [&](std::int64_t i) {
            const float normed = in[first + i] * scale * (args.weight ? args.weight[first + i] : 1.0f);
            out[first + i] = fromFloat<Out>(residual ? normed + residual[first + i] : normed);
        });
}

} // namespace zigzag::gpu
