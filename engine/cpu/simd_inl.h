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
#include <cstdint>
#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace zigzag::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
using Half = hwy::float16_t;
using Brain = hwy::bfloat16_t;
/// E4M3 (DType::F8).
struct Eighth {
    std::uint8_t bits;
};

HWY_INLINE Vector load(Floats d, const float *from)
{
    return hn::LoadU(d, from);
}

template <class Narrow> HWY_INLINE Vector load(Floats d, const Narrow *from)
{
    const hn::Rebind<Narrow, Floats> narrow;
    return hn::PromoteTo(d, hn::LoadU(narrow, from));
}

/// As float16: the same mantissa, and an exponent that is 8 too low. That way no step meets a subnormal float32, which takes a
/// processor a hundred cycles; those of float16 cost nothing.
HWY_INLINE Vector load(Floats d, const Eighth *from)
{
    const hn::Rebind<std::int8_t, Floats> bytes;
    const hn::Rebind<std::int16_t, Floats> shorts;
    const hn::Rebind<Half, Floats> halves;
    const auto signTwice = hn::ShiftLeft<7>(hn::PromoteTo(shorts, hn::LoadU(bytes, reinterpret_cast<const std::int8_t *>(from))));
    const auto half = hn::And(signTwice, hn::Set(shorts, static_cast<std::int16_t>(~0x4000)));
    const Vector value = hn::Mul(hn::PromoteTo(d, hn::BitCast(halves, half)), hn::Set(d, 256.0f));
    // What would be the next number above the largest stands for NaN.
    return hn::IfThenElse(hn::Gt(hn::Abs(value), hn::Set(d, f8Max)), hn::NaN(d), value);
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

HWY_INLINE float loadOne(const Eighth *from)
{
    return f8ToFloat(from->bits);
}

#if HWY_TARGET != HWY_SCALAR
/// The sum of the 128-bit blocks of a vector.
template <class D> HWY_INLINE auto sumOfBlocks(D d, hn::Vec<D> v)
{
    if constexpr (hn::MaxLanes(D()) > 4) {
        const hn::Half<D> half;
        return sumOfBlocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
    } else {
        (void)d;
        return v;
    }
}

/// The sums of the lanes of four vectors, together: a third of the instructions of four sums.
HWY_INLINE void sumsOfLanes(Vector a, Vector b, Vector c, Vector e, float *sums)
{
    const Floats d;
    const hn::RepartitionToWide<Floats> wide;
    const Vector ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)); // a b a b in each block
    const Vector ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
    const auto first = hn::InterleaveLower(wide, hn::BitCast(wide, ab), hn::BitCast(wide, ce));
    const auto second = hn::InterleaveUpper(wide, hn::BitCast(wide, ab), hn::BitCast(wide, ce));
    const auto blocks = sumOfBlocks(d, hn::Add(hn::BitCast(d, first), hn::BitCast(d, second)));
    hn::StoreU(blocks, hn::DFromV<decltype(blocks)>(), sums);
}

#else
HWY_INLINE void sumsOfLanes(Vector a, Vector b, Vector c, Vector e, float *sums)
{
    sums[0] = a.raw, sums[1] = b.raw, sums[2] = c.raw, sums[3] = e.raw;
}
#endif

/// Bytes ahead of the reads: measured with long rows, 10 to 20 % more of the memory's rate on Intel, no loss on AMD.
constexpr std::size_t prefetchBytes = 512;

/// sums[t][r] = dot(x[t], w[r]) over `columns`: R rows of w share each load of x, T rows of x share each load of w.
/// Ahead: fetch weights before they are read, for rows long enough to profit.
template <int R, int T, bool Ahead, class Weight>
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
    const auto step = [&](std::size_t at) HWY_ATTR {
        Vector in[T];
#pragma GCC unroll 16
        for (int t = 0; t < T; ++t)
            in[t] = hn::LoadU(d, x + static_cast<std::size_t>(t) * xStride + at);
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
            const Vector row = load(d, w + static_cast<std::size_t>(r) * wStride + at);
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t)
                sum[t][r] = hn::MulAdd(row, in[t], sum[t][r]);
        }
    };
    [[maybe_unused]] constexpr std::size_t ahead = prefetchBytes / sizeof(Weight);
    std::size_t c = 0;
    for (; c + 2 * lanes <= columns; c += 2 * lanes) {
        if constexpr (Ahead) {
            // Past the end of the rows the next R of them begin; a prefetch beyond the matrix is ignored.
            const std::size_t at = c + ahead < columns ? c + ahead : c + ahead + (R - 1) * wStride;
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r)
                hwy::Prefetch(w + static_cast<std::size_t>(r) * wStride + at);
        }
        step(c);
        step(c + lanes);
    }
    for (; c + lanes <= columns; c += lanes)
        step(c);
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) {
        if constexpr (R % 4 == 0) {
#pragma GCC unroll 16
            for (int r = 0; r < R; r += 4)
                sumsOfLanes(sum[t][r], sum[t][r + 1], sum[t][r + 2], sum[t][r + 3], sums[t] + r);
        } else {
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r)
                sums[t][r] = hn::GetLane(hn::SumOfLanes(d, sum[t][r]));
        }
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
