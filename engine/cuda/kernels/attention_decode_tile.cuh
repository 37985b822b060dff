// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// What a warp of attention_decode.cuh does with its keys and values, once they are in shared memory.

#include "engine/cuda/gpu/gpu.h"
#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/attention_scores.cuh"

namespace zigzag::gpu {

/// One warp's 16 query rows (the query heads of one KV head, and padding) and what they have seen so far. M is the type of
/// matrices. Lane = 4 g + t; a lane holds rows g and g + 8.
template <class M, int headDim> struct DecodeState {
    static constexpr int steps = headDim / 16;

    std::uint32_t query[steps][4];
    float out[headDim / 8][4];
    float max[2], sum[2]; ///< max: in powers of two, of the whole row; sum: of this lane's keys

    ZZ_DEVICE void clear()
    {
        ZZ_UNROLL for (auto &tile : out) ZZ_UNROLL for (float &value : tile) value = 0;
        max[0] = max[1] = decodeLowest;
        sum[0] = sum[1] = 0;
    }

    /// Turns scores of 16 keys, of which the first `count` are visible, into weights. Without a cap `capScale` is not used.
    template <bool capped>
    ZZ_DEVICE void soften(std::uint32_t (&weights)[4], float (&scores)[2][4], int count, float scale, float capScale)
    {
        const int t = static_cast<int>(laneId()) % 4;
        if constexpr (capped)
            ZZ_UNROLL for (int i = 0; i < 8; ++i) scores[i / 4][i % 4] = cappedScore(scores[i / 4][i % 4], capScale);
        if (count < decodeWarpKeys)
            ZZ_UNROLL for (int i = 0; i < 8; ++i) if (i / 4 * 8 + 2 * t + i % 2 >= count) scores[i / 4][i % 4] = decodeHidden;

        // The maximum only guards against overflow: weights up to 2^8 are as exact, so it follows late and seldom.
        float largest[2];
        ZZ_UNROLL for (int r = 0; r < 2; ++r) largest[r]
            = scale * maxOf(maxOf(scores[0][2 * r], scores[0][2 * r + 1]), maxOf(scores[1][2 * r], scores[1][2 * r + 1]));
        if (warpAny(largest[0] > max[0] + 8.0f || largest[1] > max[1] + 8.0f))
            raise(largest);

        ZZ_UNROLL for (int i = 0; i < 4; ++i)
        {
            const int r = i % 2;
            const float low = exp2Fast(scores[i / 2][2 * r] * scale - max[r]);
            const float high = exp2Fast(scores[i / 2][2 * r + 1] * scale - max[r]);
            sum[r] += low + high;
            weights[i] = pack2<M>(low, high);
        }
    }

    ZZ_DEVICE void raise(float (&largest)[2])
    {
        ZZ_UNROLL for (int r = 0; r < 2; ++r)
        {
            largest[r] = maxOf(largest[r], shuffleXor(largest[r], 1));
            largest[r] = maxOf(largest[r], shuffleXor(largest[r], 2));
            const float newMax = maxOf(max[r], largest[r]), shrink = exp2Fast(max[r] - newMax);
            max[r] = newMax;
            sum[r] *= shrink;
            ZZ_UNROLL for (auto &tile : out)
            {
                tile[2 * r] *= shrink;
                tile[2 * r + 1] *= shrink;
            }
        }
    }

    /// Leaves states [16, 2] in shared memory, and calls write(r, row) for the lane's rows that exist.
    template <class Write> ZZ_DEVICE void storeRows(float *states, int rows, Write write)
    {
        const int lane = static_cast<int>(laneId()), t = lane % 4;
        ZZ_UNROLL for (int r = 0; r < 2; ++r)
        {
            sum[r] += shuffleXor(sum[r], 1);
            sum[r] += shuffleXor(sum[r], 2);
            const int row = lane / 4 + 8 * r;
            if (row >= rows)
                continue;
            write(r, row);
            if (t == 0)
                *reinterpret_cast<Float2 *>(states + row * 2) = {max[r], sum[r]};
        }
    }
};

/// T is the type of queries, K of keys and values, which begin `rowBytes` apart in shared memory.
template <class T, class K, int headDim> struct DecodeTile : DecodeState<T, headDim> {
    static_assert(std::is_same_v<T, K>);
    using State = DecodeState<T, headDim>;
    using State::out, State::query, State::steps;
    static constexpr int rowBytes = paddedRow<headDim>;

    /// `pitch`: numbers from one query row to the next.
    ZZ_DEVICE void begin(const T *queries, int rows, int pitch)
    {
        const int g = static_cast<int>(laneId()) / 4, t = static_cast<int>(laneId()) % 4;
        ZZ_UNROLL for (int s = 0; s < steps; ++s) ZZ_UNROLL for (int i = 0; i < 4; ++i)
        {
            const int row = g + i % 2 * 8;
            const T *from = queries + row * pitch + s * 16 + i / 2 * 8 + 2 * t;
            query[s][i] = row < rows ? *reinterpret_cast<const std::uint32_t *>(from) : 0;
        }
        State::clear();
    }

    /// 16 keys and values in shared memory, of which the first `count` are visible.
    template <bool capped> ZZ_DEVICE void attend(const char *keys, const char *values, int count, float scale, float capScale)
    {
        const int lane = static_cast<int>(laneId());
        float scores[2][4] = {};
        const char *key = keys + ((lane & 7) + (lane & 16) / 2) * rowBytes + (lane & 8) * 2;
        ZZ_UNROLL for (int s = 0; s < steps; ++s)
        {
            std::uint32_t k[4];
            loadMatrix4(k, key + s * 32);
            mma16816<T>(scores[0], query[s], {k[0], k[1]});
            mma16816<T>(scores[1], query[s], {k[2], k[3]});
        }
        std::uint32_t weights[4];
        State::template soften<capped>(weights, scores, count, scale, capScale);
        const char *value = values + (lane & 15) * rowBytes + (lane & 16);
        ZZ_UNROLL for (int s = 0; s < steps; ++s)
        {
            std::uint32_t v[4];
            loadMatrix4Transposed(v, value + s * 32);
            mma16816<T>(out[2 * s], weights, {v[0], v[1]});
            mma16816<T>(out[2 * s + 1], weights, {v[2], v[3]});
        }
    }

    /// Leaves sums [16, headDim + 8] and states [16, 2] in shared memory.
    ZZ_DEVICE void store(float *sums, float *states, int rows)
    {
        const int t = static_cast<int>(laneId()) % 4;
        State::storeRows(states, rows, [&](int r, int row) {
            ZZ_UNROLL for (int n = 0; n < headDim / 8; ++n)
                * reinterpret_cast<Float2 *>(sums + row * (headDim + 8) + n * 8 + 2 * t)
                = {out[n][2 * r], out[n][2 * r + 1]};
        });
    }
};

/// F8 keys and values are multiplied as F16, which holds each of them. No instruction brings bytes into the layout of a matrix,
/// but sums may run in any order, and columns be renamed: a lane takes four neighbours of a key's dimensions where a matrix
/// would have two pairs, and of a value's, whose four columns 8 j + n (n: of one product) are dimensions 4 n + j of each 32.
template <class T, int headDim> struct DecodeTile<T, F8, headDim> : DecodeState<F16, headDim> {
    using State = DecodeState<F16, headDim>;
    using State::out, State::query, State::steps;
    /// Rows 2 t, and rows g, of one instruction lie in different banks.
    static constexpr int rowBytes = headDim + (headDim % 32 == 0 ? 16 : 32);
    static constexpr int wholes = headDim / 32; ///< with half of one where head_dim is an odd multiple of 16

    ZZ_DEVICE void begin(const T *queries, int rows, int pitch)
    {
        const int g = static_cast<int>(laneId()) / 4, t = static_cast<int>(laneId()) % 4;
        ZZ_UNROLL for (int s = 0; s < steps; ++s) ZZ_UNROLL for (int i = 0; i < 4; ++i)
        {
            const int row = g + i % 2 * 8;
            const T *from = queries + row * pitch + s * 16 + 4 * t + i / 2 * 2;
            query[s][i] = row < rows ? toF16Pair<T>(*reinterpret_cast<const std::uint32_t *>(from)) : 0;
        }
        State::clear();
    }

    template <bool capped> ZZ_DEVICE void attend(const char *keys, const char *values, int count, float scale, float capScale)
    {
        const int lane = static_cast<int>(laneId()), g = lane / 4, t = lane % 4;
        float scores[2][4] = {};
        const char *key = keys + g * rowBytes + 4 * t;
        ZZ_UNROLL for (int s = 0; s < steps; ++s) ZZ_UNROLL for (int n = 0; n < 2; ++n)
        {
            const auto four = loadAs<std::uint32_t>(key + n * 8 * rowBytes + s * 16);
            mma16816<F16>(scores[n], query[s], {f8PairToF16(four), f8PairToF16(four >> 16)});
        }
        std::uint32_t weights[4];
        State::template soften<capped>(weights, scores, count, scale, capScale);
        const char *value = values + 2 * t * rowBytes;
        ZZ_UNROLL for (int c = 0; c < wholes; ++c) addValues<std::uint32_t>(c * 4, weights, value + c * 32 + 4 * g);
        if constexpr (headDim % 32 != 0)
            addValues<std::uint16_t>(wholes * 4, weights, value + wholes * 32 + 2 * g);
    }

    /// Adds the columns of out[first] and the following whose values lie at `value`, one to a byte of Columns.
    template <class Columns> ZZ_DEVICE void addValues(int first, const std::uint32_t (&weights)[4], const char *value)
    {
        std::uint32_t rows[4]; // 2 t, 2 t + 1, 2 t + 8, 2 t + 9
        ZZ_UNROLL for (int i = 0; i < 4; ++i) rows[i] = loadAs<Columns>(value + (i % 2 + i / 2 * 8) * rowBytes);
        ZZ_UNROLL for (int j = 0; j < static_cast<int>(sizeof(Columns)); j += 2)
        {
            const std::uint32_t order = j == 0 ? 0x5140 : 0x7362; // two bytes of each row, in turns
            const std::uint32_t low = pickBytes(rows[0], rows[1], order), high = pickBytes(rows[2], rows[3], order);
            mma16816<F16>(out[first + j], weights, {f8PairToF16(low), f8PairToF16(high)});
            mma16816<F16>(out[first + j + 1], weights, {f8PairToF16(low >> 16), f8PairToF16(high >> 16)});
        }
    }

    ZZ_DEVICE void store(float *sums, float *states, int rows)
    {
        const int t = static_cast<int>(laneId()) % 4;
        State::storeRows(states, rows, [&](int r, int row) {
            float *to = sums + row * (headDim + 8);
            ZZ_UNROLL for (int c = 0; c < wholes; ++c) ZZ_UNROLL for (int j = 0; j < 8; j += 2)
                * reinterpret_cast<Float2 *>(to + c * 32 + 8 * t + j)
                = {out[c * 4 + j % 4][2 * r + j / 4], out[c * 4 + j % 4 + 1][2 * r + j / 4]};
            if constexpr (headDim % 32 != 0)
                ZZ_UNROLL for (int e = 0; e < 2; ++e) * reinterpret_cast<Float2 *>(to + wholes * 32 + 4 * t + 2 * e)
                    = {out[wholes * 4][2 * r + e], out[wholes * 4 + 1][2 * r + e]};
        });
    }
};

} // namespace zigzag::gpu
