// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

struct SwiGluKernelArgs {
    const void *gate, *up; // [count], of the kernel's type
    void *out; // [count], of the kernel's type; may be `gate` or `up`
    std::int64_t count;
    bool isGelu = false; ///< the gate goes through GELU by its tanh form, else through SiLU
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

/// x · (1 + tanh(z)) / 2 with z = √(2/π) · (x + 0.044715 x³): x / (1 + exp(−2 z)).
ZZ_DEVICE float geluTanh(float x)
{
    constexpr float minusTwoLog2e = -2.88539008f, root = 0.79788456f, cubic = 0.044715f;
    return x * rcpFast(1.0f + exp2Fast(minusTwoLog2e * root * (x + cubic * x * x * x)));
}

/// out = activation(gate) · up
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
                g[k] = (args.isGelu ? geluTanh(g[k]) : silu(g[k])) * u[k];
            storeVector(out + i, g);
        },
        [&](std::int64_t i) {
            const float g = toFloat(gate[i]);
            out[i] = fromFloat<T>((args.isGelu ? geluTanh(g) : silu(g)) * toFloat(up[i]));
        });
}

} // namespace zigzag::gpu
