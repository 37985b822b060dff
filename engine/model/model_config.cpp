// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/model_config.h"

#include "engine/base/json_input.h"
#include "engine/model/config_keys.h"
#include "engine/model/end_tokens.h"
#include "engine/model/family.h"
#include "engine/model/layer_windows.h"
#include "engine/model/quantization_config.h"
#include "engine/model/refused_types.h"
#include "engine/model/rope_config.h"
#include "engine/model/text_part.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace zigzag {

namespace {

using json::Value;

Result<const Family *> readFamily(const Value &config, const std::string &where)
{
    ZIGZAG_TRY(name, json::stringIn(config, "model_type", where));
    if (const Family *family = findFamily(name))
        return family;
    return refusedType(name, where);
}

/// Bounds far above any published model, and low enough that no product of sizes overflows 64 bits.
Result<void> readSizes(ModelConfig &model, const Value &config, const std::string &where)
{
    const auto read = [&](int &to, std::string_view key, std::int64_t most) -> Result<void> {
        ZIGZAG_TRY(value, json::integerIn(config, key, 1, most, where));
        to = static_cast<int>(value);
        return {};
    };
    ZIGZAG_CHECK(read(model.layers, "num_hidden_layers", 1024));
    ZIGZAG_CHECK(read(model.hiddenSize, "hidden_size", 1 << 17));
    ZIGZAG_CHECK(read(model.queryHeads, "num_attention_heads", 4096));
    ZIGZAG_CHECK(read(model.intermediateSize, "intermediate_size", 1 << 20));
    ZIGZAG_CHECK(read(model.vocabulary, "vocab_size", 1 << 22));
    ZIGZAG_TRY(context, json::integerIn(config, "max_position_embeddings", 1, 1 << 30, where));
    model.maxContext = context;

    // Llama files from before grouped-query attention do not name their KV heads; null says the same in all families.
    model.kvHeads = model.queryHeads;
    const bool mayLack = model.family->mayLackKvHeads || config.contains("num_key_value_heads");
    if (!mayLack || json::find(config, "num_key_value_heads"))
        ZIGZAG_CHECK(read(model.kvHeads, "num_key_value_heads", 4096));
    if (model.queryHeads % model.kvHeads != 0)
        return badInput(fmt::format("{}: num_key_value_heads {} does not divide num_attention_heads {}; correct the config",
                                    where, model.kvHeads, model.queryHeads));

    constexpr int widestHead = 1024;
    if (json::find(config, "head_dim"))
        ZIGZAG_CHECK(read(model.headDim, "head_dim", widestHead));
    else if (model.family->headDim > 0)
        model.headDim = model.family->headDim;
    else if (model.hiddenSize % model.queryHeads == 0)
        model.headDim = model.hiddenSize / model.queryHeads;
    else
        return badInput(
            fmt::format("{}: num_attention_heads {} does not divide hidden_size {} and there is no head_dim; correct the config",
                        where, model.queryHeads, model.hiddenSize));
    if (model.headDim % 2 != 0 || model.headDim > widestHead)
        return badInput(fmt::format("{}: head_dim is {}, but rotary embedding needs an even number up to {}; correct the config",
                                    where, model.headDim, widestHead));
    // The largest batch of the longest context (64 sequences of 2^31 tokens) must be a number of bytes below 2^63.
    constexpr std::int64_t mostKeys = 1 << 22;
    if (model.layers * model.kvWidth() > mostKeys)
        return badInput(
            fmt::format("{}: {} layers of {} KV heads of size {} would keep keys of {} numbers for each token, and at "
                        "most {} are supported; correct the config",
                        where, model.layers, model.kvHeads, model.headDim, model.layers * model.kvWidth(), mostKeys));
    return {};
}

Result<GatedActivation> readActivation(const ModelConfig &model, const Value &config, const std::string &where)
{
    const std::string_view key = model.family->activationKey;
    ZIGZAG_TRY(name, json::stringOr(config, key, std::string(model.family->activation), where));
    if (name == "silu" || name == "swish")
        return GatedActivation::Silu;
    if (name == "gelu_pytorch_tanh" && model.experts == 0)
        return GatedActivation::GeluTanh;
    return badInput(fmt::format("{}: {} \"{}\" is not supported{}; use a model with silu{}", where, key, json::printable(name),
                                model.experts > 0 ? " in experts" : "", model.experts > 0 ? "" : " or gelu_pytorch_tanh"));
}

Result<DType> readType(const Value &config, const std::string &where)
{
    const std::string_view key = json::find(config, "dtype") ? "dtype" : "torch_dtype";
    ZIGZAG_TRY(name, json::stringOr(config, key, "float32", where));
    if (name == "float32")
        return DType::F32;
    if (name == "float16")
        return DType::F16;
    if (name == "bfloat16")
        return DType::BF16;
    return badInput(fmt::format("{}: {} \"{}\" is not supported; convert the weights to float32, float16 or bfloat16", where, key,
                                json::printable(name)));
}

} // namespace

std::string_view nameOf(const Family &family)
{
    return family.modelType;
}

const Family *findFamily(std::string_view modelType)
{
    for (const Family *family : families())
        if (family->modelType == modelType)
            return family;
    return nullptr;
}

float ModelConfig::embeddingFactor() const
{
    const auto scale = static_cast<float>(embeddingScale);
    if (!roundsEmbeddingScale || dtype == DType::F32)
        return scale;
    return dtype == DType::F16 ? f16ToFloat(floatToF16(scale)) : bf16ToFloat(floatToBf16(scale));
}

std::int64_t ModelConfig::parameters() const
{
    const std::int64_t table = std::int64_t{vocabulary} * hiddenSize;
    std::int64_t sum = hiddenSize + (tiedEmbeddings ? table : 2 * table); // the final norm, embedding and head
    for (int layer = 0; layer < layers; ++layer)
        sum += layerPlan(*this, layer).parameters();
    return sum;
}

std::int64_t ModelConfig::weightBytesReadPerToken() const
{
    // The head is read whole; of a table of its own the embedding reads one row. Of experts, those of one token.
    std::int64_t sum = finalNormType().bytesFor(hiddenSize) + vocabulary * rowBytes(headType(), hiddenSize);
    for (int layer = 0; layer < layers; ++layer) {
        const LayerPlan plan = layerPlan(*this, layer);
        for (const WeightSpec &weight : plan.weights())
            sum += weight.bytesOfEach() * (weight.count > 1 ? expertsPerToken : 1);
    }
    return sum;
}

WeightType ModelConfig::weightType(int layer, WeightId id) const
{
    const auto at = static_cast<std::size_t>(layer);
    return at < storedTypes.layers.size() ? storedTypes.layers[at][static_cast<std::size_t>(id)].value_or(dtype) : dtype;
}

std::int64_t ModelConfig::weightBytes() const
{
    std::int64_t sum = finalNormType().bytesFor(hiddenSize) + vocabulary * rowBytes(embeddingType(), hiddenSize);
    if (!tiedEmbeddings)
        sum += vocabulary * rowBytes(headType(), hiddenSize);
    for (int layer = 0; layer < layers; ++layer) {
        const LayerPlan plan = layerPlan(*this, layer);
        for (const WeightSpec &weight : plan.weights())
            sum += weight.bytes();
    }
    return sum;
}

std::vector<WeightType> ModelConfig::matrixTypes() const
{
    std::map<WeightType, std::int64_t> bytes;
    bytes[embeddingType()] += vocabulary * rowBytes(embeddingType(), hiddenSize);
    if (!tiedEmbeddings)
        bytes[headType()] += vocabulary * rowBytes(headType(), hiddenSize);
    for (int layer = 0; layer < layers; ++layer) {
        const LayerPlan plan = layerPlan(*this, layer);
        for (const WeightSpec &weight : plan.weights())
            if (weight.role == TensorRole::Matrix)
                bytes[weight.type] += weight.bytes();
    }
    std::vector<WeightType> types;
    types.reserve(bytes.size());
    for (const auto &[type, count] : bytes)
        types.push_back(type);
    std::stable_sort(types.begin(), types.end(), [&](WeightType a, WeightType b) { return bytes[a] > bytes[b]; });
    return types;
}

Result<ModelConfig> parseModelConfig(std::string_view text, const std::string &where)
{
    ZIGZAG_TRY(config, json::parse(text, where));
    if (!config.is_object())
        return badInput(
            fmt::format("{}: a model's config must be a JSON object, not {}; fetch the file anew", where, config.type_name()));
    ModelConfig model;
    ZIGZAG_CHECK(takeTextPart(config, model.notes, where));
    ZIGZAG_TRY(family, readFamily(config, where));
    model.family = family;
    for (const DefaultSize &each : family->sizes)
        if (!config.contains(each.key))
            config[std::string(each.key)] = each.size;
    ZIGZAG_CHECK(readSizes(model, config, where));
    ZIGZAG_CHECK(model.family->read(model, config, where));
    ZIGZAG_CHECK(checkConfigKeys(model, config, where));
    ZIGZAG_CHECK(readFamilyWindows(model, config, where));
    ZIGZAG_TRY(activation, readActivation(model, config, where));
    model.activation = activation;
    ZIGZAG_TRY(epsilon, json::numberOr(config, "rms_norm_eps", model.family->normEpsilon, 0, 1, where));
    model.normEpsilon = epsilon;
    ZIGZAG_TRY(tied, json::booleanOr(config, "tie_word_embeddings", model.family->tiesEmbeddings, where));
    model.tiedEmbeddings = tied;
    ZIGZAG_TRY(type, readType(config, where));
    model.dtype = type;
    model.kvType = type;
    ZIGZAG_TRY(endTokens, readEndTokens(config, where));
    model.endTokens = endTokens;
    ZIGZAG_CHECK(readRope(model, config, where));
    if (const Value *quantized = json::find(config, "quantization_config")) {
        ZIGZAG_TRY(quantization, parseQuantization(*quantized, where));
        model.quantization = std::move(quantization);
        ZIGZAG_CHECK(giveQuantizedTypes(model, where));
    }
    return model;
}

} // namespace zigzag
