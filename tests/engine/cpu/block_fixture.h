// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/weight_type.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

namespace zigzag::test {

inline std::vector<WeightType> allBlockTypes()
{
    std::vector<WeightType> types;
    for (const WeightType type : weightTypes())
        if (type.isBlocks())
            types.push_back(type);
    return types;
}

/// Weights [rows, columns] in blocks of random bytes under scales from 2^-8 to 2^-3, each block with its own, and what the
/// decoder makes of them.
struct StoredBlocks {
    WeightType type;
    std::int64_t rows, columns;
    std::vector<std::byte> bytes;
    std::vector<float> values;

    StoredBlocks(WeightType blocks, std::int64_t rowCount, std::int64_t columnCount, std::uint64_t seed)
        : type(blocks)
        , rows(rowCount)
        , columns(columnCount)
        , bytes(static_cast<std::size_t>(rowCount * rowBytes(blocks, columnCount)))
        , values(static_cast<std::size_t>(rowCount * columnCount))
    {
        std::mt19937_64 random(seed);
        for (std::byte &byte : bytes)
            byte = static_cast<std::byte>(random() & 255);
        const auto size = static_cast<std::size_t>(type.blockBytes());
        for (std::size_t at = 0; at < bytes.size(); at += size) {
            if (type == BlockType::Mxfp4) {
                bytes[at] = static_cast<std::byte>(118 + random() % 6);
                continue;
            }
            const auto put = [&](std::size_t place, bool negative) {
                const auto scale = static_cast<std::uint16_t>((0x1c00 + random() % 0x1400) | (negative ? 0x8000 : 0));
                std::memcpy(bytes.data() + at + place, &scale, sizeof scale);
            };
            put(type == BlockType::Q6K ? size - 2 : 0, false);
            const bool hasLeast
                = type == BlockType::Q41 || type == BlockType::Q51 || type == BlockType::Q4K || type == BlockType::Q5K;
            if (hasLeast)
                put(2, random() % 2 == 0);
        }
        decodeNumbers(type, bytes.data(), rows * columns, values.data());
    }
};

} // namespace zigzag::test
