// SPDX-License-Identifier: GPL-3.0-or-later
// Compiled without contraction of products and sums: a block must decode to the same bits on every machine.
#include "engine/model/weight_type.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

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

/// Eleven bits times five: exact.
void decodeInt4(const std::byte *block, float *to)
{
    const float scale = scaleAt(block);
    const int zero = byteAt(block, 2);
    for (int i = 0; i < 64; ++i) {
        const int code = byteAt(block, 4 + i);
        to[i] = scale * static_cast<float>((code & 15) - zero);
        to[i + 64] = scale * static_cast<float>((code >> 4) - zero);
    }
}

/// One block of each type to float32, in the order of BlockType.
constexpr std::array<void (*)(const std::byte *block, float *numbers), blockShapes.size()> decodeBlock
    = {decodeQ40, decodeQ41, decodeQ50, decodeQ51, decodeQ80, decodeQ4K, decodeQ5K, decodeQ6K, decodeMxfp4, decodeInt4};

constexpr std::array<WeightType, 4 + blockShapes.size()> allTypes = [] {
    std::array<WeightType, 4 + blockShapes.size()> all{DType::F32, DType::F16, DType::BF16, DType::F8};
    for (std::size_t i = 0; i < blockShapes.size(); ++i)
        all[4 + i] = static_cast<BlockType>(i);
    return all;
}();

} // namespace

std::span<const WeightType> weightTypes()
{
    return allTypes;
}

std::optional<WeightType> findWeightType(std::string_view name)
{
    const auto found = std::find_if(allTypes.begin(), allTypes.end(), [&](WeightType type) { return type.name() == name; });
    return found == allTypes.end() ? std::nullopt : std::optional(*found);
}

void decodeNumbers(WeightType type, const std::byte *from, std::int64_t numbers, float *to)
{
    if (const auto block = type.block()) {
        const auto decode = decodeBlock[static_cast<std::size_t>(*block)];
        const std::int64_t length = type.blockLength(), bytes = type.blockBytes();
        for (std::int64_t i = 0; i < numbers / length; ++i)
            decode(from + i * bytes, to + i * length);
    } else if (type == DType::F32) {
        std::memcpy(to, from, static_cast<std::size_t>(numbers) * sizeof(float));
    } else if (type == DType::F8) {
        for (std::int64_t i = 0; i < numbers; ++i)
            to[i] = f8ToFloat(std::to_integer<std::uint8_t>(from[i]));
    } else {
        for (std::int64_t i = 0; i < numbers; ++i)
            to[i] = type == DType::F16 ? f16ToFloat(halfAt(from + 2 * i)) : bf16ToFloat(halfAt(from + 2 * i));
    }
}

} // namespace zigzag
