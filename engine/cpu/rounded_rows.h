// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace zigzag {

/// Rows of activations that were rounded to eight bits: parts of 32 numbers, each scale · code with codes from -127 to 127, where
/// `scale` is the largest number of the part over 127. Sums of parts are what weights with a least value are multiplied with;
/// `offsets` make a product with unsigned codes that are 128 too large the one with signed codes. Eight parts are a group; what
/// the last group has beyond the row is zero.
struct RoundedRows {
    std::byte *memory
        = nullptr; ///< aligned to 64 bytes: of each row its codes, offsets, scales and sums, sums of halves of parts
    std::size_t columns = 0; ///< whole parts

    std::size_t groups() const { return (columns / 32 + 7) / 8; }
    std::size_t rowBytes() const { return groups() * (256 + 256 + 64 + 64); }
    RoundedRows from(std::size_t row) const { return {memory + row * rowBytes(), columns}; }
    std::int8_t *codes(std::size_t group) const { return reinterpret_cast<std::int8_t *>(memory) + group * 256; }
    /// -128 times the sum of each four codes.
    std::int32_t *offsets(std::size_t group) const
    {
        return reinterpret_cast<std::int32_t *>(memory + groups() * 256) + group * 64;
    }
    float *scales(std::size_t group) const { return reinterpret_cast<float *>(memory + groups() * 512) + group * 16; }
    float *sums(std::size_t group) const { return scales(group) + 8; } // behind the scales of its group
    float *halfSums(std::size_t group) const { return reinterpret_cast<float *>(memory + groups() * 576) + group * 16; }
};

} // namespace zigzag
