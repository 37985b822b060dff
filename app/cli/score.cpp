// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "app/cli/search_options.h"
#include "engine/map/head_scores_io.h"
#include "profiler/carry/engine_serving.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/jobs/search_job.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct ScoreOptions {
    std::string model, method, view = "copies", out, fold = "max", backend = "auto", format = "table";
    AttentionScorePlan plan;
    SearchOptions search;
    int needles = 1;
    bool keep = false;
    std::string engine; ///< that will serve the map; empty: ours
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    GpuOptions gpus;
};

constexpr std::string_view answerLossMethod = "answer-loss"; ///< ablation by that loss

SearchMethod methodOf(const std::string &name)
{
    if (name == answerLossMethod)
        return SearchMethod::Ablation;
    for (const SearchMethod method : {SearchMethod::Ablation, SearchMethod::Greedy, SearchMethod::Gates})
        if (name == nameOf(method))
            return method;
    return SearchMethod::Attention;
}

Result<SearchPlan> planOf(const ScoreOptions &options, const Loaded &loaded)
{
    const ModelConfig &config = loaded.model->config;
    SearchPlan plan = options.search.plan;
    plan.method = methodOf(options.method);
    if (options.view == "logits") {
        if (plan.method != SearchMethod::Attention)
            return badInput(fmt::format("--view logits is of --method attention, not of {}: leave it out", options.method));
        plan.method = SearchMethod::Logits;
    }
    if (options.method == answerLossMethod) {
        if (!options.search.loss.empty() && options.search.loss != nameOf(SearchLoss::Answer))
            return badInput(fmt::format("--method answer-loss has its loss, and it is not {}: leave --loss out, or take --method "
                                        "ablation",
                                        options.search.loss));
        plan.loss = SearchLoss::Answer;
    } else if (!options.search.loss.empty()) {
        ZIGZAG_TRY(loss, parseSearchLoss(options.search.loss));
        plan.loss = loss;
    }
    plan.unit = options.search.unit == "layer" ? Unit::Layer : Unit::Head;
    plan.share = !options.search.plain;
    ZIGZAG_TRY(kinds, parseTasks(options.search.tasks));
    plan.tasks.kinds = std::move(kinds);
    plan.tasks.contexts = options.plan.contexts;
    plan.tasks.depths = options.plan.depths;
    plan.tasks.trials = options.plan.trials;
    plan.tasks.seed = options.plan.seed;
    if (options.search.prompts.files.empty()) {
        ZIGZAG_TRY(as, parseAskAs(options.search.prompts.as));
        ZIGZAG_TRY(askedBy, askedAs(*loaded.model, as));
        plan.tasks.as = askedBy;
    }
    plan.copiedNeedles = options.needles;
    plan.fold = options.fold == "mean" ? Fold::Mean : Fold::Max;
    if (plan.tasks.contexts.empty() && plan.method == SearchMethod::Attention)
        plan.tasks.contexts = defaultContexts(config);
    if (plan.tasks.contexts.empty())
        plan.tasks.contexts = {std::max<std::int64_t>(16, config.maxContext / 2)};
    if (!options.search.prompts.files.empty()) {
        plan.asked
            = std::make_shared<const std::vector<TaskPrompt>>(); // what cannot take questions says so before they are asked
        ZIGZAG_CHECK(checkPlan(plan));
        ZIGZAG_TRY(asked, askedPrompts(options.search.prompts, options.plan.contexts, loaded));
        plan.asked = std::move(asked);
    }
    ZIGZAG_CHECK(checkPlan(plan)); // before a minute of calibration
    return plan;
}

/// How the engine that will serve the map runs one; nothing where it is ours. Says on stderr what is searched.
Result<EngineServing> servingOf(const ScoreOptions &options, SearchPlan &plan)
{
    if (options.engine.empty())
        return EngineServing{};
    ZIGZAG_TRY(model, loadExportModel(options.model));
    ZIGZAG_TRY(serving, engineServing(options.engine, model, plan.window, plan.unit == Unit::Head));
    plan.served = {serving.engine, serving.asRun, {}};
    ZIGZAG_CHECK(checkServed(plan, serving.standsIn));
    const HeadMap all(model.config.shape(), HeadKind::Streaming, plan.window.sink, plan.window.recent);
    fmt::print(stderr, "layers are measured as {} runs them: {}{}\n", serving.engine, windowText(serving.asRun(all)),
               serving.standsIn ? ", with what stands in for sinks, calibrated here for each layer under full attention (export "
                                  "calibrates again, for its own map)"
                                : "");
    return serving;
}

Result<SearchResult> runSearch(const Loaded &loaded, const std::string &method, const SearchPlan &plan, bool standsIn,
                               const std::filesystem::path &file, Begin begin)
{
    JobLines lines(method);
    jobs::SearchJob job{.plan = plan, .standsIn = standsIn, .progressFile = file, .begin = begin};
    job.opened = [&](const Search &search) {
        if (search.alreadyDone() > 0)
            fmt::print(stderr, "{}: going on from {} of {} (--restart begins anew)\n", method, search.alreadyDone(),
                       search.all());
    };
    job.begun = [&](const Search &search, double seconds) {
        lines.end();
        fmt::print(stderr, "{}: {} {} to go, about {:.0f} s\n", method, search.all() - search.alreadyDone(),
                   countedBy(plan.method), seconds);
    };
    return jobs::search(loaded.job(lines), job);
}

/// Every method: with an estimate first, and progress beside `out` that a later call goes on from.
Result<void> score(const ScoreOptions &options)
{
    interruptFlag();
    if (options.gpus.gpus > 1 && options.method != nameOf(SearchMethod::Attention))
        return badInput(fmt::format(
            "--method {} runs layers one by one, on one GPU alone: leave --gpus out, or score by attention", options.method));
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType, options.gpus, {}));
    ZIGZAG_TRY(plan, planOf(options, loaded));
    ZIGZAG_TRY(serving, servingOf(options, plan));
    const std::filesystem::path progressFile = options.out + ".progress";
    const Begin begin = options.search.restart ? Begin::Anew : Begin::GoOn;
    ZIGZAG_TRY(result, runSearch(loaded, options.method, plan, serving.standsIn, progressFile, begin));
    if (!result.answered && !options.keep && !result.complete)
        return cancelled(fmt::format("stopped after {} of {}, and no prompt was answered so far: nothing was written; the same "
                                     "command goes on",
                                     result.done, result.all));
    if (!result.answered && !options.keep)
        return failed(fmt::format("{}; nothing was written (--keep writes them all the same, marked)", unansweredText(result)));
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
    std::error_code ignored;
    std::filesystem::remove(progressFile, ignored); // of a result that answered nothing, now that it is written
    if (!result.answered)
        fmt::print(stderr, "note: {} is marked: {}\n", options.out, unansweredText(result));
    return {};
}

} // namespace

void addScore(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<ScoreOptions>();
    options->plan.depths = {0, 0.25, 0.5, 0.75, 1};
    CLI::App *command = app.add_subcommand("score", "find out which heads retrieve, and write their scores");
    command->add_option("MODEL", options->model, "Hugging Face folder with tokenizer.json, GGUF file, or bundled:NAME")
        ->required();
    command
        ->add_option("--method", options->method,
                     "attention: how often a head's strongest key is the needle token being copied (or --view); ablation: the "
                     "loss when one "
                     "layer alone streams; answer-loss: the same by how much less likely the right answer becomes; greedy: "
                     "layers turned one by one, measured again each time; gates: trained by "
                     "distillation")
        ->required()
        ->check(CLI::IsMember({"attention", "ablation", "answer-loss", "greedy", "gates"}));
    command
        ->add_option("--view", options->view,
                     "attention: copies, or logits: what each head adds, directly, to the logit of the right answers, and how "
                     "much of it comes from tokens that a streaming head would not see (the scores), also where nothing is "
                     "copied; with --prompts as well")
        ->check(CLI::IsMember({"copies", "logits"}))
        ->capture_default_str();
    addQuestionOptions(*command, options->plan);
    command->add_option("--fold", options->fold, "how query heads become their KV head")
        ->check(CLI::IsMember({"max", "mean"}))
        ->capture_default_str();
    command->add_option("--copied-needles", options->needles, "attention: keys in a prompt, all asked for in turn")
        ->check(integerIn(1, 16))
        ->capture_default_str();
    addSearchOptions(*command, options->search);
    command->add_option(
        "--as-engine", options->engine,
        "ablation, answer-loss, greedy, gates: choose layers by what they cost in the engine that will serve the map, such as "
        "vllm (no sinks) or granite-swa (what stands in for sinks, calibrated for each layer under full attention; "
        "not for gates)");
    command->add_flag("--keep", options->keep, "write the scores, marked, even where the model answered no prompt");
    addBackendOption(*command, options->backend);
    addGpuOptions(*command, options->gpus);
    addKvTypeOption(*command, options->kvType);
    command->add_option("--out", options->out, "score file to write")->required();
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return score(*options); }; });
}

} // namespace zigzag
