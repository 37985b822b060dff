// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to engine/model: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "engine/model/layer_plan.h"
#include "engine/model/model_config.h"

#include <span>
#include <string>
#include <string_view>

namespace zigzag {

/// What transformers makes of the windows that a config.json of the family asks for.
enum class FileWindow {
    None, ///< it reads no such key
    Everywhere, ///< sliding_window is that of every layer (Mistral)
    OfLayers, ///< layer by layer, as the family's `read` finds (layer_windows.h)
    Upper ///< use_sliding_window gives it to the layers from max_window_layers on (Qwen)
};

/// A key of GGUF's metadata, behind the architecture, and what a config.json calls it.
struct GgufKey {
    std::string_view key, name;
    bool isRequired = true;
    bool isInteger = true; ///< else any number
};

/// A size that transformers fills in where a config.json does not say it.
struct DefaultSize {
    std::string_view key;
    std::int64_t size;
};

/// A family of models: what its config.json says beyond what all say, and what its layers are made of.
struct Family {
    std::string_view modelType; ///< of config.json
    std::string_view embeddingName = "model.embed_tokens.weight", headName = "lm_head.weight"; ///< in Hugging Face's files
    std::span<const std::string_view> outerTypes
        = {}; ///< of config.json of models that also see: their text_config is of this family
    std::string_view ggufArchitecture = {}; ///< general.architecture of GGUF files; empty where those have none, or another's
    bool ggufInterleaves = false; ///< there, rows of queries and keys that rotate together are neighbours
    std::span<const GgufKey> ggufKeys = {}; ///< beside those of all families
    std::int64_t ggufWindowPattern = 0; ///< where the file says nothing: of so many layers the last is not local
    /// Puts into a config.json what such files leave to llama.cpp, which knows it by the sizes.
    void (*ggufImplied)(json::Value &config) = nullptr;
    FileWindow window = FileWindow::None;
    std::int64_t windowLength = 4096; ///< where the file does not say, and null is none; 0: none either way
    std::span<const DefaultSize> sizes = {}; ///< that files may leave out, beside those below
    int headDim = 0; ///< where the file does not say, 0 = hidden size / query heads
    bool mayLackKvHeads = false; ///< files from before grouped-query attention
    bool tiesEmbeddings = false; ///< where the file does not say
    double normEpsilon = 1e-6; ///< where the file does not say
    double ropeTheta = 10000; ///< where the file does not say
    /// rope_parameters are an object for each kind of layer, or the keys outside are those of full layers; the base of local
    /// ones, where the file does not say, and its key outside. 0: one rotary embedding for all.
    double localRopeTheta = 0;
    std::string_view localRopeThetaKey = {};
    double rotatedPart = 0; ///< reads partial_rotary_factor, which is this where the file does not say; 0: rotates whole heads
    double originalContext = 0; ///< before a context extension, where the file does not say; 0: the longest context
    bool longRopeByOtherNames = false; ///< "su" and "yarn" stand for longrope (Phi-3)
    bool scalesQueries = false; ///< reads llama_4_scaling_beta
    std::string_view activationKey = "hidden_act", activation = "silu"; ///< the key, and what it is where the file does not say
    bool llamaTokenizer = false; ///< tokenizers that name no class are transformers' LlamaTokenizer
    /// Keys of config.json that `read` reads, or that this family is known to ignore, beside those of all families.
    std::span<const std::string_view> keys;
    /// Reads those keys.
    Result<void> (*read)(ModelConfig &model, const json::Value &config, const std::string &where) = nullptr;
    LayerPlan (*layer)(const ModelConfig &config, int layer) = nullptr;
};

/// All of them (families/families.cpp).
std::span<const Family *const> families();

} // namespace zigzag
