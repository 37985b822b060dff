// SPDX-License-Identifier: GPL-3.0-or-later
// Compiled without contraction of products and sums: a block must decode to the same bits on every machine.
#include "engine/model/gguf/gguf_type.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace zigzag {

namespace {

std::uint8_t byteAt(const std::byte *from, std::int64_t i)
{
    return std::to_integer<std::uint8_t>(from[i]);
}

std::uint16_t halfAt(const std::byte *from)
{
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    return bits;
}

std::uint32_t wordAt(const std::byte *from)
{
    std::uint32_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    return bits;
}

float scaleAt(const std::byte *from)
{
    return f16ToFloat(halfAt(from));
}

// The small blocks: 32 numbers, of which a byte of `codes` has number i in its lower and number i + 16 in its upper half.
constexpr int small = 32;

/// `offset` is what a code of zero stands for; a fifth bit of each code lies in `high`.
void decodeSymmetric(float scale, const std::byte *codes, std::uint32_t high, int offset, float *to)
{
    for (int i = 0; i < small / 2; ++i) {
        const int code = byteAt(codes, i);
        const int low = (code & 15) | static_cast<int>(high >> i & 1) << 4;
        const int up = code >> 4 | static_cast<int>(high >> (i + 16) & 1) << 4;
        to[i] = scale * static_cast<float>(low - offset);
        to[i + 16] = scale * static_cast<float>(up - offset);
    }
}

void decodeAffine(float scale, float least, const std::byte *codes, std::uint32_t high, float *to)
{
    decodeSymmetric(scale, codes, high, 0, to);
    for (int i = 0; i < small; ++i)
        to[i] += least;
}

void decodeQ40(const std::byte *block, float *to)
{
    decodeSymmetric(scaleAt(block), block + 2, 0, 8, to);
}

void decodeQ41(const std::byte *block, float *to)
{
    decodeAffine(scaleAt(block), scaleAt(block + 2), block + 4, 0, to);
}

void decodeQ50(const std::byte *block, float *to)
{
    decodeSymmetric(scaleAt(block), block + 6, wordAt(block + 2), 16, to);
}

void decodeQ51(const std::byte *block, float *to)
{
    decodeAffine(scaleAt(block), scaleAt(block + 2), block + 8, wordAt(block + 4), to);
}

void decodeQ80(const std::byte *block, float *to)
{
    const float scale = scaleAt(block);
    for (int i = 0; i < small; ++i)
        to[i] = static_cast<float>(static_cast<std::int8_t>(byteAt(block, 2 + i))) * scale;
}

/// Four-bit floats under a power of two (OCP microscaling formats): an eight-bit exponent, then codes.
void decodeMxfp4(const std::byte *block, float *to)
{
    // Twice the values of E2M1, so the scale is halved; its smallest two are subnormal then.
    static constexpr std::array<float, 16> values = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    const std::uint32_t exponent = byteAt(block, 0);
    const auto scale = std::bit_cast<float>(exponent < 2 ? 0x00200000u << exponent : (exponent - 1) << 23);
    for (int i = 0; i < small / 2; ++i) {
        const int code = byteAt(block, 1 + i);
        to[i] = scale * values[static_cast<std::size_t>(code & 15)];
        to[i + 16] = scale * values[static_cast<std::size_t>(code >> 4)];
    }
}

// The large blocks: 256 numbers in parts that have small scales of their own, under a scale for all.
constexpr int large = 256;

/// Scale and least value of part `part` of eight, six bits each in twelve bytes: the first four of both whole, the upper two
/// bits of the other four in what those leave free.
struct PartScale {
    float scale, least;
};
PartScale partScale(const std::byte *packed, int part)
{
    if (part < 4)
        return {static_cast<float>(byteAt(packed, part) & 63), static_cast<float>(byteAt(packed, part + 4) & 63)};
    const int both = byteAt(packed, part + 4);
    return {static_cast<float>((both & 15) | (byteAt(packed, part - 4) >> 6) << 4),
            static_cast<float>(both >> 4 | (byteAt(packed, part) >> 6) << 4)};
}

/// Q4_K and Q5_K: eight parts of 32; a byte of `codes` serves two neighbouring parts, a bit of each byte of `high` one.
void decodeParts(const std::byte *block, const std::byte *codes, const std::byte *high, float *to)
{
    const float scale = scaleAt(block), least = scaleAt(block + 2);
    for (int part = 0; part < large / small; ++part) {
        const PartScale own = partScale(block + 4, part);
        const float partsScale = scale * own.scale, partsLeast = least * own.least;
        for (int i = 0; i < small; ++i) {
            int code = byteAt(codes, part / 2 * small + i) >> (part % 2 * 4) & 15;
            if (high)
                code |= (byteAt(high, i) >> part & 1) << 4;
            const float scaled = partsScale * static_cast<float>(code);
            to[part * small + i] = scaled - partsLeast;
        }
    }
}

void decodeQ4K(const std::byte *block, float *to)
{
    decodeParts(block, block + 16, nullptr, to);
}

void decodeQ5K(const std::byte *block, float *to)
{
    decodeParts(block, block + 48, block + 16, to);
}

/// Sixteen parts of 16; the lower four bits of 64 numbers lie beside those of the next 64, the upper two of four times 32.
void decodeQ6K(const std::byte *block, float *to)
{
    const std::byte *low = block, *high = block + large / 2, *scales = high + large / 4;
    const float scale = scaleAt(scales + large / 16);
    for (int i = 0; i < large; ++i) {
        const int half = i / 128, within = i % 128;
        const int lower = byteAt(low, half * 64 + within % 64) >> (within / 64 * 4) & 15;
        const int upper = byteAt(high, half * small + within % small) >> (within / small * 2) & 3;
        const float partsScale = scale * static_cast<float>(static_cast<std::int8_t>(byteAt(scales, i / 16)));
        to[i] = partsScale * static_cast<float>((lower | upper << 4) - 32);
    }
}

// In the order of their numbers. Types that are not read have a name, for the error.
constexpr std::array types = {
    GgufType{0, "F32", 1, 4, DType::F32},
    GgufType{1, "F16", 1, 2, DType::F16},
    GgufType{2, "Q4_0", small, 18, {}, decodeQ40},
    GgufType{3, "Q4_1", small, 20, {}, decodeQ41},
    GgufType{6, "Q5_0", small, 22, {}, decodeQ50},
    GgufType{7, "Q5_1", small, 24, {}, decodeQ51},
    GgufType{8, "Q8_0", small, 34, {}, decodeQ80},
    GgufType{9, "Q8_1"},
    GgufType{10, "Q2_K"},
    GgufType{11, "Q3_K"},
    GgufType{12, "Q4_K", large, 144, {}, decodeQ4K},
    GgufType{13, "Q5_K", large, 176, {}, decodeQ5K},
    GgufType{14, "Q6_K", large, 210, {}, decodeQ6K},
    GgufType{15, "Q8_K"},
    GgufType{16, "IQ2_XXS"},
    GgufType{17, "IQ2_XS"},
    GgufType{18, "IQ3_XXS"},
    GgufType{19, "IQ1_S"},
    GgufType{20, "IQ4_NL"},
    GgufType{21, "IQ3_S"},
    GgufType{22, "IQ2_S"},
    GgufType{23, "IQ4_XS"},
    GgufType{24, "I8"},
    GgufType{25, "I16"},
    GgufType{26, "I32"},
    GgufType{27, "I64"},
    GgufType{28, "F64"},
    GgufType{29, "IQ1_M"},
    GgufType{30, "BF16", 1, 2, DType::BF16},
    GgufType{34, "TQ1_0"},
    GgufType{35, "TQ2_0"},
    GgufType{39, "MXFP4", small, 17, {}, decodeMxfp4},
    GgufType{40, "NVFP4"},
};

} // namespace

const GgufType *findGgufType(std::uint32_t number)
{
    const auto found = std::find_if(types.begin(), types.end(), [&](const GgufType &type) { return type.number == number; });
    return found == types.end() ? nullptr : &*found;
}

void decodeNumbers(const GgufType &type, const std::byte *from, std::int64_t numbers, float *to)
{
    if (type.decode) {
        for (std::int64_t i = 0; i < numbers / type.length; ++i)
            type.decode(from + i * type.bytes, to + i * type.length);
    } else if (type.plain == DType::F32) {
        std::memcpy(to, from, static_cast<std::size_t>(numbers) * sizeof(float));
    } else {
        for (std::int64_t i = 0; i < numbers; ++i)
            to[i] = type.plain == DType::F16 ? f16ToFloat(halfAt(from + 2 * i)) : bf16ToFloat(halfAt(from + 2 * i));
    }
}

std::string_view readGgufTypes()
{
    return "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K or MXFP4";
}

} // namespace zigzag
