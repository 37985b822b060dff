// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

struct ConvertKernelArgs {
    const void *in; // [count], of type From
    void *out; // [count], of type To
    std::int64_t count;
};

inline constexpr int convertThreads = 256;

inline unsigned convertBlocks(std::int64_t count)
{
    return static_cast<unsigned>((count + convertThreads * vectorWidth - 1) / (convertThreads * vectorWidth));
}

/// Numbers from one storage type to another, rounded to nearest.
template <class From, class To> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(convertThreads, 1) void convert(ZZ_ARGS ConvertKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const auto *in = static_cast<const From *>(args.in);
    auto *out = static_cast<To *>(args.out);
    forEachVector(
        args.count, std::int64_t{blockIdx().x} * convertThreads + threadIdx().x, std::int64_t{gridDim().x} * convertThreads,
        isAligned16(in) && isAligned16(out),
        [&](std::int64_t i) {
            float values[vectorWidth];
            loadVector(in + i, values);
            storeVector(out + i, values);
        },
        [&](std::int64_t i) { out[i] = fromFloat<To>(toFloat(in[i])); });
}

} // namespace zigzag::gpu
