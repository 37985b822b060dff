// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/finding/search.h"

#include "profiler/finding/measure_json.h"
#include "profiler/finding/search_progress.h"

#include <chrono>

namespace zigzag {
namespace {

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

AblationPlan ablationPlan(const SearchPlan &plan)
{
    return {plan.unit, plan.window, plan.share};
}

GreedyPlan greedyPlan(const SearchPlan &plan)
{
    return {plan.unit, plan.window, plan.beam, 0};
}

GatePlan gatePlan(const SearchPlan &plan)
{
    return {plan.unit, plan.window, plan.steps, plan.rate, plan.lambda, plan.tasks.seed};
}

/// What a progress file must agree with, word for word: all that the result depends on.
std::string planJson(const SearchPlan &plan, const ModelShape &model, std::string_view backend)
{
    json::Value tasks = json::Value::array();
    for (const TaskKind kind : plan.tasks.kinds)
        tasks.push_back(nameOf(kind));
    json::Value text = {{"model", model.name},         {"fingerprint", model.fingerprint}, {"backend", backend},
                        {"unit", nameOf(plan.unit)},   {"sink", plan.window.sink},         {"recent", plan.window.recent},
                        {"tasks", std::move(tasks)},   {"contexts", plan.tasks.contexts},  {"depths", plan.tasks.depths},
                        {"trials", plan.tasks.trials}, {"needles", plan.tasks.needles},    {"seed", plan.tasks.seed}};
    if (plan.method == SearchMethod::Greedy)
        text["beam"] = plan.beam;
    if (plan.method == SearchMethod::Gates)
        text.update({{"steps", plan.steps}, {"rate", plan.rate}, {"lambda", plan.lambda}});
    return text.dump(-1, ' ', false, json::Value::error_handler_t::replace); // a folder's name need not be UTF-8
}

} // namespace

std::string_view nameOf(SearchMethod method)
{
    return method == SearchMethod::Ablation ? "ablation" : method == SearchMethod::Greedy ? "greedy" : "gates";
}

Result<Search> Search::create(std::shared_ptr<DeviceModel> model, const SearchPlan &plan)
{
    ZIGZAG_TRY(prompts, makeTaskPrompts(*model->model, plan.tasks));
    Search search;
    search.m_plan = plan;
    search.m_model = model->model->shape();
    search.m_planJson = planJson(plan, search.m_model, model->backend->name());
    if (plan.method == SearchMethod::Gates) {
        ZIGZAG_TRY(training, GateTraining::create(std::move(model), std::move(prompts), gatePlan(plan)));
        search.m_training.emplace(std::move(training));
    } else {
        ZIGZAG_TRY(meter, MapMeter::create(std::move(model), std::move(prompts)));
        search.m_meter.emplace(std::move(meter));
    }
    return search;
}

Result<void> Search::resumeFrom(const std::filesystem::path &progress)
{
    ZIGZAG_TRY(text, loadProgress(progress, nameOf(m_plan.method), m_planJson));
    if (!text)
        return {};
    if (m_plan.method == SearchMethod::Ablation) {
        ZIGZAG_TRY(state, AblationState::fromJson(*text, m_model, m_meter->prompts().size(), ablationPlan(m_plan)));
        m_ablation = std::move(state);
    } else if (m_plan.method == SearchMethod::Greedy) {
        ZIGZAG_TRY(state, GreedyState::fromJson(*text, m_model, m_meter->prompts().size(), greedyPlan(m_plan)));
        m_greedy = std::move(state);
    } else {
        ZIGZAG_TRY(state, GateState::fromJson(*text, m_model, gatePlan(m_plan)));
        m_gates = std::move(state);
    }
    return {};
}

int Search::all() const
{
    if (m_plan.method == SearchMethod::Gates)
        return m_plan.steps;
    const int rounds = m_plan.method == SearchMethod::Greedy ? greedyRounds(m_model, greedyPlan(m_plan)) : 1;
    return rounds * m_meter->promptCount();
}

int Search::doneOf() const
{
    if (m_plan.method == SearchMethod::Gates)
        return m_gates.step;
    if (m_plan.method == SearchMethod::Ablation)
        return static_cast<int>(m_ablation.prompts.size());
    const int counts = m_greedy.path.empty() ? 0 : static_cast<int>(m_greedy.path.size()) - 1;
    return counts * m_meter->promptCount() + static_cast<int>(m_greedy.measured.size());
}

int Search::alreadyDone() const
{
    return doneOf();
}

Result<double> Search::estimateSeconds(const std::atomic<bool> *cancel)
{
    const double left = all() > 0 ? static_cast<double>(all() - doneOf()) / all() : 0.0;
    if (m_plan.method == SearchMethod::Gates) {
        ZIGZAG_TRY(seconds, m_training->estimateSecondsPerStep(cancel));
        return seconds * m_plan.steps * left;
    }
    const std::int64_t runs = m_plan.method == SearchMethod::Greedy ? greedyLayerRuns(m_model, greedyPlan(m_plan))
                                                                    : ablationLayerRuns(m_model, ablationPlan(m_plan));
    ZIGZAG_TRY(seconds, m_meter->estimateSeconds(runs, cancel));
    return seconds * left;
}

SearchResult Search::soFar() const
{
    SearchResult result;
    result.done = doneOf();
    result.all = all();
    result.complete = result.done == result.all;
    if (m_plan.method == SearchMethod::Ablation) {
        result.scores = ablationScores(m_ablation, m_model, ablationPlan(m_plan));
        result.effects = effectsOf(m_ablation);
    } else if (m_plan.method == SearchMethod::Greedy) {
        result.scores = greedyScores(m_greedy, m_model, greedyPlan(m_plan));
        result.path = m_greedy.path;
    } else {
        result.scores = gateScores(m_gates, m_model, gatePlan(m_plan));
        result.losses = m_gates.losses;
    }
    return result;
}

Result<SearchResult> Search::run(const std::filesystem::path &progress, const std::atomic<bool> *cancel,
                                 const std::function<void(int done, int all)> &onProgress)
{
    const double begin = now();
    const std::int64_t runsBefore = m_meter ? m_meter->layerRuns() : 0;
    const int stepsBefore = doneOf();
    double saved = begin;
    Result<void> saving;
    const auto save = [&](const auto &state) {
        if (!progress.empty())
            saving = saveProgress(progress, nameOf(m_plan.method), m_planJson, state.toJson());
        saved = now();
    };
    // The state that a method hands over replaces ours, so that progress and partial results read from one place.
    const auto keep = [&](auto &mine) {
        return [&](const auto &state) {
            mine = state;
            if (now() - saved >= 1.0)
                save(state);
            if (onProgress)
                onProgress(doneOf(), all());
        };
    };
    const auto finish = [&](auto &mine, auto outcome) -> Result<void> {
        if (!outcome)
            return tl::unexpected(std::move(outcome.error()));
        mine = std::move(*outcome);
        if (doneOf() < all())
            save(mine);
        return {};
    };
    if (m_plan.method == SearchMethod::Ablation)
        ZIGZAG_CHECK(finish(m_ablation, runAblation(*m_meter, ablationPlan(m_plan), m_ablation, cancel, keep(m_ablation))));
    else if (m_plan.method == SearchMethod::Greedy)
        ZIGZAG_CHECK(finish(m_greedy, runGreedy(*m_meter, greedyPlan(m_plan), m_greedy, cancel, keep(m_greedy))));
    else
        ZIGZAG_CHECK(finish(m_gates, m_training->run(m_gates, cancel, keep(m_gates))));
    ZIGZAG_CHECK(saving);
    SearchResult result = soFar();
    result.seconds = now() - begin;
    // A training step runs every layer forward, forward again and backward (about two forwards).
    result.layerRuns = m_meter ? m_meter->layerRuns() - runsBefore : std::int64_t{4} * m_model.layers * (doneOf() - stepsBefore);
    if (result.complete && !progress.empty()) {
        std::error_code ignored;
        std::filesystem::remove(progress, ignored);
    }
    return result;
}

} // namespace zigzag
