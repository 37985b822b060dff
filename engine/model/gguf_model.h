// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/model/model.h"

#include <filesystem>
#include <string>

namespace zigzag {

// A GGUF file as a model (engine/model/gguf): its metadata is config and tokenizer, its tensors are the weights.

/// Everything of it; without `needsWeights` held against the config, and not copied.
Result<Model> readGgufModel(const std::filesystem::path &file, bool needsWeights, const LoadWatch &watch = {});
/// The config alone, also of a file that ends before its tensors' data; a note says so.
Result<ModelConfig> readGgufModelConfig(const std::filesystem::path &file);
/// Whether the data of all its tensors is there.
Result<bool> hasGgufWeights(const std::filesystem::path &file);
/// What its config.json would be.
Result<std::string> readGgufConfigText(const std::filesystem::path &file);

} // namespace zigzag
