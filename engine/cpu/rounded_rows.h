// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace zigzag {

/// Rows of activations that were rounded to eight bits: parts of 32 numbers, each scale · code with codes from -127 to 127, where
/// `scale` is the largest number of the part over 127. The sums are what weights with a least value are multiplied with.
struct RoundedRows {
    std::byte *memory = nullptr; ///< aligned to 32 bytes: of each row its codes, scales, sums of parts, sums of halves of parts
    std::size_t columns = 0; ///< whole parts

    /// Of scales and sums: whole groups of eight parts, the last ones zero.
    std::size_t parts() const { return (columns / 32 + 7) / 8 * 8; }
    std::size_t rowBytes() const { return parts() * (32 + 4 * sizeof(float)); }
    RoundedRows from(std::size_t row) const { return {memory + row * rowBytes(), columns}; }
    std::int8_t *codesOf(std::size_t row) const { return reinterpret_cast<std::int8_t *>(memory + row * rowBytes()); }
    float *scalesOf(std::size_t row) const { return reinterpret_cast<float *>(codesOf(row) + parts() * 32); }
    float *sumsOf(std::size_t row) const { return scalesOf(row) + parts(); }
    float *halfSumsOf(std::size_t row) const { return sumsOf(row) + parts(); }
};

} // namespace zigzag
