// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/layer_plan.h"
#include "engine/model/weight_type.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

struct Family;

enum class RopeType { Default, Linear, Llama3, Yarn };

std::string_view nameOf(const Family &family);
/// The family of a model_type, or null.
const Family *findFamily(std::string_view modelType);
std::string_view nameOf(RopeType type);

/// Rotary position embedding (arXiv 2104.09864) and its context extensions, as transformers defines them.
struct RopeConfig {
    RopeType type = RopeType::Default;
    double theta = 10000.0;
    double factor = 1.0;
    double lowFrequencyFactor = 1.0; // llama3
    double highFrequencyFactor = 4.0; // llama3
    double originalContext = 0.0; // llama3, yarn
    double betaFast = 32.0; // yarn (arXiv 2309.00071)
    double betaSlow = 1.0; // yarn
    double attentionFactor = 0.0; // yarn; 0 = by formula
    bool truncate = true; // yarn
};

/// The types of tensors that are stored otherwise than in a config's dtype, as GGUF files have them: each in one of its own.
struct StoredTypes {
    using Layer = std::array<std::optional<WeightType>, weightIds>; // by WeightId

    std::optional<WeightType> embedding, finalNorm, head;
    std::vector<Layer> layers; ///< [layers] or fewer: what is not named has the config's dtype

    friend bool operator==(const StoredTypes &, const StoredTypes &) = default;
};

/// The published shape of a decoder: all that the forward pass needs besides weights.
struct ModelConfig {
    std::string name;
    const Family *family = findFamily("llama"); ///< never null
    int layers = 0;
    int hiddenSize = 0;
    int queryHeads = 0;
    int kvHeads = 0;
    int headDim = 0;
    int intermediateSize = 0;
    int vocabulary = 0;
    std::int64_t maxContext = 0; ///< tokens; no window of the file acts within it, beyond it nothing is promised
    double normEpsilon = 1e-6;
    RopeConfig rope;
    bool qkvBias = false;
    bool outputBias = false; ///< bias of the attention's output projection
    bool mlpBias = false;
    bool sinkLogits = false; ///< a score of each query head that takes weight in attention
    std::vector<std::int64_t>
        fileWindows; ///< [layers] or empty: keys that a query of the layer sees by the file's own account, 0: all
    bool queryKeyNorm = false; ///< RMSNorm over each head's query and key (Qwen3)
    int experts = 0; ///< of the layers that have a router, 0 where none has
    int expertsPerToken = 0;
    int expertIntermediateSize = 0;
    bool renormalisesExperts = false; ///< the chosen experts' weights add up to 1
    std::vector<bool> denseLayers; ///< [layers] where there are experts: those with one feed-forward of their own
    // What some families multiply with (Granite); 1 in the others.
    double embeddingScale = 1;
    double residualScale = 1; ///< of what attention and feed-forward add to the residual stream
    double logitScale = 1;
    double scoreScale = 0; ///< of a query's product with a key; 0: 1 / √head_dim
    bool tiedEmbeddings = false;
    /// Of weights, unless `storedTypes` names another for a tensor, and what backends hold weights in whose type they do not
    /// take; of keys and values; and of activations, where a backend narrows them.
    DType dtype = DType::F32;
    StoredTypes storedTypes;
    std::vector<int> endTokens; ///< generation stops at any of them
    /// What the files say that is not used, or otherwise than a reader would think: a line each, to be shown to who loads them.
    std::vector<std::string> notes;

    bool is(std::string_view modelType) const { return nameOf(*family) == modelType; }
    int group() const { return queryHeads / kvHeads; }
    std::int64_t queryWidth() const { return std::int64_t{queryHeads} * headDim; }
    std::int64_t kvWidth() const { return std::int64_t{kvHeads} * headDim; }
    std::int64_t parameters() const;
    WeightType weightType(int layer, WeightId id) const;
    WeightType embeddingType() const { return storedTypes.embedding.value_or(dtype); }
    WeightType finalNormType() const { return storedTypes.finalNorm.value_or(dtype); }
    WeightType headType() const { return tiedEmbeddings ? embeddingType() : storedTypes.head.value_or(dtype); }
    /// The types that matrices are stored in, the one with the most bytes first.
    std::vector<WeightType> matrixTypes() const;
    /// Bytes of all weights as stored; what decode reads per token is less by the embedding table where it is not tied.
    std::int64_t weightBytes() const;
    std::int64_t weightBytesReadPerToken() const;
    /// Keys and values of one token over all layers, full attention.
    std::int64_t kvBytesPerToken() const { return 2 * std::int64_t{layers} * kvWidth() * bytesOf(dtype); }
    ModelShape shape(std::string fingerprint = {}) const
    {
        return {name, layers, queryHeads, kvHeads, headDim, std::move(fingerprint), fileWindows};
    }
};

/// From the text of a Hugging Face config.json; `where` names the file in errors. Sizes are checked before use; families,
/// RoPE types, activations, windows that act and other keys that change the network in ways which the engine does not run are
/// refused by name.
Result<ModelConfig> parseModelConfig(std::string_view json, const std::string &where);

} // namespace zigzag
