// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/base/printable.h"
#include "engine/map/map_io.h"
#include "engine/map/run_alike.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/check/server_check.h"
#include "profiler/cost/profile_file.h"
#include "profiler/jobs/predict_job.h"
#include "profiler/measure/bench_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {

namespace {

struct CheckOptions {
    std::string server, model, map, servedName, profile, out, backend = "auto", format = "table";
    int sink = defaultSink, recent = defaultRecent;
    check::ClientOptions client;
    check::AnswerPlan answers;
    check::TimesPlan times;
    EngineOptions engine;
};

std::int64_t longestWindow(const HeadMap &map)
{
    std::int64_t longest = 0;
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head)
            if (const HeadPattern pattern = map.pattern(layer, head); !pattern.keepsEverything())
                longest = std::max(longest, pattern.sink() + pattern.recent());
    return longest;
}

Result<std::vector<check::Hypothesis>> waysOf(const Loaded &loaded, const CheckOptions &options, const HeadMap &map)
{
    ZIGZAG_TRY(meant, asEngine(loaded, options.model, map, options.engine));
    std::vector<check::Hypothesis> ways;
    const std::string name
        = options.engine.engine.empty() ? "the map, sinks kept" : "the map, as " + options.engine.engine + " runs it";
    ways.push_back({name, meant.loaded.device, meant.map});
    const auto add = [&](const char *other, const HeadMap &run) {
        const bool isThere = std::any_of(ways.begin(), ways.end(), [&](const check::Hypothesis &way) {
            return way.device == loaded.device && runAlike(way.map, run);
        });
        if (!isThere)
            ways.push_back({other, loaded.device, run});
    };
    add("the map, sinks kept", map);
    add("its windows alone", withoutSinks(map));
    add("full attention", HeadMap(map.model(), HeadKind::Retrieval, defaultSink, defaultRecent));
    return ways;
}

/// The model's name at the server: what was given, or the only one.
Result<std::string> servedName(const check::CompletionClient &client, const CheckOptions &options)
{
    if (!options.servedName.empty())
        return options.servedName;
    ZIGZAG_TRY(names, client.models());
    if (names.size() == 1)
        return std::move(names.front());
    std::string list;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 8); ++i)
        list += (i > 0 ? ", " : "") + printable(names[i]);
    return badInput(fmt::format("{}: serves {} models ({}); name one by --served-name", options.server, names.size(), list));
}

/// What our engine would take, by a profile of the server's machine.
struct Predicted {
    std::optional<double> firstMs, stepMs;
};

Result<std::vector<Predicted>> predictions(const CheckOptions &options, const check::Hypothesis &meant)
{
    std::vector<Predicted> all(options.times.contexts.size());
    if (options.profile.empty() || all.empty())
        return all;
    ZIGZAG_TRY(calibration, readProfile(options.profile));
    const CostModel cost(calibration, meant.device->config());
    if (!cost.isFitted())
        return badInput(fmt::format("{}: has no samples to predict from; calibrate anew", options.profile));
    const jobs::PredictPlan plan{{{meant.name, meant.map}}, options.times.contexts, {Phase::Prefill, Phase::Decode}};
    for (const jobs::Prediction &point : jobs::predict(cost, plan)) {
        const auto at = std::find(plan.contexts.begin(), plan.contexts.end(), point.predicted.context) - plan.contexts.begin();
        Predicted &of = all[static_cast<std::size_t>(at)];
        (point.predicted.phase == Phase::Prefill ? of.firstMs : of.stepMs) = point.predicted.medianMs;
    }
    return all;
}

std::string findingText(const check::Answers &answers, const std::vector<check::Hypothesis> &ways)
{
    const std::string &nearest = ways[answers.nearest].name;
    switch (answers.finding) {
    case check::Finding::Found:
        return answers.nearest == 0 ? fmt::format("the server runs {}", nearest)
                                    : fmt::format("the server does not run {}: it runs {}", ways.front().name, nearest);
    case check::Finding::Undecided:
        return fmt::format("undecided: {} is nearest, but not by much; ask more --prompts, or longer ones (--context)", nearest);
    case check::Finding::None:
        return "the server runs none of these: another map or window, or another model";
    }
    return {};
}

void printTable(const check::Answers &answers, const std::vector<check::Hypothesis> &ways)
{
    std::size_t width = 0;
    for (const check::Hypothesis &way : ways)
        width = std::max(width, way.name.size());
    fmt::print("{:<{}}  {:>15}  {:>12}  {:>12}\n", "if it runs", width, "tokens as here", "mean |diff|", "largest");
    for (std::size_t i = 0; i < ways.size(); ++i) {
        const check::Likeness &likeness = answers.likenesses[i];
        fmt::print("{:<{}}  {:>15}  {:>12.5f}  {:>12.5f}\n", ways[i].name, width,
                   fmt::format("{} of {}", likeness.equal, answers.tokens), likeness.meanDifference, likeness.largestDifference);
    }
    fmt::print(
        "differences of log-probabilities (nats) over {} greedy tokens behind {} prompts of {} tokens; the nearest two ways "
        "are {:.5f} apart\n{}\n",
        answers.tokens, answers.prompts, answers.context, answers.toNext, findingText(answers, ways));
}

void printTimes(const std::vector<check::ServedTimes> &times, const std::vector<Predicted> &predicted)
{
    const auto median = [](const std::vector<double> &values) { return quantile(values, 0.5); };
    const auto known = [](const std::optional<double> &ms) { return ms ? fmt::format("~{:.2f}", *ms) : std::string("-"); };
    if (times.empty())
        return;
    fmt::print("\n{:>8}  {:>10}  {:>12}  {:>10}  {:>12}\n", "context", "TTFT ms", "predicted", "TPOT ms", "predicted");
    for (std::size_t i = 0; i < times.size(); ++i)
        fmt::print("{:>8}  {:>10.2f}  {:>12}  {:>10.2f}  {:>12}\n", times[i].context, median(times[i].firstMs),
                   known(predicted[i].firstMs), median(times[i].stepMs), known(predicted[i].stepMs));
    fmt::print("times as a client sees them, medians of {}; {}\n", times.front().firstMs.size(),
               predicted.front().firstMs ? "predicted: our engine on the machine of --profile"
                                         : "not predicted: no --profile of the server's machine");
}

nlohmann::ordered_json checkJson(const std::string &server, const std::string &served, const check::Answers &answers,
                                 const std::vector<check::Hypothesis> &ways, const std::vector<check::ServedTimes> &times,
                                 const std::vector<Predicted> &predicted)
{
    using Json = nlohmann::ordered_json;
    constexpr const char *findings[] = {"found", "undecided", "none"};
    Json out = {{"format", "zigzag-server-check"},
                {"version", 1},
                {"server", server},
                {"served", served},
                {"finding", findings[static_cast<int>(answers.finding)]},
                {"applied", answers.finding == check::Finding::Found && answers.nearest == 0},
                {"says", findingText(answers, ways)},
                {"prompts", answers.prompts},
                {"context", answers.context},
                {"tokens", answers.tokens},
                {"between_ways", answers.toNext}};
    for (std::size_t i = 0; i < ways.size(); ++i)
        out["ways"].push_back({{"name", ways[i].name},
                               {"equal", answers.likenesses[i].equal},
                               {"mean_difference", answers.likenesses[i].meanDifference},
                               {"largest_difference", answers.likenesses[i].largestDifference}});
    const auto known = [](const std::optional<double> &ms) { return ms ? Json(*ms) : Json(); };
    out["times"] = Json::array();
    for (std::size_t i = 0; i < times.size(); ++i)
        out["times"].push_back({{"context", times[i].context},
                                {"ttft_ms", times[i].firstMs},
                                {"tpot_ms", times[i].stepMs},
                                {"predicted_ttft_ms", known(predicted[i].firstMs)},
                                {"predicted_tpot_ms", known(predicted[i].stepMs)}});
    return out;
}

/// The times as a run, which `compare` and the window open beside others.
Result<void> writeRun(const CheckOptions &options, const check::Hypothesis &meant, const std::string &served,
                      const std::vector<check::ServedTimes> &times)
{
    MachineProfile machine;
    machine.device = fmt::format("server at {} ({})", options.server, served);
    machine.backend = "server";
    BenchPlan plan;
    plan.contexts = options.times.contexts;
    plan.phases = {Phase::Prefill, Phase::Decode};
    plan.repeats = options.times.repeats;
    std::vector<BenchRecord> records;
    for (const check::ServedTimes &each : times)
        for (const Phase phase : plan.phases) {
            BenchRecord record;
            record.map = options.map;
            record.mapFingerprint = fingerprintOf(meant.map);
            record.phase = phase;
            record.context = each.context;
            record.kvType = meant.device->config().kvType;
            record.samplesMs = phase == Phase::Prefill ? each.firstMs : each.stepMs;
            record.medianMs = quantile(record.samplesMs, 0.5);
            record.spreadMs = quantile(record.samplesMs, 0.75) - quantile(record.samplesMs, 0.25);
            records.push_back(std::move(record));
        }
    return writeBenchFile(options.out, options.model, machine, plan, records);
}

Result<void> checkServer(CheckOptions options)
{
    ZIGZAG_TRY(address, check::parseServerAddress(options.server));
    options.client.cancel = &interruptFlag();
    const check::CompletionClient client(address, options.client);
    ZIGZAG_TRY(served, servedName(client, options));
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    ZIGZAG_TRY(map, resolveMap(options.map, loaded.model->shape(), options.sink, options.recent));
    const std::int64_t window = longestWindow(map), most = loaded.model->config.maxContext - options.answers.tokens;
    if (options.answers.context == 0)
        options.answers.context = std::min(most, std::max<std::int64_t>(2 * window, window + 128));
    if (window == 0)
        return badInput(
            fmt::format("{}: lets no head stream, so there is nothing that a server could leave undone", options.map));
    options.answers.window = window;
    ZIGZAG_TRY(ways, waysOf(loaded, options, map));
    check::Answers answers;
    {
        Progress progress("comparing answers");
        ZIGZAG_TRY(
            compared,
            check::compareAnswers(client, served, *loaded.model, ways, options.answers, &interruptFlag(), std::ref(progress)));
        answers = std::move(compared);
    }
    std::vector<check::ServedTimes> times;
    if (!options.times.contexts.empty()) {
        Progress progress("taking times");
        ZIGZAG_TRY(taken, check::measureTimes(client, served, *loaded.model, options.times, std::ref(progress)));
        times = std::move(taken);
    }
    ZIGZAG_TRY(predicted, predictions(options, ways.front()));
    if (!options.out.empty())
        ZIGZAG_CHECK(writeRun(options, ways.front(), served, times));
    if (options.format == "json") {
        fmt::print("{}\n", checkJson(address.text(), served, answers, ways, times, predicted).dump(1, ' ', false, anyBytes));
    } else {
        fmt::print("{} as {} at {}\n\n", options.model, printable(served), address.text());
        printTable(answers, ways);
        printTimes(times, predicted);
    }
    if (answers.finding != check::Finding::Found || answers.nearest != 0)
        return failed(findingText(answers, ways));
    return {};
}

} // namespace

void addCheck(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<CheckOptions>();
    CLI::App *command
        = app.add_subcommand("check", "hold a running server (OpenAI's API) against our engine: is the map applied?");
    command->add_option("--server", options->server, "http://HOST:PORT of vLLM, SGLang, llama.cpp's server or zigzag serve")
        ->required();
    command->add_option("--model", options->model, "the model that the map was made for, as it was before the export")
        ->required();
    command->add_option("--map", options->map, "head-map file, or streaming")->required();
    addWindowOptions(*command, options->sink, options->recent);
    addEngineOptions(*command, options->engine);
    command->add_option("--served-name", options->servedName, "the model's name at a server that has several");
    command->add_option("--key", options->client.key, "sent as Authorization: Bearer KEY");
    command->add_option("--timeout", options->client.timeoutSeconds, "seconds without a word from the server")
        ->check(integerIn(1, 86400))
        ->capture_default_str();
    command->add_option("--prompts", options->answers.prompts, "that are compared")
        ->check(integerIn(1, 1000))
        ->capture_default_str();
    command->add_option("--tokens", options->answers.tokens, "behind each prompt")
        ->check(integerIn(1, 1024))
        ->capture_default_str();
    command->add_option("--context", options->answers.context, "tokens of a compared prompt (default: twice the map's window)")
        ->check(longIntegerFrom(1));
    command->add_option("--contexts", options->times.contexts, "take times at these lengths as well")
        ->delimiter(',')
        ->check(longIntegerFrom(1));
    command->add_option("--repeats", options->times.repeats, "of each length")->check(integerIn(1, 1000))->capture_default_str();
    command->add_option("--profile", options->profile, "machine profile of the server's machine, to predict the times by")
        ->needs("--contexts");
    command->add_option("--out", options->out, "write the times as a run that compare and the window open")->needs("--contexts");
    addBackendOption(*command, options->backend);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return checkServer(*options); }; });
}

} // namespace zigzag
