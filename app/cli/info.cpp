// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/info_session.h"
#include "app/cli/json_text.h"
#include "app/cli/run_support.h"
#include "engine/map/kv_layout.h"
#include "engine/model/model.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;

/// What `info` says of a model; of a preset, or a folder with only its config, without fingerprint.
struct Description {
    ModelConfig config;
    std::string fingerprint;
    int tokens = 0; ///< of the tokenizer; 0 without one
    bool isPreset = false;
};

Result<Description> describe(const std::string &name, std::optional<DType> kvType)
{
    // Weights that are there are mapped and their headers checked; none is read but the fingerprint's samples.
    ZIGZAG_TRY(model, describeModel(name, kvType));
    return Description{model->config, model->weights.fingerprint, model->tokenizer ? model->tokenizer->vocabulary() : 0,
                       name.rfind("preset:", 0) == 0};
}

/// Bytes of keys and values at some contexts up to the model's own, all heads retrieval.
std::vector<std::pair<std::int64_t, std::int64_t>> kvAtContexts(const ModelConfig &config)
{
    std::vector<std::pair<std::int64_t, std::int64_t>> rows;
    const HeadMap full(config.shape(), HeadKind::Retrieval, 0, 1);
    for (std::int64_t context :
         {std::int64_t{1024}, std::int64_t{4096}, std::int64_t{32768}, std::int64_t{131072}, config.maxContext})
        if (context <= config.maxContext && (rows.empty() || rows.back().first != context))
            rows.emplace_back(context, kvBytes(full, context, config.kvType));
    return rows;
}

/// What its matrices are stored in, the most bytes first.
std::vector<std::string> typeNames(const ModelConfig &config)
{
    std::vector<std::string> names;
    for (const WeightType type : config.matrixTypes())
        names.emplace_back(nameOf(type));
    return names;
}

Json ropeJson(const RopeConfig &rope)
{
    Json json = {{"type", nameOf(rope.type)}, {"theta", rope.theta}};
    if (rope.type != RopeType::Default)
        json["factor"] = rope.factor;
    if (rope.originalContext > 0)
        json["original_context"] = rope.originalContext;
    return json;
}

void printRow(std::string_view label, const std::string &value)
{
    fmt::print("{:<20} {}\n", label, value);
}

void printRope(const ModelConfig &config)
{
    const auto text = [](const RopeConfig &rope) {
        return fmt::format("{}, theta {:g}{}", nameOf(rope.type), rope.theta,
                           rope.type == RopeType::Default ? std::string() : fmt::format(", factor {:g}", rope.factor));
    };
    const auto layers = [&](LayerRope rope) { return std::count(config.layerRopes.begin(), config.layerRopes.end(), rope); };
    printRow("rotary embedding",
             text(config.rope)
                 + (config.rotated() < config.headDim
                        ? fmt::format(", {} of {} numbers of a head", config.rotated(), config.headDim)
                        : std::string()));
    if (const auto local = layers(LayerRope::Local); local > 0)
        printRow("of local layers", fmt::format("{}, in {} of {} layers", text(config.localRope), local, config.layers));
    if (const auto without = layers(LayerRope::None); without > 0)
        printRow("without rotation", fmt::format("{} of {} layers", without, config.layers));
}

void printJson(const Description &description)
{
    const ModelConfig &config = description.config;
    Json json = {{"name", config.name},
                 {"family", nameOf(*config.family)},
                 {"layers", config.layers},
                 {"query_heads", config.queryHeads},
                 {"kv_heads", config.kvHeads},
                 {"head_dim", config.headDim},
                 {"hidden_size", config.hiddenSize},
                 {"intermediate_size", config.intermediateSize},
                 {"experts", config.experts},
                 {"experts_per_token", config.expertsPerToken},
                 {"vocabulary", config.vocabulary},
                 {"max_context", config.maxContext},
                 {"rope", ropeJson(config.rope)},
                 {"dtype", nameOf(config.dtype)},
                 {"kv_type", nameOf(config.kvType)},
                 {"weight_types", typeNames(config)},
                 {"parameters", config.parameters()},
                 {"weight_bytes", config.weightBytes()},
                 {"kv_bytes_per_token", config.kvBytesPerToken()}};
    for (const auto &[context, bytes] : kvAtContexts(config))
        json["kv_bytes"].push_back({{"context", context}, {"bytes", bytes}});
    json["fingerprint"] = description.fingerprint.empty() ? Json() : Json(description.fingerprint);
    json["tokenizer_tokens"] = description.tokens == 0 ? Json() : Json(description.tokens);
    json["notes"] = config.notes;
    fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
}

std::string withCommas(std::int64_t number)
{
    std::string text = std::to_string(number);
    for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3)
        text.insert(static_cast<std::size_t>(place), ",");
    return text;
}

void printTable(const Description &description)
{
    const ModelConfig &config = description.config;
    const auto row = printRow;
    row("model", config.name);
    row("family", std::string(nameOf(*config.family)));
    row("layers", std::to_string(config.layers));
    row("query heads", std::to_string(config.queryHeads));
    row("KV heads", fmt::format("{} ({} query heads in a group)", config.kvHeads, config.group()));
    row("head dimension", std::to_string(config.headDim));
    row("hidden size", std::to_string(config.hiddenSize));
    row("intermediate size", std::to_string(config.intermediateSize));
    if (config.experts > 0)
        row("experts",
            fmt::format("{} of {} for each token, in {} of {} layers, each {} wide", config.expertsPerToken, config.experts,
                        std::count(config.denseLayers.begin(), config.denseLayers.end(), false), config.layers,
                        config.expertIntermediateSize));
    row("vocabulary", withCommas(config.vocabulary));
    row("context", fmt::format("{} tokens", withCommas(config.maxContext)));
    printRope(config);
    row("parameters", withCommas(config.parameters()));
    row("weights", fmt::format("{} bytes, {}", withCommas(config.weightBytes()), fmt::join(typeNames(config), ", ")));
    row("KV per token", fmt::format("{} bytes, {}", withCommas(config.kvBytesPerToken()), nameOf(config.kvType)));
    const int windowed = config.shape().localLayers();
    const bool hasWindows = windowed > 0;
    if (hasWindows)
        row("windows of the file",
            fmt::format("{} tokens in {} of {} layers, whatever a map says",
                        *std::max_element(config.fileWindows.begin(), config.fileWindows.end()), windowed, config.layers));
    for (const auto &[context, bytes] : kvAtContexts(config))
        row(fmt::format("KV at {}", withCommas(context)),
            fmt::format("{} bytes, every head retrieval{}", withCommas(bytes),
                        hasWindows ? " where the file has no window" : ""));
    row("fingerprint",
        !description.fingerprint.empty() ? description.fingerprint
            : description.isPreset       ? "none: random weights"
                                         : "none: the folder has no weights");
    row("tokenizer", description.tokens == 0 ? "none" : fmt::format("{} tokens", withCommas(description.tokens)));
}

} // namespace

void addInfo(CLI::App &app, Chosen &chosen)
{
    struct Options {
        std::string model, format = "table";
        std::optional<DType> kvType;
    };
    const auto options = std::make_shared<Options>();
    CLI::App *command
        = app.add_subcommand("info", "show a model's shape, weights and KV bytes, loading no weights; or what is in a session");
    command
        ->add_option("MODEL", options->model,
                     "Hugging Face folder, GGUF file, bundled:NAME or preset:NAME; or a session, NAME.zigzag")
        ->required();
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] {
        chosen.run = [options]() -> Result<void> {
            if (isSession(options->model))
                return printSession(options->model, options->format);
            ZIGZAG_TRY(description, describe(options->model, options->kvType));
            sayNotes(description.config);
            options->format == "json" ? printJson(description) : printTable(description);
            return {};
        };
    });
}

} // namespace zigzag
