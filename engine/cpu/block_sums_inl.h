// SPDX-License-Identifier: GPL-3.0-or-later
// Rows of blocks against rows of rounded activations, for every SIMD target that has vectors of 32 bytes: products of codes are
// exact integers, which the scales of both make float32 and add up. A sum is the same whatever rows and tokens are beside it.
// Included once per target by files with foreach_target.h.

#if defined(ZIGZAG_BLOCK_SUMS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZIGZAG_BLOCK_SUMS_INL_H
#undef ZIGZAG_BLOCK_SUMS_INL_H
#else
#define ZIGZAG_BLOCK_SUMS_INL_H
#endif

#include "engine/cpu/block_pairs_inl.h"
#include "engine/cpu/rounded_rows.h"

#include <algorithm>

ZIGZAG_BEFORE_BLOCKS();
namespace zigzag::HWY_NAMESPACE {

#if ZIGZAG_HAS_BLOCK_VECTORS

/// The sums of four products each, of unsigned codes up to 128 with signed ones from -127 to 127.
HWY_INLINE __m256i sumsOfFour(__m256i codes, __m256i rounded)
{
    return _mm256_madd_epi16(_mm256_maddubs_epi16(codes, rounded), _mm256_set1_epi16(1)); // two products stay below 2^15
}

HWY_INLINE float sumOf(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

#if ZIGZAG_HAS_BYTE_PRODUCTS

/// A row's sums with T tokens, group by group: lanes that are still to be added up.
template <class Codes, int T> struct RowSums {
    __m512 sum[T][2], least[T]; ///< sums of even and odd pairs of parts, so that one does not wait for the other
    RoundedRows x[T];

    explicit HWY_INLINE RowSums(const RoundedRows &rows)
    {
        for (int t = 0; t < T; ++t) {
            sum[t][0] = sum[t][1] = least[t] = _mm512_setzero_ps();
            x[t] = rows.from(static_cast<std::size_t>(t));
        }
    }

    /// Which of a group's factors are those of the lanes of a pair of parts.
    static HWY_INLINE __m512i lanesOf(int pair)
    {
        const int a = Codes::halves ? 4 * pair : 2 * pair, b = Codes::halves ? a + 1 : a, c = Codes::halves ? a + 2 : a + 1,
                  d = Codes::halves ? a + 3 : a + 1;
        return _mm512_setr_epi32(a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d);
    }

    HWY_INLINE __m512 factorsWith(__m512 own, std::size_t group, int t)
    {
        if constexpr (Codes::halves) {
            const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
            const __m512 lowest = _mm512_mul_ps(own, _mm512_set1_ps(Codes::leastCode));
            least[t] = _mm512_fmadd_ps(lowest, _mm512_load_ps(x[t].halfSums(group)), least[t]);
            return _mm512_mul_ps(own, _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_load_ps(x[t].scales(group)))));
        } else {
            const __m512 factors = _mm512_mul_ps(own, _mm512_load_ps(x[t].scales(group))); // and its sums
            if constexpr (!Codes::areSigned)
                least[t] = _mm512_mask_add_ps(least[t], 0xff00, least[t], factors);
            return factors;
        }
    }

    HWY_INLINE void addPair(__m512i codes, int pair, std::size_t group, const __m512 (&factors)[T])
    {
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) {
            const __m512i start = Codes::areSigned ? _mm512_load_si512(x[t].offsets(group) + 16 * pair) : _mm512_setzero_si512();
            const __m512i products = _mm512_dpbusd_epi32(start, codes, _mm512_load_si512(x[t].codes(group) + 64 * pair));
            sum[t][pair % 2] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products), _mm512_permutexvar_ps(lanesOf(pair), factors[t]),
                                               sum[t][pair % 2]);
        }
    }

    HWY_INLINE void addGroup(const std::uint8_t *at, std::size_t group, int parts)
    {
        const __m512 own = Pairs<Codes>::factors(at, parts);
        __m512 factors[T];
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t)
            factors[t] = factorsWith(own, group, t);
        if (HWY_LIKELY(parts == 8)) {
#pragma GCC unroll 4
            for (int pair = 0; pair < 4; ++pair)
                addPair(Pairs<Codes>::codes(at, 2 * pair, 2 * pair + 1), pair, group, factors);
        } else {
            for (int part = 0; part < parts; part += 2) // a part that is not there has a scale of zero
                addPair(Pairs<Codes>::codes(at, part, std::min(part + 1, parts - 1)), part / 2, group, factors);
        }
    }

    HWY_INLINE void store(int t, float *lanes) const
    {
        _mm512_store_ps(lanes, _mm512_add_ps(_mm512_add_ps(sum[t][0], sum[t][1]), least[t]));
    }
};

constexpr std::size_t sumLanes = 16;

/// One of two rows' halves added to the other, for rows in pairs.
template <int Low, int High> HWY_INLINE __m512 foldedLanes(__m512 a, __m512 b)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, Low), _mm512_shuffle_f32x4(a, b, High));
}

template <int Low, int High> HWY_INLINE __m512 foldedNumbers(__m512 a, __m512 b)
{
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, Low), _mm512_shuffle_ps(a, b, High));
}

/// The sums of up to sixteen rows of lanes, all at once.
HWY_INLINE void addLanes(const float (&lanes)[16][sumLanes], std::size_t rows, float *out)
{
    __m512 pairs[8], fours[4];
    for (int i = 0; i < 8; ++i)
        pairs[i] = foldedLanes<0x44, 0xee>(_mm512_load_ps(lanes[2 * i]), _mm512_load_ps(lanes[2 * i + 1]));
    for (int i = 0; i < 4; ++i)
        fours[i] = foldedLanes<0x88, 0xdd>(pairs[2 * i], pairs[2 * i + 1]); // lane k: row 4i + k
    const __m512 sums = foldedNumbers<0x88, 0xdd>(foldedNumbers<0x44, 0xee>(fours[0], fours[1]),
                                                  foldedNumbers<0x44, 0xee>(fours[2], fours[3])); // lane k: rows k, 4 + k, ...
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_mask_storeu_ps(out, static_cast<__mmask16>((1u << rows) - 1), _mm512_permutexvar_ps(order, sums));
}

#else

/// What a part's products are multiplied with: one scale, or one for each half.
template <class Codes> HWY_INLINE __m256 scaleOfPart(const float *scales, int part)
{
    if constexpr (Codes::halves)
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_broadcast_ss(scales + 2 * part)),
                                    _mm_broadcast_ss(scales + 2 * part + 1), 1);
    else
        return _mm256_broadcast_ss(scales + part);
}

/// A row's sums with T tokens, group by group: lanes that are still to be added up.
template <class Codes, int T> struct RowSums {
    static constexpr int perGroup = Codes::halves ? 16 : 8;

    __m256 sum[T][2], least[T]; ///< even and odd parts, so that one does not wait for the other
    RoundedRows x[T];

    explicit HWY_INLINE RowSums(const RoundedRows &rows)
    {
        for (int t = 0; t < T; ++t) {
            sum[t][0] = sum[t][1] = least[t] = _mm256_setzero_ps();
            x[t] = rows.from(static_cast<std::size_t>(t));
        }
    }

    HWY_INLINE void addPart(const std::uint8_t *at, int part, std::size_t group, const float (&scales)[T][perGroup])
    {
        const __m256i codes = Codes::codes(at, part);
        const __m256i sizes = Codes::areSigned ? _mm256_abs_epi8(codes) : codes;
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) {
            __m256i in = _mm256_load_si256(reinterpret_cast<const __m256i *>(x[t].codes(group) + 32 * part));
            if constexpr (Codes::areSigned)
                in = _mm256_sign_epi8(in, codes);
            sum[t][part % 2] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sumsOfFour(sizes, in)), scaleOfPart<Codes>(scales[t], part),
                                               sum[t][part % 2]);
        }
    }

    HWY_INLINE void addGroup(const std::uint8_t *at, std::size_t group, int parts)
    {
        const Scales own = Codes::scales(at, parts);
        alignas(32) float scales[T][perGroup];
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) {
            const __m256 in = _mm256_load_ps(x[t].scales(group));
            if constexpr (Codes::halves) {
                const __m256i first = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3),
                              second = _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7);
                _mm256_store_ps(scales[t], _mm256_mul_ps(own.scale[0], _mm256_permutevar8x32_ps(in, first)));
                _mm256_store_ps(scales[t] + 8, _mm256_mul_ps(own.scale[1], _mm256_permutevar8x32_ps(in, second)));
                least[t] = _mm256_fmadd_ps(own.least[0], _mm256_load_ps(x[t].halfSums(group)), least[t]);
                least[t] = _mm256_fmadd_ps(own.least[1], _mm256_load_ps(x[t].halfSums(group) + 8), least[t]);
            } else {
                _mm256_store_ps(scales[t], _mm256_mul_ps(own.scale[0], in));
                if constexpr (!Codes::areSigned)
                    least[t] = _mm256_fmadd_ps(own.least[0], _mm256_load_ps(x[t].sums(group)), least[t]);
            }
        }
        if (HWY_LIKELY(parts == 8)) {
#pragma GCC unroll 8
            for (int part = 0; part < 8; ++part)
                addPart(at, part, group, scales);
        } else {
            for (int part = 0; part < parts; ++part)
                addPart(at, part, group, scales);
        }
    }

    HWY_INLINE void store(int t, float *lanes) const
    {
        _mm256_store_ps(lanes, _mm256_add_ps(_mm256_add_ps(sum[t][0], sum[t][1]), least[t]));
    }
};

constexpr std::size_t sumLanes = 8;

/// The sums of up to sixteen rows of lanes.
HWY_INLINE void addLanes(const float (&lanes)[16][sumLanes], std::size_t rows, float *out)
{
    for (std::size_t r = 0; r < rows; ++r)
        out[r] = sumOf(_mm256_load_ps(lanes[r]));
}

#endif

/// Sixteen rows, or the last ones: what is left to do for each of them by itself is small beside a short row.
struct RowStrip {
    const std::uint8_t *w;
    std::size_t rows, rowBytes, columns;
};

template <class Codes, int T> void dotStrip(const RowStrip &strip, const RoundedRows &x, float *out, std::size_t outStride)
{
    // Bytes: what a core reads in the time that memory takes to answer. Rows lie behind one another.
    constexpr std::size_t ahead = 6144;
    alignas(64) float lanes[T][16][sumLanes];
    const std::size_t groups = strip.columns / 256;
    const int parts = static_cast<int>(strip.columns % 256 / 32);
    for (std::size_t r = 0; r < strip.rows; ++r) {
        const std::uint8_t *at = strip.w + r * strip.rowBytes;
        RowSums<Codes, T> sums(x);
        for (std::size_t group = 0; group < groups; ++group, at += Codes::groupBytes) {
            for (int line = 0; line < Codes::groupBytes; line += 64)
                _mm_prefetch(reinterpret_cast<const char *>(at) + ahead + line, _MM_HINT_T0);
            sums.addGroup(at, group, 8);
        }
        if (parts > 0)
            sums.addGroup(at, groups, parts);
        for (int t = 0; t < T; ++t)
            sums.store(t, lanes[t][r]);
    }
    for (int t = 0; t < T; ++t) {
        for (std::size_t r = strip.rows; r < 16; ++r)
            std::fill_n(lanes[t][r], sumLanes, 0.0f);
        addLanes(lanes[t], strip.rows, out + static_cast<std::size_t>(t) * outStride);
    }
}

template <class Codes>
void dotRowsOf(const std::uint8_t *w, std::size_t rows, std::size_t rowBytes, const RoundedRows &x, std::size_t tokens,
               float *out, std::size_t outStride)
{
    for (std::size_t r = 0; r < rows; r += 16) {
        const RowStrip strip{w + r * rowBytes, std::min<std::size_t>(16, rows - r), rowBytes, x.columns};
        std::size_t t = 0;
        for (; t + 4 <= tokens; t += 4)
            dotStrip<Codes, 4>(strip, x.from(t), out + t * outStride + r, outStride);
        for (; t + 2 <= tokens; t += 2)
            dotStrip<Codes, 2>(strip, x.from(t), out + t * outStride + r, outStride);
        for (; t < tokens; ++t)
            dotStrip<Codes, 1>(strip, x.from(t), out + t * outStride + r, outStride);
    }
}

#endif

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
