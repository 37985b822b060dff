// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/generate_both.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "app/cli/text_input.h"
#include "engine/map/map_io.h"
#include "engine/run/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag {

namespace {

struct GenerateOptions {
    std::string model, backend = "auto", format = "text";
    std::vector<std::string> maps = {"full"};
    PromptOptions prompt;
    int sink = defaultSink, recent = defaultRecent;
    std::int64_t most = 128;
    double temperature = 0.0, topP = 1.0;
    std::uint64_t seed = 0;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    GpuOptions gpus;
    EngineOptions engine;
    bool asIds = false;
};

/// What `--as-engine` says of one of two maps.
Result<std::optional<EngineServing>> servedAs(const GenerateOptions &options, const HeadMap &map)
{
    if (options.engine.engine.empty())
        return std::optional<EngineServing>();
    ZIGZAG_TRY(exported, loadExportModel(options.model));
    ZIGZAG_TRY(serving, engineServing(options.engine.engine, exported, map));
    return std::optional(std::move(serving));
}

/// Two maps beside each other.
Result<void> generateBoth(const GenerateOptions &options)
{
    if (options.temperature > 0)
        return badInput("two maps are compared by their likeliest tokens; leave --temperature out, or give one map");
    if (options.asIds)
        return badInput("--ids prints one answer; give one map, or -o json, which has the tokens of both");
    if (!options.engine.standIns.empty())
        return badInput("--stand-ins is of one map; give one map, or leave it out to have them calibrated here");
    ZIGZAG_TRY(
        loaded,
        loadForRun(options.model, options.backend, options.kvType, options.gpus, {options.maps, options.sink, options.recent}));
    jobs::SideBySidePlan plan;
    ZIGZAG_TRY(tokens, promptTokens(*loaded.model, options.prompt));
    plan.prompt = std::move(tokens);
    plan.most = static_cast<int>(options.most); // its option is no larger than 2^24
    ZIGZAG_TRY(maps, resolveMaps(options.maps, loaded.model->shape(), options.sink, options.recent));
    for (std::size_t i = 0; i < plan.maps.size(); ++i) {
        ZIGZAG_TRY(served, servedAs(options, maps[i].map));
        plan.maps[i] = {maps[i].name, std::move(maps[i].map), std::move(served)};
    }
    noteContexts(loaded.model->config, {std::ssize(plan.prompt) + options.most});
    JobLines lines("generate");
    ZIGZAG_TRY(both, jobs::sideBySide(loaded.job(lines), plan));
    lines.end();
    if (options.format == "json")
        fmt::print("{}\n", sideBySideJson(both).dump(1, ' ', false, anyBytes));
    else
        fmt::print("{}", sideBySideText(both));
    return {};
}

Result<void> generate(const GenerateOptions &options)
{
    // CLI11's ranges let NaN through.
    if (std::isnan(options.temperature) || std::isnan(options.topP))
        return badInput("--temperature and --top-p must be numbers; give values such as 0.8 and 0.95");
    if (options.maps.size() > 2)
        return badInput(fmt::format("{} maps; give one, or two to see their answers beside each other", options.maps.size()));
    if (options.maps.size() == 2)
        return generateBoth(options);
    ZIGZAG_TRY(
        loaded,
        loadForRun(options.model, options.backend, options.kvType, options.gpus, {options.maps, options.sink, options.recent}));
    const Model &model = *loaded.model;
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    ZIGZAG_TRY(tokens, promptTokens(model, options.prompt));
    const std::size_t promptSize = tokens.size();
    ZIGZAG_TRY(map, resolveMap(options.maps.front(), model.shape(), options.sink, options.recent));
    SessionOptions sessionOptions;
    sessionOptions.maxContext = static_cast<std::int64_t>(tokens.size()) + options.most;
    noteContexts(model.config, {sessionOptions.maxContext});
    ZIGZAG_TRY(run, asEngine(loaded, options.model, map, options.engine));
    ZIGZAG_TRY(session, Session::create(run.loaded.device, run.map, sessionOptions));
    session->setCancelFlag(&interruptFlag());

    Sampler sampler(options.temperature, options.topP, options.seed);
    // Text is decoded from the prompt on: a tokenizer may treat the first word of a text differently.
    const std::size_t promptText = tokenizer->decode(tokens).size();
    std::size_t shown = promptText;
    const bool showsText = !options.asIds && options.format == "text";
    bool isEnded = false;
    std::span<const int> next = tokens;
    const std::vector<int> &ends = model.config.endTokens;
    for (std::int64_t i = 0; i < options.most; ++i) {
        ZIGZAG_TRY(logits, session->run(next)); // [1, vocabulary]
        const int token = sampler.next(logits);
        isEnded = std::find(ends.begin(), ends.end(), token) != ends.end();
        if (isEnded)
            break;
        tokens.push_back(token);
        next = std::span(tokens).last(1);
        if (options.asIds)
            fmt::print("{}{}", i > 0 ? " " : "", token);
        if (!showsText) {
            std::fflush(stdout);
            continue;
        }
        const std::string text = tokenizer->decode(tokens);
        if (text.size() > shown)
            fmt::print("{}", text.substr(shown));
        std::fflush(stdout);
        shown = text.size();
    }
    if (options.format == "json") {
        const auto split = tokens.begin() + static_cast<std::ptrdiff_t>(promptSize);
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"prompt_ids", std::vector<int>(tokens.begin(), split)},
                                          {"ids", std::vector<int>(split, tokens.end())},
                                          {"text", tokenizer->decode(tokens).substr(promptText)},
                                          {"finish_reason", isEnded ? "stop" : "length"}}
                       .dump(1, ' ', false, anyBytes));
        return {};
    }
    fmt::print("\n");
    return {};
}

} // namespace

void addGenerate(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<GenerateOptions>();
    CLI::App *command = app.add_subcommand("generate", "continue a text");
    command->add_option("MODEL", options->model, "Hugging Face folder, GGUF file or bundled:NAME")->required();
    addPromptOptions(*command, options->prompt);
    auto *ids = command->add_flag("--ids", options->asIds, "print token ids instead of text");
    command->add_option("-o,--output", options->format, "form of the result")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str()
        ->excludes(ids);
    command
        ->add_option("--map", options->maps, "head-map file, full or streaming; a second one: both answers, and where they part")
        ->capture_default_str();
    command->add_option("--max-new", options->most, "most tokens to add")->check(integerIn(1, 1 << 24))->capture_default_str();
    command->add_option("--temperature", options->temperature, "0 takes the likeliest token")
        ->check(numberIn(0.0, 100.0))
        ->capture_default_str();
    command->add_option("--top-p", options->topP, "share of the probability to sample from")
        ->check(numberIn(0.0, 1.0))
        ->capture_default_str();
    command->add_option("--seed", options->seed, "of the sampling")->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent);
    addEngineOptions(*command, options->engine);
    addBackendOption(*command, options->backend);
    addGpuOptions(*command, options->gpus);
    addKvTypeOption(*command, options->kvType);
    command->callback([options, &chosen] { chosen.run = [options] { return generate(*options); }; });
}

} // namespace zigzag
