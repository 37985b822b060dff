// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <filesystem>
#include <vector>

namespace zigzag::questions {

/// The plain files of a folder and of those within it, by name; links to folders are not followed, and what is called
/// ".something" is left alone. Fails beyond eight levels or 10,000 entries, which no set of questions or texts has.
Result<std::vector<std::filesystem::path>> filesBelow(const std::filesystem::path &folder);

} // namespace zigzag::questions
