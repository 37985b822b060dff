// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace zigzag {

/// The file in which an unfinished search waits ("zigzag-search-progress", version 1): what was searched, word for word, and
/// the state that its method wrote. Written atomically, so a kill leaves the last complete one.
Result<void> saveProgress(const std::filesystem::path &file, std::string_view method, const std::string &planJson,
                          const std::string &stateJson);
/// The state, or nothing where there is no such file. A file of another search is refused: it is somebody's work.
Result<std::optional<std::string>> loadProgress(const std::filesystem::path &file, std::string_view method,
                                                const std::string &planJson);

} // namespace zigzag
