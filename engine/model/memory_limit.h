// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace zigzag {

/// Bytes that a new allocation may take now: what the kernel calls available, within the limit of a container and of
/// limitMemory().
std::int64_t availableMemory();

/// What this process may take in all, as a person decided; 0: no limit of that sort. It holds for what is allocated from now on.
void limitMemory(std::int64_t bytes);

/// Refuses what does not fit, with the bytes needed, the bytes available, and the largest preset that would fit.
Result<void> checkFitsMemory(std::string_view what, std::int64_t needed, std::int64_t available);

} // namespace zigzag
