// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/base/printable.h"
#include "profiler/cost/profile_file.h"
#include "profiler/jobs/check_job.h"
#include "profiler/measure/bench_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <optional>

namespace zigzag {

namespace {

struct CheckOptions {
    std::string server, model, map, profile, out, backend = "auto", format = "table";
    int sink = defaultSink, recent = defaultRecent;
    double seconds = 0;
    jobs::CheckPlan plan;
    EngineOptions engine;
};

void printTable(const jobs::ServerCheck &check)
{
    std::size_t width = 0;
    for (const std::string &way : check.ways)
        width = std::max(width, way.size());
    fmt::print("{:<{}}  {:>15}  {:>12}  {:>12}\n", "if it runs", width, "tokens as here", "mean |diff|", "largest");
    const check::Answers &answers = check.answers;
    for (std::size_t i = 0; i < check.ways.size(); ++i) {
        const check::Likeness &likeness = answers.likenesses[i];
        fmt::print("{:<{}}  {:>15}  {:>12.5f}  {:>12.5f}\n", check.ways[i], width,
                   fmt::format("{} of {}", likeness.equal, answers.tokens), likeness.meanDifference, likeness.largestDifference);
    }
    fmt::print(
        "differences of log-probabilities (nats) over {} greedy tokens behind {} prompts of {} tokens{}; the nearest two ways "
        "are {:.5f} apart\n{}\n",
        answers.tokens, answers.prompts, answers.context,
        answers.inText ? ", sent as text, since the server takes no token ids" : "", answers.toNext, check.says());
}

void printTimes(const std::vector<jobs::CheckedTimes> &times)
{
    const auto median = [](const std::vector<double> &values) { return quantile(values, 0.5); };
    const auto known
        = [](const std::optional<jobs::Foreseen> &of) { return of ? fmt::format("~{:.2f}", of->ms) : std::string("-"); };
    const auto floor
        = [](const std::optional<jobs::Foreseen> &of) { return of ? fmt::format("{:.2f}", of->floorMs) : std::string("-"); };
    if (times.empty())
        return;
    fmt::print("\n{:>8}  {:>10}  {:>12}  {:>10}  {:>10}  {:>12}  {:>10}\n", "context", "TTFT ms", "predicted", "floor", "TPOT ms",
               "predicted", "floor");
    for (const jobs::CheckedTimes &each : times)
        fmt::print("{:>8}  {:>10.2f}  {:>12}  {:>10}  {:>10.2f}  {:>12}  {:>10}\n", each.served.context,
                   median(each.served.firstMs), known(each.first), floor(each.first), median(each.served.stepMs),
                   known(each.step), floor(each.step));
    fmt::print("times as a client sees them, medians of {}; {}\n", times.front().served.firstMs.size(),
               times.front().first ? "predicted and floor: our engine on the machine of --profile"
                                   : "not predicted: no --profile of the server's machine");
}

nlohmann::ordered_json timesJson(const jobs::CheckedTimes &times)
{
    using Json = nlohmann::ordered_json;
    const auto known = [](const std::optional<jobs::Foreseen> &of) { return of ? Json(of->ms) : Json(); };
    const auto floor = [](const std::optional<jobs::Foreseen> &of) { return of ? Json(of->floorMs) : Json(); };
    return {{"context", times.served.context},        {"ttft_ms", times.served.firstMs},
            {"tpot_ms", times.served.stepMs},         {"predicted_ttft_ms", known(times.first)},
            {"predicted_tpot_ms", known(times.step)}, {"floor_ttft_ms", floor(times.first)},
            {"floor_tpot_ms", floor(times.step)}};
}

nlohmann::ordered_json checkJson(const jobs::ServerCheck &check)
{
    using Json = nlohmann::ordered_json;
    constexpr const char *findings[] = {"found", "undecided", "none"};
    const check::Answers &answers = check.answers;
    Json out = {{"format", "zigzag-server-check"},
                {"version", 1},
                {"server", check.server},
                {"served", check.served},
                {"finding", findings[static_cast<int>(answers.finding)]},
                {"applied", check.isApplied()},
                {"says", check.says()},
                {"prompts", answers.prompts},
                {"prompts_as", answers.inText ? "text" : "token ids"},
                {"context", answers.context},
                {"tokens", answers.tokens},
                {"between_ways", answers.toNext}};
    for (std::size_t i = 0; i < check.ways.size(); ++i)
        out["ways"].push_back({{"name", check.ways[i]},
                               {"equal", answers.likenesses[i].equal},
                               {"mean_difference", answers.likenesses[i].meanDifference},
                               {"largest_difference", answers.likenesses[i].largestDifference}});
    out["times"] = Json::array();
    for (const jobs::CheckedTimes &each : check.times)
        out["times"].push_back(timesJson(each));
    if (!check.whyNoTimes.empty())
        out["no_times"] = check.whyNoTimes;
    return out;
}

/// The times as a run, which `compare` and the window open beside others.
Result<void> writeRun(const CheckOptions &options, const jobs::ServerCheck &check)
{
    BenchPlan plan;
    plan.contexts = options.plan.times.contexts;
    plan.phases = {Phase::Prefill, Phase::Decode};
    plan.repeats = options.plan.times.repeats;
    return writeBenchFile(options.out, options.model, check.machine, plan, check.records);
}

/// With the model, once it is loaded: the map, as the engine has it, and what times are predicted from.
Result<void> complete(jobs::CheckPlan &plan, const CheckOptions &options, const Loaded &loaded)
{
    ZIGZAG_TRY(map, resolveMap(options.map, loaded.model->shape(), options.sink, options.recent));
    plan.map = {options.map, std::move(map)};
    ZIGZAG_TRY(meant, asEngine(loaded, options.model, plan.map.map, options.engine));
    if (!options.engine.engine.empty())
        plan.meant = {"the map, as " + options.engine.engine + " runs it", meant.loaded.device, meant.map};
    if (options.profile.empty())
        return {};
    ZIGZAG_TRY(calibration, readProfile(options.profile));
    plan.cost = CostModel(calibration, meant.loaded.device->config());
    if (!plan.cost->isFitted())
        return badInput(fmt::format("{}: has no samples to predict from; calibrate anew", options.profile));
    return {};
}

Result<void> checkServer(const CheckOptions &options)
{
    jobs::CheckPlan plan = options.plan;
    plan.time = JobTime(options.seconds);
    ZIGZAG_TRY(address, check::parseServerAddress(options.server));
    plan.server = std::move(address);
    ZIGZAG_TRY(served, jobs::nameAtServer(plan, &interruptFlag()));
    plan.servedName = std::move(served);
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    ZIGZAG_CHECK(complete(plan, options, loaded));
    JobLines lines("check");
    ZIGZAG_TRY(found, jobs::checkServer(loaded.job(lines), plan));
    lines.end();
    if (!options.out.empty() && found.whyNoTimes.empty())
        ZIGZAG_CHECK(writeRun(options, found));
    if (options.format == "json") {
        fmt::print("{}\n", checkJson(found).dump(1, ' ', false, anyBytes));
    } else {
        fmt::print("{} as {} at {}\n\n", options.model, printable(found.served), found.server);
        printTable(found);
        printTimes(found.times);
        if (!found.whyNoTimes.empty())
            fmt::print("\nno times: {}\n", found.whyNoTimes);
    }
    if (!found.isApplied())
        return failed(found.says());
    if (!options.out.empty() && !found.whyNoTimes.empty())
        return failed(fmt::format("{} was not written: {}", options.out, found.whyNoTimes));
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
    command->add_option("--served-name", options->plan.servedName, "the model's name at a server that has several");
    command->add_option("--key", options->plan.key, "sent as Authorization: Bearer KEY");
    command->add_option("--timeout", options->seconds, "seconds that all of it may take (default: no limit)")
        ->check(numberAbove(0));
    command->add_option("--silence", options->plan.silenceSeconds, "seconds without a word from the server")
        ->check(integerIn(1, 86400))
        ->capture_default_str();
    command->add_option("--prompts", options->plan.answers.prompts, "that are compared")
        ->check(integerIn(1, 1000))
        ->capture_default_str();
    command->add_option("--tokens", options->plan.answers.tokens, "behind each prompt")
        ->check(integerIn(1, 1024))
        ->capture_default_str();
    command
        ->add_option("--context", options->plan.answers.context, "tokens of a compared prompt (default: twice the map's window)")
        ->check(longIntegerFrom(1));
    command->add_option("--contexts", options->plan.times.contexts, "take times at these lengths as well")
        ->delimiter(',')
        ->check(longIntegerFrom(1));
    command->add_option("--repeats", options->plan.times.repeats, "of each length")
        ->check(integerIn(1, 1000))
        ->capture_default_str();
    command->add_option("--profile", options->profile, "machine profile of the server's machine, to predict the times by")
        ->needs("--contexts");
    command->add_option("--out", options->out, "write the times as a run that compare and the window open")->needs("--contexts");
    addBackendOption(*command, options->backend);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return checkServer(*options); }; });
}

} // namespace zigzag
