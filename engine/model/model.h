// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model_config.h"
#include "engine/model/tokenizer.h"
#include "engine/model/weights.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

/// A model in memory, shared by every session that runs it.
struct Model {
    ModelConfig config;
    Weights weights;
    std::optional<Tokenizer> tokenizer; ///< absent for presets and folders without tokenizer.json

    ModelShape shape() const { return config.shape(weights.fingerprint); }
};

/// MODEL of the command line: a Hugging Face folder, `bundled:NAME` or `preset:NAME`.
Result<std::shared_ptr<const Model>> loadModel(const std::string &name, const LoadWatch &watch = {});
/// The config alone: what `info` and the predictor need, without touching the weights.
Result<ModelConfig> loadModelConfig(const std::string &name);
/// The config.json of a MODEL as it stands, for what is made from it.
Result<std::string> readModelConfigText(const std::string &name);

/// Names that `preset:` and `bundled:` accept.
std::vector<std::string> presetNames();
std::vector<std::string> bundledNames();
/// The folder of resources: $ZIGZAG_RESOURCES, beside the program, or where the build found it.
std::filesystem::path resourceFolder();

} // namespace zigzag
