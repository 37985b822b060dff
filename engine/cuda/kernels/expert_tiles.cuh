// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Experts of a feed-forward for many tokens: the pairs of token and expert are sorted by expert, on the device, and each expert's
// matrices multiply its own rows in tiles of 64 pairs. How many tiles an expert has, only the device knows: the grid has as many
// as any choice of experts can need, and what finds no pairs ends at once. Nothing depends on the order in which blocks run.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/experts_args.h"
#include "engine/cuda/kernels/swiglu.cuh"
#include "engine/cuda/kernels/vector_io.cuh"

namespace zigzag::gpu {

inline constexpr int sortRoutesWarps = 8;
inline constexpr int sortRoutesThreads = sortRoutesWarps * warpSize;
inline constexpr std::size_t sortRoutesSharedBytes = 2 * sortRoutesWarps * sizeof(int);

ZZ_DEVICE int warpSumOf(int value)
{
    for (int mask = warpSize / 2; mask > 0; mask /= 2)
        value += shuffleXor(value, mask);
    return value;
}

/// A block for each expert counts the pairs before its own, and then lists its own. Each warp has a part of the pairs. Grid:
/// experts. The argument serves to make a template.
template <int warps = sortRoutesWarps> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(warps *warpSize, 1) void sortRoutes(ZZ_ARGS SortRoutesArgs args)
{
    waitForPrevious();
    allowNext();
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), expert = static_cast<int>(blockIdx().x);
    const int part = ((args.pairs + warps - 1) / warps + warpSize - 1) / warpSize * warpSize, begin = warp * part;
    const int end = begin + part < args.pairs ? begin + part : args.pairs;
    int before = 0, mine = 0;
    for (int i = begin + lane; i < end; i += warpSize) {
        const int chosen = args.chosen[i];
        before += chosen < expert ? 1 : 0;
        mine += chosen == expert ? 1 : 0;
    }
    before = warpSumOf(before);
    mine = warpSumOf(mine);
    auto *counts = sharedMemory<int>(); // [warps, 2]
    if (lane == 0) {
        counts[2 * warp] = before;
        counts[2 * warp + 1] = mine;
    }
    syncThreads();
    int first = 0, all = 0, next = 0;
    ZZ_UNROLL
    for (int w = 0; w < warps; ++w) {
        first += counts[2 * w];
        next += w < warp ? counts[2 * w + 1] : 0;
        all += counts[2 * w + 1];
    }
    next += first;
    if (threadIdx().x == 0) {
        args.first[expert] = first;
        if (expert == args.experts - 1)
            args.first[args.experts] = first + all;
    }
    for (int i = begin; i < end; i += warpSize) {
        const bool isMine = i + lane < end && args.chosen[i + lane] == expert;
        const std::uint32_t lanes = warpBallot(isMine);
        if (isMine)
            args.order[next + countBits(lanes & ((1u << lane) - 1u))] = i + lane;
        next += countBits(lanes);
    }
}

/// The pairs of one tile, in sorted order.
struct ExpertTile {
    int expert; ///< -1: none
    int begin, end;

    ZZ_DEVICE void find(const ExpertTilesArgs &args, int index)
    {
        const int lane = static_cast<int>(laneId());
        expert = -1;
        int before = 0; // tiles of the experts that were looked at
        for (int base = args.firstExpert; base < args.lastExpert; base += warpSize) {
            const int e = base + lane;
            const bool exists = e < args.lastExpert;
            const int first = exists ? args.first[e] : 0, last = exists ? args.first[e + 1] : 0;
            const int tiles = (last - first + expertTileRows - 1) / expertTileRows;
            int upTo = tiles; // of the lanes so far
            for (int d = 1; d < warpSize; d *= 2) {
                const int other = shuffle(upTo, lane - d);
                upTo += lane >= d ? other : 0;
            }
            const int nth = index - before - (upTo - tiles);
            if (const std::uint32_t found = warpBallot(nth >= 0 && nth < tiles)) {
                const int owner = countBits(found - 1); // the only bit's number
                expert = base + owner;
                begin = shuffle(first + nth * expertTileRows, owner);
                end = shuffle(last, owner);
                return;
            }
            before += shuffle(upTo, warpSize - 1);
        }
    }
};

/// A thread's share of a tile's copies: whose rows begin where.
template <class T, bool gated> struct ExpertTileCopies {
    static constexpr int chunks = expertTileColumns / 8; // 16 bytes each, of a row
    static constexpr int step = expertTileThreads / chunks; // rows of a round
    static constexpr int pitch = paddedRow<expertTileColumns>;
    static constexpr int inputBytes = expertTileRows * pitch, stageBytes = inputBytes + expertTileWeights * pitch;

    const T *input[expertTileRows / step], *weights[expertTileWeights / step];
    std::uint32_t valid = 0; // a bit for each of them
    int columns, chunk, target;

    /// `row`: the tile's first row of the expert's matrices.
    ZZ_DEVICE ExpertTileCopies(const ExpertTilesArgs &args, const ExpertTile &tile, int firstRow)
        : columns(args.columns)
    {
        const int thread = static_cast<int>(threadIdx().x), row = thread / chunks;
        chunk = thread % chunks * 8;
        target = row * pitch + thread % chunks * 16;
        ZZ_UNROLL
        for (int i = 0; i < expertTileRows / step; ++i) {
            const int at = tile.begin + row + i * step;
            const bool exists = at < tile.end;
            const std::int64_t from = !exists ? 0 : gated ? args.order[at] / args.perToken : at;
            input[i] = static_cast<const T *>(args.in) + from * columns + chunk;
            valid |= exists ? 1u << i : 0u;
        }
        ZZ_UNROLL
        for (int i = 0; i < expertTileWeights / step; ++i) {
            // Gated: 16 rows of the gate, the same 16 of up, and so on.
            const int nth = row + i * step, at = firstRow + (gated ? nth / 32 * 16 + nth % 16 : nth);
            const void *matrix = gated && nth % 32 >= 16 ? args.ups.at[tile.expert] : args.matrices.at[tile.expert];
            const bool exists = at < args.lastRow;
            weights[i]
                = static_cast<const T *>(matrix) + (exists ? static_cast<std::int64_t>(at - args.firstRow) * columns : 0) + chunk;
            valid |= exists ? 0x100u << i : 0u;
        }
    }
    /// Starts copying columns [first, first + expertTileColumns).
    ZZ_DEVICE void start(char *stage, int first) const
    {
        const bool inside = first + chunk < columns;
        ZZ_UNROLL
        for (int i = 0; i < expertTileRows / step; ++i)
            copyAsync16(stage + target + i * step * pitch, input[i] + first, inside && (valid >> i & 1u));
        ZZ_UNROLL
        for (int i = 0; i < expertTileWeights / step; ++i)
            copyAsync16(stage + inputBytes + target + i * step * pitch, weights[i] + first, inside && (valid >> (8 + i) & 1u));
    }
};

/// A warp has 32 pairs and 32 rows of weights. Grid: expertTileBlocks, tiles.
template <class T, bool gated> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertTileThreads, 2) void expertTiles(ZZ_ARGS ExpertTilesArgs args)
{
    using Copies = ExpertTileCopies<T, gated>;
    constexpr int pitch = Copies::pitch, ownRows = gated ? 16 : 32; // of the result, of a warp
    waitForPrevious();
    allowNext();
    ExpertTile tile;
    tile.find(args, static_cast<int>(blockIdx().y));
    if (tile.expert < 0)
        return;
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), g = lane / 4, t = lane % 4;
    const int firstRow = args.firstRow + static_cast<int>(blockIdx().x) * (gated ? expertTileWeights / 2 : expertTileWeights);
    const Copies copies(args, tile, firstRow);
    char *ring = sharedMemory<char>();
    const int rounds = (args.columns + expertTileColumns - 1) / expertTileColumns;
    const auto load = [&](int round, int stage) {
        if (round < rounds)
            copies.start(ring + stage * Copies::stageBytes, round * expertTileColumns);
        copyAsyncCommit(); // an empty group too: groups are counted
    };
    ZZ_UNROLL
    for (int i = 0; i + 1 < expertTileStages; ++i)
        load(i, i);

    const int rowOfPairs = warp / 4 * 32, rowOfWeights = warp % 4 * 32;
    float sums[2][4][4] = {}; // [16 pairs, 8 rows of weights]
    for (int round = 0, stage = 0; round < rounds; ++round) {
        copyAsyncWait<expertTileStages - 2>();
        syncThreads(); // this stage's copies are here, and every warp has left the one that is filled next
        load(round + expertTileStages - 1, stage == 0 ? expertTileStages - 1 : stage - 1);
        const char *from = ring + stage * Copies::stageBytes;
        const char *input = from + (rowOfPairs + (lane & 15)) * pitch + (lane & 16);
        const char *weights = from + Copies::inputBytes + (rowOfWeights + (lane & 7) + (lane & 16) / 2) * pitch + (lane & 8) * 2;
        ZZ_UNROLL
        for (int s = 0; s < expertTileColumns / 16; ++s) {
            std::uint32_t a[2][4], b[2][4];
            ZZ_UNROLL
            for (int i = 0; i < 2; ++i) {
                loadMatrix4(a[i], input + i * 16 * pitch + s * 32);
                loadMatrix4(b[i], weights + i * 16 * pitch + s * 32);
            }
            ZZ_UNROLL
            for (int m = 0; m < 2; ++m)
                ZZ_UNROLL
            for (int n = 0; n < 4; ++n)
                mma16816<T>(sums[m][n], a[m], {b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]});
        }
        stage = stage == expertTileStages - 1 ? 0 : stage + 1;
    }
    copyAsyncWait<0>();

    ZZ_UNROLL
    for (int i = 0; i < 4; ++i) {
        const int m = i / 2, half = i % 2, at = tile.begin + rowOfPairs + i * 8 + g;
        if (at >= tile.end)
            continue;
        const std::int64_t pair = gated ? at : args.order[at];
        ZZ_UNROLL
        for (int n = 0; n < ownRows / 8; ++n) {
            const int row = firstRow + warp % 4 * ownRows + n * 8 + 2 * t;
            float low = sums[m][n][2 * half], high = sums[m][n][2 * half + 1];
            if constexpr (gated) {
                low = silu(low) * sums[m][n + 2][2 * half];
                high = silu(high) * sums[m][n + 2][2 * half + 1];
            }
            if (row < args.lastRow) // an even number
                storeAs(static_cast<T *>(args.out) + pair * args.rows + row, pack2<T>(low, high));
        }
    }
}

inline constexpr int expertSumThreads = 256;

inline unsigned expertSumBlocks(std::int64_t tokens, int hidden)
{
    return static_cast<unsigned>((tokens * hidden / vectorWidth + expertSumThreads - 1) / expertSumThreads);
}

/// Eight neighbours a thread. Grid: expertSumBlocks.
template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(expertSumThreads, 1) void expertSum(ZZ_ARGS ExpertSumArgs args)
{
    waitForPrevious();
    allowNext();
    const std::int64_t at = (std::int64_t{blockIdx().x} * expertSumThreads + threadIdx().x) * vectorWidth;
    const std::int64_t token = at / args.hidden, column = at - token * args.hidden;
    if (token >= args.tokens)
        return;
    float sums[vectorWidth] = {};
    for (int i = 0; i < args.perToken; ++i) {
        const std::int64_t pair = token * args.perToken + i;
        float part[vectorWidth];
        loadVector(static_cast<const T *>(args.parts) + pair * args.hidden + column, part);
        ZZ_UNROLL
        for (int k = 0; k < vectorWidth; ++k)
            sums[k] += args.weights[pair] * part[k];
    }
    float out[vectorWidth];
    loadVector(args.out + at, out);
    ZZ_UNROLL
    for (int k = 0; k < vectorWidth; ++k)
        out[k] += sums[k];
    storeVector(args.out + at, out);
}

} // namespace zigzag::gpu
