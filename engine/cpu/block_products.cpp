// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/kernels.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/block_products.cpp"
#include <hwy/foreach_target.h>

#include "engine/cpu/block_codes_inl.h"

HWY_BEFORE_NAMESPACE();
namespace zigzag::HWY_NAMESPACE {

#if ZIGZAG_HAS_BLOCK_VECTORS

/// The sums of four products each, of unsigned codes up to 128 with signed ones from -127 to 127.
HWY_INLINE __m256i sumsOfFour(__m256i codes, __m256i rounded)
{
#if HWY_TARGET <= HWY_AVX3_DL
    return _mm256_dpbusd_epi32(_mm256_setzero_si256(), codes, rounded);
#else
    return _mm256_madd_epi16(_mm256_maddubs_epi16(codes, rounded), _mm256_set1_epi16(1)); // two products stay below 2^15
#endif
}

HWY_INLINE float sumOf(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

/// What a part's products are multiplied with: one scale, or one for each half.
template <class Codes> HWY_INLINE __m256 scaleOfPart(const float *scales, int part)
{
    if constexpr (Codes::halves)
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_broadcast_ss(scales + 2 * part)),
                                    _mm_broadcast_ss(scales + 2 * part + 1), 1);
    else
        return _mm256_broadcast_ss(scales + part);
}

/// A row's sums with T tokens, group by group.
template <class Codes, int T> struct RowSums {
    static constexpr int perGroup = Codes::halves ? 16 : 8;

    __m256 sum[T][2], least[T]; ///< even and odd parts, so that one does not wait for the other
    RoundedRows x;

    explicit HWY_INLINE RowSums(const RoundedRows &rows)
        : x(rows)
    {
        for (int t = 0; t < T; ++t)
            sum[t][0] = sum[t][1] = least[t] = _mm256_setzero_ps();
    }

    HWY_INLINE void addPart(const std::uint8_t *at, int part, std::size_t group, const float (&scales)[T][perGroup])
    {
        const __m256i codes = Codes::codes(at, part);
        const __m256i sizes = Codes::areSigned ? _mm256_abs_epi8(codes) : codes;
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) {
            __m256i in = _mm256_load_si256(reinterpret_cast<const __m256i *>(x.codesOf(static_cast<std::size_t>(t)) + group * 256
                                                                             + static_cast<std::size_t>(part) * 32));
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
            const auto token = static_cast<std::size_t>(t);
            const __m256 in = _mm256_load_ps(x.scalesOf(token) + group * 8);
            if constexpr (Codes::halves) {
                const __m256i first = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3),
                              second = _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7);
                _mm256_store_ps(scales[t], _mm256_mul_ps(own.scale[0], _mm256_permutevar8x32_ps(in, first)));
                _mm256_store_ps(scales[t] + 8, _mm256_mul_ps(own.scale[1], _mm256_permutevar8x32_ps(in, second)));
                least[t] = _mm256_fmadd_ps(own.least[0], _mm256_load_ps(x.halfSumsOf(token) + group * 16), least[t]);
                least[t] = _mm256_fmadd_ps(own.least[1], _mm256_load_ps(x.halfSumsOf(token) + group * 16 + 8), least[t]);
            } else {
                _mm256_store_ps(scales[t], _mm256_mul_ps(own.scale[0], in));
                if constexpr (!Codes::areSigned)
                    least[t] = _mm256_fmadd_ps(own.least[0], _mm256_load_ps(x.sumsOf(token) + group * 8), least[t]);
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

    HWY_INLINE float total(int t) const
    {
        return sumOf(_mm256_add_ps(_mm256_add_ps(sum[t][0], sum[t][1]), least[t]));
    }
};

template <class Codes, int T>
void dotRow(const std::uint8_t *w, std::size_t columns, const RoundedRows &x, float *out, std::size_t outStride)
{
    constexpr std::size_t ahead = 2048; // bytes: rows lie behind one another
    RowSums<Codes, T> sums(x);
    const std::size_t groups = columns / 256;
    for (std::size_t group = 0; group < groups; ++group) {
        const std::uint8_t *at = w + group * Codes::groupBytes;
        for (int line = 0; line < Codes::groupBytes; line += 64)
            _mm_prefetch(reinterpret_cast<const char *>(at) + ahead + line, _MM_HINT_T0);
        sums.addGroup(at, group, 8);
    }
    if (const int parts = static_cast<int>(columns % 256 / 32); parts > 0)
        sums.addGroup(w + groups * Codes::groupBytes, groups, parts);
    for (int t = 0; t < T; ++t)
        out[static_cast<std::size_t>(t) * outStride] = sums.total(t);
}

struct DotRows {
    const std::uint8_t *w;
    std::size_t rows, columns, rowBytes;
    const RoundedRows &x;
    std::size_t tokens;
    float *out;
    std::size_t outStride;

    template <class Codes> void operator()(Codes) const
    {
        for (std::size_t r = 0; r < rows; ++r) {
            const std::uint8_t *row = w + r * rowBytes;
            std::size_t t = 0;
            for (; t + 4 <= tokens; t += 4)
                dotRow<Codes, 4>(row, columns, x.from(t), out + t * outStride + r, outStride);
            for (; t + 2 <= tokens; t += 2)
                dotRow<Codes, 2>(row, columns, x.from(t), out + t * outStride + r, outStride);
            for (; t < tokens; ++t)
                dotRow<Codes, 1>(row, columns, x.from(t), out + t * outStride + r, outStride);
        }
    }
};

struct Widen {
    const std::uint8_t *from;
    float *to;
    std::size_t count;

    template <class Codes> void operator()(Codes) const
    {
        for (std::size_t group = 0; group * 256 < count; ++group) {
            const std::uint8_t *at = from + group * Codes::groupBytes;
            const int parts = static_cast<int>(std::min<std::size_t>(256, count - group * 256) / 32);
            const Scales own = Codes::scales(at, parts);
            alignas(32) float scales[16], leasts[16];
            for (int i = 0; i < (Codes::halves ? 2 : 1); ++i) {
                _mm256_store_ps(scales + 8 * i, own.scale[i]);
                _mm256_store_ps(leasts + 8 * i, own.least[i]);
            }
            for (int part = 0; part < parts; ++part) {
                alignas(32) std::uint8_t bytes[32];
                _mm256_store_si256(reinterpret_cast<__m256i *>(bytes), Codes::codes(at, part));
                for (int i = 0; i < 4; ++i) {
                    const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(bytes + 8 * i));
                    const __m256 codes
                        = _mm256_cvtepi32_ps(Codes::areSigned ? _mm256_cvtepi8_epi32(eight) : _mm256_cvtepu8_epi32(eight));
                    const int of = Codes::halves ? 2 * part + i / 2 : part;
                    const __m256 scale = _mm256_set1_ps(scales[of]), least = _mm256_set1_ps(leasts[of]);
                    _mm256_storeu_ps(to + group * 256 + static_cast<std::size_t>(part) * 32 + static_cast<std::size_t>(i) * 8,
                                     Codes::areSigned ? _mm256_mul_ps(codes, scale) : _mm256_fmadd_ps(codes, scale, least));
                }
            }
        }
    }
};

template <class Work> void ofType(BlockType type, const Work &work)
{
    switch (type) {
    case BlockType::Q40:
        return work(CodesQ40());
    case BlockType::Q41:
        return work(CodesQ41());
    case BlockType::Q50:
        return work(CodesQ50());
    case BlockType::Q51:
        return work(CodesQ51());
    case BlockType::Q80:
        return work(CodesQ80());
    case BlockType::Q4K:
        return work(CodesQ4K());
    case BlockType::Q5K:
        return work(CodesQ5K());
    case BlockType::Q6K:
        return work(CodesQ6K());
    case BlockType::Mxfp4:
        return work(CodesMxfp4());
    case BlockType::Int4:
        return work(CodesInt4());
    }
}

void roundPart(const float *x, const RoundedRows &to, std::size_t part)
{
    const __m256 noSign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    __m256 in[4], most = _mm256_setzero_ps(), spoilt = _mm256_setzero_ps();
    for (int i = 0; i < 4; ++i) {
        in[i] = _mm256_loadu_ps(x + 8 * i);
        most = _mm256_max_ps(most, _mm256_and_ps(in[i], noSign));
        spoilt = _mm256_add_ps(spoilt, _mm256_sub_ps(in[i], in[i])); // zero, unless a number is none
    }
    __m128 largest = _mm_max_ps(_mm256_castps256_ps128(most), _mm256_extractf128_ps(most, 1));
    largest = _mm_max_ps(largest, _mm_movehl_ps(largest, largest));
    largest = _mm_max_ss(largest, _mm_movehdup_ps(largest));
    const float size = _mm_cvtss_f32(largest);
    const float scale = size / 127 + sumOf(spoilt), inverse = size > 0 ? 127 / size : 0;
    __m256i whole[4];
    for (int i = 0; i < 4; ++i)
        whole[i] = _mm256_cvtps_epi32(_mm256_mul_ps(in[i], _mm256_set1_ps(inverse)));
    const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(whole[0], whole[1]), _mm256_packs_epi32(whole[2], whole[3]));
    const __m256i codes = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_store_si256(reinterpret_cast<__m256i *>(to.codesOf(0) + part * 32), codes);
    const __m256i fours = sumsOfFour(_mm256_set1_epi8(1), codes);
    alignas(32) std::int32_t sums[8];
    _mm256_store_si256(reinterpret_cast<__m256i *>(sums), fours);
    const std::int32_t first = sums[0] + sums[1] + sums[2] + sums[3], second = sums[4] + sums[5] + sums[6] + sums[7];
    to.scalesOf(0)[part] = scale;
    to.halfSumsOf(0)[2 * part] = scale * static_cast<float>(first);
    to.halfSumsOf(0)[2 * part + 1] = scale * static_cast<float>(second);
    to.sumsOf(0)[part] = scale * static_cast<float>(first + second);
}

bool multipliesBlocks()
{
    return true;
}

void roundRow(const float *x, const RoundedRows &to)
{
    for (std::size_t part = 0; part < to.columns / 32; ++part)
        roundPart(x + part * 32, to, part);
    for (std::size_t part = to.columns / 32; part % 8 != 0; ++part)
        to.scalesOf(0)[part] = to.sumsOf(0)[part] = to.halfSumsOf(0)[2 * part] = to.halfSumsOf(0)[2 * part + 1] = 0;
}

void dotBlockRows(BlockType type, const void *w, std::size_t rows, const RoundedRows &x, std::size_t tokens, float *out,
                  std::size_t outStride)
{
    const auto rowBytes = static_cast<std::size_t>(WeightType(type).bytesFor(static_cast<std::int64_t>(x.columns)));
    ofType(type, DotRows{static_cast<const std::uint8_t *>(w), rows, x.columns, rowBytes, x, tokens, out, outStride});
}

void widenBlocks(BlockType type, const void *from, float *to, std::size_t count)
{
    ofType(type, Widen{static_cast<const std::uint8_t *>(from), to, count});
}

#else

bool multipliesBlocks()
{
    return false;
}

void roundRow(const float *, const RoundedRows &)
{ }

void dotBlockRows(BlockType, const void *, std::size_t, const RoundedRows &, std::size_t, float *, std::size_t)
{ }

void widenBlocks(BlockType type, const void *from, float *to, std::size_t count)
{
    decodeNumbers(type, static_cast<const std::byte *>(from), static_cast<std::int64_t>(count), to);
}

#endif

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace zigzag {

HWY_EXPORT(multipliesBlocks);
HWY_EXPORT(roundRow);
HWY_EXPORT(dotBlockRows);
HWY_EXPORT(widenBlocks);

namespace kernels {

bool multipliesBlocks()
{
    return HWY_DYNAMIC_DISPATCH(multipliesBlocks)();
}

void roundRow(const float *x, const RoundedRows &to)
{
    HWY_DYNAMIC_DISPATCH(roundRow)(x, to);
}

void dotBlockRows(BlockType type, const void *w, std::size_t rows, const RoundedRows &x, std::size_t tokens, float *out,
                  std::size_t outStride)
{
    HWY_DYNAMIC_DISPATCH(dotBlockRows)(type, w, rows, x, tokens, out, outStride);
}

void widen(WeightType type, const void *from, float *to, std::size_t count)
{
    if (const auto plain = type.plain())
        toFloat(*plain, from, to, count);
    else
        HWY_DYNAMIC_DISPATCH(widenBlocks)(*type.block(), from, to, count);
}

} // namespace kernels
} // namespace zigzag
#endif
