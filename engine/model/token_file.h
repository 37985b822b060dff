// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// Whitespace-separated ids, each below `vocabulary`; one at least. `where` names the file in errors.
Result<std::vector<int>> parseTokens(std::string_view text, int vocabulary, const std::string &where);

} // namespace zigzag
