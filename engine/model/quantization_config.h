// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/json_input.h"
#include "engine/model/model_config.h"

#include <string>

namespace zigzag {

/// Reads a quantization_config (transformers' FineGrainedFP8Config, FbgemmFp8Config, AwqConfig and GPTQConfig, and
/// the library compressed-tensors for FP8). Forms that are not read are refused by name.
Result<Quantization> parseQuantization(const json::Value &config, const std::string &where);

/// Gives the matrices of all layers the type that their form stands for, but for routers and what is kept. Refuses rows that are
/// no whole number of groups.
Result<void> giveQuantizedTypes(ModelConfig &config, const std::string &where);

} // namespace zigzag
