// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>

namespace zigzag {

/// Bytes of the last-level caches that the processors have together, as Linux lists them below `processors`
/// (cpu0/cache/index3/…); where it does not, as the C library knows them; 0 = not known. The C library counts a whole
/// package, of which a virtual machine may have a part.
std::int64_t lastLevelCacheBytes(const std::filesystem::path &processors = "/sys/devices/system/cpu");

} // namespace zigzag
