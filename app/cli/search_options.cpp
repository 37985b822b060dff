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
    command.add_flag("--plain", options.plain, "ablation: run every layer for every map, to see what sharing saves");
    command.add_option("--beam", options.plan.beam, "greedy: maps that are followed at each count")
        ->check(integerIn(1, 1000))
        ->capture_default_str();
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
    return method == SearchMethod::Gates ? "steps" : method == SearchMethod::Attention ? "prompts" : "prompt measurements";
}

nlohmann::ordered_json searchJson(const SearchPlan &plan, const SearchResult &result, const std::string &out)
{
    if (plan.method == SearchMethod::Attention)
        return attentionJson(plan, result, out);
    const int kvHeads = result.scores.model.kvHeads, layers = result.scores.model.layers;
    nlohmann::ordered_json json = {{"method", result.scores.method},
                                   {"unit", nameOf(plan.unit)},
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
    for (const GreedyStep &step : result.path)
        json["path"].push_back(
            {{"streaming", step.streaming}, {"loss", step.loss}, {"loss_error", step.lossError}, {"accuracy", step.right}});
    if (!result.losses.empty())
        json["losses"] = result.losses;
    if (!result.scores.engine.empty())
        json["engine"] = result.scores.engine;
    json["out"] = out;
    return json;
}

std::string searchTable(const SearchPlan &plan, const SearchResult &result)
{
    const int kvHeads = result.scores.model.kvHeads;
    std::string text;
    if (!result.effects.empty()) {
        text += fmt::format("{:>6}  {:>12}  {:>10}  {:>15}\n", nameOf(plan.unit), "loss alone", "± error", "answers right");
        for (std::size_t unit = 0; unit < result.effects.size(); ++unit) {
            const AblationEffect &effect = result.effects[unit];
            if (!isMappable(result.scores.model, plan.unit, static_cast<int>(unit))) {
                text += fmt::format("{:>6}  local by the model's own file\n", unitText(plan, kvHeads, static_cast<int>(unit)));
                continue;
            }
            text += fmt::format("{:>6}  {:>12.6f}  {:>10.6f}  {:>+13.1f} %\n", unitText(plan, kvHeads, static_cast<int>(unit)),
                                effect.loss, effect.lossError, 100.0 * effect.accuracyChange);
        }
    } else if (!result.path.empty()) {
        text += fmt::format("{:>9}  {:>12}  {:>10}  {:>8}  {}\n", "streaming", "loss", "± error", "right", "which");
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
