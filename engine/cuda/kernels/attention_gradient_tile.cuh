// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// What both tensor-core kernels of attention's gradient are made of: four warps, each with 16 rows of its own, which it
// multiplies with tiles of 64 rows in shared memory.

#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/attention_gradient_args.h"
#include "engine/cuda/kernels/attention_scores.cuh"

namespace zigzag::gpu {

inline constexpr int gradientWarps = 4;
inline constexpr int gradientThreads = gradientWarps * warpSize;
inline constexpr int gradientWarpRows = gradientTile / gradientWarps;
static_assert(gradientWarpRows == 16);

/// Bytes of a tile in shared memory.
template <int headDim> inline constexpr int gradientTileBytes = gradientTile *paddedRow<headDim>;

/// Starts the copy of a tile whose rows lie `stride` bytes apart; zeros from row `count` on.
template <int headDim> ZZ_DEVICE void copyGradientTile(char *shared, const char *global, std::int64_t stride, int count)
{
    constexpr int chunks = headDim / 8; // of a row
    static_assert(gradientTile * chunks % gradientThreads == 0);
    const int thread = static_cast<int>(threadIdx().x);
    ZZ_UNROLL
    for (int i = 0; i < gradientTile * chunks / gradientThreads; ++i) {
        const int at = thread + i * gradientThreads, row = at / chunks, column = at % chunks * 16;
        copyAsync16(shared + row * paddedRow<headDim> + column, global + row * stride + column, row < count);
    }
}

/// scores = own · othersᵀ: 16 rows by `count` rows. Lane = 4 g + t; index 2 h + i of a group n of eight columns is row 8 h + g
/// and column 8 n + 2 t + i.
template <class T, int headDim, int count>
ZZ_DEVICE void scoreRows(float (&scores)[count / 8][4], const char *own, const char *others)
{
    constexpr int rowBytes = paddedRow<headDim>;
    const int lane = static_cast<int>(laneId());
    const char *a = own + (lane & 15) * rowBytes + (lane & 16);
    const char *b = others + ((lane & 7) + (lane & 16) / 2) * rowBytes + (lane & 8) * 2;
    ZZ_UNROLL
    for (auto &tile : scores)
        ZZ_UNROLL
    for (float &score : tile)
        score = 0;
    ZZ_UNROLL
    for (int s = 0; s < headDim / 16; ++s) {
        std::uint32_t rows[4];
        loadMatrix4(rows, a + s * 32);
        ZZ_UNROLL
        for (int n = 0; n < count / 16; ++n) {
            std::uint32_t columns[4];
            loadMatrix4(columns, b + n * 16 * rowBytes + s * 32);
            mma16816<T>(scores[2 * n], rows, {columns[0], columns[1]});
            mma16816<T>(scores[2 * n + 1], rows, {columns[2], columns[3]});
        }
    }
}

/// sums += factors · others: the factors lie as scoreRows leaves its scores.
template <class T, int headDim, int count>
ZZ_DEVICE void addRows(float (&sums)[headDim / 8][4], const float (&factors)[count / 8][4], const char *others)
{
    constexpr int rowBytes = paddedRow<headDim>;
    const int lane = static_cast<int>(laneId());
    const char *b = others + (lane & 15) * rowBytes + (lane & 16);
    ZZ_UNROLL
    for (int s = 0; s < count / 16; ++s) {
        std::uint32_t rows[4];
        ZZ_UNROLL
        for (int i = 0; i < 4; ++i)
            rows[i] = pack2<T>(factors[2 * s + i / 2][i % 2 * 2], factors[2 * s + i / 2][i % 2 * 2 + 1]);
        ZZ_UNROLL
        for (int n = 0; n < headDim / 16; ++n) {
            std::uint32_t columns[4];
            loadMatrix4Transposed(columns, b + s * 16 * rowBytes + n * 32);
            mma16816<T>(sums[2 * n], rows, {columns[0], columns[1]});
            mma16816<T>(sums[2 * n + 1], rows, {columns[2], columns[3]});
        }
    }
}

/// The warp's 16 rows times `scale`. `to`: of its first row; `stride` in numbers; rows from `count` on are left out.
template <int headDim>
ZZ_DEVICE void writeRows(const float (&sums)[headDim / 8][4], float *to, std::int64_t stride, int count, float scale, bool add)
{
    const int lane = static_cast<int>(laneId());
    ZZ_UNROLL
    for (int h = 0; h < 2; ++h) {
        const int row = 8 * h + lane / 4;
        if (row >= count)
            continue;
        float *at = to + row * stride + lane % 4 * 2;
        ZZ_UNROLL
        for (int n = 0; n < headDim / 8; ++n) {
            Float2 value = {sums[n][2 * h] * scale, sums[n][2 * h + 1] * scale};
            if (add) {
                const auto held = loadAs<Float2>(at + 8 * n);
                value = {value.x + held.x, value.y + held.y};
            }
            storeAs(at + 8 * n, value);
        }
    }
}

/// The key-range rule of engine/map/head_pattern.h.
struct GradientRange {
    int sink, recent;

    ZZ_DEVICE bool sees(int query, int key) const { return key <= query && (key < sink || query - key < recent); }
    /// Whether a query of [query, query + queries) sees a key of [key, key + keys), and whether all see all.
    ZZ_DEVICE bool none(int query, int queries, int key, int keys) const
    {
        return key > query + queries - 1 || (key >= sink && query - (key + keys - 1) >= recent);
    }
    ZZ_DEVICE bool all(int query, int queries, int key, int keys) const
    {
        return key + keys - 1 <= query && (key + keys <= sink || query + queries - 1 - key < recent);
    }
};

} // namespace zigzag::gpu
