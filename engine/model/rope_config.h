// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/model/model_config.h"

namespace zigzag {

/// The rotary embedding of a config.json in any of its spellings: rope_theta beside rope_scaling with "type" or
/// "rope_type", or, since transformers 5, everything inside rope_parameters. Which place wins, and what a null means, is as in
/// transformers 5. Sets `rope`, `localRope` and `rotaryDim` of a model whose family, sizes and layers are known; what is not
/// used is added to its notes.
Result<void> readRope(ModelConfig &model, const json::Value &config, const std::string &where);

} // namespace zigzag
