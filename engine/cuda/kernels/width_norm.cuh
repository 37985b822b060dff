// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"

namespace zigzag::gpu {

struct WidthNormKernelArgs {
    void *rows; // [rows, width], of the kernel's type
    const float *weight; // [width]
    std::int64_t width;
    float epsilon;
};

inline constexpr int widthNormThreads = 256;
inline constexpr int widthNormSharedBytes = warpSize * static_cast<int>(sizeof(float)); // a partial sum for each warp

/// An RMSNorm over all heads of a token together, in place. Grid: a block for each row.
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(widthNormThreads, 1) void widthNorm(ZZ_ARGS WidthNormKernelArgs args)
{
    waitForPrevious();
    allowNext();
    T *row = static_cast<T *>(args.rows) + std::int64_t{blockIdx().x} * args.width;
    float squares = 0;
    for (std::int64_t i = threadIdx().x; i < args.width; i += widthNormThreads)
        squares += toFloat(row[i]) * toFloat(row[i]);
    float *sums = sharedMemory<float>(); // [warps]
    squares = warpSum(squares);
    if (laneId() == 0)
        sums[warpId()] = squares;
    syncThreads();
    squares = warpSum(laneId() < widthNormThreads / warpSize ? sums[laneId()] : 0.0f);
    const float scale = rsqrtFast(squares / static_cast<float>(args.width) + args.epsilon);
    for (std::int64_t i = threadIdx().x; i < args.width; i += widthNormThreads)
        row[i] = fromFloat<T>(toFloat(row[i]) * scale * args.weight[i]);
}

} // namespace zigzag::gpu
