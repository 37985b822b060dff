// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The gradients of everything between attention and products (engine/run/gradients.h). Gradients are float32, activations of T.

#include "engine/cuda/kernels/block_sum.cuh"
#include "engine/cuda/kernels/cache_view.h"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

struct RmsNormGradientKernelArgs {
    const float *in; // [rows, width]
    const float *weight; // [width]
    const float *gradOut; // [rows, width]
    float *gradIn; // [rows, width], may be gradOut
    std::int64_t width;
    float epsilon;
    bool add;
};

inline constexpr int normGradientThreads = 256;
inline constexpr int normGradientSharedBytes = 2 * normGradientThreads / warpSize * static_cast<int>(sizeof(float));

/// gradIn = r · (w ∘ g) − x · r³ · mean(w ∘ g ∘ x), with r = 1 / √(mean(x²) + ε): both factors from the sums over a row.
struct NormSlope {
    float scale, pull;

    ZZ_DEVICE static NormSlope of(float squares, float product, std::int64_t width, float epsilon)
    {
        const float count = static_cast<float>(width), r = rsqrtFast(squares / count + epsilon);
        return {r, r * r * r * product / count};
    }
};

/// Grid: a block for each row.
template <class T = float>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(normGradientThreads, 4) void rmsNormGradient(ZZ_ARGS RmsNormGradientKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const std::int64_t at = std::int64_t{blockIdx().x} * args.width, thread = threadIdx().x;
    const T *in = args.in + at, *gradOut = args.gradOut + at, *norm = args.weight;
    T *gradIn = args.gradIn + at;
    const bool wide = isAligned16(in) && isAligned16(gradOut) && isAligned16(norm) && isAligned16(gradIn);
    float squares = 0, product = 0;
    forEachVector(
        args.width, thread, normGradientThreads, wide,
        [&](std::int64_t i) {
            float x[vectorWidth], g[vectorWidth], w[vectorWidth];
            loadVector(in + i, x);
            loadVector(gradOut + i, g);
            loadVector(norm + i, w);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k) {
                squares += x[k] * x[k];
                product += w[k] * g[k] * x[k];
            }
        },
        [&](std::int64_t i) {
            squares += in[i] * in[i];
            product += norm[i] * gradOut[i] * in[i];
        });
    constexpr int warps = normGradientThreads / warpSize;
    squares = blockSum(squares, sharedMemory<float>(), warps);
    product = blockSum(product, sharedMemory<float>() + warps, warps);
    const NormSlope slope = NormSlope::of(squares, product, args.width, args.epsilon);
    forEachVector(
        args.width, thread, normGradientThreads, wide,
        [&](std::int64_t i) {
            float x[vectorWidth], g[vectorWidth], w[vectorWidth], held[vectorWidth] = {};
            loadVector(in + i, x);
            loadVector(gradOut + i, g);
            loadVector(norm + i, w);
            if (args.add)
                loadVector(gradIn + i, held);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k)
                held[k] += slope.scale * w[k] * g[k] - slope.pull * x[k];
            storeVector(gradIn + i, held);
        },
        [&](std::int64_t i) {
            gradIn[i] = (args.add ? gradIn[i] : 0.0f) + slope.scale * norm[i] * gradOut[i] - slope.pull * in[i];
        });
}

struct SwiGluGradientKernelArgs {
    const void *gate, *up; // T [count]
    const float *gradOut; // [count]
    float *gradGate, *gradUp; // [count]; gradGate may be gradOut
    std::int64_t count;
};

inline constexpr int elementThreads = 256;

/// Blocks for `count` elements: eight for each thread.
inline unsigned elementBlocks(std::int64_t count)
{
    return static_cast<unsigned>((count + elementThreads * vectorWidth - 1) / (elementThreads * vectorWidth));
}

/// out = g σ(g) u: ∂/∂g = σ(g) (1 + g (1 − σ(g))) u, ∂/∂u = g σ(g). First the gate's gradient, then up's.
ZZ_DEVICE Float2 swiGluSlope(float gate, float up, float grad)
{
    const float sigmoid = rcpFast(1.0f + exp2Fast(-log2e * gate));
    return {grad * up * sigmoid * (1.0f + gate * (1.0f - sigmoid)), grad * gate * sigmoid};
}

template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(elementThreads, 1) void swiGluGradient(ZZ_ARGS SwiGluGradientKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const auto *gate = static_cast<const T *>(args.gate), *up = static_cast<const T *>(args.up);
    forEachVector(
        args.count, std::int64_t{blockIdx().x} * elementThreads + threadIdx().x, std::int64_t{gridDim().x} * elementThreads,
        isAligned16(gate) && isAligned16(up) && isAligned16(args.gradOut) && isAligned16(args.gradGate)
            && isAligned16(args.gradUp),
        [&](std::int64_t i) {
            float g[vectorWidth], u[vectorWidth], grad[vectorWidth];
            loadVector(gate + i, g);
            loadVector(up + i, u);
            loadVector(args.gradOut + i, grad);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k) {
                const Float2 slope = swiGluSlope(g[k], u[k], grad[k]);
                g[k] = slope.x;
                u[k] = slope.y;
            }
            storeVector(args.gradGate + i, g);
            storeVector(args.gradUp + i, u);
        },
        [&](std::int64_t i) {
            const Float2 slope = swiGluSlope(toFloat(gate[i]), toFloat(up[i]), args.gradOut[i]);
            args.gradGate[i] = slope.x;
            args.gradUp[i] = slope.y;
        });
}

struct RotateGradientKernelArgs {
    float *gradient; // [tokens, heads, head_dim]
    const void *in; // T [tokens, heads, head_dim], or null without a norm
    const float *norm; // [head_dim] or null
    const float *cosSin; // [context, 2, rotary_dim / 2] or null
    std::int64_t rows; ///< tokens · heads
    std::int64_t firstPosition;
    int heads, headDim;
    float epsilon;
    int rotaryDim; ///< above 0
    bool interleaved;
};

inline constexpr int rotateGradientWarps = 4;

/// A warp for each head of each token: the transpose of the rotation (and of YaRN's scale within it), then the norm's gradient.
template <class T>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(rotateGradientWarps *warpSize, 1) void rotateGradient(ZZ_ARGS RotateGradientKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const std::int64_t row = std::int64_t{blockIdx().x} * rotateGradientWarps + warpId();
    if (row >= args.rows)
        return;
    const int lane = static_cast<int>(laneId());
    float *grad = args.gradient + row * args.headDim;
    if (args.cosSin) {
        const int half = args.rotaryDim / 2, step = args.interleaved ? 2 : 1, apart = args.interleaved ? 1 : half;
        const float *cosines = args.cosSin + (args.firstPosition + row / args.heads) * args.rotaryDim, *sines = cosines + half;
        for (int i = lane; i < half; i += warpSize) {
            const float a = grad[step * i], b = grad[step * i + apart];
            grad[step * i] = a * cosines[i] + b * sines[i];
            grad[step * i + apart] = b * cosines[i] - a * sines[i];
        }
    }
    if (!args.norm)
        return;
    syncWarp();
    const T *in = static_cast<const T *>(args.in) + row * args.headDim;
    float squares = 0, product = 0;
    for (int i = lane; i < args.headDim; i += warpSize) {
        const float x = toFloat(in[i]);
        squares += x * x;
        product += args.norm[i] * grad[i] * x;
    }
    const NormSlope slope = NormSlope::of(warpSum(squares), warpSum(product), args.headDim, args.epsilon);
    for (int i = lane; i < args.headDim; i += warpSize)
        grad[i] = slope.scale * args.norm[i] * grad[i] - slope.pull * toFloat(in[i]);
}

} // namespace zigzag::gpu
