// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/eval_questions.h"
#include "app/cli/json_text.h"
#include "app/cli/run_output.h"
#include "app/cli/run_support.h"
#include "app/cli/search_options.h"
#include "app/cli/text_input.h"
#include "engine/map/map_io.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/jobs/evaluate_job.h"

#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct EvalOptions {
    std::string model, task, backend = "auto", format = "table";
    std::vector<std::string> maps, texts, tasks;
    int sink = defaultSink, recent = defaultRecent, needles = 4;
    NeedlePlan plan;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
    GpuOptions gpus;
    EngineOptions engine;
    QuestionOptions questions;

    bool asksQuestions() const { return task == "ruler" || task == "questions" || task == "jsonl"; }
};

nlohmann::ordered_json intervalJson(const Interval &interval)
{
    return {{"mean", interval.mean},
            {"low", boundJson(interval, interval.low)},
            {"high", boundJson(interval, interval.high)},
            {"count", interval.count}};
}

Result<void> evaluateNeedles(const EvalOptions &options, const Loaded &loaded, const EngineRun &run)
{
    const NeedlePlan &plan = options.plan;
    std::vector<NamedMap> maps{{"", run.map}};
    if (run.map.streamingHeads() > 0)
        maps.push_back({"full attention", jobs::fullLike(run.map)});
    JobLines lines("needle");
    ZIGZAG_TRY(results, jobs::askNeedles(run.loaded.job(lines), maps, plan));
    if (run.isCarried) { // full attention is that of the model without its stand-ins
        ZIGZAG_TRY(own, resolveHeadMap("full", loaded.model->shape(), options.sink, options.recent));
        ZIGZAG_TRY(more, jobs::askNeedles(loaded.job(lines), {{"full attention", own}}, plan));
        results.push_back(std::move(more.front()));
    }
    lines.end();
    const NeedleResult &result = results.front(), &full = results.back();
    if (options.format == "json") {
        nlohmann::ordered_json json = needleJson(result);
        json["full_accuracy"] = full.accuracy;
        json["as"] = nameOf(plan.as);
        for (std::size_t i = 0; i < result.grid.size(); ++i)
            json["grid"][i]["full_accuracy"] = full.grid[i].accuracy();
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
        return {};
    }
    int found = 0, trials = 0;
    for (const NeedleCell &cell : result.grid) {
        found += cell.found;
        trials += cell.trials;
    }
    const Interval share = shareInterval(found, trials);
    fmt::print("{}{:.1f} % found (95 % interval of {} questions: {:.1f} to {:.1f} %), full attention {:.1f} %; measured by "
               "greedy answers to {} "
               "questions a cell{}, right when every digit is; seed {}\n",
               needleTable(result), 100.0 * result.accuracy, trials, 100.0 * share.low, 100.0 * share.high, 100.0 * full.accuracy,
               plan.trials, plan.as == AskAs::Chat ? ", asked by the model's chat template" : "", plan.seed);
    return {};
}

Result<void> evaluateDistillation(const EvalOptions &options, const Loaded &loaded, const HeadMap &map)
{
    TaskPlan plan{.contexts = options.plan.contexts,
                  .depths = options.plan.depths,
                  .trials = options.plan.trials,
                  .needles = options.needles,
                  .seed = options.plan.seed,
                  .as = options.plan.as};
    ZIGZAG_TRY(kinds, parseTasks(options.tasks.empty() ? std::vector<std::string>{"passkey", "passkeys"} : options.tasks));
    plan.kinds = std::move(kinds);
    JobLines lines("distill");
    ZIGZAG_TRY(distillation, jobs::distill(loaded.job(lines), map, plan));
    lines.end();
    const MapQuality &quality = distillation.quality;
    if (options.format == "json")
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"loss", quality.loss.mean},
                                          {"kl", quality.kl.mean},
                                          {"accuracy", quality.right.mean},
                                          {"full_accuracy", quality.rightFull.mean},
                                          {"loss_interval", intervalJson(quality.loss)},
                                          {"kl_interval", intervalJson(quality.kl)},
                                          {"accuracy_interval",
                                           {{"mean", quality.right.mean},
                                            {"low", quality.right.low},
                                            {"high", quality.right.high},
                                            {"count", quality.right.count}}},
                                          {"prompts", quality.prompts},
                                          {"seed", plan.seed}}
                       .dump(1, ' ', false, anyBytes));
    else
        fmt::print("{:<28}  {:>10}  {:>26}\n{:<28}  {:>10.6f}  {:>26}\n{:<28}  {:>10.6f}  {:>26}\n"
                   "{:<28}  {:>8.1f} %  {:>26}\n{:<28}  {:>8.1f} %\nmeasured at the tokens that predict the answers; seed {}\n",
                   "against full attention", "mean",
                   fmt::format("95 % interval, {} prompt{}", quality.prompts, quality.prompts == 1 ? "" : "s"),
                   "distillation loss", quality.loss.mean, intervalText(quality.loss, "prompts"), "KL of the next token, nats",
                   quality.kl.mean, intervalText(quality.kl, "prompts"), "answers right", 100.0 * quality.right.mean,
                   fmt::format("{:.1f} % to {:.1f} %", 100.0 * quality.right.low, 100.0 * quality.right.high),
                   "answers right, full", 100.0 * quality.rightFull.mean, plan.seed);
    if (quality.prompts < distillation.prompts)
        return cancelled(
            fmt::format("stopped after {} of {} prompts: what is printed is of those", quality.prompts, distillation.prompts));
    return {};
}

Result<void> evaluatePerplexity(const EvalOptions &options, const Loaded &loaded, const EngineRun &run)
{
    if (options.texts.empty())
        return badInput("perplexity needs a text: give --text FILE");
    ZIGZAG_TRY(tokenizer, tokenizerOf(*loaded.model));
    const std::int64_t context = options.plan.contexts.back();
    ZIGZAG_TRY(text, readTextInputs(options.texts));
    const std::vector<int> tokens = tokenizer->encode(text, true);
    JobLines lines("perplexity");
    ZIGZAG_TRY(everything, resolveHeadMap("full", loaded.model->shape(), options.sink, options.recent));
    ZIGZAG_TRY(results, jobs::perplexities(run.loaded.job(lines), {{"", run.map}}, tokens, context));
    ZIGZAG_TRY(fulls, jobs::perplexities(loaded.job(lines), {{"full attention", everything}}, tokens, context));
    results.push_back(fulls.front());
    lines.end();
    const Perplexity &mine = results.front(), &full = results.back();
    const auto bound = [](const Perplexity &measured, double value) {
        return measured.blocks < 2 ? nlohmann::ordered_json() : nlohmann::ordered_json(value);
    };
    const auto text95 = [](const Perplexity &measured) {
        return measured.blocks < 2 ? std::string("no interval from so short a text")
                                   : fmt::format("95 % interval {:.4f} to {:.4f}", measured.low, measured.high);
    };
    if (options.format == "json")
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"perplexity", mine.value},
                                          {"low", bound(mine, mine.low)},
                                          {"high", bound(mine, mine.high)},
                                          {"full_perplexity", full.value},
                                          {"full_low", bound(full, full.low)},
                                          {"full_high", bound(full, full.high)},
                                          {"tokens", mine.tokens},
                                          {"blocks", mine.blocks},
                                          {"context", context}}
                       .dump(1, ' ', false, anyBytes));
    else
        fmt::print("perplexity {:.4f} ({}), full attention {:.4f} ({}); {} tokens in windows of {}, {} blocks of up to 64\n",
                   mine.value, text95(mine), full.value, text95(full), mine.tokens, context, mine.blocks);
    if (!mine.isComplete || !full.isComplete)
        return cancelled("stopped: what is printed is of the windows that were done; run it again for all of them");
    return {};
}

/// Options of other tasks than the one that is asked.
Result<void> checkOptions(const EvalOptions &options)
{
    if (options.asksQuestions())
        return options.task != "ruler" && options.questions.files.empty()
            ? Result<void>(badInput(fmt::format("--task {} needs questions: give --prompts FILE", options.task)))
            : Result<void>();
    if (options.maps.size() > 1)
        return badInput(fmt::format("--task {} asks one map: several are compared by --task ruler and questions", options.task));
    if (options.format == "csv")
        return badInput(fmt::format("--task {} prints no CSV: use -o table or json", options.task));
    return {};
}

Result<void> evaluate(EvalOptions options)
{
    ZIGZAG_CHECK(checkOptions(options));
    if (options.task == "distill" && options.engine.engine == carriedFormat)
        return badInput(fmt::format("--task distill compares maps of one model, and {} is another: ask for needle or perplexity; "
                                    "export says how near it is to full attention",
                                    carriedFormat));
    ZIGZAG_TRY(
        loaded,
        loadForRun(options.model, options.backend, options.kvType, options.gpus, {options.maps, options.sink, options.recent}));
    if (options.plan.contexts.empty())
        options.plan.contexts = defaultContexts(loaded.model->config);
    ZIGZAG_TRY(maps, resolveMaps(options.maps, loaded.model->shape(), options.sink, options.recent));
    if (options.asksQuestions()) {
        options.questions.ruler.tasks = options.tasks;
        options.questions.ruler.contexts = options.plan.contexts;
        options.questions.ruler.trials = options.plan.trials;
        options.questions.ruler.seed = options.plan.seed;
        return evaluateQuestions(options.questions, loaded, options.model, maps, options.engine, options.format);
    }
    if (options.task != "perplexity") {
        ZIGZAG_TRY(as, parseAskAs(options.questions.as));
        ZIGZAG_TRY(askedBy, askedAs(*loaded.model, as));
        options.plan.as = askedBy;
    }
    const HeadMap &map = maps.front().map;
    ZIGZAG_TRY(run, asEngine(loaded, options.model, map, options.engine));
    return options.task == "needle" ? evaluateNeedles(options, loaded, run)
        : options.task == "distill" ? evaluateDistillation(options, loaded, run.map)
                                    : evaluatePerplexity(options, loaded, run);
}

} // namespace

void addEval(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<EvalOptions>();
    options->plan.depths = {0, 0.25, 0.5, 0.75, 1};
    CLI::App *command = app.add_subcommand("eval", "ask what a map costs in quality, beside full attention");
    command->add_option("MODEL", options->model, "Hugging Face folder with tokenizer.json, GGUF file, or bundled:NAME")
        ->required();
    command->add_option("--map", options->maps, "head-map file, full or streaming; ruler, questions: repeat it to compare")
        ->required();
    command
        ->add_option(
            "--task", options->task,
            "needle: find a passkey by depth and length; distill: distance of the last hidden states and of the next "
            "token's distribution; perplexity: of a text; ruler: RULER's tasks, made here; questions (or jsonl): of files")
        ->required()
        ->check(CLI::IsMember({"needle", "distill", "perplexity", "ruler", "questions", "jsonl"}));
    addEngineOptions(*command, options->engine);
    addQuestionOptions(*command, options->plan);
    command
        ->add_option("--tasks", options->tasks,
                     "distill: passkey, passkeys (several), recall (from a list), copy (default: passkey,passkeys); ruler: its "
                     "tasks' names (default: all that need no data)")
        ->delimiter(',');
    addNeedlesOption(*command, options->needles);
    addAskOptions(*command, options->questions);
    command
        ->add_option("--text", options->texts,
                     "perplexity: file with the text, - for standard input, or a folder of texts; may be given again; read in "
                     "windows of the last context")
        ->allow_extra_args(false);
    addWindowOptions(*command, options->sink, options->recent);
    addBackendOption(*command, options->backend);
    addGpuOptions(*command, options->gpus);
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format, true);
    command->callback([options, &chosen] { chosen.run = [options] { return evaluate(*options); }; });
}

} // namespace zigzag
