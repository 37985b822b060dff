// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// What one multiplying group of attention_hopper.cuh holds in registers.

#include "engine/cuda/kernels/attention_hopper_shared.cuh"

namespace zigzag::gpu {

/// A group's 64 query rows. Registers as products have them (hopper.h): index h of `max` and `sum` is row 16 warp + 8 h + g.
/// T: the type of matrices.
template <class T, int headDim, class Shared> struct HopperTile {
    static constexpr int tileKeys = Shared::tileKeys;

    float out[headDim / 2];
    float scores[tileKeys / 2];
    std::uint32_t weights[tileKeys / 4];
    float max[2], sum[2]; ///< as PrefillTile's

    ZZ_DEVICE void begin()
    {
        max[0] = max[1] = prefillLowest;
        sum[0] = sum[1] = 0;
        ZZ_UNROLL
        for (int i = 0; i < headDim / 2; ++i)
            out[i] = 0;
    }

    /// Starts scores = queries · keysᵀ.
    ZZ_DEVICE void startScores(const char *queries, const char *keys)
    {
        ZZ_UNROLL
        for (int s = 0; s < headDim / 16; ++s)
            hopper::multiplyShared<T>(scores, hopper::matrixAt(queries + s / 4 * Shared::queryColumn + s % 4 * 32, 16),
                                      hopper::matrixAt(keys + s / 4 * Shared::keyColumn + s % 4 * 32, 16), s > 0);
        hopper::endProducts();
    }
    /// Starts out += weights · values.
    ZZ_DEVICE void startOut(const char *values)
    {
        ZZ_UNROLL
        for (int s = 0; s < tileKeys / 16; ++s) {
            const std::uint32_t w[4] = {weights[4 * s], weights[4 * s + 1], weights[4 * s + 2], weights[4 * s + 3]};
            hopper::multiplyRegisters<T>(out, w, hopper::matrixAt(values + s * 16 * Shared::rowBytes, Shared::keyColumn));
        }
        hopper::endProducts();
    }

    ZZ_DEVICE void cap(float capScale)
    {
        ZZ_UNROLL
        for (int i = 0; i < tileKeys / 2; ++i)
            scores[i] = cappedScore(scores[i], capScale);
    }

    /// Hides what the group's rows, from position `firstRow` on, do not see of a tile, if there is anything.
    ZZ_DEVICE void hideEdges(const PrefillWork &work, int firstRow, int key, int end)
    {
        const int lastKey = key + tileKeys - 1, lane = static_cast<int>(laneId());
        if (lastKey > firstRow || lastKey >= end || (lastKey >= work.sink && firstRow + 63 - key >= work.recent))
            hide(firstRow + static_cast<int>(warpId()) % 4 * 16 + lane / 4, key + lane % 4 * 2, end, work.sink, work.recent);
    }
    /// The key-range rule. `row`: position of the thread's first row, `key`: of the thread's first key, `end`: of the segment.
    ZZ_DEVICE void hide(int row, int key, int end, int sink, int recent)
    {
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            const int query = row + 8 * h, last = query < end ? query : end - 1;
            ZZ_UNROLL
            for (int j = 0; j < tileKeys / 8; ++j)
                ZZ_UNROLL
            for (int i = 0; i < 2; ++i) {
                const int at = key + 8 * j + i;
                float &score = scores[4 * j + 2 * h + i]; // a choice, not a branch: a branch a number would cost registers
                score = at > last || (at >= sink && query - at >= recent) ? prefillHidden : score;
            }
        }
    }

    /// Turns scores into weights, where they are: products may still read `weights`. Whether `out` must be shrunk.
    ZZ_DEVICE bool soften(float (&shrink)[2], float scale)
    {
        float largest[2];
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            largest[h] = scores[2 * h];
            ZZ_UNROLL
            for (int j = 0; j < tileKeys / 8; ++j)
                largest[h] = maxOf(largest[h], maxOf(scores[4 * j + 2 * h], scores[4 * j + 2 * h + 1]));
            largest[h] *= scale;
        }
        // The maximum only guards against overflow: weights up to 2^8 are as exact, so it follows late and seldom.
        const bool raises = warpAny(largest[0] > max[0] + 8.0f || largest[1] > max[1] + 8.0f);
        if (raises) {
            ZZ_UNROLL
            for (int h = 0; h < 2; ++h) {
                largest[h] = maxOf(largest[h], shuffleXor(largest[h], 1));
                largest[h] = maxOf(largest[h], shuffleXor(largest[h], 2));
                const float newMax = maxOf(max[h], largest[h]);
                shrink[h] = exp2Fast(max[h] - newMax);
                max[h] = newMax;
                sum[h] *= shrink[h];
            }
        }
        ZZ_UNROLL
        for (int j = 0; j < tileKeys / 8; ++j)
            ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            float &low = scores[4 * j + 2 * h], &high = scores[4 * j + 2 * h + 1];
            low = exp2Fast(low * scale - max[h]);
            high = exp2Fast(high * scale - max[h]);
            sum[h] += low + high;
        }
        return raises;
    }
    ZZ_DEVICE void shrinkOut(const float (&shrink)[2])
    {
        ZZ_UNROLL
        for (int j = 0; j < headDim / 8; ++j)
            ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            out[4 * j + 2 * h] *= shrink[h];
            out[4 * j + 2 * h + 1] *= shrink[h];
        }
    }
    ZZ_DEVICE void pack()
    {
        ZZ_UNROLL
        for (int i = 0; i < tileKeys / 4; ++i)
            weights[i] = pack2<T>(scores[2 * i], scores[2 * i + 1]);
        hopper::keepBehind(weights);
    }

    /// The rows in Out. `to`: of the warp's first row, which `rows` of them follow; `sinkLogit`: the query head's, or null.
    template <class Out> ZZ_DEVICE void write(char *to, std::int64_t stride, int rows, const float *sinkLogit, float valueScale)
    {
        const int lane = static_cast<int>(laneId()), g = lane / 4, t = lane % 4;
        ZZ_UNROLL
        for (int h = 0; h < 2; ++h) {
            sum[h] += shuffleXor(sum[h], 1);
            sum[h] += shuffleXor(sum[h], 2);
            if (sinkLogit)
                sum[h] += sinkWeight(*sinkLogit, max[h]);
            const float scale = rcpFast(sum[h]) * valueScale;
            char *row = to + (8 * h + g) * stride + t * 16;
            const bool writes = 8 * h + g < rows;
            ZZ_UNROLL
            for (int j = 0; j < headDim / 8; j += 4) {
                std::uint32_t w[4]; // of 16 bytes each, this lane's part
                ZZ_UNROLL
                for (int i = 0; i < 4; ++i)
                    w[i] = pack2<Out>(out[4 * (j + i) + 2 * h] * scale, out[4 * (j + i) + 2 * h + 1] * scale);
                transpose(w, t); // now the parts of all lanes, of 16 bytes
                if (writes)
                    store16(row + j * 16, {{w[0], w[1], w[2], w[3]}});
            }
        }
    }
    /// Four registers of each of four lanes: rows become columns.
    static ZZ_DEVICE void transpose(std::uint32_t (&w)[4], int t)
    {
        exchange(w[0], w[1], t, 1);
        exchange(w[2], w[3], t, 1);
        exchange(w[0], w[2], t, 2);
        exchange(w[1], w[3], t, 2);
    }
    static ZZ_DEVICE void exchange(std::uint32_t &low, std::uint32_t &high, int t, int bit)
    {
        const bool upper = (t & bit) != 0;
        const std::uint32_t got = shuffleXor(upper ? low : high, bit);
        (upper ? low : high) = got;
    }
};

} // namespace zigzag::gpu
