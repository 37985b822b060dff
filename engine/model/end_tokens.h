// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"

#include <string>
#include <vector>

namespace zigzag {

/// "eos_token_id" of a config.json or a generation_config.json: a number, a list of them, or nothing.
Result<std::vector<int>> readEndTokens(const json::Value &config, const std::string &where);

} // namespace zigzag
