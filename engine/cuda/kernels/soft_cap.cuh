// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"

namespace zigzag::gpu {

struct SoftCapKernelArgs {
    float *values; // [count]
    std::int64_t count;
    float cap;
};

inline constexpr int softCapThreads = 256;

inline unsigned softCapBlocks(std::int64_t count)
{
    return static_cast<unsigned>((count + softCapThreads - 1) / softCapThreads);
}

/// values become cap · tanh(value / cap), in place; tanh(z) = 1 − 2 / (1 + exp(2 z)). A template, as all kernels: a thread each.
template <int = 0> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(softCapThreads, 1) void softCap(ZZ_ARGS SoftCapKernelArgs args)
{
    waitForPrevious();
    allowNext();
    constexpr float twoLog2e = 2.88539008f;
    const std::int64_t i = std::int64_t{blockIdx().x} * softCapThreads + threadIdx().x;
    if (i < args.count)
        args.values[i] = args.cap * (1.0f - 2.0f * rcpFast(1.0f + exp2Fast(twoLog2e * args.values[i] / args.cap)));
}

} // namespace zigzag::gpu
