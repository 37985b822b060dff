// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/map_tables.h"
#include "app/cli/run_support.h"
#include "app/cli/search_options.h"
#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "profiler/evaluate/answered_questions.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/evaluate/statistics.h"
#include "profiler/evaluate/task_frame.h"
#include "profiler/search/exhaustive.h"
#include "profiler/search/search_progress.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <optional>

namespace zigzag {
namespace {

struct RankOptions {
    std::string model, measures, loss, backend = "auto", format = "table";
    std::vector<std::string> scores, maps, criteria = {"zigzag"}, tasks = {"passkey", "passkeys"};
    StreamingWindow window;
    TaskPlan plan;
    AskedPromptOptions prompts;
    std::optional<DType> kvType; ///< of keys and values; none: the weights' own
};

/// A named way to choose the layers, and where its map stands at each count.
struct Row {
    std::string name;
    std::vector<MapRank> ranks;
};

/// `asked`: a person's questions in the place of tasks.
std::string planJson(const RankOptions &options, const ModelShape &model, const ModelConfig &config, std::string_view backend,
                     const std::vector<TaskPrompt> *asked)
{
    nlohmann::json plan = {{"model", model.name},
                           {"fingerprint", model.fingerprint},
                           {"backend", backend},
                           {"sink", options.window.sink},
                           {"recent", options.window.recent}};
    if (asked)
        plan.update({{"prompts", asked->size()}, {"prompts_sha256", digestOf(*asked)}});
    else
        plan.update({{"tasks", options.tasks},
                     {"contexts", options.plan.contexts},
                     {"depths", options.plan.depths},
                     {"trials", options.plan.trials},
                     {"needles", options.plan.needles},
                     {"seed", options.plan.seed}});
    if (config.kvType != config.dtype) // plans from before there was a choice say nothing of it
        plan["kv_type"] = nameOf(config.kvType);
    if (!asked && options.plan.as != AskAs::Text)
        plan["as"] = nameOf(options.plan.as);
    return plan.dump(-1, ' ', false, anyBytes);
}

Result<ExhaustiveState> measure(MapMeter &meter, const RankOptions &options, const std::string &plan)
{
    const std::filesystem::path file = options.measures;
    ExhaustiveState state;
    if (!options.measures.empty()) {
        ZIGZAG_TRY(saved, loadProgress(file, "every-map", plan));
        if (saved) {
            ZIGZAG_TRY(read, ExhaustiveState::fromJson(*saved, meter.shape(), meter.prompts().size()));
            state = std::move(read);
        }
    }
    const int all = meter.promptCount();
    if (static_cast<int>(state.prompts.size()) < all) {
        double seconds = 0;
        {
            Progress progress("rank, timing a pass");
            ZIGZAG_TRY(estimate, meter.estimateSeconds((std::int64_t{2} << meter.config().layers) - 2, &interruptFlag()));
            seconds = estimate;
        }
        fmt::print(stderr, "rank: {} of {} prompts to go, about {:.0f} s\n", all - static_cast<int>(state.prompts.size()), all,
                   seconds * (all - static_cast<int>(state.prompts.size())) / all);
    }
    Progress progress("rank", static_cast<double>(state.prompts.size()) / std::max(1, all));
    auto prompts = static_cast<double>(state.prompts.size());
    meter.onLayer = [&](double share) { progress(prompts + share, all); };
    Result<void> saving;
    ZIGZAG_TRY(done, measureEveryMap(meter, options.window, std::move(state), &interruptFlag(), [&](const ExhaustiveState &now) {
                   if (!options.measures.empty())
                       saving = saveProgress(file, "every-map", plan, now.toJson());
                   prompts = static_cast<double>(now.prompts.size());
                   progress(prompts, all);
               }));
    meter.onLayer = {};
    ZIGZAG_CHECK(saving);
    if (static_cast<int>(done.prompts.size()) < all)
        return cancelled(fmt::format("stopped after {} of {} prompts{}", done.prompts.size(), all,
                                     options.measures.empty() ? std::string() : "; the same command goes on"));
    return done;
}

/// How alike two score files order the model: Spearman's correlation over KV heads, and over layers by their mean.
struct Agreement {
    std::string first, second;
    double heads = 0, layers = 0;
};

std::vector<double> layerMeans(const HeadScores &scores)
{
    std::vector<double> means(static_cast<std::size_t>(scores.model.layers));
    for (int layer = 0; layer < scores.model.layers; ++layer)
        for (int head = 0; head < scores.model.kvHeads; ++head)
            means[static_cast<std::size_t>(layer)] += static_cast<double>(scores.at(layer, head)) / scores.model.kvHeads;
    return means;
}

Result<std::vector<Agreement>> agreements(const RankOptions &options, const ModelShape &model)
{
    std::vector<HeadScores> all;
    for (const std::string &file : options.scores) {
        ZIGZAG_TRY(scores, readHeadScores(file, model));
        all.push_back(std::move(scores));
    }
    std::vector<Agreement> pairs;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = i + 1; j < all.size(); ++j) {
            const std::vector<double> a(all[i].scores.begin(), all[i].scores.end()),
                b(all[j].scores.begin(), all[j].scores.end());
            pairs.push_back({options.scores[i], options.scores[j], rankCorrelation(a, b),
                             rankCorrelation(layerMeans(all[i]), layerMeans(all[j]))});
        }
    return pairs;
}

Result<std::vector<Row>> rankEach(const RankOptions &options, const ModelShape &model, const std::vector<MapOutcome> &outcomes)
{
    std::vector<Row> rows;
    for (const std::string &file : options.scores) {
        ZIGZAG_TRY(scores, readHeadScores(file, model));
        noteScores(scores, file);
        for (const std::string &criterion : options.criteria) {
            Row &row = rows.emplace_back();
            row.name = options.criteria.size() > 1 ? fmt::format("{} {}", file, criterion) : file;
            for (int count = 1; count < model.mappableLayers(); ++count) {
                ZIGZAG_TRY(assigned,
                           assignHeads(scores, criterion, static_cast<double>(count) / model.mappableLayers(),
                                       options.window.sink, options.window.recent));
                ZIGZAG_TRY(rank, rankOf(assigned.map, outcomes));
                row.ranks.push_back(rank);
            }
        }
    }
    for (const std::string &file : options.maps) {
        ZIGZAG_TRY(map, readHeadMap(file));
        ZIGZAG_CHECK(checkFits(map, model, file));
        if (const std::string note = fitNote(map, model, file); !note.empty())
            fmt::print(stderr, "note: {}\n", note);
        map.setModel(model);
        ZIGZAG_TRY(rank, rankOf(map, outcomes));
        rows.push_back({file, {rank}});
    }
    return rows;
}

nlohmann::ordered_json rowsJson(const std::vector<Row> &rows, const std::vector<MapOutcome> &outcomes, int prompts)
{
    nlohmann::ordered_json json = {{"maps", outcomes.size()}, {"prompts", prompts}};
    for (const Row &row : rows) {
        nlohmann::ordered_json list = nlohmann::ordered_json::array();
        for (const MapRank &rank : row.ranks)
            list.push_back({{"streaming", rank.streaming},
                            {"rank_by_loss", rank.byLoss},
                            {"rank_by_answers", rank.byAnswers},
                            {"of", rank.of},
                            {"among_best", rank.isAmongBest()},
                            {"layers", rank.outcome.layers},
                            {"loss", rank.outcome.loss},
                            {"loss_error", rank.outcome.lossError},
                            {"accuracy", rank.outcome.right},
                            {"best_layers", rank.best.layers},
                            {"best_loss", rank.best.loss}});
        json["rows"].push_back({{"name", row.name}, {"ranks", std::move(list)}});
    }
    return json;
}

void printRows(const std::vector<Row> &rows)
{
    for (const Row &row : rows) {
        fmt::print("{}\n{:>9}  {:>7}  {:>4}  {:>9}  {:>7}  {:>10}  {:>10}  {:>8}\n", row.name, "streaming", "by loss", "of",
                   "best 5 %", "answers", "loss", "best loss", "right");
        for (const MapRank &rank : row.ranks)
            fmt::print("{:>9}  {:>7}  {:>4}  {:>9}  {:>7}  {:>10.6f}  {:>10.6f}  {:>6.1f} %\n", rank.streaming, rank.byLoss,
                       rank.of, rank.isAmongBest() ? "yes" : "no", rank.byAnswers, rank.outcome.loss, rank.best.loss,
                       100.0 * rank.outcome.right);
    }
}

/// Tasks, or a person's questions; `options` then have what was left open.
Result<std::vector<TaskPrompt>> promptsOf(RankOptions &options, const Loaded &loaded)
{
    if (!options.prompts.files.empty()) {
        ZIGZAG_TRY(asked, askedPrompts(options.prompts, options.plan.contexts, loaded));
        return *asked;
    }
    if (options.plan.contexts.empty())
        options.plan.contexts = {std::max<std::int64_t>(16, loaded.model->config.maxContext / 2)};
    ZIGZAG_TRY(as, parseAskAs(options.prompts.as));
    ZIGZAG_TRY(askedBy, askedAs(*loaded.model, as));
    options.plan.as = askedBy;
    return makeTaskPrompts(*loaded.model, options.plan);
}

Result<void> rank(RankOptions options)
{
    if (options.scores.empty() && options.maps.empty())
        return badInput("nothing to rank: give --scores or --map");
    SearchLoss by = SearchLoss::Distillation;
    if (!options.loss.empty()) {
        ZIGZAG_TRY(loss, parseSearchLoss(options.loss));
        by = loss;
    }
    ZIGZAG_TRY(kinds, parseTasks(options.tasks));
    options.plan.kinds = std::move(kinds);
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend, options.kvType));
    const ModelShape shape = loaded.model->shape();
    if (shape.layers > exhaustiveLayers)
        return badInput(
            fmt::format("{} has {} layers: every map is measured up to {} layers", shape.name, shape.layers, exhaustiveLayers));
    ZIGZAG_TRY(prompts, promptsOf(options, loaded));
    const std::string plan = planJson(options, shape, loaded.model->config, loaded.backend->name(),
                                      options.prompts.files.empty() ? nullptr : &prompts);
    ZIGZAG_TRY(meter, MapMeter::create(loaded.device, std::move(prompts)));
    ZIGZAG_TRY(state, measure(meter, options, plan));
    if (by == SearchLoss::Answer && !hasAnswerLoss(state))
        return badInput(
            fmt::format("{} was measured before losses of answers were: name another file for --measures", options.measures));
    const std::vector<MapOutcome> outcomes = outcomesOf(state, by);
    ZIGZAG_TRY(rows, rankEach(options, shape, outcomes));
    ZIGZAG_TRY(pairs, agreements(options, shape));
    if (options.format == "json") {
        nlohmann::ordered_json json = rowsJson(rows, outcomes, meter.promptCount());
        for (const Agreement &pair : pairs)
            json["agreement"].push_back(
                {{"first", pair.first}, {"second", pair.second}, {"heads", pair.heads}, {"layers", pair.layers}});
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
        return {};
    }
    printRows(rows);
    for (const Agreement &pair : pairs)
        fmt::print("rank correlation of {} and {}: {:.2f} over layers, {:.2f} over KV heads\n", pair.first, pair.second,
                   pair.layers, pair.heads);
    return {};
}

} // namespace

void addRank(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<RankOptions>();
    options->plan.trials = 2;
    CLI::App *command = app.add_subcommand("rank", "measure every exclusive map of a small model, and say where maps stand");
    command->add_option("MODEL", options->model, "a model with at most 12 layers")->required();
    command->add_option("--scores", options->scores, "score files; their map at each count of streaming layers is ranked");
    command->add_option("--criterion", options->criteria, "criteria that make the maps (default: zigzag)")->delimiter(',');
    command->add_option("--map", options->maps, "head-map files to rank");
    command->add_option("--measures", options->measures, "file that keeps the measures of every map, to go on from or use again");
    addWindowOptions(*command, options->window.sink, options->window.recent, "a streaming layer keeps");
    addLossOption(*command, options->loss, "what maps are ranked by (default: distill)");
    addTaskOptions(*command, options->tasks, options->plan.needles);
    addQuestionOptions(*command, options->plan);
    addAskedPromptOptions(*command, options->prompts);
    addBackendOption(*command, options->backend);
    addKvTypeOption(*command, options->kvType);
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return rank(*options); }; });
}

} // namespace zigzag
