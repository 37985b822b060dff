// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace zigzag::gpu {

struct Index3 {
    unsigned x = 0, y = 0, z = 0;
};

/// The narrow element types, as they lie in memory.
struct Bf16 {
    std::uint16_t bits;
};
struct F16 {
    std::uint16_t bits;
};
/// E4M3 (engine/base/dtype.h): a type of stored keys and values.
struct F8 {
    std::uint8_t bits;
};

struct alignas(8) Float2 {
    float x, y;
};

/// What one load or store moves at most.
struct alignas(16) Vec16 {
    std::uint32_t w[4];
};

inline constexpr int warpSize = 32;

inline constexpr float log2e = 1.4426950408889634f;

} // namespace zigzag::gpu
