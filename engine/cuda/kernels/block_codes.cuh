// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Quantised weights as they come from memory (block_args.h), and rows of them as plain numbers.

#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/block_args.h"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

/// Scales and least values of a row's group, as they lie there.
template <class Format> struct BlockScales {
    std::uint32_t words[Format::paramWords];

    /// From shared memory.
    ZZ_DEVICE void load(const char *group, int row, int)
    {
        if constexpr (Format::paramWords == 4) {
            const Vec16 v = load16(group + row * 16);
            ZZ_UNROLL for (int i = 0; i < 4; ++i) words[i] = v.w[i];
        } else {
            loadFar(group, row, true);
        }
    }
    /// `group`: of a tile, where its params begin. `row`: of its 8.
    ZZ_DEVICE void loadFar(const char *group, int row, bool valid)
    {
        if constexpr (Format::paramWords == 4) {
            const Vec16 v = loadStreaming16(group + row * 16, valid);
            ZZ_UNROLL for (int i = 0; i < 4; ++i) words[i] = v.w[i];
        } else {
            ZZ_UNROLL for (int i = 0; i < Format::paramWords; ++i) words[i] = 0;
            if (!valid)
                return;
            if constexpr (Format::paramWords == 1) {
                words[0] = loadAs<std::uint32_t>(group + row * 4);
            } else {
                const Float2 both = loadAs<Float2>(group + row * 8);
                words[0] = bitsOfFloat(both.x);
                words[1] = bitsOfFloat(both.y);
            }
            if constexpr (Format::paramWords == 3)
                words[2] = loadAs<std::uint32_t>(group + blockTileRows * 8 + row * 4);
        }
    }
    /// Of block s: the scale of its codes, and what is added for each input.
    ZZ_DEVICE Float2 of(int s) const
    {
        if constexpr (Format::params == BlockParams::Float) {
            return {floatOfBits(words[0]), 0.0f};
        } else if constexpr (Format::params == BlockParams::Zero) {
            const Float2 both = unpack2<F16>(words[0]);
            return {both.x, -both.x * both.y};
        } else if constexpr (Format::params == BlockParams::Affine) {
            return unpack2<F16>(words[s]);
        } else if constexpr (Format::params == BlockParams::Packed) {
            const Float2 both = unpack2<F16>(words[2]);
            return {both.x * byteAt(s % 2 * 2, words[s / 2]), -both.y * byteAt(s % 2 * 2 + 1, words[s / 2])};
        } else {
            const Float2 both = unpack2<F16>(words[s / 2]);
            return {s % 2 == 0 ? both.x : both.y, 0.0f};
        }
    }
    /// Of a half of block s, without what all of the group have in common (whole). Formats of halves alone.
    ZZ_DEVICE float ofHalf(int s, int half) const
    {
        return static_cast<float>(static_cast<std::int8_t>(words[s / 2] >> 8 * (s % 2 * 2 + half)));
    }
    ZZ_DEVICE float whole() const { return floatOfBits(words[2]); }

private:
    static ZZ_DEVICE float byteAt(int i, std::uint32_t word)
    {
        return static_cast<float>(static_cast<std::uint8_t>(word >> 8 * i));
    }
};

/// Codes of signed forms with fewer bits stand in the upper ones of a byte: this times what they say.
template <class Format> inline constexpr float codeScale = Format::codesAreSigned ? 1.0f / (1 << (8 - Format::bits)) : 1.0f;

/// The codes of a row's group that a lane has.
template <class Format> struct BlockCodes {
    static constexpr int planes = Format::bits == 8 ? 2 : 1;
    static constexpr int rowBytes = 64; ///< of a plane
    Vec16 plane[planes];
    std::uint32_t low[Format::bits == 6 ? 2 : 1];

    /// `group`: of a tile, where its codes begin. `at`: 4 · row + t.
    ZZ_DEVICE void load(const char *group, int at, bool valid)
    {
        ZZ_UNROLL for (int p = 0; p < planes; ++p) plane[p]
            = loadStreaming16(group + p * blockTileRows * rowBytes + at * 16, valid);
        if constexpr (Format::bits == 6) {
            low[0] = low[1] = 0;
            if (valid) {
                const Float2 both = loadAs<Float2>(group + blockTileRows * rowBytes + at * 8);
                low[0] = bitsOfFloat(both.x);
                low[1] = bitsOfFloat(both.y);
            }
        }
    }
    /// The same from shared memory.
    ZZ_DEVICE void loadShared(const char *group, int at)
    {
        ZZ_UNROLL for (int p = 0; p < planes; ++p) plane[p] = load16(group + p * blockTileRows * rowBytes + at * 16);
        if constexpr (Format::bits == 6) {
            const Float2 both = loadAs<Float2>(group + blockTileRows * rowBytes + at * 8);
            low[0] = bitsOfFloat(both.x);
            low[1] = bitsOfFloat(both.y);
        }
    }
    /// The codes of columns 16 · half + 4t … of block s, a byte each (codeScale).
    ZZ_DEVICE std::uint32_t bytes(int s, int half) const
    {
        if constexpr (Format::bits == 8) {
            return plane[s / 2].w[s % 2 * 2 + half];
        } else {
            const std::uint32_t word = plane[0].w[s];
            if constexpr (!Format::codesAreSigned)
                return (half == 0 ? word : word >> 4) & 0x0f0f0f0fu;
            const std::uint32_t upper = (half == 0 ? word << 4 : word) & 0xf0f0f0f0u;
            if constexpr (Format::bits == 4)
                return upper;
            const int shift = 4 * (s % 2) + 2 * half - 2; // the two bits below those
            const std::uint32_t two = low[s / 2];
            return upper | ((shift < 0 ? two << -shift : two >> shift) & 0x0c0c0c0cu);
        }
    }
    /// Columns 2p and 2p + 1 of the 8 that lane t has of block s, as a pair of T. E4M3 alone.
    template <class T> ZZ_DEVICE std::uint32_t pair(int s, int p) const
    {
        const std::uint32_t word = plane[s / 2].w[s % 2 * 2 + p / 2];
        const std::uint32_t both = f8PairToF16(p % 2 == 0 ? word : word >> 16);
        if constexpr (std::is_same_v<T, F16>) {
            return both;
        } else {
            const Float2 floats = unpack2<F16>(both);
            return pack2<T>(floats.x, floats.y);
        }
    }
};

/// Four neighbours, as one access.
template <class T> ZZ_DEVICE void storeFour(T *to, const float (&v)[4])
{
    storeAs(to, Float2{floatOfBits(pack2<T>(v[0], v[1])), floatOfBits(pack2<T>(v[2], v[3]))});
}
template <> ZZ_DEVICE void storeFour<float>(float *to, const float (&v)[4])
{
    store16(to, {{bitsOfFloat(v[0]), bitsOfFloat(v[1]), bitsOfFloat(v[2]), bitsOfFloat(v[3])}});
}

inline constexpr int blockRowsThreads = 128;

/// A row as plain numbers, each times `factor`; a thread of the block has a lane's share of a group.
template <class T, class Format>
ZZ_DEVICE void decodeBlockRow(const BlockMatrix &matrix, std::int64_t row, int columns, float factor, T *to)
{
    const int within = static_cast<int>(row % blockTileRows);
    for (int i = static_cast<int>(threadIdx().x); i < matrix.groups * 4; i += blockRowsThreads) {
        const std::int64_t group = row / blockTileRows * matrix.groups + i / 4;
        BlockCodes<Format> codes;
        codes.load(matrix.codes + group * Format::groupBytes, within * 4 + i % 4, true);
        BlockScales<Format> scales;
        scales.loadFar(matrix.params + group * Format::groupParams, within, true);
        ZZ_UNROLL for (int s = 0; s < 4; ++s) ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            // Of E4M3 a lane's columns are neighbours.
            const int column = i / 4 * blockGroup + s * 32 + (Format::f8 ? 8 * (i % 4) + 4 * half : 4 * (i % 4) + 16 * half);
            if (column >= columns)
                continue;
            float values[4];
            if constexpr (Format::f8) {
                ZZ_UNROLL for (int p = 0; p < 2; ++p)
                {
                    const Float2 both = unpack2<F16>(codes.template pair<F16>(s, 2 * half + p));
                    values[2 * p] = factor * scales.of(s).x * both.x;
                    values[2 * p + 1] = factor * scales.of(s).x * both.y;
                }
            } else {
                Float2 scale;
                if constexpr (Format::params == BlockParams::Halves)
                    scale = {scales.whole() * scales.ofHalf(s, half), 0.0f};
                else
                    scale = scales.of(s);
                const std::uint32_t bytes = codes.bytes(s, half);
                ZZ_UNROLL for (int c = 0; c < 4; ++c)
                {
                    const auto byte = static_cast<std::uint8_t>(bytes >> 8 * c);
                    const float code = Format::codesAreSigned ? static_cast<float>(static_cast<std::int8_t>(byte)) : byte;
                    values[c] = factor * (scale.x * (codeScale<Format> * code) + scale.y);
                }
            }
            storeFour(to + column, values);
        }
    }
}

/// Grid: a block for each row.
template <class T, class Format> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(blockRowsThreads, 1) void blockRows(ZZ_ARGS BlockRowsArgs args)
{
    waitForPrevious();
    allowNext(); // not before: as in embed.cuh
    const std::int64_t row = args.tokens ? args.tokens[blockIdx().x] : args.first + blockIdx().x;
    decodeBlockRow<T, Format>(args.matrix, row, args.columns, args.scale,
                              static_cast<T *>(args.out) + static_cast<std::int64_t>(blockIdx().x) * args.columns);
}

} // namespace zigzag::gpu
