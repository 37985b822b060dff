// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace zigzag {

/// F8 is E4M3 with no infinities (OCP 8-bit floating point, "e4m3fn"): of stored keys and values, and of weights that have
/// scales beside them.
enum class DType : std::uint8_t { F32, F16, BF16, F8 };

constexpr std::int64_t bytesOf(DType type)
{
    return type == DType::F32 ? 4 : type == DType::F8 ? 1 : 2;
}

constexpr std::string_view nameOf(DType type)
{
    return type == DType::F32 ? "f32" : type == DType::F16 ? "f16" : type == DType::BF16 ? "bf16" : "fp8";
}

inline float bf16ToFloat(std::uint16_t bits)
{
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Round to nearest, ties to even; NaN stays NaN.
inline std::uint16_t floatToBf16(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float f16ToFloat(std::uint16_t bits)
{
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t magnitude = bits & 0x7fffu;
    if (magnitude >= 0x7c00u) // infinity or NaN
        return std::bit_cast<float>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
    // Multiplying by 2^112 moves the exponent bias from 15 to 127 and is exact for subnormals as well.
    const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | sign);
}

/// Round to nearest, ties to even; too large becomes infinity.
inline std::uint16_t floatToF16(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return static_cast<std::uint16_t>(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) // 65520 and above round to infinity
        return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x38800000u) { // subnormal: the addition aligns the mantissa and rounds it
        const float aligned = std::bit_cast<float>(magnitude) + 0.5f;
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(aligned) - 0x3f000000u));
    }
    const std::uint32_t rounded = magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | (rounded >> 13));
}

/// The largest number of E4M3.
inline constexpr float f8Max = 448;

inline float f8ToFloat(std::uint8_t bits)
{
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x80u) << 24;
    if ((bits & 0x7fu) == 0x7fu) // the one NaN
        return std::bit_cast<float>(sign | 0x7fc00000u);
    // As for f16: 2^120 moves the exponent bias from 7 to 127, subnormals included.
    const float scaled = std::bit_cast<float>(static_cast<std::uint32_t>(bits & 0x7fu) << 20) * 0x1p120f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | sign);
}

/// Round to nearest, ties to even; too large becomes the largest number of its sign, as caches and converters of GPUs do it
/// ("saturating"), NaN stays NaN.
inline std::uint8_t floatToF8(float value)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint8_t>((bits >> 24) & 0x80u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return static_cast<std::uint8_t>(sign | 0x7fu);
    if (magnitude >= 0x43e00000u) // 448 and above
        return static_cast<std::uint8_t>(sign | 0x7eu);
    if (magnitude < 0x3c800000u) { // below 2^-6: the addition aligns the mantissa to steps of 2^-9 and rounds it
        const float aligned = std::bit_cast<float>(magnitude) + 0x1p14f;
        return static_cast<std::uint8_t>(sign | (std::bit_cast<std::uint32_t>(aligned) - 0x46800000u));
    }
    const std::uint32_t rounded = magnitude - 0x3c000000u + 0x7ffffu + ((magnitude >> 20) & 1u);
    return static_cast<std::uint8_t>(sign | (rounded >> 20));
}

} // namespace zigzag
