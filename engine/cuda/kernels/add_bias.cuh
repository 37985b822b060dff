// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"

namespace zigzag::gpu {

struct AddBiasKernelArgs {
    void *out; // [count / width, width], of the kernel's type
    const float *bias; // [width]
    std::int64_t count, width;
    float scale;
};

inline constexpr int addBiasThreads = 256;

inline unsigned addBiasBlocks(std::int64_t count)
{
    return static_cast<unsigned>((count + addBiasThreads - 1) / addBiasThreads);
}

/// Adds a bias, scaled, to every row. Grid: addBiasBlocks.
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(addBiasThreads, 1) void addBias(ZZ_ARGS AddBiasKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const std::int64_t at = std::int64_t{blockIdx().x} * addBiasThreads + threadIdx().x;
    if (at >= args.count)
        return;
    T &value = static_cast<T *>(args.out)[at];
    value = fromFloat<T>(toFloat(value) + args.scale * args.bias[at % args.width]);
}

} // namespace zigzag::gpu
