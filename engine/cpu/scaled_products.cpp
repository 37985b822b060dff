// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/scaled_products.cpp"
#include <hwy/foreach_target.h>

#include "engine/cpu/simd_inl.h"

HWY_BEFORE_NAMESPACE();
namespace zigzag::HWY_NAMESPACE {

/// Rows of weights in F8, and where their scales lie.
struct ScaledRows {
    const Eighth *numbers;
    std::size_t columns, length; ///< numbers that share a scale
    const float *scales[4]; ///< of each row
};

/// R rows against T tokens: what a scale belongs to is summed before it is multiplied, and the lanes are added at last.
template <int R, int T>
HWY_INLINE void scaledTile(const ScaledRows &w, const float *x, std::size_t xStride, float *out, std::size_t outStride)
{
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    Vector total[T][R];
    float rest[T][R] = {}; // where fewer numbers are left than a vector has
    for (int t = 0; t < T; ++t)
        for (int r = 0; r < R; ++r)
            total[t][r] = hn::Zero(d);
    for (std::size_t begin = 0, block = 0; begin < w.columns; begin += w.length, ++block) {
        const std::size_t end = std::min(begin + w.length, w.columns);
        Vector part[T][R];
#pragma GCC unroll 16
        for (int t = 0; t < T; ++t) {
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r)
                part[t][r] = hn::Zero(d);
        }
        std::size_t c = begin;
        for (; c + lanes <= end; c += lanes) {
            Vector in[T];
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t)
                in[t] = hn::LoadU(d, x + static_cast<std::size_t>(t) * xStride + c);
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r) {
                const Vector row = load(d, w.numbers + static_cast<std::size_t>(r) * w.columns + c);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t)
                    part[t][r] = hn::MulAdd(row, in[t], part[t][r]);
            }
        }
        for (int r = 0; r < R; ++r) {
            const Vector scale = hn::Set(d, w.scales[r][block]);
            for (int t = 0; t < T; ++t)
                total[t][r] = hn::MulAdd(part[t][r], scale, total[t][r]);
        }
        for (; c < end; ++c)
            for (int r = 0; r < R; ++r) {
                const float weight = w.scales[r][block] * loadOne(w.numbers + static_cast<std::size_t>(r) * w.columns + c);
                for (int t = 0; t < T; ++t)
                    rest[t][r] += weight * x[static_cast<std::size_t>(t) * xStride + c];
            }
    }
    for (int t = 0; t < T; ++t) {
        float sums[R];
        if constexpr (R == 4) {
            sumsOfLanes(total[t][0], total[t][1], total[t][2], total[t][3], sums);
        } else {
            for (int r = 0; r < R; ++r)
                sums[r] = hn::GetLane(hn::SumOfLanes(d, total[t][r]));
        }
        for (int r = 0; r < R; ++r)
            out[static_cast<std::size_t>(t) * outStride + static_cast<std::size_t>(r)] = sums[r] + rest[t][r];
    }
}

/// The rows stay in the first-level cache from one group of tokens to the next.
template <int R>
void scaledGroup(const ScaledRows &w, const float *x, std::size_t xStride, std::size_t tokens, float *out, std::size_t outStride)
{
    std::size_t t = 0;
    for (; t + 4 <= tokens; t += 4)
        scaledTile<R, 4>(w, x + t * xStride, xStride, out + t * outStride, outStride);
    for (; t + 2 <= tokens; t += 2)
        scaledTile<R, 2>(w, x + t * xStride, xStride, out + t * outStride, outStride);
    for (; t < tokens; ++t)
        scaledTile<R, 1>(w, x + t * xStride, xStride, out + t * outStride, outStride);
}

void dotScaledRows(const TensorView &matrix, std::size_t first, std::size_t rows, const float *x, std::size_t xStride,
                   std::size_t tokens, float *out, std::size_t outStride)
{
    const auto columns = static_cast<std::size_t>(matrix.columns);
    const auto from = [&](std::size_t row, std::size_t count) {
        ScaledRows some{reinterpret_cast<const Eighth *>(matrix.data) + row * columns,
                        columns,
                        static_cast<std::size_t>(matrix.scales.columnsPerScale),
                        {}};
        for (std::size_t r = 0; r < count; ++r)
            some.scales[r] = matrix.scales.ofRow(static_cast<std::int64_t>(row + r), matrix.columns);
        return some;
    };
    std::size_t r = 0;
    for (; r + 4 <= rows; r += 4)
        scaledGroup<4>(from(first + r, 4), x, xStride, tokens, out + r, outStride);
    for (; r < rows; ++r)
        scaledGroup<1>(from(first + r, 1), x, xStride, tokens, out + r, outStride);
}

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zigzag {

HWY_EXPORT(dotScaledRows);

void kernels::dotScaledRows(const TensorView &matrix, std::size_t first, std::size_t rows, const float *x, std::size_t xStride,
                            std::size_t tokens, float *out, std::size_t outStride)
{
    HWY_DYNAMIC_DISPATCH(dotScaledRows)(matrix, first, rows, x, xStride, tokens, out, outStride);
}

} // namespace zigzag
#endif
