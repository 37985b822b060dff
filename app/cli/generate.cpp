// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
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

namespace zigzag {

namespace {

struct GenerateOptions {
    std::string model, map = "full", backend = "auto", format = "text";
    PromptOptions prompt;
    int sink = defaultSink, recent = defaultRecent;
    std::int64_t most = 128;
    double temperature = 0.0, topP = 1.0;
    std::uint64_t seed = 0;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    EngineOptions engine;
    bool asIds = false;
};

Result<void> generate(const GenerateOptions &options)
{
    // CLI11's ranges let NaN through.
    if (std::isnan(options.temperature) || std::isnan(options.topP))
        return badInput("--temperature and --top-p must be numbers; give values such as 0.8 and 0.95");
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    const Model &model = *loaded.model;
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    ZIGZAG_TRY(tokens, promptTokens(model, options.prompt));
    const std::size_t promptSize = tokens.size();
    ZIGZAG_TRY(map, resolveMap(options.map, model.shape(), options.sink, options.recent));
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
    command->add_option("--map", options->map, "head-map file, full or streaming")->capture_default_str();
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
    addKvTypeOption(*command, options->kvType);
    command->callback([options, &chosen] { chosen.run = [options] { return generate(*options); }; });
}

} // namespace zigzag
