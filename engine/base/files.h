// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace zigzag {

/// The whole file, refused above `limit` bytes. A folder, a missing file and missing permission each say so.
Result<std::string> readTextFile(const std::filesystem::path &file, std::uint64_t limit = 256ull << 20);

/// Writes beside the target, fsyncs, then renames: a crash or a full disk leaves the old file or the new one.
Result<void> writeFileAtomically(const std::filesystem::path &file, std::string_view content);

} // namespace zigzag
