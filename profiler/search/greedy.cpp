// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/greedy.h"

#include "profiler/evaluate/answer_loss.h"
#include "profiler/evaluate/statistics.h"
#include "profiler/search/measure_json.h"

#include <algorithm>
#include <numeric>

namespace zigzag {
namespace {

constexpr const char *where = "the progress of the greedy search";

int lastCount(const ModelShape &model, const GreedyPlan &plan)
{
    const int units = mappableUnits(model, plan.unit);
    return plan.most > 0 ? std::min(plan.most, units) : units;
}

/// Every map with one unit more than one of the beam's, each once, in ascending order.
std::vector<std::vector<int>> candidatesOf(const std::vector<std::vector<int>> &beam, const ModelShape &model, Unit kind)
{
    std::vector<std::vector<int>> candidates;
    for (const std::vector<int> &base : beam)
        for (int unit = 0; unit < unitCount(model, kind); ++unit) {
            if (!isMappable(model, kind, unit))
                continue;
            const auto place = std::lower_bound(base.begin(), base.end(), unit);
            if (place != base.end() && *place == unit)
                continue;
            std::vector<int> &grown = candidates.emplace_back(base);
            grown.insert(grown.begin() + (place - base.begin()), unit);
        }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    return candidates;
}

std::vector<HeadMap> mapsOf(const ModelShape &model, const GreedyPlan &plan, const std::vector<std::vector<int>> &sets)
{
    std::vector<HeadMap> maps;
    maps.reserve(sets.size());
    for (const std::vector<int> &streaming : sets)
        maps.push_back(mapWith(model, plan.unit, plan.window, streaming));
    return maps;
}

/// The candidates as steps, the best first; equal losses keep the order of the units.
std::vector<GreedyStep> ranked(const std::vector<std::vector<int>> &candidates,
                               const std::vector<std::vector<PromptMeasure>> &measured, SearchLoss by)
{
    std::vector<GreedyStep> steps;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        std::vector<double> losses, right;
        for (const auto &prompt : measured) {
            losses.push_back(lossOf(prompt[i], by));
            right.push_back(prompt[i].right);
        }
        const Interval loss = meanInterval(losses);
        steps.push_back({candidates[i], loss.mean, loss.error, meanInterval(right).mean, {}});
    }
    std::stable_sort(steps.begin(), steps.end(), [](const GreedyStep &a, const GreedyStep &b) { return a.loss < b.loss; });
    return steps;
}

/// How often the chosen candidate is the best one.
std::optional<CutConfidence> confidenceOf(const std::vector<std::vector<int>> &candidates,
                                          const std::vector<std::vector<PromptMeasure>> &measured, const std::vector<int> &chosen,
                                          const ModelShape &model, const GreedyPlan &plan)
{
    if (measured.size() < 2)
        return std::nullopt;
    std::vector<std::vector<double>> losses;
    for (const auto &prompt : measured) {
        std::vector<double> &row = losses.emplace_back();
        for (const PromptMeasure &measure : prompt)
            row.push_back(lossOf(measure, plan.loss));
    }
    return bootstrapChoice(losses, chosen, unitCount(model, plan.unit), plan.seed, [&](std::span<const double> sums) {
        return candidates[static_cast<std::size_t>(std::min_element(sums.begin(), sums.end()) - sums.begin())];
    });
}

json::Value stepJson(const GreedyStep &step)
{
    json::Value entry = {{"streaming", step.streaming}, {"loss", step.loss}, {"error", step.lossError}, {"right", step.right}};
    if (step.same)
        entry["same"] = *step.same;
    return entry;
}

Result<std::optional<double>> readSame(const json::Value &entry)
{
    if (!json::find(entry, "same"))
        return std::nullopt;
    ZIGZAG_TRY(same, json::numberIn(entry, "same", 0.0, 1.0, where));
    return same;
}

/// The confidence of the plan's count; its set is the path's.
Result<std::optional<CutConfidence>> readCut(const json::Value &root, const std::vector<GreedyStep> &path, std::size_t units,
                                             std::size_t prompts, const GreedyPlan &plan)
{
    if (!json::find(root, "cut"))
        return std::nullopt;
    const auto count = static_cast<std::size_t>(plan.count);
    if (count == 0 || count >= path.size())
        return badInput(std::string(where) + " is sure of a count that it has not reached: start the search again");
    ZIGZAG_TRY(cut, json::objectIn(root, "cut", where));
    ZIGZAG_TRY(measured, json::integerIn(*cut, "prompts", 2, static_cast<std::int64_t>(prompts), where));
    ZIGZAG_TRY(same, json::numberIn(*cut, "same", 0.0, 1.0, where));
    ZIGZAG_TRY(side, json::arrayIn(*cut, "side", where));
    if (side->size() != units)
        return badInput(std::string(where) + " is sure of other layers or heads: start the search again");
    CutConfidence confidence{plan.count, path[count].streaming, static_cast<int>(measured), same, {}};
    for (const json::Value &entry : *side) {
        ZIGZAG_TRY(share, json::asNumber(entry, "a share", 0.0, 1.0, where));
        confidence.side.push_back(share);
    }
    return confidence;
}

} // namespace

std::string GreedyState::toJson() const
{
    json::Value steps = json::Value::array();
    for (const GreedyStep &step : path)
        steps.push_back(stepJson(step));
    json::Value root = {{"path", std::move(steps)}, {"beam", beam}, {"measured", measuresJson(measured)}, {"answered", answered}};
    if (!begun.empty())
        root["begun"] = begunJson(begun);
    if (cut)
        root["cut"] = {{"prompts", cut->prompts}, {"same", cut->same}, {"side", cut->side}};
    return root.dump();
}

Result<GreedyState> GreedyState::fromJson(std::string_view text, const ModelShape &model, std::size_t prompts,
                                          const GreedyPlan &plan)
{
    const int units = unitCount(model, plan.unit);
    ZIGZAG_TRY(root, json::parse(text, where));
    ZIGZAG_TRY(steps, json::arrayIn(root, "path", where));
    ZIGZAG_TRY(beam, json::arrayIn(root, "beam", where));
    ZIGZAG_TRY(measured, json::arrayIn(root, "measured", where));
    const auto allMappable = [&](const std::vector<int> &streaming) {
        return std::all_of(streaming.begin(), streaming.end(), [&](int unit) { return isMappable(model, plan.unit, unit); });
    };
    GreedyState state;
    for (const json::Value &entry : *steps) {
        ZIGZAG_TRY(list, json::arrayIn(entry, "streaming", where));
        ZIGZAG_TRY(streaming, readUnits(*list, units));
        if (!allMappable(streaming))
            return badInput(std::string(where) + " lets local layers stream: start the search again");
        if (streaming.size() != state.path.size())
            return badInput(std::string(where) + " has a gap in its path: start the search again");
        ZIGZAG_TRY(loss, json::numberIn(entry, "loss", leastLossOf(plan.loss), largestLoss, where));
        ZIGZAG_TRY(error, json::numberIn(entry, "error", 0.0, largestLoss, where));
        ZIGZAG_TRY(right, json::numberIn(entry, "right", 0.0, 1.0, where));
        ZIGZAG_TRY(same, readSame(entry));
        state.path.push_back({std::move(streaming), loss, error, right, same});
    }
    for (const json::Value &entry : *beam) {
        ZIGZAG_TRY(base, readUnits(entry, units));
        if (!allMappable(base))
            return badInput(std::string(where) + " lets local layers stream: start the search again");
        if (base.size() + 1 != state.path.size() || !std::is_sorted(base.begin(), base.end()))
            return badInput(std::string(where) + " follows maps of another count: start the search again");
        state.beam.push_back(std::move(base));
    }
    if (state.beam.size() > static_cast<std::size_t>(plan.beam))
        return badInput(std::string(where) + " follows more maps than the search: start it again");
    if (state.beam.empty() != state.path.empty()) // the next count starts from the beam
        return badInput(std::string(where) + " follows no map of its path: start the search again");
    const std::size_t candidates = candidatesOf(state.beam, model, plan.unit).size();
    ZIGZAG_TRY(measures, readMeasures(*measured, prompts, candidates, plan.loss == SearchLoss::Answer));
    state.measured = std::move(measures);
    ZIGZAG_TRY(begun, readBegun(root, candidates, plan.loss == SearchLoss::Answer));
    state.begun = std::move(begun);
    ZIGZAG_TRY(cut, readCut(root, state.path, static_cast<std::size_t>(units), prompts, plan));
    state.cut = std::move(cut);
    // Files of before have the share of answers alone.
    const bool some = !state.path.empty() && state.path.front().right > 0;
    ZIGZAG_TRY(answered, json::integerOr(root, "answered", some ? 1 : 0, 0, static_cast<std::int64_t>(prompts), where));
    state.answered = static_cast<int>(answered);
    return state;
}

Result<GreedyState> runGreedy(MapMeter &meter, const GreedyPlan &plan, GreedyState from, const std::atomic<bool> *cancel,
                              const std::function<void(const GreedyState &)> &onPrompt,
                              const std::function<void(const GreedyState &)> &onMap)
{
    const ModelShape model = meter.shape();
    const int last = lastCount(model, plan);
    if (plan.beam < 1)
        return badInput("a search must follow at least one map: choose a beam of 1 or more");
    GreedyState &state = from;
    if (state.path.empty()) {
        state.beam = {{}};
        state.answered = 0;
        // Full attention is the first map; its loss is zero by definition, and its answers are worth knowing.
        std::vector<double> right;
        for (int prompt = 0; prompt < meter.promptCount(); ++prompt) {
            ZIGZAG_TRY(full, meter.measure(prompt, mapsOf(model, plan, {{}}), cancel));
            right.push_back(full.front().right);
            state.answered
                += isAnswered(meter.prompts()[static_cast<std::size_t>(prompt)], right.back(), full.front().answer) ? 1 : 0;
        }
        state.path.push_back({{}, 0.0, 0.0, meanInterval(right).mean, {}});
    }
    const HearingMaps hearing(meter, [&] {
        if (onMap)
            onMap(state);
    });
    while (static_cast<int>(state.path.size()) <= last) {
        const std::vector<std::vector<int>> candidates = candidatesOf(state.beam, model, plan.unit);
        const std::vector<HeadMap> maps = mapsOf(model, plan, candidates);
        for (auto prompt = static_cast<int>(state.measured.size()); prompt < meter.promptCount(); ++prompt) {
            auto measures = meter.measure(prompt, maps, cancel, true, &state.begun);
            if (!measures) {
                if (isCancelled(measures.error()))
                    return state;
                return tl::unexpected(std::move(measures.error()));
            }
            state.measured.push_back(std::move(*measures));
            if (onPrompt && static_cast<int>(state.measured.size()) < meter.promptCount())
                onPrompt(state);
        }
        const std::vector<GreedyStep> steps = ranked(candidates, state.measured, plan.loss);
        state.path.push_back(steps.front());
        if (auto confidence = confidenceOf(candidates, state.measured, steps.front().streaming, model, plan)) {
            state.path.back().same = confidence->same;
            if (confidence->count == plan.count)
                state.cut = std::move(confidence);
        }
        state.beam.clear();
        for (std::size_t i = 0; i < std::min(steps.size(), static_cast<std::size_t>(plan.beam)); ++i)
            state.beam.push_back(steps[i].streaming);
        state.measured.clear();
        if (onPrompt)
            onPrompt(state);
    }
    return state;
}

int greedyRounds(const ModelShape &model, const GreedyPlan &plan)
{
    return lastCount(model, plan);
}

std::int64_t greedyLayerRuns(const ModelShape &model, const GreedyPlan &plan)
{
    // As if units went from the top down, and as if from the bottom up: the mean.
    const int last = lastCount(model, plan);
    std::int64_t runs = 0;
    for (const bool fromTop : {true, false}) {
        std::vector<std::vector<int>> beam = {{}};
        for (int count = 1; count <= last; ++count) {
            std::vector<std::vector<int>> candidates = candidatesOf(beam, model, plan.unit);
            runs += MapMeter::sharedLayerRuns(mapsOf(model, plan, candidates));
            if (fromTop)
                std::reverse(candidates.begin(), candidates.end());
            candidates.resize(std::min(candidates.size(), static_cast<std::size_t>(plan.beam)));
            beam = std::move(candidates);
        }
    }
    return std::int64_t{2} * model.layers + runs / 2;
}

HeadScores greedyScores(const GreedyState &state, const ModelShape &model, const GreedyPlan &plan)
{
    const auto units = static_cast<std::size_t>(unitCount(model, plan.unit));
    std::vector<double> scores(units, 0.0);
    for (const GreedyStep &step : state.path) {
        for (double &score : scores)
            score += 1.0;
        for (const int unit : step.streaming)
            scores[static_cast<std::size_t>(unit)] -= 1.0;
    }
    for (double &score : scores)
        score /= static_cast<double>(state.path.size());
    HeadScores result;
    result.model = model;
    result.method = plan.beam > 1 ? "greedy-beam" : "greedy";
    if (plan.loss != SearchLoss::Distillation)
        result.method += plan.loss == SearchLoss::Answer ? "-answer-loss" : "-kl";
    result.scores = spreadOverHeads(model, plan.unit, scores);
    return result;
}

} // namespace zigzag
