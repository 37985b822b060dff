// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model_config.h"

#include <cstdint>
#include <string>

namespace zigzag {

// The one rule for contexts beyond what a model was made for (max_position_embeddings): what measures, predicts or continues a
// text runs them and says so; where an answer or a text is judged, they are refused, because the model would be blamed.

/// One sentence about a context beyond the model's, or nothing where it is within.
std::string noteBeyondMaximum(const ModelConfig &model, std::int64_t context);
/// Refuses a context outside `least` to the model's longest.
Result<void> checkWithinMaximum(const ModelConfig &model, std::int64_t context, std::int64_t least = 1);

} // namespace zigzag
