// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model_config.h"
#include "engine/model/tokenizer.h"
#include "engine/model/weights.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zigzag {

/// How a model's files put a conversation together (engine/model/chat.h).
struct ChatTemplate {
    std::string text; ///< in Jinja; empty: there is none
    std::vector<std::pair<std::string, std::string>> tokens; ///< that it may name: "bos_token" and its like, and their text
    std::string refusal; ///< why there is none to be had though there is a file
};

/// A model in memory, shared by every session that runs it.
struct Model {
    ModelConfig config;
    Weights weights;
    std::optional<Tokenizer> tokenizer; ///< absent for presets, and where the model's files have none that can be read
    ChatTemplate chat;
    std::string tokenizerRefusal; ///< why it cannot be; empty where a folder has no tokenizer.json

    ModelShape shape() const { return config.shape(weights.fingerprint); }
};

/// MODEL of the command line: a Hugging Face folder, a GGUF file, `bundled:NAME` or `preset:NAME`. What the files say and is not
/// used is in config.notes, the only place for it: who loads a model shows them. `kvType`: of keys and values; none: the weights'
/// own.
Result<std::shared_ptr<const Model>> loadModel(const std::string &name, const LoadWatch &watch = {},
                                               std::optional<DType> kvType = {});
/// The same of a preset or a GGUF file without its weights, and of a folder that has none: config.json is enough.
Result<std::shared_ptr<const Model>> describeModel(const std::string &name, std::optional<DType> kvType = {});
/// The config alone: what plans and predictions need. Weights that are there are mapped and held against it, and not read.
Result<ModelConfig> loadModelConfig(const std::string &name, std::optional<DType> kvType = {});
/// Whether a MODEL can be run and not only be described: a folder without weights and a GGUF file that ends before its tensors'
/// data cannot. A preset can: its weights are random.
Result<bool> hasWeights(const std::string &name);
/// The tokenizer, or the reason why this model reads no text and a way out.
Result<const Tokenizer *> tokenizerOf(const Model &model);
/// The folder of a MODEL that is neither a preset nor a GGUF file.
Result<std::filesystem::path> modelFolder(const std::string &name);
/// The config.json of a MODEL as it stands, for what is made from it; of a GGUF file, what its metadata would be there.
Result<std::string> readModelConfigText(const std::string &name);

} // namespace zigzag
