// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/ablation.h"

#include "profiler/evaluate/statistics.h"
#include "profiler/search/measure_json.h"

#include <algorithm>

namespace zigzag {
namespace {

std::vector<HeadMap> ablatedMaps(const ModelShape &model, const AblationPlan &plan)
{
    std::vector<HeadMap> maps = {mapWith(model, plan.unit, plan.window, {})};
    for (int unit = 0; unit < unitCount(model, plan.unit); ++unit)
        maps.push_back(mapWith(model, plan.unit, plan.window, {&unit, 1}));
    return maps;
}

} // namespace

std::string AblationState::toJson() const
{
    json::Value root{{"prompts", measuresJson(prompts)}};
    if (!begun.empty())
        root["begun"] = begunJson(begun);
    return root.dump();
}

Result<AblationState> AblationState::fromJson(std::string_view text, const ModelShape &model, std::size_t prompts,
                                              const AblationPlan &plan)
{
    ZIGZAG_TRY(root, json::parse(text, "the progress of the ablation"));
    ZIGZAG_TRY(list, json::arrayIn(root, "prompts", "the progress of the ablation"));
    const auto maps = static_cast<std::size_t>(unitCount(model, plan.unit) + 1);
    ZIGZAG_TRY(measures, readMeasures(*list, prompts, maps, plan.loss == SearchLoss::Answer));
    ZIGZAG_TRY(begun, readBegun(root, maps, plan.loss == SearchLoss::Answer));
    return AblationState{std::move(measures), std::move(begun)};
}

std::int64_t ablationLayerRuns(const ModelShape &model, const AblationPlan &plan)
{
    const std::vector<HeadMap> maps = ablatedMaps(model, plan);
    return plan.share ? MapMeter::sharedLayerRuns(maps) : model.layers + MapMeter::plainLayerRuns(maps);
}

Result<AblationState> runAblation(MapMeter &meter, const AblationPlan &plan, AblationState from, const std::atomic<bool> *cancel,
                                  const std::function<void(const AblationState &)> &onPrompt,
                                  const std::function<void(const AblationState &)> &onMap)
{
    const ModelShape model = meter.shape();
    const std::vector<HeadMap> maps = ablatedMaps(model, plan);
    const auto isEnough = [&] {
        if (!plan.untilSettled || static_cast<int>(from.prompts.size()) < settledPrompts)
            return false;
        const auto confidence = confidenceOf(from, model, plan);
        return confidence && confidence->isSettled();
    };
    const HearingMaps hearing(meter, [&] {
        if (onMap)
            onMap(from);
    });
    while (static_cast<int>(from.prompts.size()) < meter.promptCount() && !isEnough()) {
        auto measured = meter.measure(static_cast<int>(from.prompts.size()), maps, cancel, plan.share, &from.begun);
        if (!measured && isCancelled(measured.error()) && !from.prompts.empty())
            return from;
        if (!measured)
            return tl::unexpected(std::move(measured.error()));
        from.prompts.push_back(std::move(*measured));
        if (onPrompt)
            onPrompt(from);
    }
    return from;
}

std::optional<CutConfidence> confidenceOf(const AblationState &state, const ModelShape &model, const AblationPlan &plan)
{
    if (plan.count == 0 || state.prompts.size() < 2)
        return std::nullopt;
    std::vector<std::vector<double>> losses;
    for (const auto &prompt : state.prompts) {
        std::vector<double> &row = losses.emplace_back();
        for (std::size_t unit = 1; unit < prompt.size(); ++unit)
            row.push_back(lossOf(prompt[unit], plan.loss));
    }
    return bootstrapRanking(losses, model, plan.unit, plan.count, plan.seed);
}

std::vector<AblationEffect> effectsOf(const AblationState &state, SearchLoss by)
{
    std::vector<AblationEffect> effects;
    const std::size_t columns = state.prompts.empty() ? 0 : state.prompts.front().size();
    for (std::size_t unit = 1; unit < columns; ++unit) {
        std::vector<double> losses, changes;
        for (const auto &prompt : state.prompts) {
            losses.push_back(lossOf(prompt[unit], by));
            changes.push_back(prompt[unit].right - prompt[0].right);
        }
        const Interval loss = meanInterval(losses);
        effects.push_back({loss.mean, loss.error, meanInterval(changes).mean});
    }
    return effects;
}

HeadScores ablationScores(const AblationState &state, const ModelShape &model, const AblationPlan &plan)
{
    const std::vector<AblationEffect> effects = effectsOf(state, plan.loss);
    double largest = 0.0, lowest = 0.0;
    for (std::size_t unit = 0; unit < effects.size(); ++unit)
        if (isMappable(model, plan.unit, static_cast<int>(unit))) {
            largest = std::max(largest, effects[unit].loss);
            lowest = std::min(lowest, effects[unit].loss);
        }
    const double range = largest - lowest;
    std::vector<double> scores, spread;
    for (const AblationEffect &effect : effects) {
        scores.push_back(range > 0 ? (effect.loss - lowest) / range : 0.0);
        spread.push_back(range > 0 ? effect.lossError / range : 0.0);
    }
    HeadScores result;
    result.model = model;
    result.method = plan.loss == SearchLoss::Answer ? "answer-loss" : plan.loss == SearchLoss::Kl ? "ablation-kl" : "ablation";
    result.scores = spreadOverHeads(model, plan.unit, scores);
    result.spread = spreadOverHeads(model, plan.unit, spread);
    return result;
}

} // namespace zigzag
