// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

struct SwiGluKernelArgs {
    const void *gate, *up; // [count], of the kernel's type
    void *out; // [count], of the kernel's type; may be `gate` or `up`
    std::int64_t count;
};

inline constexpr int swiGluThreads = 256;

/// Blocks for `count` elements: eight for each thread.
inline unsigned swiGluBlocks(std::int64_t count)
{
    return static_cast<unsigned>((count + swiGluThreads * vectorWidth - 1) / (swiGluThreads * vectorWidth));
}

ZZ_DEVICE float silu(float x)
{
    return x * rcpFast(1.0f + exp2Fast(-log2e * x)); // far below zero the power is infinite and its inverse zero
}

/// out = gate / (1 + exp(-gate)) · up
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(swiGluThreads, 1) void swiGlu(ZZ_ARGS SwiGluKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const auto *gate = static_cast<const T *>(args.gate), *up = static_cast<const T *>(args.up);
    auto *out = static_cast<T *>(args.out);
    forEachVector(
        args.count, std::int64_t{blockIdx().x} * swiGluThreads + threadIdx().x, std::int64_t{gridDim().x} * swiGluThreads,
        isAligned16(gate) && isAligned16(up) && isAligned16(out),
        [&](std::int64_t i) {
            float g[vectorWidth], u[vectorWidth];
            loadVector(gate + i, g);
            loadVector(up + i, u);
            ZZ_UNROLL
            for (int k = 0; k < vectorWidth; ++k)
                g[k] = silu(g[k]) * u[k];
            storeVector(out + i, g);
        },
        [&](std::int64_t i) { out[i] = fromFloat<T>(silu(toFloat(gate[i])) * toFloat(up[i])); });
}

} // namespace zigzag::gpu
