// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

struct EmbedKernelArgs {
    const std::int32_t *tokens; // [rows], each below the vocabulary
    const void *table; // [vocabulary, width], of the kernel's type
    float *out; // [rows, width]
    std::int64_t width;
    float scale;
};

inline constexpr int embedThreads = 256;

/// Rows of the embedding table as float32, scaled. Grid: a block for each row.
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(embedThreads, 1) void embed(ZZ_ARGS EmbedKernelArgs args)
{
    waitForPrevious();
    allowNext(); // not before: those after it read what earlier steps wrote without waiting (attention_decode.cuh)
    const std::int64_t row = blockIdx().x;
    const T *from = static_cast<const T *>(args.table) + args.tokens[row] * args.width;
    float *to = args.out + row * args.width;
    forEachVector(
        args.width, threadIdx().x, embedThreads, isAligned16(from) && isAligned16(to),
        [&](std::int64_t i) {
            float values[vectorWidth];
            loadVector(from + i, values);
            for (float &value : values)
                value *= args.scale;
            storeVector(to + i, values);
        },
        [&](std::int64_t i) { to[i] = args.scale * toFloat(from[i]); });
}

} // namespace zigzag::gpu
