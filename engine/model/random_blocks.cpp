// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/random_blocks.h"

#include "engine/model/random_bits.h"

#include <array>
#include <cmath>
#include <cstring>
#include <initializer_list>

namespace zigzag {

namespace {

/// The bytes of a block that hold scales: the same in every block of a tensor. The others are codes.
class Scales
{
public:
    Scales(BlockType type, double deviation);

    void put(std::byte *block) const { std::memcpy(block + m_place, m_bytes.data(), m_size); }

private:
    void half(double value)
    {
        const std::uint16_t bits = floatToF16(static_cast<float>(value));
        std::memcpy(m_bytes.data() + m_size, &bits, sizeof bits);
        m_size += sizeof bits;
    }
    void bytes(std::initializer_list<int> values)
    {
        for (const int value : values)
            m_bytes[m_size++] = static_cast<std::byte>(value);
    }

    std::array<std::byte, 18> m_bytes{};
    std::size_t m_place = 0, m_size = 0;
};

/// Of `count` codes that are equally likely, one apart.
double deviationOfCodes(int count)
{
    return std::sqrt((static_cast<double>(count) * count - 1) / 12);
}

Scales::Scales(BlockType type, double deviation)
{
    const double four = deviation / deviationOfCodes(16), five = deviation / deviationOfCodes(32);
    // Q4_K and Q5_K: all scales and all least values of parts are 32, whose upper two bits lie apart in parts 4 to 7.
    constexpr int partScale = 32;
    const auto parts = [&] { bytes({160, 160, 160, 160, 160, 160, 160, 160, 0, 0, 0, 0}); };
    switch (type) {
    case BlockType::Q40:
        half(four);
        break;
    case BlockType::Q41:
        half(four);
        half(-7.5 * four);
        break;
    case BlockType::Q50:
        half(five);
        break;
    case BlockType::Q51:
        half(five);
        half(-15.5 * five);
        break;
    case BlockType::Q80:
        half(deviation / deviationOfCodes(256));
        break;
    case BlockType::Q4K:
        half(four / partScale);
        half(7.5 * four / partScale);
        parts();
        break;
    case BlockType::Q5K:
        half(five / partScale);
        half(15.5 * five / partScale);
        parts();
        break;
    case BlockType::Q6K:
        m_place = 192;
        bytes({16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16});
        half(deviation / deviationOfCodes(64) / 16);
        break;
    case BlockType::Int4:
        half(four);
        bytes({8, 0});
        break;
    case BlockType::Mxfp4: {
        constexpr double deviationOfValues = 2.926; // of E2M1
        bytes({127 + static_cast<int>(std::lround(std::log2(deviation / deviationOfValues)))});
        break;
    }
    }
}

} // namespace

void fillBlocks(BlockType type, double deviation, std::uint64_t seed, std::int64_t begin, std::int64_t end, std::byte *to)
{
    const Scales scales(type, deviation);
    constexpr std::int64_t most = 216; // a whole number of words
    const std::int64_t size = WeightType(type).blockBytes();
    for (std::int64_t i = begin; i < end; ++i) {
        std::array<std::byte, most> block;
        for (std::int64_t at = 0; at < size; at += 8) {
            const std::uint64_t bits = mixedBits(seed + static_cast<std::uint64_t>(i * (most / 8) + at / 8));
            std::memcpy(block.data() + at, &bits, sizeof bits);
        }
        scales.put(block.data());
        std::memcpy(to + i * size, block.data(), static_cast<std::size_t>(size));
    }
}

} // namespace zigzag
