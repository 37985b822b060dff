// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <filesystem>
#include <vector>

namespace zigzag {

/// The texts below a folder, by name: what is plain text by its content, whatever it is called. Of a file, itself.
/// Fails where there is none.
Result<std::vector<std::filesystem::path>> documentsOf(const std::filesystem::path &fileOrFolder);

} // namespace zigzag
