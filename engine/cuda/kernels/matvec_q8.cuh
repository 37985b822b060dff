// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Matrix times a few vectors (1 to 8), with the weights as GGUF files have them in Q8_0 (ggml's block_q8_0): of each row's 32
// neighbours a scale, as a half float, and 32 integers of 8 bits, 34 bytes in all. Bound by their bytes, of which there are half
// as many as in matvec.cuh. A warp has two rows and four lanes a block; as blocks begin at multiples of 2 alone, a lane's eight
// integers are put together from whole words.

#include "engine/cuda/kernels/matvec.cuh"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

inline constexpr int q8Columns = 32, q8Bytes = 34; ///< of a block
inline constexpr int q8Rows = 2; ///< of a warp
inline constexpr int q8MaxBatch = 8;

constexpr bool supportsMatvecQ8(int batch, int columns)
{
    return batch >= 1 && batch <= q8MaxBatch && columns % q8Columns == 0;
}

/// Eight of a block's integers and its scale. `block`: its number from the matrix' beginning, which is at a multiple of 4, as its
/// memory's end is: an odd number of blocks ends within a word that is read whole. `part`: which eight.
struct Q8Part {
    std::uint32_t words[3];
    std::uint16_t scale;
    bool isEven;

    ZZ_DEVICE void load(const char *matrix, std::int64_t block, int part)
    {
        const char *at = matrix + block * q8Bytes;
        isEven = block % 2 == 0; // at a multiple of 4: the integers are not
        const char *from = at + part * 8 + (isEven ? 0 : 2);
        scale = loadAs<std::uint16_t>(at);
        words[0] = loadAs<std::uint32_t>(from);
        words[1] = loadAs<std::uint32_t>(from + 4);
        words[2] = isEven ? loadAs<std::uint32_t>(from + 8) : 0;
    }
    ZZ_DEVICE void read(float (&to)[vectorWidth]) const
    {
        const std::uint32_t order = isEven ? 0x5432 : 0x3210;
        ZZ_UNROLL
        for (int half = 0; half < 2; ++half) {
            // As mantissas of 2^23 + 128 + integer: a conversion has a quarter of the rate.
            const std::uint32_t four = pickBytes(words[half], words[half + 1], order) ^ 0x80808080u;
            ZZ_UNROLL
            for (int i = 0; i < 4; ++i)
                to[4 * half + i] = floatOfBits(pickBytes(four, 0x4b000000u, 0x7440u + static_cast<unsigned>(i))) - 8388736.0f;
        }
    }
};

/// T is the type of the vectors. Grid: enough blocks for all products' rows, q8Rows a warp.
template <class T, int batch> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(matvecThreads, 2) void matvecQ8(ZZ_ARGS MatvecArgs args)
{
    allowNext();
    waitForPrevious();
    const int lane = static_cast<int>(laneId()), blocks = args.columns / q8Columns;
    int first = (static_cast<int>(blockIdx().x) * matvecWarps + static_cast<int>(warpId())) * q8Rows, which = 0;
    for (; which < matvecMaxProducts && first >= args.products[which].rows; ++which)
        first -= (args.products[which].rows + q8Rows - 1) / q8Rows * q8Rows; // a warp's rows are of one product
    if (which == matvecMaxProducts)
        return;
    const MatvecProduct &product = args.products[which];
    const auto *weights = static_cast<const char *>(product.weights);
    const auto *in = static_cast<const T *>(args.in);
    float sums[q8Rows][batch] = {};
    ZZ_UNROLL_BY(2)
    for (int block = lane / 4; block < blocks; block += warpSize / 4) {
        Q8Part parts[q8Rows];
        ZZ_UNROLL
        for (int r = 0; r < q8Rows; ++r) {
            const int row = first + r < product.rows ? first + r : first; // its result is not stored
            parts[r].load(weights, static_cast<std::int64_t>(row) * blocks + block, lane % 4);
        }
        float integers[q8Rows][vectorWidth];
        ZZ_UNROLL
        for (int r = 0; r < q8Rows; ++r)
            parts[r].read(integers[r]);
        ZZ_UNROLL
        for (int b = 0; b < batch; ++b) {
            float x[vectorWidth];
            const int vector = b < args.batch ? b : 0;
            loadVector(in + static_cast<std::int64_t>(vector) * args.columns + block * q8Columns + lane % 4 * vectorWidth, x);
            ZZ_UNROLL
            for (int r = 0; r < q8Rows; ++r) {
                float part = 0;
                ZZ_UNROLL
                for (int i = 0; i < vectorWidth; ++i)
                    part += integers[r][i] * x[i];
                sums[r][b] += toFloat(F16{parts[r].scale}) * part;
            }
        }
    }
    ZZ_UNROLL
    for (int r = 0; r < q8Rows; ++r) {
        const int row = first + r;
        ZZ_UNROLL
        for (int b = 0; b < batch; ++b) {
            float value = warpSum(sums[r][b]);
            if (lane != 0 || row >= product.rows || b >= args.batch)
                continue;
            const std::int64_t at = static_cast<std::int64_t>(b) * product.rows + row;
            value += product.bias ? product.bias[row] : 0.0f;
            value *= product.scale;
            value += product.residual ? product.residual[at] : 0.0f;
            storeMatvec(product, at, value, T{});
        }
    }
}

/// Products without a norm in front of them; those that are not there have no rows. Returns a cudaError_t.
template <class T> int launchMatvecQ8(const MatvecArgs &args, Stream stream, Start start)
{
    int warps = 0;
    for (const MatvecProduct &product : args.products)
        warps += (product.rows + q8Rows - 1) / q8Rows;
    const auto run = [&](auto kernel) {
        return launch(kernel, {static_cast<unsigned>((warps + matvecWarps - 1) / matvecWarps), 1, 1}, matvecThreads, 0, stream,
                      args, start);
    };
    return args.batch == 1 ? run(matvecQ8<T, 1>)
        : args.batch == 2  ? run(matvecQ8<T, 2>)
        : args.batch <= 4  ? run(matvecQ8<T, 4>)
                           : run(matvecQ8<T, 8>);
}

} // namespace zigzag::gpu
