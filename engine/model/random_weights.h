// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/weights.h"

#include <cstdint>

namespace zigzag {

/// Random weights of the config's shape and types, the same for the same seed: to profile a shape without its files.
/// Refused before allocation when they do not fit into memory.
Result<Weights> randomWeights(const ModelConfig &config, std::uint64_t seed, const LoadWatch &watch = {});

} // namespace zigzag
