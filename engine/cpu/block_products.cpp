// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/kernels.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/block_products.cpp"
#include <hwy/foreach_target.h>

#include "engine/cpu/block_sums_inl.h"

ZIGZAG_BEFORE_BLOCKS();
namespace zigzag::HWY_NAMESPACE {

#if ZIGZAG_HAS_BLOCK_VECTORS

struct DotRows {
    const std::uint8_t *w;
    std::size_t rows, rowBytes;
    const RoundedRows &x;
    std::size_t tokens;
    float *out;
    std::size_t outStride;

    template <class Codes> void operator()(Codes) const { dotRowsOf<Codes>(w, rows, rowBytes, x, tokens, out, outStride); }
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
    const std::size_t group = part / 8, within = part % 8;
    _mm256_store_si256(reinterpret_cast<__m256i *>(to.codes(group) + within * 32), codes);
    const __m256i fours = sumsOfFour(_mm256_set1_epi8(1), codes);
    _mm256_store_si256(reinterpret_cast<__m256i *>(to.offsets(group) + within * 8),
                       _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(fours, 7)));
    alignas(32) std::int32_t sums[8];
    _mm256_store_si256(reinterpret_cast<__m256i *>(sums), fours);
    const std::int32_t first = sums[0] + sums[1] + sums[2] + sums[3], second = sums[4] + sums[5] + sums[6] + sums[7];
    to.scales(group)[within] = scale;
    to.halfSums(group)[2 * within] = scale * static_cast<float>(first);
    to.halfSums(group)[2 * within + 1] = scale * static_cast<float>(second);
    to.sums(group)[within] = scale * static_cast<float>(first + second);
}

bool multipliesBlocks()
{
    return true;
}

void roundRow(const float *x, const RoundedRows &to)
{
    if (to.columns % 256 != 0) {
        const std::size_t last = to.columns / 256;
        std::memset(to.codes(last), 0, 256);
        std::memset(to.offsets(last), 0, 64 * sizeof(std::int32_t));
        std::memset(to.scales(last), 0, 16 * sizeof(float)); // and its sums
        std::memset(to.halfSums(last), 0, 16 * sizeof(float));
    }
    for (std::size_t part = 0; part < to.columns / 32; ++part)
        roundPart(x + part * 32, to, part);
}

void dotBlockRows(BlockType type, const void *w, std::size_t rows, const RoundedRows &x, std::size_t tokens, float *out,
                  std::size_t outStride)
{
    const auto rowBytes = static_cast<std::size_t>(WeightType(type).bytesFor(static_cast<std::int64_t>(x.columns)));
    ofType(type, DotRows{static_cast<const std::uint8_t *>(w), rows, rowBytes, x, tokens, out, outStride});
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
