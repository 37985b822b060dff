// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model_config.h"

#include <cstdint>
#include <vector>

namespace zigzag {

/// Radians per position of each pair of a head's dimensions, after the context extension of `rope`. LongRoPE has one set of
/// factors up to its original context and another for contexts beyond, and the base of dynamic NTK scaling grows with them:
/// `context` is what is planned for. [rotated / 2]
std::vector<float> rotationFrequencies(const ModelConfig &config, const RopeConfig &rope, std::int64_t context);
inline std::vector<float> rotationFrequencies(const ModelConfig &config)
{
    return rotationFrequencies(config, config.rope, config.maxContext);
}

/// Cosines, then sines, of each position, with the attention factor of YaRN and LongRoPE folded in. [context, 2, rotated / 2]
std::vector<float> rotationTable(const ModelConfig &config, const RopeConfig &rope, std::int64_t context);
inline std::vector<float> rotationTable(const ModelConfig &config, std::int64_t context)
{
    return rotationTable(config, config.rope, context);
}

/// What a position's queries are multiplied with, as float32 (RopeConfig::queryScaleBeta). [context]
std::vector<float> queryScales(const RopeConfig &rope, std::int64_t context);

} // namespace zigzag
