// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/number_checks.h"
#include "app/cli/report_text.h"
#include "app/cli/run_support.h"
#include "engine/base/files.h"
#include "engine/map/assign.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "profiler/base/job_time.h"
#include "profiler/exports/export_format.h"
#include "profiler/jobs/bench_job.h"
#include "profiler/jobs/evaluate_job.h"
#include "profiler/jobs/search_job.h"
#include "profiler/timing/disturbance.h"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct ReportOptions {
    std::string model, out, backend = "auto";
    double sparsity = 0.5;
    int sink = 16, recent = 128; ///< an eighth and less of the bundled model's context, so that streaming is felt
    std::uint64_t seed = 1;
    int repeats = 5, trials = 4;
    double patience = usualPatience;
    double seconds = 45; ///< after which what others disturb is no longer repeated
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
};

Result<void> scoreAndAssign(Report &report, const Loaded &loaded, const ReportOptions &options)
{
    AttentionScorePlan &plan = report.scorePlan;
    plan.contexts = defaultContexts(report.config);
    plan.depths = {0, 0.25, 0.5, 0.75, 1};
    plan.trials = 2;
    plan.seed = options.seed;
    JobLines lines("score");
    ZIGZAG_TRY(scores, jobs::scoreHeads(loaded.job(lines), plan));
    lines.end();
    report.scores = std::move(scores);
    if (report.scores.unanswered)
        fmt::print(stderr,
                   "note: the model answered no prompt: the scores, and the maps made from them, say nothing of its heads\n");
    ZIGZAG_TRY(duo, assignHeads(report.scores, "duo", options.sparsity, options.sink, options.recent));
    report.duo = std::move(duo);
    ZIGZAG_TRY(zigzag, assignHeads(report.scores, "zigzag", options.sparsity, options.sink, options.recent));
    report.zigzag = std::move(zigzag);
    return {};
}

Result<void> measureMaps(Report &report, const Loaded &loaded, const ReportOptions &options, const JobTime &time)
{
    const HeadMap full(loaded.model->shape(), HeadKind::Retrieval, options.sink, options.recent);
    BenchPlan &plan = report.benchPlan;
    plan.maps = {{"full", full}, {"duo", report.duo.map}, {"zigzag", report.zigzag.map}};
    plan.contexts = defaultContexts(report.config);
    plan.phases = {Phase::Prefill, Phase::Decode};
    plan.mixed = {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference};
    plan.repeats = options.repeats;
    plan.seed = options.seed;
    plan.patienceSeconds = options.patience;
    plan.time = time;
    JobLines lines("bench");
    const JobContext context = loaded.job(lines);
    ZIGZAG_TRY(records, jobs::bench(context, plan));
    report.records = std::move(records);
    report.machine = context.machine();
    return {};
}

Result<void> askNeedles(Report &report, const Loaded &loaded, const ReportOptions &options, const JobTime &time)
{
    const ModelShape shape = loaded.model->shape();
    NeedlePlan &plan = report.needlePlan;
    plan.contexts = defaultContexts(report.config);
    plan.depths = {0, 0.25, 0.5, 0.75, 1};
    const Disturbance bench = disturbanceOf(report.records);
    const bool isHurried = time.isUsedUp() && 2 * bench.disturbed > bench.samples;
    plan.trials = isHurried ? 1 : options.trials;
    report.trialsAsked = options.trials;
    plan.seed = options.seed + 1; // other questions than those that chose the map
    const std::vector<NamedMap> maps{{"full", HeadMap(shape, HeadKind::Retrieval, options.sink, options.recent)},
                                     {"zigzag", report.zigzag.map},
                                     {"all streaming", HeadMap(shape, HeadKind::Streaming, options.sink, options.recent)}};
    JobLines lines("needle");
    ZIGZAG_TRY(results, jobs::askNeedles(loaded.job(lines), maps, plan));
    for (std::size_t i = 0; i < maps.size(); ++i)
        report.needle.emplace_back(maps[i].name, std::move(results[i]));
    return {};
}

/// The maps in the forms that other programs take, and the scores behind them.
Result<void> writeMaps(Report &report, const std::filesystem::path &out)
{
    const auto wrote = [&](const std::filesystem::path &file) { report.files.push_back(file.string()); };
    ZIGZAG_CHECK(writeHeadScores(report.scores, out / "scores.json"));
    wrote(out / "scores.json");
    for (const auto &[name, assignment] :
         {std::pair<const char *, const Assignment *>{"zigzag", &report.zigzag}, {"duo", &report.duo}}) {
        const auto file = out / fmt::format("map-{}.json", name);
        ZIGZAG_CHECK(writeHeadMap(assignment->map, file));
        wrote(file);
    }
    ZIGZAG_TRY(format, findExportFormat("duo-attention"));
    if (format->verdict(report.zigzag.map, nullptr).refusal.empty()) { // as of a model with local layers: the map's files remain
        ZIGZAG_CHECK(exportMap(*format, report.zigzag.map, nullptr, out / "duo-attention"));
        wrote(out / "duo-attention");
    }
    return {};
}

Result<void> makeReport(const ReportOptions &options)
{
    const auto begin = std::chrono::steady_clock::now();
    const JobTime time(options.seconds);
    const std::filesystem::path out = options.out;
    interruptFlag();
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    ZIGZAG_CHECK(makeFolder(out));
    Report report;
    report.modelName = options.model;
    report.config = loaded.model->config;
    report.sparsity = options.sparsity;
    {
        JobLines lines("report");
        report.machine = loaded.job(lines).machine();
    }
    ZIGZAG_CHECK(scoreAndAssign(report, loaded, options));
    ZIGZAG_CHECK(writeMaps(report, out));
    ZIGZAG_CHECK(measureMaps(report, loaded, options, time));
    ZIGZAG_CHECK(askNeedles(report, loaded, options, time));
    report.files.push_back((out / "report.md").string());
    report.files.push_back((out / "report.json").string());
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    ZIGZAG_CHECK(writeFileAtomically(out / "report.md", reportMarkdown(report)));
    ZIGZAG_CHECK(writeFileAtomically(out / "report.json", reportJson(report)));
    fmt::print("{}", reportSummary(report));
    return {};
}

} // namespace

void addReport(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<ReportOptions>();
    CLI::App *command
        = app.add_subcommand("report", "the main job at once: score, assign, bench, needle, export; written to a folder");
    command->add_option("MODEL", options->model, "Hugging Face folder with tokenizer.json, GGUF file, or bundled:NAME")
        ->required();
    command->add_option("--out", options->out, "folder for report.md, report.json, scores, maps and export")->required();
    command->add_option("--sparsity", options->sparsity, "fraction that streams")
        ->check(numberIn(0.0, 1.0))
        ->capture_default_str();
    addWindowOptions(*command, options->sink, options->recent, "streaming heads keep");
    addPatienceOption(*command, options->patience);
    command
        ->add_option("--seconds", options->seconds,
                     "of the whole job, after which samples that other programs disturb are no longer repeated, and each "
                     "question is asked once "
                     "(0: no limit); a machine that is left alone takes what it takes")
        ->check(numberFrom(0.0))
        ->capture_default_str();
    command->add_option("--repeats", options->repeats, "samples of each measured point")
        ->check(integerIn(1, 10000))
        ->capture_default_str();
    addTrialsOption(*command, options->trials);
    command->add_option("--seed", options->seed, "of tokens and questions")->capture_default_str();
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    command->callback([options, &chosen] { chosen.run = [options] { return makeReport(*options); }; });
}

} // namespace zigzag
