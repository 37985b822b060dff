// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/layer_plan.h"
#include "engine/model/quantization.h"
#include "engine/model/weight_type.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

struct Family;

enum class RopeType { Default, Linear, Llama3, Yarn, LongRope, Dynamic };

/// What a feed-forward's gate goes through before it is multiplied with the other product.
enum class GatedActivation : std::uint8_t {
    Silu, ///< x / (1 + exp(−x))
    GeluTanh ///< x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2
};

/// Which rotary embedding a layer has.
enum class LayerRope : std::uint8_t { Main, Local, None };

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
    double originalContext = 0.0; // llama3, yarn, longrope, dynamic; of the scaled queries
    double betaFast = 32.0; // yarn (arXiv 2309.00071)
    double betaSlow = 1.0; // yarn
    double attentionFactor = 0.0; // yarn, longrope; 0 = by formula
    bool truncate = true; // yarn
    std::vector<double> shortFactors, longFactors; // longrope (arXiv 2402.13753): a divisor of each frequency
    /// Queries at position p are multiplied with 1 + beta · log(1 + ⌊p / originalContext⌋) (Ministral 3; Llama 4).
    double queryScaleBeta = 0.0;
};

/// The types of tensors that are stored otherwise than in a config's dtype: in GGUF files each has one of its own, and in folders
/// some are quantised.
struct StoredTypes {
    using Layer = std::array<std::optional<WeightType>, weightIds>; // by WeightId

    std::optional<WeightType> embedding, finalNorm, head;
    std::vector<Layer> layers; ///< [layers] or fewer: what is not named has the config's dtype

    friend bool operator==(const StoredTypes &, const StoredTypes &) = default;
};

/// The published shape of a decoder: all that the forward pass needs besides weights.
struct ModelConfig { // NOLINT(clang-analyzer-optin.performance.Padding): ordered for its readers, and there is one a model
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
    RopeConfig localRope; ///< of layers that have another one
    std::vector<LayerRope> layerRopes; ///< [layers] or empty: all have `rope`
    int rotaryDim = 0; ///< numbers of a head that are rotated, its first ones; 0: all
    bool interleavedRope = false; ///< numbers 2i and 2i + 1 turn together, else i and i + half of those that are rotated
    bool qkvBias = false;
    bool outputBias = false; ///< bias of the attention's output projection
    bool mlpBias = false;
    bool sinkLogits = false; ///< a score of each query head that takes weight in attention
    std::vector<std::int64_t>
        fileWindows; ///< [layers] or empty: keys that a query of the layer sees by the file's own account, 0: all
    bool queryKeyNorm = false; ///< RMSNorm over each head's query and key (Qwen3)
    bool normsWidth = false; ///< that norm is over all heads of a token together (OLMo 2)
    bool normAddsOne = false; ///< files hold what the weights of norms are more than 1 (Gemma)
    GatedActivation activation = GatedActivation::Silu;
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
    bool roundsEmbeddingScale = false; ///< embeddingScale is rounded to the weights' type (Gemma)
    // Scores and logits become cap · tanh(x / cap) (Gemma 2); 0: they stay.
    double scoreCap = 0;
    double logitCap = 0;
    bool tiedEmbeddings = false;
    /// Of weights, unless `storedTypes` names another for a tensor, and what backends hold weights in whose type they do not
    /// take; and of activations, where a backend narrows them.
    DType dtype = DType::F32;
    StoredTypes storedTypes;
    Quantization quantization; ///< of a folder
    DType kvType = DType::F32; ///< of keys and values: `dtype` unless asked otherwise
    std::vector<int> endTokens; ///< generation stops at any of them
    /// What the files say that is not used, or otherwise than a reader would think: a line each, to be shown to who loads them.
    std::vector<std::string> notes;

    bool is(std::string_view modelType) const { return nameOf(*family) == modelType; }
    int group() const { return queryHeads / kvHeads; }
    std::int64_t queryWidth() const { return std::int64_t{queryHeads} * headDim; }
    std::int64_t kvWidth() const { return std::int64_t{kvHeads} * headDim; }
    /// Numbers of a head that rotary embedding turns.
    int rotated() const { return rotaryDim > 0 ? rotaryDim : headDim; }
    LayerRope ropeOf(int layer) const
    {
        return layerRopes.empty() ? LayerRope::Main : layerRopes[static_cast<std::size_t>(layer)];
    }
    /// What the embedding's rows are multiplied with.
    float embeddingFactor() const;
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
    std::int64_t kvBytesPerToken() const { return 2 * std::int64_t{layers} * kvWidth() * bytesOf(kvType); }
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
