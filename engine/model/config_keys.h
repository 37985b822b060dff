// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/model/model_config.h"

#include <string>
#include <vector>

namespace zigzag {

/// Adds one note that names keys which are known to nobody here: the first few, and how many more there are.
void noteUnknownKeys(std::vector<std::string> &notes, const std::vector<std::string> &keys, const std::string &where);

/// Holds the keys of a config.json against those that are read elsewhere, known to say nothing of the network, or known to
/// change it. Of the last, a value that does not mean "off" is refused; keys of no list are named in one of `model.notes`.
Result<void> checkConfigKeys(ModelConfig &model, const json::Value &config, const std::string &where);

} // namespace zigzag
