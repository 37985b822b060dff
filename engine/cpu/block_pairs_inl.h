// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks of weights as vectors of 64 bytes, two parts of 32 numbers at a time, for targets with AVX-512's products of bytes.
// Included once per target by files with foreach_target.h.

#if defined(ZIGZAG_BLOCK_PAIRS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZIGZAG_BLOCK_PAIRS_INL_H
#undef ZIGZAG_BLOCK_PAIRS_INL_H
#else
#define ZIGZAG_BLOCK_PAIRS_INL_H
#endif

#include "engine/cpu/block_codes_inl.h"

#include <algorithm>

ZIGZAG_BEFORE_BLOCKS();
namespace zigzag::HWY_NAMESPACE {

#if ZIGZAG_HAS_BYTE_PRODUCTS

// Pairs<Codes> has of a group of so many parts
//   factors(at, parts)          the scales of eight parts and behind them their least values, or the scales of sixteen halves
//   codes(at, first, second)    64 codes without a sign: those of a signed type are 128 too large

/// Any type, by what it has for vectors of 32 bytes.
template <class Codes> struct PairsOfHalves {
    static HWY_INLINE __m512 factors(const std::uint8_t *at, int parts)
    {
        const Scales own = Codes::scales(at, parts);
        if constexpr (Codes::areSigned)
            return _mm512_zextps256_ps512(own.scale[0]);
        else
            return _mm512_insertf32x8(_mm512_castps256_ps512(own.scale[0]), Codes::halves ? own.scale[1] : own.least[0], 1);
    }
    static HWY_INLINE __m512i codes(const std::uint8_t *at, int first, int second)
    {
        const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(Codes::codes(at, first)), Codes::codes(at, second), 1);
        return Codes::areSigned ? _mm512_xor_si512(both, _mm512_set1_epi8(-128)) : both;
    }
};

template <class Codes> struct Pairs : PairsOfHalves<Codes> { };

HWY_INLINE __m512i load64(const std::uint8_t *from)
{
    return _mm512_loadu_si512(from);
}

/// 32 bytes twice.
HWY_INLINE __m512i twice32(const std::uint8_t *from)
{
    return _mm512_broadcast_i64x4(load32(from));
}

/// Each half of a vector moved right by bits of its own, in words of 16: what a byte lends the next is to be masked away.
template <int First, int Second> HWY_INLINE __m512i movedRight(__m512i bytes)
{
    constexpr long long first = First * 0x0001000100010001, second = Second * 0x0001000100010001;
    return _mm512_srlv_epi16(bytes, _mm512_setr_epi64(first, first, first, first, second, second, second, second));
}

template <int First, int Second> HWY_INLINE __m512i movedLeft(__m512i bytes)
{
    constexpr long long first = First * 0x0001000100010001, second = Second * 0x0001000100010001;
    return _mm512_sllv_epi16(bytes, _mm512_setr_epi64(first, first, first, first, second, second, second, second));
}

/// packedScales() as one vector.
HWY_INLINE __m512 packedFactors(const std::uint8_t *at)
{
    // Words of 32 bits: both scales, then a, b and c of the comment there, that is what a and c say of scales and b and c of
    // leasts.
    const __m128i words = _mm_shuffle_epi32(load16(at), 0b11'10'11'01);
    const __m128i lower
        = _mm_multishift_epi64_epi8(_mm_setr_epi8(0, 8, 16, 24, 32, 40, 48, 56, 0, 8, 16, 24, 36, 44, 52, 60), words);
    const __m128i upper
        = _mm_multishift_epi64_epi8(_mm_setr_epi8(0, 8, 16, 24, 2, 10, 18, 26, 0, 8, 16, 24, 2, 10, 18, 26), words);
    const __m128i ofLower = _mm_setr_epi32(0x3f3f3f3f, 0x0f0f0f0f, 0x3f3f3f3f, 0x0f0f0f0f);
    const __m128i ofUpper = _mm_setr_epi32(0, 0x30303030, 0, 0x30303030);
    const __m128i codes = _mm_or_si128(_mm_and_si128(lower, ofLower), _mm_and_si128(upper, ofUpper));
    const __m256i both = _mm256_set1_epi32(static_cast<int>(wordAt(at)));
    const __m256i apart = _mm256_shuffle_epi8(
        both, _mm256_setr_epi64x(0x0100010001000100, 0x0100010001000100, 0x0302030203020302, 0x0302030203020302));
    const __m256i minus
        = _mm256_setr_epi64x(0, 0, static_cast<long long>(0x8000800080008000), static_cast<long long>(0x8000800080008000));
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes)), _mm512_cvtph_ps(_mm256_xor_si256(apart, minus)));
}

template <> struct Pairs<CodesQ4K> {
    static HWY_INLINE __m512 factors(const std::uint8_t *at, int) { return packedFactors(at); }
    static HWY_INLINE __m512i codes(const std::uint8_t *at, int first, int)
    {
        return _mm512_and_si512(movedRight<0, 4>(twice32(at + 16 + first * 16)), _mm512_set1_epi8(15));
    }
};

template <> struct Pairs<CodesQ5K> {
    static HWY_INLINE __m512 factors(const std::uint8_t *at, int) { return packedFactors(at); }
    static HWY_INLINE __m512i codes(const std::uint8_t *at, int first, int second)
    {
        const __m512i lower = _mm512_and_si512(movedRight<0, 4>(twice32(at + 48 + first * 16)), _mm512_set1_epi8(15));
        const __m512i bits = _mm512_inserti64x4(_mm512_set1_epi8(static_cast<char>(1 << first)),
                                                _mm256_set1_epi8(static_cast<char>(1 << second)), 1);
        return _mm512_mask_add_epi8(lower, _mm512_test_epi8_mask(twice32(at + 16), bits), lower, _mm512_set1_epi8(16));
    }
};

template <> struct Pairs<CodesQ6K> {
    static HWY_INLINE __m512 factors(const std::uint8_t *at, int)
    {
        return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load16(at + 192))), _mm512_set1_ps(halfAt(at + 208)));
    }
    static HWY_INLINE __m512i codes(const std::uint8_t *at, int first, int)
    {
        const int half = first / 4;
        const __m512i low = load64(at + half * 64), high = twice32(at + 128 + half * 32);
        const bool isLower = first % 4 == 0;
        const __m512i upper = _mm512_and_si512(isLower ? movedLeft<4, 2>(high) : movedRight<0, 2>(high), _mm512_set1_epi8(48));
        constexpr int firstOrBothOthers = 0b11111000; // a | (b & c)
        return _mm512_ternarylogic_epi64(upper, isLower ? low : _mm512_srli_epi16(low, 4), _mm512_set1_epi8(15),
                                         firstOrBothOthers);
    }
};

/// Codes of four bits, of two blocks: nibbles() of both.
HWY_INLINE __m512i nibblesOfTwo(const std::uint8_t *first, const std::uint8_t *second)
{
    const __m512i bytes = _mm512_mask_broadcast_i32x4(_mm512_broadcast_i32x4(load16(first)), 0xff00, load16(second));
    const __m512i moved = _mm512_srlv_epi16(
        bytes, _mm512_setr_epi64(0, 0, 0x0004000400040004, 0x0004000400040004, 0, 0, 0x0004000400040004, 0x0004000400040004));
    return _mm512_and_si512(moved, _mm512_set1_epi8(15));
}

template <class Codes, int Place> struct PairsOfNibbles : PairsOfHalves<Codes> {
    static HWY_INLINE __m512i codes(const std::uint8_t *at, int first, int second)
    {
        return nibblesOfTwo(at + first * Codes::partBytes + Place, at + second * Codes::partBytes + Place);
    }
};

/// The first halfword of each of `parts` small blocks, and behind eight of them the halfword `Other` of each.
template <int Stride, int Other> HWY_INLINE __m512 halvesOfBlocks(const std::uint8_t *at, int parts)
{
    constexpr int four = 4 * Stride, block = Stride / 2;
    static_assert(3 * block + Other < 32, "the halfwords of four blocks begin within 64 bytes");
    __m512i first, second;
    if (HWY_LIKELY(parts == 8)) {
        first = load64(at);
        second = load64(at + four);
    } else {
        const auto bytes = [parts](int before) { return ~std::uint64_t{0} >> (64 - std::min(64, Stride * (parts - before))); };
        first = _mm512_maskz_loadu_epi8(bytes(0), at);
        second = parts > 4 ? _mm512_maskz_loadu_epi8(bytes(4), at + four) : _mm512_setzero_si512();
    }
    constexpr short a = block, b = 2 * block, c = 3 * block, o = Other;
    const __m256i places = _mm256_setr_epi16(0, a, b, c, 32, 32 + a, 32 + b, 32 + c, o, o + a, o + b, o + c, o + 32, o + 32 + a,
                                             o + 32 + b, o + 32 + c);
    return _mm512_cvtph_ps(_mm512_castsi512_si256(_mm512_permutex2var_epi16(first, _mm512_castsi256_si512(places), second)));
}

template <> struct Pairs<CodesQ40> : PairsOfNibbles<CodesQ40, 2> {
    static HWY_INLINE __m512 factors(const std::uint8_t *at, int parts)
    {
        return _mm512_mul_ps(halvesOfBlocks<CodesQ40::partBytes, 0>(at, parts),
                             _mm512_setr_ps(1, 1, 1, 1, 1, 1, 1, 1, -8, -8, -8, -8, -8, -8, -8, -8));
    }
};

template <> struct Pairs<CodesQ41> : PairsOfNibbles<CodesQ41, 4> {
    static HWY_INLINE __m512 factors(const std::uint8_t *at, int parts)
    {
        return halvesOfBlocks<CodesQ41::partBytes, 1>(at, parts);
    }
};

#endif

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
