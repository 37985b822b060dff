// SPDX-License-Identifier: GPL-3.0-or-later
// Online softmax over key blocks (arXiv 2205.14135), twice: decode reads the cache as it is, one query per head; prefill
// holds the scores of a block as [key, query row], so that the softmax runs down the lanes and no key is ever transposed.
#include "engine/cpu/kernels.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/attention_kernels.cpp"
#include <hwy/foreach_target.h>

#include "engine/cpu/simd_inl.h"

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace zigzag::HWY_NAMESPACE {

/// Vectors side by side in the register tiles below: with 4 rows, 16 sums fit 32 registers and 8 fit 16.
constexpr int tileVectors = hn::MaxLanes(Floats()) >= 16 ? 4 : 2;

template <int Heads, int Vectors, class Value>
void accumulateTile(const Value *values, std::size_t keys, std::size_t dim, const float *weights, std::size_t weightStride,
                    const float *scale, float *out)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    Vector sums[Heads][Vectors];
#pragma GCC unroll 16
    for (int h = 0; h < Heads; ++h) {
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
            sums[h][v] = hn::Mul(hn::LoadU(d, out + static_cast<std::size_t>(h) * dim + static_cast<std::size_t>(v) * lanes),
                                 hn::Set(d, scale[h]));
    }
    for (std::size_t key = 0; key < keys; ++key) {
        Vector row[Vectors];
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
            row[v] = load(d, values + key * dim + static_cast<std::size_t>(v) * lanes);
#pragma GCC unroll 16
        for (int h = 0; h < Heads; ++h) {
            const Vector weight = hn::Set(d, weights[static_cast<std::size_t>(h) * weightStride + key]);
#pragma GCC unroll 16
            for (int v = 0; v < Vectors; ++v)
                sums[h][v] = hn::MulAdd(weight, row[v], sums[h][v]);
        }
    }
#pragma GCC unroll 16
    for (int h = 0; h < Heads; ++h) {
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
            hn::StoreU(sums[h][v], d, out + static_cast<std::size_t>(h) * dim + static_cast<std::size_t>(v) * lanes);
    }
}

template <int Heads, class Value>
void accumulateHeads(const Value *values, std::size_t keys, std::size_t dim, const float *weights, std::size_t weightStride,
                     const float *scale, float *out)
{
    const std::size_t lanes = hn::Lanes(Floats());
    std::size_t c = 0;
    for (; c + 4 * lanes <= dim; c += 4 * lanes)
        accumulateTile<Heads, 4>(values + c, keys, dim, weights, weightStride, scale, out + c);
    for (; c + lanes <= dim; c += lanes)
        accumulateTile<Heads, 1>(values + c, keys, dim, weights, weightStride, scale, out + c);
    for (; c < dim; ++c) {
        for (std::size_t h = 0; h < Heads; ++h) {
            float sum = out[h * dim + c] * scale[h];
            for (std::size_t key = 0; key < keys; ++key)
                sum += weights[h * weightStride + key] * loadOne(values + key * dim + c);
            out[h * dim + c] = sum;
        }
    }
}

template <class Value>
void accumulateValuesOf(const Value *values, std::size_t keys, std::size_t dim, const float *weights, std::size_t weightStride,
                        std::size_t heads, const float *scale, float *out)
{
    std::size_t h = 0;
    for (; h + 4 <= heads; h += 4)
        accumulateHeads<4>(values, keys, dim, weights + h * weightStride, weightStride, scale + h, out + h * dim);
    for (; h + 2 <= heads; h += 2)
        accumulateHeads<2>(values, keys, dim, weights + h * weightStride, weightStride, scale + h, out + h * dim);
    for (; h < heads; ++h)
        accumulateHeads<1>(values, keys, dim, weights + h * weightStride, weightStride, scale + h, out + h * dim);
}

void accumulateValues(DType type, const void *values, std::size_t keys, std::size_t dim, const float *weights,
                      std::size_t weightStride, std::size_t heads, const float *scale, float *out)
{
    if (type == DType::F32)
        accumulateValuesOf(static_cast<const float *>(values), keys, dim, weights, weightStride, heads, scale, out);
    else if (type == DType::F16)
        accumulateValuesOf(static_cast<const Half *>(values), keys, dim, weights, weightStride, heads, scale, out);
    else if (type == DType::F8)
        accumulateValuesOf(static_cast<const Eighth *>(values), keys, dim, weights, weightStride, heads, scale, out);
    else
        accumulateValuesOf(static_cast<const Brain *>(values), keys, dim, weights, weightStride, heads, scale, out);
}

float maxRow(const float *scores, std::size_t count)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    Vector largest = hn::Set(d, scores[0]);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        largest = hn::Max(largest, hn::LoadU(d, scores + i));
    float max = hn::GetLane(hn::MaxOfLanes(d, largest));
    for (; i < count; ++i)
        max = scores[i] > max ? scores[i] : max;
    return max;
}

float expRow(float *scores, std::size_t count, float max)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    Vector sums = hn::Zero(d);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const Vector e = hn::Exp(d, hn::Sub(hn::LoadU(d, scores + i), hn::Set(d, max)));
        hn::StoreU(e, d, scores + i);
        sums = hn::Add(sums, e);
    }
    float sum = hn::GetLane(hn::SumOfLanes(d, sums));
    for (; i < count; ++i) {
        scores[i] = std::exp(scores[i] - max);
        sum += scores[i];
    }
    return sum;
}

/// 4 keys × tileVectors vectors of query rows.
HWY_INLINE void scoreTile(const float *queries, const float *keys, std::size_t dim, float *scores)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    Vector sums[4][tileVectors];
#pragma GCC unroll 16
    for (int k = 0; k < 4; ++k) { // NOLINT(modernize-loop-convert): unrolled by its counter, as below
#pragma GCC unroll 16
        for (int v = 0; v < tileVectors; ++v)
            sums[k][v] = hn::Zero(d);
    }
    for (std::size_t c = 0; c < dim; ++c) {
        Vector row[tileVectors];
#pragma GCC unroll 16
        for (int v = 0; v < tileVectors; ++v)
            row[v] = hn::LoadU(d, queries + c * kernels::panelRows + static_cast<std::size_t>(v) * lanes);
#pragma GCC unroll 16
        for (int k = 0; k < 4; ++k) {
            const Vector key = hn::Set(d, keys[static_cast<std::size_t>(k) * dim + c]);
#pragma GCC unroll 16
            for (int v = 0; v < tileVectors; ++v)
                sums[k][v] = hn::MulAdd(key, row[v], sums[k][v]);
        }
    }
#pragma GCC unroll 16
    for (int k = 0; k < 4; ++k) {
#pragma GCC unroll 16
        for (int v = 0; v < tileVectors; ++v)
            hn::StoreU(sums[k][v], d,
                       scores + static_cast<std::size_t>(k) * kernels::panelRows + static_cast<std::size_t>(v) * lanes);
    }
}

void panelScores(const float *queries, const float *keys, std::size_t keyCount, std::size_t dim, float *scores)
{
    const std::size_t width = tileVectors * hn::Lanes(Floats());
    for (std::size_t m = 0; m < kernels::panelRows; m += width) {
        for (std::size_t key = 0; key < keyCount; key += 4)
            scoreTile(queries + m, keys + key * dim, dim, scores + key * kernels::panelRows + m);
    }
}

/// 4 query rows × Vectors vectors of the value's dimension.
template <int Vectors>
HWY_INLINE void valueTile(const float *weights, std::size_t keyCount, const float *values, std::size_t stride, const float *scale,
                          float *out)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    Vector sums[4][Vectors];
#pragma GCC unroll 16
    for (int r = 0; r < 4; ++r) {
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
            sums[r][v] = hn::Mul(hn::LoadU(d, out + static_cast<std::size_t>(r) * stride + static_cast<std::size_t>(v) * lanes),
                                 hn::Set(d, scale[r]));
    }
    for (std::size_t key = 0; key < keyCount; ++key) {
        Vector row[Vectors];
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
            row[v] = hn::LoadU(d, values + key * stride + static_cast<std::size_t>(v) * lanes);
#pragma GCC unroll 16
        for (int r = 0; r < 4; ++r) {
            const Vector weight = hn::Set(d, weights[key * kernels::panelRows + static_cast<std::size_t>(r)]);
#pragma GCC unroll 16
            for (int v = 0; v < Vectors; ++v)
                sums[r][v] = hn::MulAdd(weight, row[v], sums[r][v]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < 4; ++r) {
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; ++v)
            hn::StoreU(sums[r][v], d, out + static_cast<std::size_t>(r) * stride + static_cast<std::size_t>(v) * lanes);
    }
}

void panelSoftmaxAccumulate(float *scores, std::size_t keyCount, const float *values, std::size_t stride, float *rowMax,
                            float *rowSum, float *out)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    HWY_ALIGN float scale[kernels::panelRows];
    for (std::size_t m = 0; m < kernels::panelRows; m += lanes) {
        const Vector before = hn::LoadU(d, rowMax + m);
        Vector max = before;
        for (std::size_t key = 0; key < keyCount; ++key)
            max = hn::Max(max, hn::LoadU(d, scores + key * kernels::panelRows + m));
        Vector sum = hn::Zero(d);
        for (std::size_t key = 0; key < keyCount; ++key) {
            float *at = scores + key * kernels::panelRows + m;
            const Vector e = hn::Exp(d, hn::Sub(hn::LoadU(d, at), max));
            hn::StoreU(e, d, at);
            sum = hn::Add(sum, e);
        }
        const Vector shrink = hn::Exp(d, hn::Sub(before, max));
        hn::StoreU(shrink, d, scale + m);
        hn::StoreU(max, d, rowMax + m);
        hn::StoreU(hn::MulAdd(hn::LoadU(d, rowSum + m), shrink, sum), d, rowSum + m);
    }
    const std::size_t width = tileVectors * lanes;
    for (std::size_t m = 0; m < kernels::panelRows; m += 4) {
        std::size_t c = 0;
        for (; c + width <= stride; c += width)
            valueTile<tileVectors>(scores + m, keyCount, values + c, stride, scale + m, out + m * stride + c);
        for (; c < stride; c += lanes)
            valueTile<1>(scores + m, keyCount, values + c, stride, scale + m, out + m * stride + c);
    }
}

void panelStrongest(const float *scores, std::size_t keyCount, std::int32_t firstPosition, float *best, std::int32_t *position)
{
    const Floats d;
    const hn::RebindToSigned<Floats> ints;
    const std::size_t lanes = hn::Lanes(d);
    for (std::size_t m = 0; m < kernels::panelRows; m += lanes) {
        Vector max = hn::LoadU(d, best + m);
        auto at = hn::LoadU(ints, position + m);
        for (std::size_t key = 0; key < keyCount; ++key) {
            const Vector score = hn::LoadU(d, scores + key * kernels::panelRows + m);
            const auto larger = hn::Gt(score, max);
            max = hn::IfThenElse(larger, score, max);
            at = hn::IfThenElse(hn::RebindMask(ints, larger), hn::Set(ints, firstPosition + static_cast<std::int32_t>(key)), at);
        }
        hn::StoreU(max, d, best + m);
        hn::StoreU(at, ints, position + m);
    }
}

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zigzag {

HWY_EXPORT(accumulateValues);
HWY_EXPORT(maxRow);
HWY_EXPORT(expRow);
HWY_EXPORT(panelScores);
HWY_EXPORT(panelSoftmaxAccumulate);
HWY_EXPORT(panelStrongest);

namespace kernels {

void accumulateValues(DType type, const void *values, std::size_t keys, std::size_t dim, const float *weights,
                      std::size_t weightStride, std::size_t heads, const float *scale, float *out)
{
    HWY_DYNAMIC_DISPATCH(accumulateValues)(type, values, keys, dim, weights, weightStride, heads, scale, out);
}

float maxRow(const float *scores, std::size_t count)
{
    return HWY_DYNAMIC_DISPATCH(maxRow)(scores, count);
}

float expRow(float *scores, std::size_t count, float max)
{
    return HWY_DYNAMIC_DISPATCH(expRow)(scores, count, max);
}

void panelScores(const float *queries, const float *keys, std::size_t keyCount, std::size_t dim, float *scores)
{
    HWY_DYNAMIC_DISPATCH(panelScores)(queries, keys, keyCount, dim, scores);
}

void panelSoftmaxAccumulate(float *scores, std::size_t keyCount, const float *values, std::size_t stride, float *rowMax,
                            float *rowSum, float *out)
{
    HWY_DYNAMIC_DISPATCH(panelSoftmaxAccumulate)(scores, keyCount, values, stride, rowMax, rowSum, out);
}

void panelStrongest(const float *scores, std::size_t keyCount, std::int32_t firstPosition, float *best, std::int32_t *position)
{
    HWY_DYNAMIC_DISPATCH(panelStrongest)(scores, keyCount, firstPosition, best, position);
}

} // namespace kernels
} // namespace zigzag
#endif
