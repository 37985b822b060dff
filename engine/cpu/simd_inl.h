// SPDX-License-Identifier: GPL-3.0-or-later
// Loads, dot products and conversions for every SIMD target. Included once per target by files with foreach_target.h.

#if defined(ZIGZAG_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZIGZAG_SIMD_INL_H
#undef ZIGZAG_SIMD_INL_H
#else
#define ZIGZAG_SIMD_INL_H
#endif

#include "engine/base/dtype.h"

#include <cstddef>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zigzag::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
using Half = hwy::float16_t;
using Brain = hwy::bfloat16_t;

HWY_INLINE Vector load(Floats d, const float *from)
{
    return hn::LoadU(d, from);
}

template <class Narrow> HWY_INLINE Vector load(Floats d, const Narrow *from)
{
    const hn::Rebind<Narrow, Floats> narrow;
    return hn::PromoteTo(d, hn::LoadU(narrow, from));
}

HWY_INLINE float loadOne(const float *from)
{
    return *from;
}

HWY_INLINE float loadOne(const Half *from)
{
    return f16ToFloat(from->bits);
}

HWY_INLINE float loadOne(const Brain *from)
{
    return bf16ToFloat(from->bits);
}

/// sums[t][r] = dot(x[t], w[r]) over `columns`: R rows of w share each load of x, T rows of x share each load of w.
template <int R, int T, class Weight>
HWY_INLINE void dotBlock(const Weight *w, std::size_t wStride, const float *x, std::size_t xStride, std::size_t columns,
                         float (&sums)[T][R])
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    Vector sum[T][R];
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            sum[t][r] = hn::Zero(d);
    }
    std::size_t c = 0;
    for (; c + lanes <= columns; c += lanes) {
        Vector row[R];
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            row[r] = load(d, w + static_cast<std::size_t>(r) * wStride + c);
#pragma GCC unroll 16
        for (int t = 0; t < T; ++t) {
            const Vector in = hn::LoadU(d, x + static_cast<std::size_t>(t) * xStride + c);
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r)
                sum[t][r] = hn::MulAdd(row[r], in, sum[t][r]);
        }
    }
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r)
            sums[t][r] = hn::GetLane(hn::SumOfLanes(d, sum[t][r]));
    }
    for (; c < columns; ++c) {
        for (int t = 0; t < T; ++t) {
            for (int r = 0; r < R; ++r)
                sums[t][r]
                    += loadOne(w + static_cast<std::size_t>(r) * wStride + c) * x[static_cast<std::size_t>(t) * xStride + c];
        }
    }
}

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
