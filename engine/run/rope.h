// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model_config.h"

#include <cstdint>
#include <vector>

namespace zigzag {

/// Radians per position of each pair of a head's dimensions, after the config's context extension. [head_dim / 2]
std::vector<float> rotationFrequencies(const ModelConfig &config);

/// Cosines, then sines, of each position, with YaRN's attention factor folded in. [context, 2, head_dim / 2]
std::vector<float> rotationTable(const ModelConfig &config, std::int64_t context);

} // namespace zigzag
