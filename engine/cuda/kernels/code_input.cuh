// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The vectors that matvec_codes.cuh multiplies with, as bytes in shared memory.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/block_args.h"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

/// A block's vectors in shared memory. Words of bytes: [group][vector][upper bytes, lower bytes][block of 4][half of 2][lane t of
/// 4], with the halves of lower bytes the other way round, so that both parts' words of a half lie in different banks; then of
/// blocks of `length` numbers, [block][vector]: what a whole number says, and the sum of all.
template <class Format> struct CodeInput {
    static constexpr int length = Format::params == BlockParams::Zero ? blockGroup : 32;
    static constexpr int largest = 127 * 256;
    static constexpr int width = 8; ///< columns of a thread
    static constexpr int early = 1; ///< of them of a norm's weights before the kernel waits
    using Weights = Vec16[2 * early];
    char *shared;
    int columns, batch; ///< columns: whole groups

    /// Bytes from a vector's group to the next vector's: with several, those of four lie in different banks.
    ZZ_DEVICE int pitch() const { return batch == 1 ? 256 : codesVectorPitch; }
    ZZ_DEVICE Float2 *scales() const { return reinterpret_cast<Float2 *>(shared + columns / blockGroup * batch * pitch()); }
    /// Of lane t, the words of half 0 of a group; those of half 1 are 16 bytes on, or back.
    ZZ_DEVICE const char *wordsOf(int vector, int part, int block, int t) const
    {
        return shared + vector * pitch() + part * 128 + block * 32 + part * 16 + t * 4;
    }

    /// The weights of the norm that every vector meets first; they may be read before the kernel waits.
    ZZ_DEVICE static void loadEarly(const MatvecArgs &args, Weights &weights)
    {
        ZZ_UNROLL for (int i = 0; i < early; ++i)
            loadEight<float>(args.normWeight, columnOf(i), args.normWeight ? args.columns : 0, weights + 2 * i);
    }
    /// All vectors. With a norm (arXiv 1910.07467) but for the division by the root mean square, which is one factor of the whole
    /// vector: it waits until the products are written (normScale). Leaves the sums of squares in `squares`.
    template <class T> ZZ_DEVICE void fill(const MatvecArgs &args, const Weights &weights, float *squares) const
    {
        for (int row = 0; row < batch; ++row)
            if (args.normWeight)
                weigh(args, row, weights, squares);
            else
                copy<T>(args, row);
    }

private:
    static ZZ_DEVICE int columnOf(int i) { return (static_cast<int>(threadIdx().x) + i * codesThreads) * width; }
    /// Of some lane of this warp: the others come along.
    ZZ_DEVICE bool hasColumns(int i) const { return columnOf(i) - static_cast<int>(laneId()) * width < columns; }
    template <class T> static ZZ_DEVICE void loadEight(const void *row, int column, int columns, Vec16 *to)
    {
        constexpr int words = sizeof(T) / 2;
        ZZ_UNROLL for (int i = 0; i < words; ++i) to[i]
            = column < columns ? load16(static_cast<const T *>(row) + column + 4 * i) : Vec16{};
    }
    ZZ_DEVICE void weigh(const MatvecArgs &args, int row, const Weights &weights, float *squares) const
    {
        const float *in = static_cast<const float *>(args.in) + static_cast<std::int64_t>(row) * args.columns;
        float sum = 0;
        const auto take = [&](int c, const Vec16 *numbers, const Vec16 *by) {
            float x[width];
            ZZ_UNROLL for (int k = 0; k < width; ++k)
            {
                const float number = floatOfBits(numbers[k / 4].w[k % 4]);
                sum += number * number;
                x[k] = number * floatOfBits(by[k / 4].w[k % 4]);
            }
            store(row, c, x);
        };
        Vec16 numbers[2 * early];
        ZZ_UNROLL for (int i = 0; i < early; ++i) loadEight<float>(in, columnOf(i), args.columns, numbers + 2 * i);
        ZZ_UNROLL for (int i = 0; i < early; ++i) if (hasColumns(i)) take(columnOf(i), numbers + 2 * i, weights + 2 * i);
        for (int i = early; hasColumns(i); ++i) {
            Vec16 more[4];
            loadEight<float>(in, columnOf(i), args.columns, more);
            loadEight<float>(args.normWeight, columnOf(i), args.columns, more + 2);
            take(columnOf(i), more, more + 2);
        }
        sum = warpSum(sum);
        if (laneId() == 0)
            squares[row * codesWarps + static_cast<int>(warpId())] = sum;
    }
    template <class T> ZZ_DEVICE void copy(const MatvecArgs &args, int row) const
    {
        constexpr int each = 4; // on their way
        const T *in = static_cast<const T *>(args.in) + static_cast<std::int64_t>(row) * args.columns;
        for (int first = 0; hasColumns(first); first += each) {
            Vec16 numbers[each];
            ZZ_UNROLL for (int i = 0; i < each; ++i) loadEight<T>(in, columnOf(first + i), args.columns, numbers + i);
            ZZ_UNROLL for (int i = 0; i < each; ++i) if (hasColumns(first + i))
            {
                float x[width];
                ZZ_UNROLL for (int k = 0; k < width / 2; ++k)
                {
                    const Float2 both = unpack2<T>(numbers[i].w[k]);
                    x[2 * k] = both.x;
                    x[2 * k + 1] = both.y;
                }
                store(row, columnOf(first + i), x);
            }
        }
    }
    /// Zeros, of which nothing is stored, behind the last column.
    ZZ_DEVICE void store(int row, int column, const float (&x)[width]) const
    {
        float most = 0, sum = 0;
        ZZ_UNROLL for (int k = 0; k < width; ++k)
        {
            most = maxOf(most, x[k] < 0 ? -x[k] : x[k]);
            sum += x[k];
        }
        if (!(sum - sum == 0)) // what is no number would leave no trace in the bytes
            most = floatOfBits(0x7f800000u);
        ZZ_UNROLL for (int mask = 1; mask < length / width; mask *= 2)
        {
            most = maxOf(most, shuffleXor(most, mask));
            if constexpr (!Format::codesAreSigned)
                sum += shuffleXor(sum, mask);
        }
        const float inverse = most > 1e-30f ? static_cast<float>(largest) * rcpFast(most) : 0.0f;
        std::uint32_t upper[2], lower[2];
        ZZ_UNROLL for (int i = 0; i < 2; ++i)
        {
            std::uint32_t bits[4], rounded[4];
            ZZ_UNROLL for (int k = 0; k < 4; ++k)
            {
                // Beside 1.5 · 2^23 a float's last bit is one.
                bits[k] = bitsOfFloat(x[4 * i + k] * inverse + 12582912.0f);
                rounded[k] = bits[k] + 128u; // to the upper byte, so that the lower one is signed
            }
            upper[i] = pickBytes(pickBytes(rounded[0], rounded[1], 0x0051u), pickBytes(rounded[2], rounded[3], 0x0051u), 0x5410u);
            lower[i] = pickBytes(pickBytes(bits[0], bits[1], 0x0040u), pickBytes(bits[2], bits[3], 0x0040u), 0x5410u);
        }
        if (column >= columns)
            return;
        char *to = shared + (column / blockGroup * batch + row) * pitch() + column % blockGroup;
        storeAs(to, Float2{floatOfBits(upper[0]), floatOfBits(upper[1])});
        const int swapped = column % 32 < 16 ? 16 : -16;
        storeAs(to + 128 + swapped, Float2{floatOfBits(lower[0]), floatOfBits(lower[1])});
        if (column % length == 0)
            storeAs(scales() + column / length * batch + row, Float2{most * (1.0f / static_cast<float>(largest)), sum});
    }
};

} // namespace zigzag::gpu
