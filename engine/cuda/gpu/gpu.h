// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// All that a kernel may use of the machine. nvcc sees the real thing (gpu_device.h: compute capability 8.0 and newer). Any
// other compiler sees an emulation on the CPU, gpu_host.h, which only the tests have on their include path: that is how
// kernels run where there is no GPU, and why no product binary holds any of it.
//
// A kernel is a function template in engine/cuda/kernels that takes one plain struct of arguments by value:
//     template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(256, 1) void embed(ZZ_ARGS EmbedKernelArgs args)
// and is started by launch() (launch.h). Blocks have one dimension, a multiple of 32 threads. The only shared memory is the
// dynamic one. Warp functions are called by all 32 lanes of a warp together.

#include "engine/cuda/gpu/gpu_types.h"

#if defined(__CUDACC__)
#include "engine/cuda/gpu/gpu_device.h"
#else
#include "gpu_host.h"
#endif

namespace zigzag::gpu {

ZZ_DEVICE unsigned laneId()
{
    return threadIdx().x % warpSize;
}

ZZ_DEVICE unsigned warpId()
{
    return threadIdx().x / warpSize;
}

/// The sum over the warp, in every lane; the same order of additions in each.
ZZ_DEVICE float warpSum(float value)
{
    for (int mask = warpSize / 2; mask > 0; mask /= 2)
        value += shuffleXor(value, mask);
    return value;
}

/// The largest value of the warp, in every lane.
ZZ_DEVICE float warpMax(float value)
{
    for (int mask = warpSize / 2; mask > 0; mask /= 2)
        value = maxOf(value, shuffleXor(value, mask));
    return value;
}

/// A float in each storage type, so that kernels are written once.
template <class T> ZZ_DEVICE T fromFloat(float value);
template <> ZZ_DEVICE float fromFloat<float>(float value)
{
    return value;
}
template <> ZZ_DEVICE Bf16 fromFloat<Bf16>(float value)
{
    return toBf16(value);
}
template <> ZZ_DEVICE F16 fromFloat<F16>(float value)
{
    return toF16(value);
}
template <> ZZ_DEVICE F8 fromFloat<F8>(float value)
{
    return toF8(value);
}
ZZ_DEVICE float toFloat(float value)
{
    return value;
}

/// Two numbers of a 16-bit type as F16.
template <class T> ZZ_DEVICE std::uint32_t toF16Pair(std::uint32_t pair);
template <> ZZ_DEVICE std::uint32_t toF16Pair<F16>(std::uint32_t pair)
{
    return pair;
}
template <> ZZ_DEVICE std::uint32_t toF16Pair<Bf16>(std::uint32_t pair)
{
    const Float2 both = unpack2<Bf16>(pair);
    return pack2<F16>(both.x, both.y);
}

} // namespace zigzag::gpu
