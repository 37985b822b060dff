// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace zigzag {

/// Zeroed memory for weights, on large pages where the machine gives them; null where it cannot be had.
std::shared_ptr<void> allocateWeights(std::size_t bytes);

/// Where the next tensor begins: tensors lie aligned to a cache line.
constexpr std::int64_t alignedBytes(std::int64_t bytes)
{
    constexpr std::int64_t line = 64;
    return (bytes + line - 1) / line * line;
}

} // namespace zigzag
