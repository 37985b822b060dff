// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Matrix times a few vectors (1 to 8), with quantised weights as block_args.h lays them out: matvec.cuh, with codes instead of
// numbers. A code of four bits becomes a number of 16 bits by standing in the mantissa of a power of two, which costs one
// instruction for two of them; tensor cores multiply it, power and all, and what the powers and zeros add is taken off by the
// sum of a block's inputs. A block's scale is applied to its sums: 4 products for 16 weights.

#include "engine/cuda/kernels/block_args.h"
#include "engine/cuda/kernels/matvec.cuh"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

/// Two numbers each: the power of two under a code of plane 0 and of plane 1; and those as floats.
template <class T> struct CodePowers;
template <> struct CodePowers<Bf16> {
    static constexpr std::uint32_t low = 0x43004300u, high = 0x45004500u;
    static constexpr float lowPower = 128.0f, highPower = 2048.0f;
};
template <> struct CodePowers<F16> {
    static constexpr std::uint32_t low = 0x64006400u, high = 0x74007400u;
    static constexpr float lowPower = 1024.0f, highPower = 16384.0f;
};

/// Scales and least values of a row's group, as they lie there.
template <class Format> struct BlockScales {
    std::uint32_t words[Format::paramWords];

    ZZ_DEVICE void load(const char *from, bool valid)
    {
        if constexpr (Format::paramWords == 4) {
            const Vec16 v = loadStreaming16(from, valid);
            ZZ_UNROLL for (int i = 0; i < 4; ++i) words[i] = v.w[i];
        } else {
            ZZ_UNROLL for (int i = 0; i < Format::paramWords; ++i) words[i] = 0;
            if (valid) {
                if constexpr (Format::paramWords == 2) {
                    const Float2 both = loadAs<Float2>(from);
                    words[0] = bitsOfFloat(both.x);
                    words[1] = bitsOfFloat(both.y);
                } else {
                    words[0] = loadAs<std::uint32_t>(from);
                }
            }
        }
    }
    /// Of block s: the scale, and what is added for each input; `half`: of the block, where halves have their own. `power`: of
    /// the codes.
    ZZ_DEVICE Float2 of(int s, int half, float power) const
    {
        if constexpr (Format::params == BlockParams::Float) {
            return {floatOfBits(words[0]), 0.0f};
        } else if constexpr (Format::params == BlockParams::Zero) {
            const Float2 both = unpack2<F16>(words[0]);
            return {both.x, -both.x * (both.y + power)};
        } else if constexpr (Format::params == BlockParams::Affine) {
            const Float2 both = unpack2<F16>(words[s]);
            return {both.x, both.y - both.x * power};
        } else {
            const int at = Format::params == BlockParams::Halves ? 2 * s + half : s;
            const Float2 both = unpack2<F16>(words[at / 2]);
            const float scale = at % 2 == 0 ? both.x : both.y;
            return {scale, -scale * (power + static_cast<float>(Format::zero))};
        }
    }
};

/// The codes of a row's group that a lane has.
template <class Format> struct BlockCodes {
    Vec16 planes[Format::planes];

    ZZ_DEVICE void load(const char *from, bool valid)
    {
        ZZ_UNROLL for (int p = 0; p < Format::planes; ++p) planes[p] = loadStreaming16(from + p * blockTileRows * 64, valid);
    }
    /// Columns 2p and 2p + 1 of block s, as a pair of T: the codes of a plane under their power, or numbers in E4M3.
    template <class T> ZZ_DEVICE std::uint32_t pair(int s, int plane, int p) const
    {
        if constexpr (Format::f8) {
            const std::uint32_t word = planes[s / 2].w[s % 2 * 2 + p / 2];
            const std::uint32_t both = f8PairToF16(p % 2 == 0 ? word : word >> 16);
            if constexpr (std::is_same_v<T, F16>) {
                return both;
            } else {
                const Float2 floats = unpack2<F16>(both);
                return pack2<T>(floats.x, floats.y);
            }
        } else {
            return (planes[plane].w[s] >> 4 * p & 0x000f000fu) | (plane == 0 ? CodePowers<T>::low : CodePowers<T>::high);
        }
    }
};

template <class T, class Format, bool gated>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(matvecThreads, matvecBlocksPerSm) void matvecBlocks(ZZ_ARGS BlockMatvecArgs args)
{
    constexpr int roundGroups = blockRoundGroups<Format>, roundColumns = matvecWarps * roundGroups * blockGroup;
    constexpr int codePlanes = Format::f8 ? 1 : Format::planes, parts = Format::params == BlockParams::Halves ? 2 : 1;
    constexpr float power = Format::f8 ? 0.0f : CodePowers<T>::lowPower + (Format::planes == 2 ? CodePowers<T>::highPower : 0.0f);
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), g = lane / 4, t = lane % 4;
    const int groups = args.matrices[0].groups, rounds = (args.base.columns + roundColumns - 1) / roundColumns;

    BlockCodes<Format> codes[roundGroups][2];
    BlockScales<Format> scales[roundGroups][2];
    const char *codesAt[2] = {}, *scalesAt[2] = {};
    const auto find = [&](int tile) {
        const int which = gated ? 0 : MatvecRows<T, 1, gated>::productOf(args.base, tile);
        const int local = tile - (which == 0 ? 0 : args.base.tileEnd[which - 1]);
        ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            const BlockMatrix &matrix = args.matrices[gated ? half : which];
            const std::int64_t first = static_cast<std::int64_t>(gated ? local : 2 * local + half) * groups;
            codesAt[half] = matrix.codes + first * (Format::planes * blockTileRows * 64) + lane * 16;
            scalesAt[half] = matrix.params + first * (blockTileRows * Format::paramWords * 4) + g * Format::paramWords * 4;
        }
    };
    const auto load = [&](int i, int round, bool valid) {
        const int group = (round * matvecWarps + warp) * roundGroups + i;
        ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            codes[i][half].load(codesAt[half] + group * (Format::planes * blockTileRows * 64), valid && group < groups);
            scales[i][half].load(scalesAt[half] + group * (blockTileRows * Format::paramWords * 4), valid && group < groups);
        }
    };
    int tile = static_cast<int>(blockIdx().x);
    find(tile);
    ZZ_UNROLL for (int i = 0; i < roundGroups; ++i) load(i, 0, true);
    allowNext();
    waitForPrevious();

    constexpr int partFloats = matvecWarps * 16 * 8;
    auto *results = sharedMemory<float>(); // [2, warps, rows, vectors]
    float *squares = results + 2 * partFloats;
    constexpr bool scalesLast = std::is_same_v<T, Bf16>;
    const int paddedColumns = rounds * roundColumns;
    const MatvecInput<T> input{reinterpret_cast<char *>(squares + matvecMaxBatch * matvecWarps), paddedColumns * 2 + 64};
    if (args.base.normWeight) {
        if constexpr (scalesLast)
            input.weigh(args.base, paddedColumns, squares);
        else
            input.normalize(args.base, paddedColumns, squares);
    } else {
        input.copy(args.base, 0, paddedColumns);
        copyAsyncWait<0>();
    }
    syncThreads();

    // The sums of each block's inputs, or of its halves': [blocks, blockMaxBatch]
    auto *inputSums = reinterpret_cast<float *>(input.shared + args.base.batch * input.pitch);
    if constexpr (!Format::f8) {
        constexpr int length = 32 / parts;
        const int blocks = paddedColumns / length; // what stands for vectors that are not there is never read
        for (int i = static_cast<int>(threadIdx().x); i < blocks * args.base.batch; i += matvecThreads) {
            const int row = i / blocks, block = i % blocks;
            float sum = 0;
            ZZ_UNROLL for (int c = 0; c < length; c += vectorWidth)
            {
                float values[vectorWidth];
                loadVector(reinterpret_cast<const T *>(input.shared + row * input.pitch) + block * length + c, values);
                ZZ_UNROLL for (int k = 0; k < vectorWidth; ++k) sum += values[k];
            }
            inputSums[block * blockMaxBatch + row] = sum;
        }
        syncThreads();
    }

    const char *vector = input.shared + (g < args.base.batch ? g : 0) * input.pitch + t * 16;
    int buffer = 0;
    for (; tile < args.base.tiles; tile += static_cast<int>(gridDim().x)) {
        float sums[4] = {};
        const int which = gated ? 0 : MatvecRows<T, 1, gated>::productOf(args.base, tile);
        for (int round = 0; round < rounds; ++round) {
            const bool lastRound = round + 1 == rounds;
            const int next = lastRound ? 0 : round + 1;
            const bool more = !lastRound || tile + static_cast<int>(gridDim().x) < args.base.tiles;
            if (lastRound && more)
                find(tile + static_cast<int>(gridDim().x));
            ZZ_UNROLL for (int i = 0; i < roundGroups; ++i)
            {
                const int column = ((round * matvecWarps + warp) * roundGroups + i) * blockGroup;
                ZZ_UNROLL for (int s = 0; s < 4; ++s)
                {
                    const Vec16 x = load16(vector + (column + s * 32) * 2);
                    ZZ_UNROLL for (int part = 0; part < parts; ++part)
                    {
                        // Half a block's columns are half the lanes'.
                        const std::uint32_t mask = parts == 1 || t / 2 == part ? 0xffffffffu : 0u;
                        float products[4] = {};
                        ZZ_UNROLL for (int plane = 0; plane < codePlanes; ++plane) ZZ_UNROLL for (int k = 0; k < 2; ++k)
                        {
                            const BlockCodes<Format> &low = codes[i][0], &high = codes[i][1];
                            mma16816<T>(products,
                                        {low.template pair<T>(s, plane, 2 * k) & mask,
                                         high.template pair<T>(s, plane, 2 * k) & mask,
                                         low.template pair<T>(s, plane, 2 * k + 1) & mask,
                                         high.template pair<T>(s, plane, 2 * k + 1) & mask},
                                        {x.w[2 * k], x.w[2 * k + 1]});
                        }
                        Float2 inputs = {};
                        if constexpr (!Format::f8)
                            inputs = loadAs<Float2>(inputSums + ((column / 32 + s) * parts + part) * blockMaxBatch + 2 * t);
                        ZZ_UNROLL for (int half = 0; half < 2; ++half)
                        {
                            const Float2 scale = scales[i][half].of(s, part, power);
                            ZZ_UNROLL for (int j = 2 * half; j < 2 * half + 2; ++j)
                            {
                                sums[j] += scale.x * products[j];
                                if constexpr (!Format::f8)
                                    sums[j] += scale.y * (j % 2 == 0 ? inputs.x : inputs.y);
                            }
                        }
                    }
                }
                load(i, next, more);
            }
        }
        float *mine = results + buffer * partFloats + warp * 16 * 8;
        ZZ_UNROLL for (int j = 0; j < 4; ++j) mine[(g + j / 2 * 8) * 8 + 2 * t + j % 2]
            = sums[j] * args.matrices[gated ? j / 2 : which].scale;
        syncThreads();
        finishMatvecTile<T, 1, 1, gated>(args.base, tile, results + buffer * partFloats,
                                         scalesLast && args.base.normWeight ? squares : nullptr);
        buffer ^= 1;
    }
}

/// `plan`: planBlocks of this launch's products. Fills in the tiles. Returns a cudaError_t.
template <class T, class Format> int launchMatvecBlocks(BlockMatvecArgs args, const MatvecPlan &plan, Stream stream, Start start)
{
    for (int i = 0; i < matvecMaxProducts; ++i)
        args.base.tileEnd[i] = plan.tileEnd[static_cast<std::size_t>(i)];
    args.base.tiles = plan.tiles;
    const auto run = [&](auto kernel) {
        return launch(kernel, {plan.blocks, 1, 1}, matvecThreads, plan.sharedBytes, stream, args, start);
    };
    return plan.gated ? run(matvecBlocks<T, Format, true>) : run(matvecBlocks<T, Format, false>);
}

/// Eight numbers of a row from column 128 · group + 32 · s + 8 · t on.
template <class Format>
ZZ_DEVICE void decodeEight(const BlockMatrix &matrix, std::int64_t row, int group, int s, int t, float (&to)[vectorWidth])
{
    const std::int64_t tile = row / blockTileRows * matrix.groups + group;
    const int within = static_cast<int>(row % blockTileRows);
    BlockCodes<Format> codes;
    codes.load(matrix.codes + tile * (Format::planes * blockTileRows * 64) + within * 64 + t * 16, true);
    BlockScales<Format> scales;
    scales.load(matrix.params + (tile * blockTileRows + within) * Format::paramWords * 4, true);
    const Float2 scale = scales.of(s, t / 2, 0.0f);
    ZZ_UNROLL for (int c = 0; c < vectorWidth; ++c)
    {
        if constexpr (Format::f8) {
            const Float2 both = unpack2<F16>(codes.template pair<F16>(s, 0, c / 2));
            to[c] = matrix.scale * scale.x * (c % 2 == 0 ? both.x : both.y);
        } else {
            std::uint32_t code = 0;
            ZZ_UNROLL for (int plane = 0; plane < Format::planes; ++plane) code
                |= (codes.planes[plane].w[s] >> (16 * (c % 2) + 4 * (c / 2)) & 15u) << 4 * plane;
            to[c] = matrix.scale * (scale.x * static_cast<float>(code) + scale.y);
        }
    }
}

inline constexpr int blockRowsThreads = 256;

/// Grid: a block for each row.
template <class T, class Format> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(blockRowsThreads, 1) void blockRows(ZZ_ARGS BlockRowsArgs args)
{
    waitForPrevious();
    allowNext(); // not before: as in embed.cuh
    const std::int64_t row = args.tokens ? args.tokens[blockIdx().x] : args.first + blockIdx().x;
    T *to = static_cast<T *>(args.out) + static_cast<std::int64_t>(blockIdx().x) * args.columns;
    for (int i = static_cast<int>(threadIdx().x); i < args.columns / vectorWidth; i += blockRowsThreads) {
        float values[vectorWidth];
        decodeEight<Format>(args.matrix, row, i / 16, i / 4 % 4, i % 4, values);
        for (float &value : values)
            value *= args.scale;
        storeVector(to + static_cast<std::int64_t>(i) * vectorWidth, values);
    }
}

} // namespace zigzag::gpu
