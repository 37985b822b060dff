// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/base/result.h"

#include <string>
#include <vector>

namespace zigzag {

/// Puts the text part of a model that also sees (text_config of its config.json) in the place of the whole: what such files say
/// outside of it for the whole model (type of weights, end tokens, a tied head, quantisation) goes with it, and a note says that
/// nothing is seen. A config of text alone stays as it is. What is around a text part must be known to its family
/// (Family::outerTypes), as it may change the text part as well.
Result<void> takeTextPart(json::Value &config, std::vector<std::string> &notes, const std::string &where);

} // namespace zigzag
