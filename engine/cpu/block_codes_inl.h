// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks of weights as vectors, for every SIMD target that has vectors of 32 bytes: what lies where in a block says
// engine/model/weight_type.cpp. Included once per target by files with foreach_target.h.

#if defined(ZIGZAG_BLOCK_CODES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ZIGZAG_BLOCK_CODES_INL_H
#undef ZIGZAG_BLOCK_CODES_INL_H
#else
#define ZIGZAG_BLOCK_CODES_INL_H
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

// Highway's own vectors have no length that is known here, and Debian 12's has no product of bytes: a block is half a kilobit.
#undef ZIGZAG_HAS_BLOCK_VECTORS
#undef ZIGZAG_HAS_BYTE_PRODUCTS
#undef ZIGZAG_BEFORE_BLOCKS
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
#define ZIGZAG_HAS_BLOCK_VECTORS 1
#include <immintrin.h>
#else
#define ZIGZAG_HAS_BLOCK_VECTORS 0
#endif

// Where Debian 12's Highway has found AVX-512's products of bytes, it lets the compiler use those of AVX-VNNI, which is another
// feature: Ice Lake and Zen 4 have the one and not the other. So the code for such targets says itself what it uses.
#if ZIGZAG_HAS_BLOCK_VECTORS && HWY_TARGET <= HWY_AVX3_DL
#define ZIGZAG_HAS_BYTE_PRODUCTS 1
#define ZIGZAG_BEFORE_BLOCKS()                                                                                                   \
    HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR_AVX3 ",avx512vbmi,avx512vnni")                                                            \
    static_assert(true, "a semicolon follows")
#else
#define ZIGZAG_HAS_BYTE_PRODUCTS 0
#define ZIGZAG_BEFORE_BLOCKS() HWY_BEFORE_NAMESPACE()
#endif

ZIGZAG_BEFORE_BLOCKS();
namespace zigzag::HWY_NAMESPACE {

#if ZIGZAG_HAS_BLOCK_VECTORS

// Kernels take blocks in groups of eight parts of 32 numbers: one block of 256, up to two of 128, or up to eight of 32. A number
// is scale · code + least, with a scale and a least value for each part, or, of Q6_K, for each half of one. A type below has
//   groupBytes, partBytes   how far it is to the next group, and, of small blocks, to the next part
//   areSigned               whether codes are signed and `least` is zero
//   halves                  scales for each half of a part, which all have the least value leastCode · scale
//   scales(at, parts, s)    those of a group of so many parts; those of parts that are not there are zero
//   codes(at, part)         32 bytes, in the order of the numbers

struct Scales {
    __m256 scale[2], least[2]; ///< the second of each: with halves, those of parts 4 to 7
};

HWY_INLINE __m128i load16(const std::uint8_t *from)
{
    return _mm_loadu_si128(reinterpret_cast<const __m128i *>(from));
}

HWY_INLINE __m256i load32(const std::uint8_t *from)
{
    return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
}

HWY_INLINE std::uint32_t wordAt(const std::uint8_t *from)
{
    std::uint32_t word = 0;
    std::memcpy(&word, from, sizeof word);
    return word;
}

HWY_INLINE int halfwordAt(const std::uint8_t *from)
{
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    return bits;
}

HWY_INLINE float halfAt(const std::uint8_t *from)
{
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(halfwordAt(from))));
}

/// A halfword of each of `parts` blocks.
template <int Stride> HWY_INLINE __m256 halvesOf(const std::uint8_t *at, int parts)
{
    if (HWY_LIKELY(parts == 8)) {
        __m128i all = _mm_setzero_si128();
        all = _mm_insert_epi16(all, halfwordAt(at), 0);
        all = _mm_insert_epi16(all, halfwordAt(at + Stride), 1);
        all = _mm_insert_epi16(all, halfwordAt(at + 2 * Stride), 2);
        all = _mm_insert_epi16(all, halfwordAt(at + 3 * Stride), 3);
        all = _mm_insert_epi16(all, halfwordAt(at + 4 * Stride), 4);
        all = _mm_insert_epi16(all, halfwordAt(at + 5 * Stride), 5);
        all = _mm_insert_epi16(all, halfwordAt(at + 6 * Stride), 6);
        all = _mm_insert_epi16(all, halfwordAt(at + 7 * Stride), 7);
        return _mm256_cvtph_ps(all);
    }
    alignas(16) std::uint16_t bits[8] = {};
    for (int i = 0; i < parts; ++i)
        std::memcpy(&bits[i], at + i * Stride, sizeof bits[i]);
    return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i *>(bits)));
}

/// Codes of four bits: number i in the lower half of byte i, number i + 16 in its upper half.
HWY_INLINE __m256i nibbles(const std::uint8_t *from)
{
    const __m128i bytes = load16(from);
    const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(bytes), _mm_srli_epi16(bytes, 4), 1);
    return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

/// 16 in byte i where bit i is set.
HWY_INLINE __m256i fifthBits(std::uint32_t bits)
{
    const __m256i places = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i masks = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), places);
    return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(bytes, masks), masks), _mm256_set1_epi8(16));
}

template <int PartBytes> struct SmallBlocks {
    static constexpr int partBytes = PartBytes, groupBytes = 8 * PartBytes;
    static constexpr bool areSigned = false, halves = false;
};

struct CodesQ80 : SmallBlocks<34> {
    static constexpr bool areSigned = true;
    static HWY_INLINE Scales scales(const std::uint8_t *at, int parts) { return {{halvesOf<partBytes>(at, parts)}, {}}; }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part) { return load32(at + part * partBytes + 2); }
};

struct CodesQ40 : SmallBlocks<18> {
    static HWY_INLINE Scales scales(const std::uint8_t *at, int parts)
    {
        const __m256 scale = halvesOf<partBytes>(at, parts);
        return {{scale}, {_mm256_mul_ps(scale, _mm256_set1_ps(-8))}};
    }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part) { return nibbles(at + part * partBytes + 2); }
};

struct CodesQ41 : SmallBlocks<20> {
    static HWY_INLINE Scales scales(const std::uint8_t *at, int parts)
    {
        return {{halvesOf<partBytes>(at, parts)}, {halvesOf<partBytes>(at + 2, parts)}};
    }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part) { return nibbles(at + part * partBytes + 4); }
};

struct CodesQ50 : SmallBlocks<22> {
    static HWY_INLINE Scales scales(const std::uint8_t *at, int parts)
    {
        const __m256 scale = halvesOf<partBytes>(at, parts);
        return {{scale}, {_mm256_mul_ps(scale, _mm256_set1_ps(-16))}};
    }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part)
    {
        at += part * partBytes;
        return _mm256_or_si256(nibbles(at + 6), fifthBits(wordAt(at + 2)));
    }
};

struct CodesQ51 : SmallBlocks<24> {
    static HWY_INLINE Scales scales(const std::uint8_t *at, int parts)
    {
        return {{halvesOf<partBytes>(at, parts)}, {halvesOf<partBytes>(at + 2, parts)}};
    }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part)
    {
        at += part * partBytes;
        return _mm256_or_si256(nibbles(at + 8), fifthBits(wordAt(at + 4)));
    }
};

struct CodesMxfp4 : SmallBlocks<17> {
    static constexpr bool areSigned = true;
    static HWY_INLINE Scales scales(const std::uint8_t *at, int parts)
    {
        std::uint64_t bytes = 0;
#pragma GCC unroll 8
        for (int i = 0; i < parts; ++i)
            bytes |= static_cast<std::uint64_t>(at[i * partBytes]) << 8 * i;
        // Bits of half of a power of two, whose two smallest exponents lie below the normal numbers.
        const __m256i exponents = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(bytes)));
        const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(exponents, _mm256_set1_epi32(1)), 23);
        const __m256i small = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), exponents);
        const __m256i scale = _mm256_blendv_epi8(normal, small, _mm256_cmpgt_epi32(_mm256_set1_epi32(2), exponents));
        const __m256i isThere = _mm256_cmpgt_epi32(_mm256_set1_epi32(parts), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
        return {{_mm256_castsi256_ps(_mm256_and_si256(scale, isThere))}, {}};
    }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part)
    {
        const __m256i values = _mm256_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12, 0, 1, 2, 3, 4, 6, 8, 12,
                                                0, -1, -2, -3, -4, -6, -8, -12);
        return _mm256_shuffle_epi8(values, nibbles(at + part * partBytes + 1));
    }
};

template <int GroupBytes> struct LargeBlocks {
    static constexpr int partBytes = 0, groupBytes = GroupBytes;
    static constexpr bool areSigned = false, halves = false;
};

/// Eight scales and least values of six bits, packed into twelve bytes behind a scale for each of the two.
HWY_INLINE Scales packedScales(const std::uint8_t *at)
{
    constexpr std::uint32_t six = 0x3f3f3f3f, four = 0x0f0f0f0f, two = 0x03030303;
    const std::uint32_t a = wordAt(at + 4), b = wordAt(at + 8), c = wordAt(at + 12);
    const std::uint64_t scales = (a & six) | static_cast<std::uint64_t>((c & four) | (a >> 6 & two) << 4) << 32;
    const std::uint64_t leasts = (b & six) | static_cast<std::uint64_t>((c >> 4 & four) | (b >> 6 & two) << 4) << 32;
    const __m256i scaleCodes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(scales)));
    const __m256i leastCodes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(leasts)));
    return {{_mm256_mul_ps(_mm256_cvtepi32_ps(scaleCodes), _mm256_set1_ps(halfAt(at)))},
            {_mm256_mul_ps(_mm256_cvtepi32_ps(leastCodes), _mm256_set1_ps(-halfAt(at + 2)))}};
}

/// The four bits of a part: of every 32 bytes, the lower halves belong to one part and the upper ones to the next.
HWY_INLINE __m256i partNibbles(const std::uint8_t *codes, int part)
{
    const __m256i bytes = load32(codes + part / 2 * 32);
    return _mm256_and_si256(part % 2 == 0 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
}

struct CodesQ4K : LargeBlocks<144> {
    static HWY_INLINE Scales scales(const std::uint8_t *at, int) { return packedScales(at); }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part) { return partNibbles(at + 16, part); }
};

struct CodesQ5K : LargeBlocks<176> {
    static HWY_INLINE Scales scales(const std::uint8_t *at, int) { return packedScales(at); }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part)
    {
        const __m256i bit = _mm256_set1_epi8(static_cast<char>(1 << part));
        const __m256i isSet = _mm256_cmpeq_epi8(_mm256_and_si256(load32(at + 16), bit), bit);
        return _mm256_or_si256(partNibbles(at + 48, part), _mm256_and_si256(isSet, _mm256_set1_epi8(16)));
    }
};

struct CodesInt4 : LargeBlocks<136> {
    static constexpr int blockBytes = 68;
    static HWY_INLINE __m128 leastOf(__m128 scale, const std::uint8_t *block)
    {
        return _mm_mul_ps(scale, _mm_set1_ps(static_cast<float>(-static_cast<int>(block[2]))));
    }
    static HWY_INLINE Scales scales(const std::uint8_t *at, int parts)
    {
        const __m128 first = _mm_set1_ps(halfAt(at)), firstLeast = leastOf(first, at);
        __m128 second = _mm_setzero_ps(), secondLeast = second;
        if (parts > 4) {
            second = _mm_set1_ps(halfAt(at + blockBytes));
            secondLeast = leastOf(second, at + blockBytes);
        }
        return {{_mm256_insertf128_ps(_mm256_castps128_ps256(first), second, 1)},
                {_mm256_insertf128_ps(_mm256_castps128_ps256(firstLeast), secondLeast, 1)}};
    }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part)
    {
        const int within = part % 4; // the lower halves of 64 bytes, then the upper ones
        const __m256i bytes = load32(at + part / 4 * blockBytes + 4 + within % 2 * 32);
        return _mm256_and_si256(within < 2 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    }
};

struct CodesQ6K : LargeBlocks<210> {
    static constexpr bool halves = true;
    static constexpr float leastCode = -32;
    static HWY_INLINE Scales scales(const std::uint8_t *at, int)
    {
        const __m128i bytes = load16(at + 192);
        const __m256 scale = _mm256_set1_ps(halfAt(at + 208)), least = _mm256_set1_ps(leastCode);
        Scales all;
        all.scale[0] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), scale);
        all.scale[1] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8))), scale);
        all.least[0] = _mm256_mul_ps(all.scale[0], least);
        all.least[1] = _mm256_mul_ps(all.scale[1], least);
        return all;
    }
    static HWY_INLINE __m256i codes(const std::uint8_t *at, int part)
    {
        const int half = part / 4, within = part % 4; // 128 numbers: 64 bytes of lower bits, 32 of upper ones
        const __m256i low = load32(at + half * 64 + within % 2 * 32);
        const __m256i high = load32(at + 128 + half * 32);
        const __m256i lower = _mm256_and_si256(within < 2 ? low : _mm256_srli_epi16(low, 4), _mm256_set1_epi8(15));
        // Bits 2·within and the next, moved to places 4 and 5; what a neighbouring byte lends is masked away.
        const __m256i upper = within == 0 ? _mm256_slli_epi16(high, 4)
            : within == 1                 ? _mm256_slli_epi16(high, 2)
            : within == 2                 ? high
                                          : _mm256_srli_epi16(high, 2);
        return _mm256_or_si256(lower, _mm256_and_si256(upper, _mm256_set1_epi8(48)));
    }
};

#endif

} // namespace zigzag::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
