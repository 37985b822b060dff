// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace zigzag {

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators": a bijection that looks random, so numbers come
/// from a counter and every block can be filled by itself.
constexpr std::uint64_t mixedBits(std::uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

} // namespace zigzag
