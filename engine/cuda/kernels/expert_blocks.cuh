// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Experts of a feed-forward with quantised matrices (block_args.h). For a few tokens a block has the 8 rows of a tile, and its
// warps share the groups: codes are read once, as they lie, and multiply the activations as these are, in float32. For many
// tokens the matrices of experts that have any become plain numbers, which expert_tiles.cuh multiplies.

#include "engine/cuda/kernels/block_codes.cuh"
#include "engine/cuda/kernels/experts.cuh"

namespace zigzag::gpu {

/// Blocks for the rows of a matrix.
inline unsigned expertBlockTiles(std::int64_t rows)
{
    return static_cast<unsigned>((rows + blockTileRows - 1) / blockTileRows);
}

/// A row's share of one group, which lane 4 · row + t has: codes and scales on their way.
template <class T, class Format> struct ExpertGroup {
    BlockCodes<Format> codes;
    BlockScales<Format> scales;

    /// `group`: counted over all tiles.
    ZZ_DEVICE void load(const void *matrix, std::int64_t params, std::int64_t group, int lane)
    {
        const auto *at = static_cast<const char *>(matrix);
        codes.load(at + group * Format::groupBytes, lane, true);
        scales.loadFar(at + params + group * Format::groupParams, lane / 4, true);
    }
    /// What this lane's 8 numbers of block s give with theirs.
    ZZ_DEVICE float product(int s, const float (&x)[vectorWidth]) const
    {
        if constexpr (Format::f8) {
            float sum = 0;
            ZZ_UNROLL for (int p = 0; p < 4; ++p)
            {
                const Float2 both = unpack2<F16>(codes.template pair<F16>(s, p));
                sum += both.x * x[2 * p] + both.y * x[2 * p + 1];
            }
            return scales.of(s).x * sum;
        } else {
            float sums[2];
            ZZ_UNROLL for (int half = 0; half < 2; ++half) sums[half] = ofHalf(s, half, x);
            if constexpr (Format::params == BlockParams::Halves) {
                return scales.whole() * codeScale<Format> * (scales.ofHalf(s, 0) * sums[0] + scales.ofHalf(s, 1) * sums[1]);
            } else {
                const Float2 scale = scales.of(s);
                float result = scale.x * codeScale<Format> * (sums[0] + sums[1]);
                if constexpr (!Format::codesAreSigned) {
                    float all = 0;
                    ZZ_UNROLL for (int k = 0; k < vectorWidth; ++k) all += x[k];
                    result += scale.y * all;
                }
                return result;
            }
        }
    }

private:
    ZZ_DEVICE float ofHalf(int s, int half, const float (&x)[vectorWidth]) const
    {
        // A byte below the bits of 2^23 is 2^23 and the byte: no conversion, which is slow.
        constexpr float base = Format::codesAreSigned ? 8388608.0f + 128.0f : 8388608.0f;
        const std::uint32_t bytes = codes.bytes(s, half) ^ (Format::codesAreSigned ? 0x80808080u : 0u);
        float sum = 0;
        ZZ_UNROLL for (int c = 0; c < 4; ++c) sum
            += (floatOfBits(pickBytes(bytes, 0x4b000000u, 0x7440u | static_cast<std::uint32_t>(c))) - base) * x[4 * half + c];
        return sum;
    }
};

/// The 8 inputs that lane t has of block s of a group that begins at `column`; zeros behind the last one. Columns are whole
/// eights.
template <class T, class Format>
ZZ_DEVICE void loadExpertInput(const T *in, int column, int columns, int t, float (&x)[vectorWidth])
{
    if constexpr (Format::f8) {
        column += 8 * t;
        if (column < columns) {
            loadVector(in + column, x);
            return;
        }
        ZZ_UNROLL for (int k = 0; k < vectorWidth; ++k) x[k] = 0;
    } else {
        ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            const int at = column + 16 * half + 4 * t;
            const Float2 four = at < columns ? loadAs<Float2>(in + at) : Float2{0, 0};
            const Float2 low = unpack2<T>(bitsOfFloat(four.x)), high = unpack2<T>(bitsOfFloat(four.y));
            x[4 * half] = low.x;
            x[4 * half + 1] = low.y;
            x[4 * half + 2] = high.x;
            x[4 * half + 3] = high.y;
        }
    }
}

/// The sum of a row's four lanes, in each of them.
ZZ_DEVICE float sumOfRow(float value)
{
    value += shuffleXor(value, 1);
    return value + shuffleXor(value, 2);
}

/// Grid: expertBlockTiles(intermediate), pairs.
template <class T, class Format>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertWarpThreads, 2) void expertGateUpBlocks(ZZ_ARGS ExpertGateUpArgs args)
{
    waitForPrevious();
    allowNext(); // not before: expertDownBlocks reads who was chosen while this runs
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), columns = args.hidden,
              groups = args.gates.groups;
    const std::int64_t pair = blockIdx().y, first = std::int64_t{blockIdx().x} * groups;
    const int expert = args.chosen[pair];
    const T *in = static_cast<const T *>(args.in) + pair / args.perToken * columns;
    float sums[2] = {};
    ZZ_UNROLL_BY(2)
    for (int group = warp; group < groups; group += expertWarps) {
        ExpertGroup<T, Format> gate, up;
        gate.load(args.gates.at[expert], args.gates.params, first + group, lane);
        up.load(args.ups.at[expert], args.ups.params, first + group, lane);
        ZZ_UNROLL for (int s = 0; s < 4; ++s)
        {
            float x[vectorWidth];
            loadExpertInput<T, Format>(in, group * blockGroup + s * 32, columns, lane % 4, x);
            sums[0] += gate.product(s, x);
            sums[1] += up.product(s, x);
        }
    }
    auto *parts = sharedMemory<float>(); // [warps, gate and up, rows]
    ZZ_UNROLL for (int i = 0; i < 2; ++i)
    {
        sums[i] = sumOfRow(sums[i]);
        if (lane % 4 == 0)
            parts[(warp * 2 + i) * blockTileRows + lane / 4] = sums[i];
    }
    syncThreads();
    const int row = static_cast<int>(blockIdx().x) * blockTileRows + static_cast<int>(threadIdx().x);
    if (threadIdx().x >= blockTileRows || row >= args.intermediate)
        return;
    float gate = 0, up = 0;
    ZZ_UNROLL for (int w = 0; w < expertWarps; ++w)
    {
        gate += parts[w * 2 * blockTileRows + static_cast<int>(threadIdx().x)];
        up += parts[(w * 2 + 1) * blockTileRows + static_cast<int>(threadIdx().x)];
    }
    static_cast<T *>(args.middle)[pair * args.intermediate + row] = fromFloat<T>(silu(gate) * up);
}
inline constexpr std::size_t expertGateUpBlocksBytes = std::size_t{expertWarps} * 2 * blockTileRows * sizeof(float);

/// Grid: expertBlockTiles(hidden), tokens.
template <class T, class Format>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertWarpThreads, 2) void expertDownBlocks(ZZ_ARGS ExpertDownArgs args)
{
    allowNext();
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), columns = args.intermediate,
              groups = args.downs.groups;
    const std::int64_t firstPair = std::int64_t{blockIdx().y} * args.perToken, first = std::int64_t{blockIdx().x} * groups;
    auto *route = sharedMemory<BlockRoute>();
    route->load(args, blockIdx().y); // it has been there since before expertGateUpBlocks
    waitForPrevious();
    float sum = 0;
    ZZ_UNROLL_BY(2)
    for (int unit = warp; unit < args.perToken * groups; unit += expertWarps) {
        const int which = unit / groups, group = unit % groups;
        const std::int64_t pair = firstPair + which;
        ExpertGroup<T, Format> down;
        down.load(args.downs.at[route->chosen[which]], args.downs.params, first + group, lane);
        const T *in = static_cast<const T *>(args.middle) + pair * columns;
        float part = 0;
        ZZ_UNROLL for (int s = 0; s < 4; ++s)
        {
            float x[vectorWidth];
            loadExpertInput<T, Format>(in, group * blockGroup + s * 32, columns, lane % 4, x);
            part += down.product(s, x);
        }
        sum += route->weights[which] * part;
    }
    auto *parts = reinterpret_cast<float *>(route + 1); // [warps, rows]
    sum = sumOfRow(sum);
    if (lane % 4 == 0)
        parts[warp * blockTileRows + lane / 4] = sum;
    syncThreads();
    const int row = static_cast<int>(blockIdx().x) * blockTileRows + static_cast<int>(threadIdx().x);
    if (threadIdx().x >= blockTileRows || row >= args.hidden)
        return;
    float all = 0;
    ZZ_UNROLL for (int w = 0; w < expertWarps; ++w) all += parts[w * blockTileRows + static_cast<int>(threadIdx().x)];
    args.out[std::int64_t{blockIdx().y} * args.hidden + row] += all;
}
inline constexpr std::size_t expertDownBlocksBytes
    = sizeof(BlockRoute) + std::size_t{expertWarps} * blockTileRows * sizeof(float);

/// Grid: rows, experts.
template <class T, class Format> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(blockRowsThreads, 1) void expertRows(ZZ_ARGS ExpertRowsArgs args)
{
    waitForPrevious();
    allowNext();
    const int expert = args.firstExpert + static_cast<int>(blockIdx().y);
    if (args.first[expert] == args.first[expert + 1])
        return;
    const auto *codes = static_cast<const char *>(args.matrices.at[expert]);
    T *to = static_cast<T *>(args.out) + blockIdx().y * args.pitch + static_cast<std::int64_t>(blockIdx().x) * args.columns;
    decodeBlockRow<T, Format>({codes, codes + args.matrices.params, args.matrices.groups},
                              std::int64_t{args.firstRow} + blockIdx().x, args.columns, 1.0f, to);
}

} // namespace zigzag::gpu
