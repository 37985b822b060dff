// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/gemv.cpp"
#include <hwy/foreach_target.h>

#include "engine/cpu/simd_inl.h"

HWY_BEFORE_NAMESPACE();
namespace zigzag::HWY_NAMESPACE {

template <int R, int T, bool Ahead, class Weight>
void dotTile(const Weight *w, std::size_t columns, const float *x, std::size_t xStride, float *out, std::size_t outStride)
{
    float sums[T][R];
    dotBlock<R, T, Ahead>(w, columns, x, xStride, columns, sums);
    for (int t = 0; t < T; ++t) {
        for (int r = 0; r < R; ++r)
            out[static_cast<std::size_t>(t) * outStride + static_cast<std::size_t>(r)] = sums[t][r];
    }
}

/// R rows of weights against all tokens; the rows stay in the first-level cache from one group of tokens to the next.
template <int R, class Weight>
void dotRowGroup(const Weight *w, std::size_t columns, const float *x, std::size_t xStride, std::size_t tokens, float *out,
                 std::size_t outStride)
{
    std::size_t t = 0;
    for (; t + 4 <= tokens; t += 4)
        dotTile<R, 4, false>(w, columns, x + t * xStride, xStride, out + t * outStride, outStride);
    for (; t + 2 <= tokens; t += 2)
        dotTile<R, 2, false>(w, columns, x + t * xStride, xStride, out + t * outStride, outStride);
    for (; t < tokens; ++t)
        dotTile<R, 1, false>(w, columns, x + t * xStride, xStride, out + t * outStride, outStride);
}

template <class Weight>
void dotRowsOf(const Weight *w, std::size_t rows, std::size_t columns, const float *x, std::size_t xStride, std::size_t tokens,
               float *out, std::size_t outStride)
{
    constexpr std::size_t longRow = 2048; // bytes
    std::size_t r = 0;
    if (tokens == 1 && columns * sizeof(Weight) >= longRow) {
        for (; r + 8 <= rows; r += 8)
            dotTile<8, 1, true>(w + r * columns, columns, x, xStride, out + r, outStride);
    }
    for (; r + 4 <= rows; r += 4)
        dotRowGroup<4>(w + r * columns, columns, x, xStride, tokens, out + r, outStride);
    for (; r < rows; ++r)
        dotRowGroup<1>(w + r * columns, columns, x, xStride, tokens, out + r, outStride);
}

void dotRows(DType type, const void *w, std::size_t rows, std::size_t columns, const float *x, std::size_t xStride,
             std::size_t tokens, float *out, std::size_t outStride)
{
    if (type == DType::F32)
        dotRowsOf(static_cast<const float *>(w), rows, columns, x, xStride, tokens, out, outStride);
    else if (type == DType::F16)
        dotRowsOf(static_cast<const Half *>(w), rows, columns, x, xStride, tokens, out, outStride);
    else if (type == DType::F8)
        dotRowsOf(static_cast<const Eighth *>(w), rows, columns, x, xStride, tokens, out, outStride);
    else
        dotRowsOf(static_cast<const Brain *>(w), rows, columns, x, xStride, tokens, out, outStride);
}

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zigzag {

HWY_EXPORT(dotRows);

void kernels::dotRows(DType type, const void *w, std::size_t rows, std::size_t columns, const float *x, std::size_t xStride,
                      std::size_t tokens, float *out, std::size_t outStride)
{
    HWY_DYNAMIC_DISPATCH(dotRows)(type, w, rows, columns, x, xStride, tokens, out, outStride);
}

} // namespace zigzag
#endif
