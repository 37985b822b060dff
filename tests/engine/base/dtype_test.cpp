// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/dtype.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace zigzag {
namespace {

/// What IEEE 754 says a half is, by ldexp and nothing clever.
float halfByDefinition(std::uint16_t bits)
{
    const int exponent = (bits >> 10) & 0x1f, mantissa = bits & 0x3ff;
    const float sign = bits & 0x8000 ? -1.0f : 1.0f;
    if (exponent == 0x1f)
        return mantissa ? std::numeric_limits<float>::quiet_NaN() : sign * std::numeric_limits<float>::infinity();
    if (exponent == 0)
        return sign * std::ldexp(static_cast<float>(mantissa), -24);
    return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

TEST(DType, EveryHalfBecomesItsFloatAndComesBack)
{
    for (std::uint32_t i = 0; i < 65536; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float expected = halfByDefinition(bits), value = f16ToFloat(bits);
        if (std::isnan(expected)) {
            EXPECT_TRUE(std::isnan(value)) << i;
            EXPECT_TRUE(std::isnan(f16ToFloat(floatToF16(value)))) << i;
            continue;
        }
        EXPECT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(expected)) << i;
        EXPECT_EQ(floatToF16(value), bits) << i;
    }
}

TEST(DType, FloatsBetweenHalvesRoundToTheNearestAndTiesToEven)
{
    // 0x7bff is the largest finite half; the step above it would be 65536, so 65520 is the tie with infinity.
    for (std::uint32_t i = 0; i < 0x7bff; ++i) {
        const auto low = static_cast<std::uint16_t>(i), high = static_cast<std::uint16_t>(i + 1);
        const float middle = (halfByDefinition(low) + halfByDefinition(high)) / 2; // exact in a float
        EXPECT_EQ(floatToF16(middle), low % 2 == 0 ? low : high) << i;
        EXPECT_EQ(floatToF16(std::nextafter(middle, 0.0f)), low) << i;
        EXPECT_EQ(floatToF16(std::nextafter(middle, 1e9f)), high) << i;
        EXPECT_EQ(floatToF16(-middle), (low % 2 == 0 ? low : high) | 0x8000) << i;
    }
    EXPECT_EQ(floatToF16(std::nextafter(65520.0f, 0.0f)), 0x7bff);
    EXPECT_EQ(floatToF16(65520.0f), 0x7c00);
    EXPECT_EQ(floatToF16(-1e30f), 0xfc00);
    EXPECT_EQ(floatToF16(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(DType, Bf16RoundsToTheNearestAndKeepsNaN)
{
    for (std::uint32_t i = 0; i < 65536; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float value = bf16ToFloat(bits);
        if (std::isnan(value))
            EXPECT_TRUE(std::isnan(bf16ToFloat(floatToBf16(value)))) << i;
        else
            EXPECT_EQ(floatToBf16(value), bits) << i;
    }
    EXPECT_EQ(floatToBf16(std::bit_cast<float>(0x3f808000u)), 0x3f80); // a tie goes to the even neighbour
    EXPECT_EQ(floatToBf16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
    EXPECT_EQ(floatToBf16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
    EXPECT_TRUE(std::isnan(bf16ToFloat(floatToBf16(std::bit_cast<float>(0x7f800001u)))));
}

} // namespace
TEST(DType, EveryF8NumberSurvivesAndEveryMidpointGoesToTheEvenOne)
{
    for (unsigned bits = 0; bits < 256; ++bits) {
        const float value = f8ToFloat(static_cast<std::uint8_t>(bits));
        if ((bits & 0x7fu) == 0x7fu)
            EXPECT_TRUE(std::isnan(value)) << bits;
        else
            EXPECT_EQ(floatToF8(value), bits) << value;
    }
    for (std::uint8_t below = 0; below < 0x7e; ++below) {
        const auto above = static_cast<std::uint8_t>(below + 1);
        const float middle = (f8ToFloat(below) + f8ToFloat(above)) / 2;
        EXPECT_EQ(floatToF8(middle), below % 2 == 0 ? below : above) << middle;
        EXPECT_EQ(floatToF8(std::nextafter(middle, 0.0f)), below) << middle;
        EXPECT_EQ(floatToF8(std::nextafter(middle, 1e9f)), above) << middle;
        EXPECT_EQ(floatToF8(-middle), floatToF8(middle) | 0x80u) << middle;
    }
}

TEST(DType, F8EndsAt448AndSaturates)
{
    EXPECT_EQ(f8ToFloat(0x7e), f8Max);
    EXPECT_EQ(f8ToFloat(0x01), 0x1p-9f);
    EXPECT_EQ(f8ToFloat(floatToF8(1e30f)), f8Max);
    EXPECT_EQ(f8ToFloat(floatToF8(-INFINITY)), -f8Max);
    EXPECT_TRUE(std::isnan(f8ToFloat(floatToF8(NAN))));
}

} // namespace zigzag
