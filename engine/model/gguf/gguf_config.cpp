// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_config.h"

#include "engine/base/json_input.h"
#include "engine/model/config_keys.h"
#include "engine/model/family.h"
#include "engine/model/gguf/gguf_keys.h"
#include "engine/model/gguf/gguf_rope.h"
#include "engine/model/gguf/gguf_tokenizer.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>
#include <variant>

namespace zigzag {

using json::Value;

namespace {

/// Keys that all families have.
constexpr GgufKey commonKeys[] = {
    {"block_count", "num_hidden_layers"},
    {"embedding_length", "hidden_size"},
    {"attention.head_count", "num_attention_heads"},
    {"attention.head_count_kv", "num_key_value_heads", false},
    {"context_length", "max_position_embeddings"},
    {"feed_forward_length", "intermediate_size", false},
    {"vocab_size", "vocab_size", false},
    {"attention.key_length", "head_dim", false},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps", true, false},
};

/// Keys that change the network unless they are one of two values, or the family reads them; a boolean is 0 or 1.
struct Switch {
    std::string_view key;
    double off, alsoOff;
};
constexpr Switch switches[] = {
    {"logit_scale", 1, 0},
    {"embedding_scale", 1, 0},
    {"residual_scale", 1, 0},
    {"attention.scale", 0, 0},
    {"attention.causal", 1, 1},
    {"attention.clamp_kqv", 0, 0},
    {"attention.max_alibi_bias", 0, 0},
    {"attention.temperature_scale", 0, 0},
    {"attn_logit_softcapping", 0, 0},
    {"final_logit_softcapping", 0, 0},
    {"use_parallel_residual", 0, 0},
    {"expert_count", 0, 0}, // of Mixtral, which is a llama
    {"expert_shared_count", 0, 0},
    {"expert_shared_feed_forward_length", 0, 0},
    {"expert_weights_scale", 1, 0},
    {"expert_gating_func", 1, 0}, // softmax
    {"expert_group_count", 0, 1},
    {"leading_dense_block_count", 0, 0},
    {"nextn_predict_layers", 0, 0},
    {"rope.partial_rotary_factor", 1, 0},
};

/// Read elsewhere in this folder, or without a meaning for what is computed.
constexpr std::string_view otherKeys[] = {
    "expert_used_count",           "expert_feed_forward_length",
    "attention.value_length",      "attention.sliding_window",
    "attention.rope_pattern",      "attention.sliding_window_pattern",
    "expert_weights_norm",         "rope.freq_base",
    "rope.dimension_count",        "rope.scale_linear",
    "rope.scaling.type",           "rope.scaling.factor",
    "rope.scaling.finetuned",      "rope.scaling.original_context_length",
    "rope.scaling.attn_factor",    "rope.scaling.yarn_log_multiplier",
    "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow",
    "tensor_data_layout",          "pooling_type",
};

bool isKeyOf(std::span<const GgufKey> keys, std::string_view key)
{
    return std::any_of(keys.begin(), keys.end(), [&](const GgufKey &each) { return each.key == key; });
}

bool isArray(const GgufValue &value)
{
    return std::holds_alternative<GgufArray>(value);
}

Result<const Family *> familyOf(const GgufFile &file)
{
    ZIGZAG_TRY(architecture, ggufText(file, "general.architecture"));
    std::vector<std::string_view> known;
    for (const Family *family : families()) {
        if (family->ggufArchitecture.empty())
            continue;
        if (architecture == family->ggufArchitecture)
            return family;
        known.push_back(family->ggufArchitecture);
    }
    const std::string found = architecture
        ? fmt::format("general.architecture \"{}\" is not supported", json::printable(*architecture))
        : std::string("there is no general.architecture");
    return badInput(fmt::format("{}: {}; use a model of one of these: {}", file.path().string(), found, fmt::join(known, ", ")));
}

/// Puts metadata into a config.json.
class Translation
{
public:
    Translation(const GgufFile &file, const Family &family)
        : m_file(file)
        , m_family(family)
        , m_architecture(family.ggufArchitecture)
        , m_where(file.path().string())
    { }

    Result<Value> run();

private:
    std::string keyOf(std::string_view key) const { return fmt::format("{}.{}", m_architecture, key); }
    tl::unexpected<Error> refuse(std::string_view why) const { return badInput(fmt::format("{}: {}", m_where, why)); }

    Result<void> take(std::span<const GgufKey> wanted);
    Result<void> takeVocabulary();
    Result<void> takeHeadDim();
    Result<void> takeWindows();
    Result<void> takeRest();
    Result<void> checkSwitches() const;

    /// Numbers of a head that are rotated, after takeHeadDim.
    std::int64_t rotated() const
    {
        const std::int64_t headDim = m_config["head_dim"];
        const auto part = m_config.find("partial_rotary_factor");
        return part == m_config.end() ? headDim : static_cast<std::int64_t>(part->get<double>() * static_cast<double>(headDim));
    }

    const GgufFile &m_file;
    const Family &m_family;
    const std::string m_architecture, m_where;
    Value m_config = Value::object();
};

Result<void> Translation::take(std::span<const GgufKey> wanted)
{
    for (const GgufKey &each : wanted) {
        const std::string key = keyOf(each.key), name(each.name);
        ZIGZAG_TRY(integer, each.isInteger ? ggufInteger(m_file, key) : Result<std::optional<std::int64_t>>());
        ZIGZAG_TRY(number, each.isInteger ? Result<std::optional<double>>() : ggufNumber(m_file, key));
        if (integer)
            m_config[name] = *integer;
        else if (number)
            m_config[name] = *number;
        else if (each.isRequired)
            return refuse(fmt::format("there is no {} in its metadata; fetch the file anew", key));
    }
    return {};
}

/// Some files name the size of the vocabulary, all that can read text list it.
Result<void> Translation::takeVocabulary()
{
    if (m_config.contains("vocab_size"))
        return {};
    ZIGZAG_TRY(tokens, ggufArray(m_file, "tokenizer.ggml.tokens"));
    const GgufTensor *embedding = m_file.findTensor("token_embd.weight");
    if (tokens)
        m_config["vocab_size"] = tokens->size();
    else if (embedding)
        m_config["vocab_size"] = embedding->shape.front();
    else
        return refuse(
            fmt::format("there is no {} and no tokenizer.ggml.tokens in its metadata; fetch the file anew", keyOf("vocab_size")));
    return {};
}

/// The part that these numbers are of a head: times its length it is their count, rounded down.
double partOf(std::int64_t numbers, std::int64_t headDim)
{
    const double part = static_cast<double>(numbers) / static_cast<double>(headDim);
    const bool isBelow = static_cast<std::int64_t>(part * static_cast<double>(headDim)) < numbers;
    return isBelow ? std::nextafter(part, 1.0) : part;
}

/// Where the file does not say, whatever the family's config.json would have.
Result<void> Translation::takeHeadDim()
{
    const std::int64_t hidden = m_config["hidden_size"], heads = m_config["num_attention_heads"];
    if (!m_config.contains("head_dim")) {
        if (heads < 1 || hidden % heads != 0)
            return refuse(fmt::format("{} is {}, which does not divide {} {}, and there is no {}", keyOf("attention.head_count"),
                                      heads, keyOf("embedding_length"), hidden, keyOf("attention.key_length")));
        m_config["head_dim"] = hidden / heads;
    }
    const std::int64_t headDim = m_config["head_dim"];
    for (const std::string_view key : {"attention.value_length", "rope.dimension_count"}) {
        ZIGZAG_TRY(value, ggufInteger(m_file, keyOf(key)));
        if (value && *value < headDim && m_family.rotatedPart > 0 && key == "rope.dimension_count")
            m_config["partial_rotary_factor"] = partOf(*value, headDim);
        else if (value && *value != headDim)
            return refuse(
                fmt::format("{} is {}, but keys are {} long, and only whole heads of one size are run; use a model with "
                            "those",
                            keyOf(key), *value, headDim));
    }
    return {};
}

/// Which layers have the file's window, for families whose windows are run as the file says.
Result<void> Translation::takeWindows()
{
    if (m_family.window != FileWindow::OfLayers)
        return {};
    const std::int64_t layers = m_config["num_hidden_layers"];
    constexpr auto local = "sliding_attention", full = "full_attention";
    const std::string patternKey = keyOf("attention.sliding_window_pattern"), ropeKey = keyOf("attention.rope_pattern");
    Value types = Value::array();
    if (const GgufValue *given = m_file.find(patternKey); m_family.ggufWindowPattern > 0 && !(given && isArray(*given))) {
        // A window of 0 is none, and of so many layers in a row the last one has none either.
        ZIGZAG_TRY(period, ggufInteger(m_file, patternKey));
        const std::int64_t every = period.value_or(m_family.ggufWindowPattern);
        const bool hasWindow = m_config.contains("sliding_window") && m_config["sliding_window"] != 0;
        constexpr std::int64_t most = 4096; // more than a config's reader takes
        for (std::int64_t layer = 0; layer < std::min(layers, most); ++layer)
            types.push_back(hasWindow && every > 0 && layer % every < every - 1 ? local : full);
        m_config["layer_types"] = std::move(types);
        return {};
    }
    ZIGZAG_TRY(pattern, ggufArray(m_file, patternKey));
    if (!pattern || pattern->hasStrings() || std::cmp_not_equal(pattern->size(), layers))
        return refuse(fmt::format("{} should have an entry for each of its {} layers; fetch the file anew", patternKey, layers));
    for (std::size_t layer = 0; layer < pattern->size(); ++layer)
        types.push_back(pattern->integer(layer).value_or(0) != 0 ? local : full);
    m_config["layer_types"] = std::move(types);
    ZIGZAG_TRY(rope, ggufArray(m_file, ropeKey));
    for (std::size_t layer = 0; rope && !rope->hasStrings() && layer < rope->size(); ++layer)
        if (rope->integer(layer) == 0)
            return refuse(
                fmt::format("{} leaves layer {} without a rotary embedding, which is not run here; use a model in which all "
                            "layers have one",
                            ropeKey, layer));
    return {};
}

Result<void> Translation::takeRest()
{
    ZIGZAG_TRY(theta, ggufNumber(m_file, keyOf("rope.freq_base")));
    m_config["rope_theta"] = theta.value_or(10000.0);
    ZIGZAG_TRY(rope, readGgufRope(m_file, m_architecture, rotated(), m_config["rope_theta"], m_where));
    m_config["rope_scaling"] = rope;
    m_config["tie_word_embeddings"] = m_file.findTensor("output.weight") == nullptr;
    m_config[std::string(m_family.activationKey)] = m_family.activation;
    ZIGZAG_TRY(type, elementTypeOf(m_file));
    m_config["torch_dtype"] = type == DType::F32 ? "float32" : type == DType::F16 ? "float16" : "bfloat16";
    ZIGZAG_TRY(ends, ggufEndTokens(m_file));
    m_config["eos_token_id"] = ends;
    // Biases are there where their tensors are.
    const auto reads
        = [&](std::string_view key) { return std::find(m_family.keys.begin(), m_family.keys.end(), key) != m_family.keys.end(); };
    for (const char *key : {"attention_bias", "bias"})
        if (reads(key))
            m_config[key] = m_file.findTensor("blk.0.attn_q.bias") != nullptr;
    if (reads("mlp_bias"))
        m_config["mlp_bias"] = m_file.findTensor("blk.0.ffn_gate.bias") != nullptr;
    return {};
}

Result<void> Translation::checkSwitches() const
{
    for (const Switch &each : switches) {
        if (isKeyOf(m_family.ggufKeys, each.key))
            continue;
        ZIGZAG_TRY(value, ggufNumber(m_file, keyOf(each.key)));
        if (value && *value != each.off && *value != each.alsoOff)
            return refuse(fmt::format("{} is {}, which changes the network in a way that this program does not run; use a model "
                                      "without it",
                                      keyOf(each.key), *value));
    }
    return {};
}

Result<Value> Translation::run()
{
    m_config["model_type"] = m_family.modelType;
    ZIGZAG_CHECK(take(commonKeys));
    ZIGZAG_CHECK(take(m_family.ggufKeys));
    if (m_config.contains("num_experts")) {
        ZIGZAG_TRY(normalised, ggufFlag(m_file, keyOf("expert_weights_norm")));
        m_config["norm_topk_prob"] = normalised.value_or(true); // as llama.cpp computes it
    }
    if (!m_config.contains("intermediate_size")) { // layers of experts alone have no other
        if (!m_config.contains("moe_intermediate_size"))
            return refuse(fmt::format("there is no {} in its metadata; fetch the file anew", keyOf("feed_forward_length")));
        m_config["intermediate_size"] = m_config["moe_intermediate_size"];
    }
    ZIGZAG_CHECK(takeVocabulary());
    ZIGZAG_CHECK(takeHeadDim());
    ZIGZAG_CHECK(takeWindows());
    ZIGZAG_CHECK(takeRest());
    ZIGZAG_CHECK(checkSwitches());
    if (m_family.ggufImplied)
        m_family.ggufImplied(m_config);
    return std::move(m_config);
}

/// Keys of the architecture that nothing here knows, in a note; and windows, which llama.cpp ignores in these families too.
Result<void> noteKeys(ModelConfig &config, const GgufFile &file)
{
    const std::string prefix = fmt::format("{}.", config.family->ggufArchitecture);
    std::vector<std::string> unknown;
    for (const auto &[key, value] : file.metadata()) {
        if (!key.starts_with(prefix))
            continue;
        const std::string_view own = key.substr(prefix.size());
        const auto isOwn = [&](const Switch &entry) { return entry.key == own; };
        if (isKeyOf(commonKeys, own) || isKeyOf(config.family->ggufKeys, own)
            || std::any_of(std::begin(switches), std::end(switches), isOwn)
            || std::find(std::begin(otherKeys), std::end(otherKeys), own) != std::end(otherKeys))
            continue;
        unknown.emplace_back(key);
    }
    noteUnknownKeys(config.notes, unknown, file.path().string());
    if (config.family->window == FileWindow::OfLayers || isKeyOf(config.family->ggufKeys, "attention.sliding_window"))
        return {};
    const std::string windowKey = prefix + "attention.sliding_window";
    ZIGZAG_TRY(window, ggufInteger(file, windowKey));
    if (window && *window > 0 && *window < config.maxContext)
        config.notes.push_back(fmt::format("{}: {} {} is not used, as in llama.cpp: windows come from the head map",
                                           file.path().string(), windowKey, *window));
    return {};
}

/// The file's name without what says that it is a model, and which part of one.
std::string nameOf(const GgufFile &file)
{
    std::string name = file.path().filename().string();
    if (name.size() > 5 && name.ends_with(".gguf"))
        name.resize(name.size() - 5);
    constexpr std::string_view shape = "-00001-of-00000";
    const auto fits = [](char found, char wanted) { return wanted == '0' ? found >= '0' && found <= '9' : found == wanted; };
    if (name.size() > shape.size()
        && std::equal(shape.begin(), shape.end(), name.end() - static_cast<std::ptrdiff_t>(shape.size()),
                      [&](char wanted, char found) { return fits(found, wanted); }))
        name.resize(name.size() - shape.size());
    return name;
}

/// What the file's matrices are stored in. F32 stands beside any other: routers have it.
struct PlainTypes {
    bool hasF16 = false, hasBf16 = false, hasBlocks = false;

    bool areOne() const { return !hasBlocks && !(hasF16 && hasBf16); }
};

PlainTypes plainTypesOf(const GgufFile &file)
{
    PlainTypes types;
    for (const auto &[name, tensor] : file.tensors()) {
        if (tensor.shape.size() < 2 || !tensor.type)
            continue;
        types.hasF16 = types.hasF16 || tensor.type->stored == DType::F16;
        types.hasBf16 = types.hasBf16 || tensor.type->stored == DType::BF16;
        types.hasBlocks = types.hasBlocks || !tensor.type->stored || tensor.type->stored->isBlocks();
    }
    return types;
}

Result<Value> translated(const GgufFile &file)
{
    ZIGZAG_TRY(family, familyOf(file));
    return Translation(file, *family).run();
}

} // namespace

Result<ModelConfig> readGgufConfig(const GgufFile &file)
{
    ZIGZAG_TRY(config, translated(file));
    ZIGZAG_TRY(model, parseModelConfig(config.dump(), file.path().string() + ", its metadata under the names of a config.json"));
    model.name = nameOf(file);
    // Gemma's norms are stored whole there, and what embeddings are multiplied with is rounded to no type.
    model.normAddsOne = model.roundsEmbeddingScale = false;
    // Rows of queries and keys stay where they lie: what turns together is found there.
    model.interleavedRope = model.interleavedRope || model.family->ggufInterleaves;
    ZIGZAG_CHECK(noteKeys(model, file));
    return model;
}

Result<std::string> ggufConfigText(const GgufFile &file)
{
    ZIGZAG_TRY(config, translated(file));
    return config.dump(1);
}

Result<DType> elementTypeOf(const GgufFile &file)
{
    ZIGZAG_TRY(asked, askedType(file));
    const PlainTypes plain = plainTypesOf(file);
    if (plain.areOne())
        return plain.hasF16 ? DType::F16 : plain.hasBf16 ? DType::BF16 : DType::F32;
    return asked.value_or(DType::BF16);
}

Result<std::optional<DType>> askedType(const GgufFile &file)
{
    const char *asked = std::getenv("ZIGZAG_GGUF_TYPE");
    if (!asked || *asked == '\0' || plainTypesOf(file).areOne())
        return std::nullopt;
    for (const DType type : {DType::F32, DType::F16, DType::BF16})
        if (asked == nameOf(type))
            return type;
    return badInput(fmt::format("ZIGZAG_GGUF_TYPE is \"{}\"; it must be f32, f16 or bf16", json::printable(asked)));
}

} // namespace zigzag
