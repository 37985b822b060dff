// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/weight_type.h"

#include <cstddef>
#include <cstdint>

namespace zigzag {

/// Blocks [begin, end) of a tensor at `to` with random codes under scales that give numbers of this deviation (of MXFP4, whose
/// scales are powers of two, within a factor of √2) and a mean of about zero. The same for the same seed, however it is cut.
void fillBlocks(BlockType type, double deviation, std::uint64_t seed, std::int64_t begin, std::int64_t end, std::byte *to);

} // namespace zigzag
