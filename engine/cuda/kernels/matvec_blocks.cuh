// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Matrix times a few vectors (1 to 8), with weights of E4M3 as block_args.h lays them out: matvec.cuh, with numbers of 8 bits
// that become 16 on the way. A group's scale is applied to its sums.

#include "engine/cuda/kernels/block_codes.cuh"
#include "engine/cuda/kernels/matvec.cuh"

namespace zigzag::gpu {

template <class T, class Format, bool gated>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(matvecThreads, matvecBlocksPerSm) void matvecBlocks(ZZ_ARGS BlockMatvecArgs args)
{
    constexpr int roundGroups = blockRoundGroups<Format>, roundColumns = matvecWarps * roundGroups * blockGroup;
    static_assert(Format::f8);
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
            codesAt[half] = matrix.codes + first * Format::groupBytes;
            scalesAt[half] = matrix.params + first * Format::groupParams;
        }
    };
    const auto load = [&](int i, int round, bool valid) {
        const int group = (round * matvecWarps + warp) * roundGroups + i;
        ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            codes[i][half].load(codesAt[half] + group * Format::groupBytes, lane, valid && group < groups);
            scales[i][half].loadFar(scalesAt[half] + group * Format::groupParams, g, valid && group < groups);
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

    const char *vector = input.shared + (g < args.base.batch ? g : 0) * input.pitch + t * 16;
    int buffer = 0;
    for (; tile < args.base.tiles; tile += static_cast<int>(gridDim().x)) {
        float sums[4] = {};
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
                    float products[4] = {};
                    ZZ_UNROLL for (int k = 0; k < 2; ++k)
                    {
                        const BlockCodes<Format> &low = codes[i][0], &high = codes[i][1];
                        mma16816<T>(products,
                                    {low.template pair<T>(s, 2 * k), high.template pair<T>(s, 2 * k),
                                     low.template pair<T>(s, 2 * k + 1), high.template pair<T>(s, 2 * k + 1)},
                                    {x.w[2 * k], x.w[2 * k + 1]});
                    }
                    ZZ_UNROLL for (int j = 0; j < 4; ++j) sums[j] += scales[i][j / 2].of(s).x * products[j];
                }
                load(i, next, more);
            }
        }
        float *mine = results + buffer * partFloats + warp * 16 * 8;
        ZZ_UNROLL for (int j = 0; j < 4; ++j) mine[(g + j / 2 * 8) * 8 + 2 * t + j % 2] = sums[j];
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

} // namespace zigzag::gpu
