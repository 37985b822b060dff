// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Matrix times a few vectors (1 to 16): a decode step's products, bound by the bytes of the weights. They go from memory
// straight into the registers that the tensor cores multiply. A dot product is a sum in any order, so a lane takes 16
// consecutive bytes of its row where the fragment layout would have it take 4 · 4 bytes from all over 32 columns, and the
// vectors are read in the same order. A block's 8 warps share 16 or 32 rows and split the columns; the weights of the next
// round, and of the block's next rows, are always on their way while a round is multiplied.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/matvec_args.h"

namespace zigzag::gpu {

/// 1 / the root mean square of a vector, from its warps' sums of squares.
template <int warps = matvecWarps> ZZ_DEVICE float normScale(const MatvecArgs &args, const float *sums, int row)
{
    float sum = 0;
    ZZ_UNROLL for (int w = 0; w < warps; ++w) sum += sums[row * warps + w];
    return rsqrtFast(sum / static_cast<float>(args.columns) + args.epsilon);
}

/// A block's vectors in shared memory, in rows of T that are padded with zeros to whole rounds.
template <class T> struct MatvecInput {
    char *shared;
    int pitch; ///< bytes of a row: an odd number of 64-byte units, so that two rows' parts lie in different banks

    /// Starts copying columns [begin, begin + count) of all vectors.
    ZZ_DEVICE void copy(const MatvecArgs &args, int begin, int count) const
    {
        const int chunks = count / 8;
        for (int i = static_cast<int>(threadIdx().x); i < args.batch * chunks; i += matvecThreads) {
            const int row = i / chunks, chunk = i % chunks, column = begin + chunk * 8;
            const T *from = static_cast<const T *>(args.in) + static_cast<std::int64_t>(row) * args.columns + column;
            copyAsync16(shared + row * pitch + chunk * 16, from, column < args.columns);
        }
        copyAsyncCommit();
    }

    /// RMSNorm (arXiv 1910.07467) of all vectors but for the division by the root mean square, which is one factor of the
    /// whole vector: it waits until the products are written (normScale), so that the vectors are read once. Leaves the sums
    /// of squares in `sums`: [matvecMaxBatch, warps] of shared memory. For a type with the range of float.
    ZZ_DEVICE void weigh(const MatvecArgs &args, int columns, float *sums) const
    {
        const auto *in = static_cast<const float *>(args.in);
        const int thread = static_cast<int>(threadIdx().x);
        for (int row = 0; row < args.batch; ++row) {
            float sum = 0;
            for (int c = thread * 4; c < columns; c += matvecThreads * 4) {
                std::uint32_t pairs[2] = {0, 0};
                if (c < args.columns) {
                    const Vec16 v = load16(in + static_cast<std::int64_t>(row) * args.columns + c);
                    const Vec16 w = load16(args.normWeight + c);
                    ZZ_UNROLL for (int i = 0; i < 4; ++i) sum += floatOfBits(v.w[i]) * floatOfBits(v.w[i]);
                    ZZ_UNROLL for (int i = 0; i < 2; ++i) pairs[i]
                        = pack2<T>(floatOfBits(v.w[2 * i]) * floatOfBits(w.w[2 * i]),
                                   floatOfBits(v.w[2 * i + 1]) * floatOfBits(w.w[2 * i + 1]));
                }
                storePairs(row, c, pairs);
            }
            keepSum(sums, row, sum);
        }
    }

    /// RMSNorm of all vectors, whole. `sums` as in weigh.
    ZZ_DEVICE void normalize(const MatvecArgs &args, int columns, float *sums) const
    {
        const auto *in = static_cast<const float *>(args.in);
        const int thread = static_cast<int>(threadIdx().x);
        for (int row = 0; row < args.batch; ++row) {
            float sum = 0;
            for (int c = thread * 4; c < args.columns; c += matvecThreads * 4) {
                const Vec16 v = load16(in + static_cast<std::int64_t>(row) * args.columns + c);
                ZZ_UNROLL for (int i = 0; i < 4; ++i) sum += floatOfBits(v.w[i]) * floatOfBits(v.w[i]);
            }
            keepSum(sums, row, sum);
        }
        syncThreads();
        for (int row = 0; row < args.batch; ++row) {
            const float scale = normScale(args, sums, row);
            for (int c = thread * 4; c < columns; c += matvecThreads * 4) {
                std::uint32_t pairs[2] = {0, 0};
                if (c < args.columns) {
                    const Vec16 v = load16(in + static_cast<std::int64_t>(row) * args.columns + c);
                    const Vec16 w = load16(args.normWeight + c);
                    ZZ_UNROLL for (int i = 0; i < 2; ++i) pairs[i]
                        = pack2<T>(floatOfBits(v.w[2 * i]) * scale * floatOfBits(w.w[2 * i]),
                                   floatOfBits(v.w[2 * i + 1]) * scale * floatOfBits(w.w[2 * i + 1]));
                }
                storePairs(row, c, pairs);
            }
        }
    }

private:
    ZZ_DEVICE void storePairs(int row, int column, const std::uint32_t (&pairs)[2]) const
    {
        auto *to = reinterpret_cast<std::uint32_t *>(shared + row * pitch + column * 2);
        to[0] = pairs[0];
        to[1] = pairs[1];
    }
    static ZZ_DEVICE void keepSum(float *sums, int row, float sum)
    {
        sum = warpSum(sum);
        if (laneId() == 0)
            sums[row * matvecWarps + static_cast<int>(warpId())] = sum;
    }
};

/// Where a lane finds its weights: rows g and g + 8 of each 16 of a block's tile (gated: row g of the gate's 8 and of up's).
template <class T, int rowTiles, bool gated> struct MatvecRows {
    const T *rows[rowTiles][2]; // at this lane's first column of round 0

    ZZ_DEVICE void find(const MatvecArgs &args, int tile, int column)
    {
        const int g = static_cast<int>(laneId()) / 4;
        const int which = gated ? 0 : productOf(args, tile);
        const int first = (tile - (which == 0 ? 0 : args.tileEnd[which - 1])) * rowTiles * (gated ? 8 : 16);
        ZZ_UNROLL for (int m = 0; m < rowTiles; ++m) ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            const MatvecProduct &product = args.products[gated ? half : which];
            int row = first + (gated ? m * 8 + g : m * 16 + half * 8 + g);
            row = row < product.rows ? row : product.rows - 1; // its result is not stored
            rows[m][half] = static_cast<const T *>(product.weights) + static_cast<std::int64_t>(row) * args.columns + column;
        }
    }
    static ZZ_DEVICE int productOf(const MatvecArgs &args, int tile)
    {
        return tile < args.tileEnd[0] ? 0 : tile < args.tileEnd[1] ? 1 : 2;
    }
};

ZZ_DEVICE void storeMatvec(const MatvecProduct &product, std::int64_t at, float value, Bf16)
{
    if (product.floatOut)
        static_cast<float *>(product.out)[at] = value;
    else
        static_cast<Bf16 *>(product.out)[at] = toBf16(value);
}
ZZ_DEVICE void storeMatvec(const MatvecProduct &product, std::int64_t at, float value, F16)
{
    if (product.floatOut)
        static_cast<float *>(product.out)[at] = value;
    else
        static_cast<F16 *>(product.out)[at] = toF16(value);
}

/// Adds up the warps' parts of a tile, [warps, rowTiles · 16, batchTiles · 8] in shared memory, and writes the results.
template <class T, int rowTiles, int batchTiles, bool gated>
ZZ_DEVICE void finishMatvecTile(const MatvecArgs &args, int tile, const float *parts, const float *squares)
{
    constexpr int columns = batchTiles * 8, tileRows = rowTiles * 16;
    const auto sumOf = [&](int row, int b) {
        float sum = 0;
        ZZ_UNROLL for (int w = 0; w < matvecWarps; ++w) sum += parts[(w * tileRows + row) * columns + b];
        return squares ? sum * normScale(args, squares, b) : sum;
    };
    if constexpr (gated) {
        constexpr int outRows = rowTiles * 8;
        for (int item = static_cast<int>(threadIdx().x); item < outRows * args.batch; item += matvecThreads) {
            const int local = item % outRows, b = item / outRows, row = tile * outRows + local;
            const MatvecProduct &gate = args.products[0], &up = args.products[1];
            if (row >= gate.rows)
                continue;
            const int at = local / 8 * 16 + local % 8;
            const float g = sumOf(at, b) + (gate.bias ? gate.bias[row] : 0.0f);
            const float u = sumOf(at + 8, b) + (up.bias ? up.bias[row] : 0.0f);
            const float silu = g / (1.0f + exp2Fast(-1.4426950408889634f * g));
            storeMatvec(gate, static_cast<std::int64_t>(b) * gate.rows + row, silu * u, T{});
        }
    } else {
        const int which = MatvecRows<T, rowTiles, gated>::productOf(args, tile);
        const MatvecProduct &product = args.products[which];
        const int first = (tile - (which == 0 ? 0 : args.tileEnd[which - 1])) * tileRows;
        for (int item = static_cast<int>(threadIdx().x); item < tileRows * args.batch; item += matvecThreads) {
            const int local = item % tileRows, b = item / tileRows, row = first + local;
            if (row >= product.rows)
                continue;
            const std::int64_t at = static_cast<std::int64_t>(b) * product.rows + row;
            float value = sumOf(local, b);
            if (product.bias)
                value += product.bias[row];
            value *= product.scale;
            if (product.residual)
                value += product.residual[at];
            storeMatvec(product, at, value, T{});
        }
    }
}

/// `whole`: all vectors are in shared memory from the start; otherwise a round's columns of them at a time, twice.
template <class T, int rowTiles, int batchTiles, bool gated, bool whole>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(matvecThreads, matvecBlocksPerSm) void matvec(ZZ_ARGS MatvecArgs args)
{
    constexpr int steps = matvecStepCount<rowTiles, batchTiles>, roundColumns = matvecRound<rowTiles, batchTiles>;
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), g = lane / 4, t = lane % 4;
    const int rounds = (args.columns + roundColumns - 1) / roundColumns;
    const int column = warp * steps * 32 + t * 8; // this lane's first one

    Vec16 weights[steps][rowTiles][2];
    MatvecRows<T, rowTiles, gated> rows;
    const auto load = [&](int step, int round, bool valid) {
        const int at = round * roundColumns + step * 32;
        ZZ_UNROLL for (int m = 0; m < rowTiles; ++m) ZZ_UNROLL for (int half = 0; half < 2; ++half) weights[step][m][half]
            = loadStreaming16(rows.rows[m][half] + at, valid && column + at < args.columns);
    };
    // Weights never change: they need not wait for the kernel before.
    int tile = static_cast<int>(blockIdx().x);
    rows.find(args, tile, column);
    ZZ_UNROLL for (int s = 0; s < steps; ++s) load(s, 0, true);
    allowNext();
    waitForPrevious();

    constexpr int partFloats = matvecWarps * rowTiles * 16 * batchTiles * 8;
    auto *parts = sharedMemory<float>(); // [2, warps, rows, vectors]
    float *squares = parts + 2 * partFloats; // [matvecMaxBatch, warps]
    // A half float could overflow before the division.
    constexpr bool scalesLast = std::is_same_v<T, Bf16>;
    const int paddedColumns = whole ? rounds * roundColumns : roundColumns;
    const MatvecInput<T> input{reinterpret_cast<char *>(squares + matvecMaxBatch * matvecWarps), paddedColumns * 2 + 64};
    if constexpr (whole) {
        if (args.normWeight) {
            if constexpr (scalesLast)
                input.weigh(args, paddedColumns, squares);
            else
                input.normalize(args, paddedColumns, squares);
        } else {
            input.copy(args, 0, paddedColumns);
            copyAsyncWait<0>();
        }
        syncThreads();
    } else {
        input.copy(args, 0, roundColumns);
    }

    int buffer = 0, part = 0; // which of the two
    for (; tile < args.tiles; tile += static_cast<int>(gridDim().x)) {
        float sums[rowTiles][batchTiles][4] = {};
        for (int round = 0; round < rounds; ++round) {
            const bool lastRound = round + 1 == rounds;
            const int next = lastRound ? 0 : round + 1;
            const char *vectors = input.shared;
            if constexpr (whole) {
                vectors += (round * roundColumns + column) * 2;
            } else {
                const int bytes = args.batch * input.pitch;
                copyAsyncWait<0>();
                syncThreads(); // the round's vectors are here, and every warp has left the other buffer
                MatvecInput<T> other = input;
                other.shared += (buffer ^ 1) * bytes;
                other.copy(args, next * roundColumns, roundColumns);
                vectors += buffer * bytes + column * 2;
                buffer ^= 1;
            }
            const bool more = !lastRound || tile + static_cast<int>(gridDim().x) < args.tiles;
            if (lastRound && more)
                rows.find(args, tile + static_cast<int>(gridDim().x), column);
            ZZ_UNROLL for (int s = 0; s < steps; ++s)
            {
                ZZ_UNROLL for (int n = 0; n < batchTiles; ++n)
                {
                    const int row = n * 8 + g;
                    const Vec16 x = load16(vectors + (row < args.batch ? row : 0) * input.pitch + s * 64);
                    ZZ_UNROLL for (int m = 0; m < rowTiles; ++m)
                    {
                        const Vec16 &low = weights[s][m][0], &high = weights[s][m][1];
                        mma16816<T>(sums[m][n], {low.w[0], high.w[0], low.w[1], high.w[1]}, {x.w[0], x.w[1]});
                        mma16816<T>(sums[m][n], {low.w[2], high.w[2], low.w[3], high.w[3]}, {x.w[2], x.w[3]});
                    }
                }
                load(s, next, more);
            }
        }
        float *mine = parts + part * partFloats + warp * rowTiles * 16 * batchTiles * 8;
        ZZ_UNROLL for (int m = 0; m < rowTiles; ++m) ZZ_UNROLL for (int n = 0; n < batchTiles; ++n)
            ZZ_UNROLL for (int i = 0; i < 4; ++i) mine[(m * 16 + g + i / 2 * 8) * batchTiles * 8 + n * 8 + 2 * t + i % 2]
            = sums[m][n][i];
        syncThreads();
        finishMatvecTile<T, rowTiles, batchTiles, gated>(args, tile, parts + part * partFloats,
                                                         scalesLast && args.normWeight ? squares : nullptr);
        part ^= 1; // who is still reading this one has not met the next barrier
    }
    copyAsyncWait<0>();
}

/// `plan` is of this launch's products. Fills in the tiles. Returns a cudaError_t.
template <class T> int launchMatvec(MatvecArgs args, const MatvecPlan &plan, Stream stream, Start start)
{
    for (int i = 0; i < matvecMaxProducts; ++i)
        args.tileEnd[i] = plan.tileEnd[static_cast<std::size_t>(i)];
    args.tiles = plan.tiles;
    const auto run = [&](auto kernel) {
        return launch(kernel, {plan.blocks, 1, 1}, matvecThreads, plan.sharedBytes, stream, args, start);
    };
    const auto pick = [&]<int rowTiles, int batchTiles>() {
        if (plan.gated)
            return plan.whole ? run(matvec<T, rowTiles, batchTiles, true, true>)
                              : run(matvec<T, rowTiles, batchTiles, true, false>);
        return plan.whole ? run(matvec<T, rowTiles, batchTiles, false, true>)
                          : run(matvec<T, rowTiles, batchTiles, false, false>);
    };
    if (plan.batchTiles == 2)
        return pick.template operator()<2, 2>();
    return plan.rowTiles == 2 ? pick.template operator()<2, 1>() : pick.template operator()<1, 1>();
}

} // namespace zigzag::gpu
