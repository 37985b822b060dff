// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace zigzag {

/// Seeded tokens of a vocabulary, for runs whose times count and not their text.
inline std::vector<int> randomTokens(std::int64_t count, int vocabulary, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    std::vector<int> tokens(static_cast<std::size_t>(count));
    for (int &token : tokens)
        token = static_cast<int>(random() % static_cast<std::uint64_t>(vocabulary));
    return tokens;
}

} // namespace zigzag
