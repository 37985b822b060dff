// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "app/cli/search_options.h"
#include "profiler/quality/attention_score.h"

#include <fmt/format.h>
#include <functional>
#include <memory>

namespace zigzag {
namespace {

struct ScoreOptions {
    std::string model, method, out, fold = "max", backend = "auto", format = "table";
    AttentionScorePlan plan;
    SearchOptions search;
    int needles = 1;
};

void printTable(const HeadScores &scores)
{
    fmt::print("{:>5}  mean ± standard deviation over trials, by KV head\n", "layer");
    for (int layer = 0; layer < scores.model.layers; ++layer) {
        fmt::print("{:>5}", layer);
        for (int head = 0; head < scores.model.kvHeads; ++head)
            fmt::print("  {:.2f} ± {:.2f}", scores.at(layer, head), scores.spreadAt(layer, head));
        fmt::print("\n");
    }
}

/// Ablation, greedy search and gates: with an estimate first, and progress beside `out` that a later call goes on from.
Result<void> search(const ScoreOptions &options)
{
    SearchPlan plan = options.search.plan;
    plan.method = options.method == "ablation" ? SearchMethod::Ablation
        : options.method == "greedy"           ? SearchMethod::Greedy
                                               : SearchMethod::Gates;
    plan.unit = options.search.unit == "layer" ? Unit::Layer : Unit::Head;
    plan.share = !options.search.plain;
    ZIGZAG_TRY(kinds, parseTasks(options.search.tasks));
    plan.tasks.kinds = std::move(kinds);
    plan.tasks.contexts = options.plan.contexts;
    plan.tasks.depths = options.plan.depths;
    plan.tasks.trials = options.plan.trials;
    plan.tasks.seed = options.plan.seed;
    const std::atomic<bool> &cancel = interruptFlag();
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    if (plan.tasks.contexts.empty())
        plan.tasks.contexts = {std::max<std::int64_t>(16, loaded.model->config.maxContext / 2)};
    ZIGZAG_TRY(search, Search::create(loaded.device, plan));
    const std::filesystem::path progressFile = options.out + ".progress";
    if (!options.search.restart)
        ZIGZAG_CHECK(search.resumeFrom(progressFile));
    if (search.alreadyDone() > 0)
        fmt::print(stderr, "{}: going on from {} of {} (--restart begins anew)\n", options.method, search.alreadyDone(),
                   search.all());
    ZIGZAG_TRY(estimate, search.estimateSeconds());
    fmt::print(stderr, "{}: {} {} to go, about {:.0f} s\n", options.method, search.all() - search.alreadyDone(),
               plan.method == SearchMethod::Gates ? "steps" : "prompt measurements", estimate);
    SearchResult result;
    {
        Progress progress(options.method);
        ZIGZAG_TRY(found, search.run(progressFile, &cancel, std::ref(progress)));
        result = std::move(found);
    }
    ZIGZAG_CHECK(writeHeadScores(result.scores, options.out));
    if (!options.search.maps.empty() && !result.path.empty())
        ZIGZAG_CHECK(writePathMaps(plan, result, options.search.maps));
    if (options.format == "json")
        fmt::print("{}\n", searchJson(plan, result, options.out).dump(1, ' ', false, anyBytes));
    else
        fmt::print("{}", searchTable(plan, result));
    if (!result.complete)
        return cancelled(fmt::format("stopped after {} of {}: {} has the scores so far; the same command goes on", result.done,
                                     result.all, options.out));
    return {};
}

Result<void> score(ScoreOptions options)
{
    if (options.method != "attention")
        return search(options);
    AttentionScorePlan &plan = options.plan;
    plan.fold = options.fold == "mean" ? Fold::Mean : Fold::Max;
    const std::atomic<bool> &cancel = interruptFlag();
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    if (plan.contexts.empty())
        plan.contexts = defaultContexts(loaded.model->config);
    plan.needles = options.needles;
    AttentionMeasure measure;
    {
        Progress progress("score");
        ZIGZAG_TRY(measured, measureAttention(loaded.device, *loaded.model, plan, &cancel, std::ref(progress)));
        measure = std::move(measured);
    }
    const HeadScores scores = foldAttention(*loaded.model, measure, plan.fold);
    ZIGZAG_CHECK(writeHeadScores(scores, options.out));
    if (options.format == "json")
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"method", scores.method},
                                          {"layers", scores.model.layers},
                                          {"kv_heads", scores.model.kvHeads},
                                          {"scores", scores.scores},
                                          {"spread", scores.spread},
                                          {"query_heads", measure.mean},
                                          {"query_heads_spread", measure.deviation},
                                          {"done", measure.done},
                                          {"all", measure.all},
                                          {"out", options.out}}
                       .dump(1, ' ', false, anyBytes));
    else
        printTable(scores);
    if (measure.done < measure.all)
        return cancelled(
            fmt::format("stopped after {} of {} prompts: {} has the scores so far", measure.done, measure.all, options.out));
    return {};
}

} // namespace

void addScore(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<ScoreOptions>();
    options->plan.depths = {0, 0.25, 0.5, 0.75, 1};
    CLI::App *command = app.add_subcommand("score", "find out which heads retrieve, and write their scores");
    command->add_option("MODEL", options->model, "Hugging Face folder with tokenizer.json, or bundled:NAME")->required();
    command
        ->add_option("--method", options->method,
                     "attention: how often a head's strongest key is the needle token being copied; ablation: the loss when one "
                     "layer alone streams; greedy: layers turned one by one, measured again each time; gates: trained by "
                     "distillation")
        ->required()
        ->check(CLI::IsMember({"attention", "ablation", "greedy", "gates"}));
    addQuestionOptions(*command, options->plan);
    command->add_option("--fold", options->fold, "how query heads become their KV head")
        ->check(CLI::IsMember({"max", "mean"}))
        ->capture_default_str();
    command->add_option("--copied-needles", options->needles, "attention: keys in a prompt, all asked for in turn")
        ->check(integerIn(1, 16))
        ->capture_default_str();
    addSearchOptions(*command, options->search);
    addBackendOption(*command, options->backend);
    command->add_option("--out", options->out, "score file to write")->required();
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return score(*options); }; });
}

} // namespace zigzag
