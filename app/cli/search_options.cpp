// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/search_options.h"

#include "app/cli/common_options.h"
#include "app/cli/number_checks.h"
#include "engine/base/version.h"
#include "engine/map/map_io.h"

#include <filesystem>
#include <fmt/format.h>

namespace zigzag {
namespace {

std::string unitText(const SearchPlan &plan, int kvHeads, int unit)
{
    return plan.unit == Unit::Layer ? std::to_string(unit) : fmt::format("{}.{}", unit / kvHeads, unit % kvHeads);
}

std::string unitsText(const SearchPlan &plan, int kvHeads, const std::vector<int> &units)
{
    std::string text;
    for (const int unit : units)
        text += (text.empty() ? "" : " ") + unitText(plan, kvHeads, unit);
    return text;
}

nlohmann::ordered_json attentionJson(const SearchPlan &plan, const SearchResult &result, const std::string &out)
{
    const HeadScores &scores = result.scores;
    return {{"method", scores.method},
            {"seed", plan.tasks.seed},
            {"layers", scores.model.layers},
            {"kv_heads", scores.model.kvHeads},
            {"complete", result.complete},
            {"answered", result.answered},
            {"prompts_answered", result.attention.answered},
            {"scores", scores.scores},
            {"spread", scores.spread},
            {"query_heads", result.attention.mean},
            {"query_heads_spread", result.attention.deviation},
            {"done", result.done},
            {"all", result.all},
            {"seconds", result.seconds},
            {"out", out}};
}

nlohmann::ordered_json logitsJson(const SearchPlan &plan, const SearchResult &result, const std::string &out)
{
    const LogitMeasure &measure = result.logits;
    nlohmann::ordered_json json = {{"method", result.scores.method},
                                   {"seed", plan.tasks.seed},
                                   {"sink", plan.window.sink},
                                   {"recent", plan.window.recent},
                                   {"layers", result.scores.model.layers},
                                   {"kv_heads", result.scores.model.kvHeads},
                                   {"complete", result.complete},
                                   {"answered", result.answered},
                                   {"prompts_answered", measure.answered},
                                   {"scores", result.scores.scores},
                                   {"spread", result.scores.spread},
                                   {"answer_logit", measure.logit},
                                   {"logits", measure.mean},
                                   {"logits_error", measure.error},
                                   {"logits_beyond", measure.beyond},
                                   {"logits_beyond_error", measure.beyondError},
                                   {"done", result.done},
                                   {"all", result.all},
                                   {"seconds", result.seconds}};
    if (plan.asked)
        json["prompts"] = plan.asked->size();
    json["out"] = out;
    return json;
}

/// A line for each layer: what its KV heads give the answer's logit, and the part of it from beyond the window.
std::string logitsTable(const SearchPlan &plan, const SearchResult &result)
{
    const LogitMeasure &measure = result.logits;
    const ModelShape &model = result.scores.model;
    std::string text = fmt::format("{:>5}  logits added to the right answer: all (beyond {} + {} tokens), by KV head\n", "layer",
                                   plan.window.sink, plan.window.recent);
    for (int layer = 0; layer < model.layers; ++layer) {
        text += fmt::format("{:>5}", layer);
        if (model.isLocal(layer))
            text += "  local by the model's own file";
        for (int head = 0; head < model.kvHeads && !model.isLocal(layer); ++head) {
            const auto at
                = static_cast<std::size_t>(layer) * static_cast<std::size_t>(model.kvHeads) + static_cast<std::size_t>(head);
            text += fmt::format("  {:+7.3f} ({:+.3f} ± {:.3f})", measure.mean[at], measure.beyond[at], measure.beyondError[at]);
        }
        text += '\n';
    }
    return text
        + fmt::format("against the mean logit, of which the right answer is {:.3f} above; ± standard error\n"
                      "{}{} of {} prompts in {:.1f} s, {} of them answered; seed {}\n",
                      measure.logit, result.complete ? "" : "stopped: ", result.done, result.all, result.seconds,
                      measure.answered, plan.tasks.seed);
}

/// What a map is chosen by, as the head of a column.
std::string_view lossTitle(SearchLoss loss)
{
    return loss == SearchLoss::Answer ? "answer rise" : loss == SearchLoss::Kl ? "KL" : "loss";
}

nlohmann::ordered_json confidenceJson(const CutConfidence &confidence)
{
    return {{"count", confidence.count},     {"streaming", confidence.streaming},
            {"prompts", confidence.prompts}, {"resamples", bootstrapResamples},
            {"same", confidence.same},       {"settled", confidence.isSettled()},
            {"side", confidence.side},       {"undecided", confidence.undecided()}};
}

std::string confidenceText(const SearchPlan &plan, const SearchResult &result)
{
    const CutConfidence &confidence = *result.confidence;
    const int kvHeads = result.scores.model.kvHeads;
    std::string text = fmt::format("{} of {} {}s stream ({}): the same ones in {:.1f} % of resamples of the {} prompts",
                                   confidence.count, mappableUnits(result.scores.model, plan.unit), nameOf(plan.unit),
                                   unitsText(plan, kvHeads, confidence.streaming), 100.0 * confidence.same, confidence.prompts);
    if (plan.method == SearchMethod::Greedy)
        text += ", beside those taken before";
    if (confidence.isSettled())
        return text + ": settled\n";
    text += ": not settled";
    if (confidence.prompts < settledPrompts)
        text += fmt::format(" (that takes {} prompts)", settledPrompts);
    std::string_view between = "; undecided: ";
    for (const int unit : confidence.undecided()) {
        text += fmt::format("{}{} ({:.0f} %)", between, unitText(plan, kvHeads, unit),
                            100.0 * confidence.side[static_cast<std::size_t>(unit)]);
        between = ", ";
    }
    return text + '\n';
}

/// A line for each layer, its KV heads' scores with what their spread is over.
std::string headTable(const HeadScores &scores, std::string_view title)
{
    std::string text = fmt::format("{:>5}  {}, by KV head\n", "layer", title);
    for (int layer = 0; layer < scores.model.layers; ++layer) {
        text += fmt::format("{:>5}", layer);
        if (scores.model.isLocal(layer))
            text += "  local by the model's own file";
        for (int head = 0; head < scores.model.kvHeads && !scores.model.isLocal(layer); ++head)
            text += fmt::format("  {:.2f} ± {:.2f}", scores.at(layer, head), scores.spreadAt(layer, head));
        text += '\n';
    }
    return text;
}

} // namespace

void addTaskOptions(CLI::App &command, std::vector<std::string> &tasks, int &needles)
{
    command.add_option("--tasks", tasks, "passkey, passkeys (several), recall (from a list) or copy")
        ->delimiter(',')
        ->check(CLI::IsMember({"passkey", "passkeys", "recall", "copy"}))
        ->capture_default_str();
    addNeedlesOption(command, needles);
}

void addNeedlesOption(CLI::App &command, int &needles)
{
    command.add_option("--needles", needles, "keys in a prompt of the task passkeys")
        ->check(integerIn(1, 16))
        ->capture_default_str();
}

void addLossOption(CLI::App &command, std::string &loss, const std::string &what)
{
    command
        .add_option(
            "--loss", loss,
            what
                + ": distill (of the last hidden states), kl (of the next token's distribution) or answer (rise of the right "
                  "answer's negative log-likelihood)")
        ->check(CLI::IsMember({"distill", "kl", "answer"}));
}

Result<std::vector<TaskKind>> parseTasks(const std::vector<std::string> &names)
{
    std::vector<TaskKind> kinds;
    for (const std::string &name : names) {
        ZIGZAG_TRY(kind, parseTaskKind(name));
        kinds.push_back(kind);
    }
    return kinds;
}

void addSearchOptions(CLI::App &command, SearchOptions &options)
{
    command.add_option("--unit", options.unit, "what is turned as one; a layer's score repeats over its heads")
        ->check(CLI::IsMember({"layer", "head"}))
        ->capture_default_str();
    addWindowOptions(command, options.plan.window.sink, options.plan.window.recent, "a streaming head keeps in the search");
    addTaskOptions(command, options.tasks, options.plan.tasks.needles);
    addAskedPromptOptions(command, options.prompts, "not for attention's view of copies; ");
    command.add_flag("--plain", options.plain, "ablation: run every layer for every map, to see what sharing saves");
    command.add_option("--beam", options.plan.beam, "greedy: maps that are followed at each count")
        ->check(integerIn(1, 1000))
        ->capture_default_str();
    addLossOption(command, options.loss, "ablation, greedy: what maps are chosen by (default: distill)");
    command
        .add_option(
            "--count", options.plan.count,
            "ablation, answer-loss, greedy: layers (or heads) that will stream; says how sure that choice is of the prompts "
            "(default: half)")
        ->check(integerFrom(1));
    command.add_flag(
        "--until-settled", options.plan.untilSettled,
        "ablation, answer-loss: prompts in a random order, until the choice at the count is the same in 95 % of their "
        "resamples");
    command.add_option("--maps", options.maps, "greedy: folder for the best map of every count");
    command.add_option("--steps", options.plan.steps, "gates: steps, one prompt each")
        ->check(integerIn(1, 1'000'000))
        ->capture_default_str();
    command.add_option("--rate", options.plan.rate, "gates: Adam's rate")->check(numberAbove(0))->capture_default_str();
    command.add_option("--lambda", options.plan.lambda, "gates: weight of the mean gate beside the distillation loss")
        ->check(numberFrom(0))
        ->capture_default_str();
    command.add_flag("--restart", options.restart, "begin anew where an unfinished search waits");
}

std::string_view countedBy(SearchMethod method)
{
    return method == SearchMethod::Gates ? "steps" : looksAtHeads(method) ? "prompts" : "prompt measurements";
}

nlohmann::ordered_json searchJson(const SearchPlan &plan, const SearchResult &result, const std::string &out)
{
    if (plan.method == SearchMethod::Attention)
        return attentionJson(plan, result, out);
    if (plan.method == SearchMethod::Logits)
        return logitsJson(plan, result, out);
    const int kvHeads = result.scores.model.kvHeads, layers = result.scores.model.layers;
    nlohmann::ordered_json json = {{"method", result.scores.method},
                                   {"unit", nameOf(plan.unit)},
                                   {"loss", nameOf(plan.loss)},
                                   {"seed", plan.tasks.seed},
                                   {"sink", plan.window.sink},
                                   {"recent", plan.window.recent},
                                   {"layers", layers},
                                   {"kv_heads", kvHeads},
                                   {"complete", result.complete},
                                   {"answered", result.answered},
                                   {"done", result.done},
                                   {"all", result.all},
                                   {"seconds", result.seconds},
                                   {"layer_runs", result.layerRuns},
                                   {"forward_passes", static_cast<double>(result.layerRuns) / layers},
                                   {"scores", result.scores.scores},
                                   {"spread", result.scores.spread}};
    for (std::size_t unit = 0; unit < result.effects.size(); ++unit) {
        const AblationEffect &effect = result.effects[unit];
        json["effects"].push_back({{"unit", unit},
                                   {"loss", effect.loss},
                                   {"loss_error", effect.lossError},
                                   {"accuracy_change", effect.accuracyChange}});
    }
    for (const GreedyStep &step : result.path) {
        nlohmann::ordered_json entry
            = {{"streaming", step.streaming}, {"loss", step.loss}, {"loss_error", step.lossError}, {"accuracy", step.right}};
        if (step.same)
            entry["same"] = *step.same;
        json["path"].push_back(std::move(entry));
    }
    if (result.confidence)
        json["confidence"] = confidenceJson(*result.confidence);
    if (!result.losses.empty())
        json["losses"] = result.losses;
    if (plan.asked)
        json["prompts"] = plan.asked->size();
    if (!result.scores.engine.empty())
        json["engine"] = result.scores.engine;
    json["out"] = out;
    return json;
}

std::string searchTable(const SearchPlan &plan, const SearchResult &result)
{
    if (plan.method == SearchMethod::Logits)
        return logitsTable(plan, result);
    const int kvHeads = result.scores.model.kvHeads;
    std::string text;
    if (!result.effects.empty()) {
        text += fmt::format("{:>6}  {:>17}  {:>10}  {:>15}\n", nameOf(plan.unit), fmt::format("{} alone", lossTitle(plan.loss)),
                            "± error", "answers right");
        for (std::size_t unit = 0; unit < result.effects.size(); ++unit) {
            const AblationEffect &effect = result.effects[unit];
            if (!isMappable(result.scores.model, plan.unit, static_cast<int>(unit))) {
                text += fmt::format("{:>6}  local by the model's own file\n", unitText(plan, kvHeads, static_cast<int>(unit)));
                continue;
            }
            text += fmt::format("{:>6}  {:>17.6f}  {:>10.6f}  {:>+13.1f} %\n", unitText(plan, kvHeads, static_cast<int>(unit)),
                                effect.loss, effect.lossError, 100.0 * effect.accuracyChange);
        }
    } else if (!result.path.empty()) {
        text += fmt::format("{:>9}  {:>12}  {:>10}  {:>8}  {}\n", "streaming", lossTitle(plan.loss), "± error", "right", "which");
        for (const GreedyStep &step : result.path)
            text += fmt::format("{:>9}  {:>12.6f}  {:>10.6f}  {:>6.1f} %  {}\n", step.streaming.size(), step.loss, step.lossError,
                                100.0 * step.right, unitsText(plan, kvHeads, step.streaming));
    } else if (plan.method == SearchMethod::Attention) {
        text += headTable(result.scores, "mean ± standard deviation over prompts");
        return text
            + fmt::format("{}{} of {} prompts in {:.1f} s, {} of them answered; seed {}\n",
                          result.complete ? "" : "stopped: ", result.done, result.all, result.seconds, result.attention.answered,
                          plan.tasks.seed);
    } else {
        text += headTable(result.scores, "gate ± deviation over the last quarter");
    }
    if (result.confidence)
        text += confidenceText(plan, result);
    if (!result.scores.engine.empty())
        text += fmt::format("measured as {} runs it\n", result.scores.engine);
    return text
        + fmt::format("{}{} of {} {} in {:.1f} s, {:.1f} forward passes; seed {}\n",
                      result.complete ? "" : "stopped: ", result.done, result.all, countedBy(plan.method), result.seconds,
                      static_cast<double>(result.layerRuns) / result.scores.model.layers, plan.tasks.seed);
}

Result<void> writePathMaps(const SearchPlan &plan, const SearchResult &result, const std::string &folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return badInput(fmt::format("{}: the folder cannot be made ({}): choose another", folder, error.message()));
    for (const GreedyStep &step : result.path) {
        HeadMap map = mapWith(result.scores.model, plan.unit, plan.window, step.streaming);
        map.setProvenance({"greedy", result.scores.method, map.sparsity(), std::string(programVersion), result.scores.engine});
        const auto file = std::filesystem::path(folder) / fmt::format("streaming-{}.json", step.streaming.size());
        ZIGZAG_CHECK(writeHeadMap(map, file));
    }
    return {};
}

} // namespace zigzag
