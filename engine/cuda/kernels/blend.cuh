// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// out = gate · full + (1 − gate) · streaming, a gate per KV head (DuoAttention, arXiv 2410.10819, section 2.3), and its gradient.

#include "engine/cuda/kernels/block_sum.cuh"
#include "engine/cuda/kernels/cache_view.h"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

/// What one KV head's queries give is `width` elements of each token, side by side.
struct BlendKernelArgs {
    const void *full, *streaming; // T [tokens, kv_heads, width]
    void *out; // T [tokens, kv_heads, width]
    int tokens, kvHeads, width;
    float gates[maxKvHeads]; // [kv_heads]
};

inline constexpr int blendThreads = 128;
inline constexpr int blendMaxChunks = 64; ///< blocks of a KV head, each with every so many-th token

inline unsigned blendChunks(int tokens)
{
    return static_cast<unsigned>(tokens < blendMaxChunks ? tokens : blendMaxChunks);
}

/// Grid: [chunks, kv_heads].
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(blendThreads, 1) void blend(ZZ_ARGS BlendKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const int head = static_cast<int>(blockIdx().y);
    const float gate = args.gates[head];
    for (int t = static_cast<int>(blockIdx().x); t < args.tokens; t += static_cast<int>(gridDim().x)) {
        const std::int64_t at = (std::int64_t{t} * args.kvHeads + head) * args.width;
        const T *full = static_cast<const T *>(args.full) + at, *streaming = static_cast<const T *>(args.streaming) + at;
        T *out = static_cast<T *>(args.out) + at;
        forEachVector(
            args.width, threadIdx().x, blendThreads, isAligned16(full) && isAligned16(streaming) && isAligned16(out),
            [&](std::int64_t i) {
                float a[vectorWidth], b[vectorWidth];
                loadVector(full + i, a);
                loadVector(streaming + i, b);
                ZZ_UNROLL
                for (int k = 0; k < vectorWidth; ++k)
                    a[k] = gate * a[k] + (1.0f - gate) * b[k];
                storeVector(out + i, a);
            },
            [&](std::int64_t i) { out[i] = fromFloat<T>(gate * toFloat(full[i]) + (1.0f - gate) * toFloat(streaming[i])); });
    }
}

struct BlendGradientKernelArgs {
    const void *full, *streaming; // T [tokens, kv_heads, width]
    const float *gradOut; // [tokens, kv_heads, width]
    void *gradFull, *gradStreaming; // T [tokens, kv_heads, width]; each may be what it is the gradient of
    double *sums; // [kv_heads, chunks]: together the gradient of a head's gate
    int tokens, kvHeads, width;
    float gates[maxKvHeads]; // [kv_heads]
};

inline constexpr int blendSharedBytes = blendThreads / warpSize * static_cast<int>(sizeof(double));

/// Grid: [chunks, kv_heads].
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(blendThreads, 1) void blendGradient(ZZ_ARGS BlendGradientKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const int head = static_cast<int>(blockIdx().y);
    const float gate = args.gates[head];
    double sum = 0;
    for (int t = static_cast<int>(blockIdx().x); t < args.tokens; t += static_cast<int>(gridDim().x)) {
        const std::int64_t at = (std::int64_t{t} * args.kvHeads + head) * args.width;
        const T *full = static_cast<const T *>(args.full) + at, *streaming = static_cast<const T *>(args.streaming) + at;
        T *gradFull = static_cast<T *>(args.gradFull) + at, *gradStreaming = static_cast<T *>(args.gradStreaming) + at;
        const float *gradOut = args.gradOut + at;
        float row = 0; // of this thread and token
        forEachVector(
            args.width, threadIdx().x, blendThreads,
            isAligned16(full) && isAligned16(streaming) && isAligned16(gradOut) && isAligned16(gradFull)
                && isAligned16(gradStreaming),
            [&](std::int64_t i) {
                float a[vectorWidth], b[vectorWidth], grad[vectorWidth];
                loadVector(full + i, a);
                loadVector(streaming + i, b);
                loadVector(gradOut + i, grad);
                ZZ_UNROLL
                for (int k = 0; k < vectorWidth; ++k) {
                    row += grad[k] * (a[k] - b[k]);
                    a[k] = gate * grad[k];
                    b[k] = (1.0f - gate) * grad[k];
                }
                storeVector(gradFull + i, a);
                storeVector(gradStreaming + i, b);
            },
            [&](std::int64_t i) {
                const float grad = gradOut[i];
                row += grad * (toFloat(full[i]) - toFloat(streaming[i]));
                gradFull[i] = fromFloat<T>(gate * grad);
                gradStreaming[i] = fromFloat<T>((1.0f - gate) * grad);
            });
        sum += static_cast<double>(row);
    }
    sum = blockSum(sum, sharedMemory<double>(), blendThreads / warpSize);
    if (threadIdx().x == 0)
        args.sums[head * static_cast<int>(gridDim().x) + static_cast<int>(blockIdx().x)] = sum;
}

} // namespace zigzag::gpu
