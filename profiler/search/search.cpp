// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/search.h"

#include "profiler/evaluate/answer_loss.h"
#include "profiler/evaluate/answered_questions.h"
#include "profiler/evaluate/answers_file.h"
#include "profiler/search/measure_json.h"
#include "profiler/search/search_progress.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <random>

namespace zigzag {
namespace {

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

AttentionScorePlan attentionPlan(const SearchPlan &plan)
{
    return {.contexts = plan.tasks.contexts,
            .depths = plan.tasks.depths,
            .trials = plan.tasks.trials,
            .needles = plan.copiedNeedles,
            .seed = plan.tasks.seed,
            .fold = plan.fold,
            .as = plan.tasks.as};
}

GatePlan gatePlan(const SearchPlan &plan)
{
    return {plan.unit, plan.window, plan.steps, plan.rate, plan.lambda, plan.tasks.seed};
}

/// Of keys and values that are not in the weights' own type: plans from before there was a choice say nothing of it.
json::Value withKvType(json::Value plan, const ModelConfig &config)
{
    if (config.kvType != config.dtype)
        plan["kv_type"] = nameOf(config.kvType);
    return plan;
}

/// Of tasks that are asked by a chat template: plans from before there was a choice say nothing of text.
json::Value withAsked(json::Value plan, AskAs as)
{
    if (as != AskAs::Text)
        plan["as"] = nameOf(as);
    return plan;
}

/// What a progress file must agree with, word for word: all that the result depends on.
std::string planJson(const SearchPlan &plan, const ModelShape &model, const ModelConfig &config, std::string_view backend)
{
    if (plan.method == SearchMethod::Attention)
        return withAsked(withKvType({{"model", model.name},
                                     {"fingerprint", model.fingerprint},
                                     {"backend", backend},
                                     {"contexts", plan.tasks.contexts},
                                     {"depths", plan.tasks.depths},
                                     {"trials", plan.tasks.trials},
                                     {"needles", plan.copiedNeedles},
                                     {"seed", plan.tasks.seed}},
                                    config),
                         plan.tasks.as)
            .dump();
    json::Value text
        = {{"model", model.name},      {"fingerprint", model.fingerprint}, {"backend", backend},     {"unit", nameOf(plan.unit)},
           {"sink", plan.window.sink}, {"recent", plan.window.recent},     {"seed", plan.tasks.seed}};
    if (plan.asked) {
        text.update({{"prompts", plan.asked->size()}, {"prompts_sha256", digestOf(*plan.asked)}});
    } else {
        json::Value tasks = json::Value::array();
        for (const TaskKind kind : plan.tasks.kinds)
            tasks.push_back(nameOf(kind));
        text.update({{"tasks", std::move(tasks)},
                     {"contexts", plan.tasks.contexts},
                     {"depths", plan.tasks.depths},
                     {"trials", plan.tasks.trials},
                     {"needles", plan.tasks.needles}});
        text = withAsked(std::move(text), plan.tasks.as);
    }
    if (plan.method == SearchMethod::Greedy)
        text["beam"] = plan.beam;
    // Plans from before there was a choice say nothing of it.
    if (plan.method == SearchMethod::Greedy && plan.count > 0)
        text["count"] = plan.count;
    if (plan.loss != SearchLoss::Distillation)
        text["loss"] = nameOf(plan.loss);
    if (plan.untilSettled)
        text["order"] = "shuffled";
    if (plan.method == SearchMethod::Logits)
        text.erase("unit"); // heads are told, each by itself
    if (plan.method == SearchMethod::Gates)
        text.update({{"steps", plan.steps}, {"rate", plan.rate}, {"lambda", plan.lambda}});
    if (!plan.served.engine.empty())
        text["engine"] = plan.served.engine;
    // A folder's name need not be UTF-8.
    return withKvType(std::move(text), config).dump(-1, ' ', false, json::Value::error_handler_t::replace);
}

template <typename State> bool isBegun(const State &state)
{
    if constexpr (requires { state.begun; })
        return std::any_of(state.begun.begin(), state.begun.end(), [](const auto &each) { return each.has_value(); });
    else
        return false;
}

/// Whatever stops early has seen prompts of all kinds: the library's own shuffle differs from one to another.
void shuffle(std::vector<TaskPrompt> &prompts, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    for (std::size_t left = prompts.size(); left > 1; --left)
        std::swap(prompts[left - 1], prompts[static_cast<std::size_t>(random() % left)]);
}

/// The window that gates are trained with: what streaming layers keep where the map will be served.
GatePlan servedGates(const SearchPlan &plan, const ModelShape &model)
{
    GatePlan gates = gatePlan(plan);
    const HeadMap all(model, HeadKind::Streaming, plan.window.sink, plan.window.recent);
    for (int layer = 0; plan.served.asRun && layer < model.layers; ++layer)
        if (!model.isLocal(layer))
            gates.window = plan.served.asRun(all).window(layer);
    return gates;
}

} // namespace

AblationPlan Search::ablationPlan() const
{
    return {m_plan.unit, m_plan.window, m_plan.share, m_plan.loss, m_count, m_plan.untilSettled, m_plan.tasks.seed};
}

GreedyPlan Search::greedyPlan() const
{
    return {m_plan.unit, m_plan.window, m_plan.beam, 0, m_plan.loss, m_count, m_plan.tasks.seed};
}

Result<void> checkPlan(const SearchPlan &plan)
{
    const bool measuresMaps = plan.method == SearchMethod::Ablation || plan.method == SearchMethod::Greedy;
    if (plan.loss != SearchLoss::Distillation && !measuresMaps)
        return badInput(plan.method == SearchMethod::Gates
                            ? "gates are trained by the distillation loss alone: choose ablation or "
                              "greedy for another loss"
                            : "scores by attention have no loss: choose ablation or greedy for one");
    if (plan.count > 0 && !measuresMaps)
        return badInput("a count of layers to be sure of is for ablation and greedy: leave it out");
    if (plan.asked && plan.method == SearchMethod::Attention)
        return badInput(
            "scores by what attention copies ask for needles of their own: choose attention's other view (logits), answer-loss, "
            "ablation, greedy or gates for questions");
    if (plan.untilSettled && plan.method != SearchMethod::Ablation)
        return badInput("only an ablation can stop once its cut is settled: choose ablation, or every prompt");
    return {};
}

Result<void> checkServed(const SearchPlan &plan, bool standsIn)
{
    if (plan.served.engine.empty())
        return {};
    if (looksAtHeads(plan.method))
        return badInput("scores by attention run no map, whoever serves it: choose greedy, ablation or gates for an engine");
    if (plan.method == SearchMethod::Gates && standsIn)
        return badInput(
            fmt::format("gates are trained with a window alone, and {} has what stands in for sinks: choose greedy or "
                        "ablation",
                        plan.served.engine));
    return {};
}

bool looksAtHeads(SearchMethod method)
{
    return method == SearchMethod::Attention || method == SearchMethod::Logits;
}

std::string_view nameOf(SearchMethod method)
{
    switch (method) {
    case SearchMethod::Ablation:
        return "ablation";
    case SearchMethod::Greedy:
        return "greedy";
    case SearchMethod::Gates:
        return "gates";
    case SearchMethod::Logits:
        return "attention-logits";
    case SearchMethod::Attention:
        break;
    }
    return "attention";
}

Result<Search> Search::create(std::shared_ptr<DeviceModel> model, const SearchPlan &plan)
{
    ZIGZAG_CHECK(checkPlan(plan));
    ZIGZAG_CHECK(checkServed(plan, plan.served.standIns != nullptr));
    Search search;
    search.m_plan = plan;
    search.m_model = model->model->shape();
    ZIGZAG_TRY(count, cutCount(search.m_model, plan.unit, plan.count));
    search.m_count = count;
    search.m_planJson = planJson(plan, search.m_model, model->config(), model->backend->name());
    if (plan.method == SearchMethod::Attention) {
        ZIGZAG_TRY(scoring, AttentionScoring::create(std::move(model), attentionPlan(plan)));
        search.m_scoring.emplace(std::move(scoring));
        return search;
    }
    std::vector<TaskPrompt> prompts;
    if (plan.asked) {
        prompts = *plan.asked;
    } else {
        ZIGZAG_TRY(made, makeTaskPrompts(*model->model, plan.tasks));
        prompts = std::move(made);
    }
    if (plan.untilSettled)
        shuffle(prompts, plan.tasks.seed);
    if (plan.method == SearchMethod::Gates) {
        ZIGZAG_TRY(training, GateTraining::create(std::move(model), std::move(prompts), servedGates(plan, search.m_model)));
        search.m_training.emplace(std::move(training));
    } else if (plan.method == SearchMethod::Logits) {
        ZIGZAG_TRY(scoring, LogitScoring::create(std::move(model), std::move(prompts), plan.window));
        search.m_logitScoring.emplace(std::move(scoring));
    } else {
        ZIGZAG_TRY(meter, MapMeter::create(std::move(model), std::move(prompts), plan.served));
        search.m_meter.emplace(std::move(meter));
    }
    return search;
}

Result<Search> Search::create(std::shared_ptr<DeviceModel> model, const SearchPlan &plan, const std::filesystem::path &progress,
                              Begin begin)
{
    ZIGZAG_TRY(search, create(std::move(model), plan));
    if (begin == Begin::GoOn && !progress.empty())
        ZIGZAG_CHECK(search.resumeFrom(progress));
    return std::move(search);
}

Result<void> Search::resumeFrom(const std::filesystem::path &progress)
{
    ZIGZAG_TRY(text, loadProgress(progress, nameOf(m_plan.method), m_planJson));
    if (!text)
        return {};
    if (m_plan.method == SearchMethod::Ablation) {
        ZIGZAG_TRY(state, AblationState::fromJson(*text, m_model, m_meter->prompts().size(), ablationPlan()));
        m_ablation = std::move(state);
    } else if (m_plan.method == SearchMethod::Greedy) {
        ZIGZAG_TRY(state, GreedyState::fromJson(*text, m_model, m_meter->prompts().size(), greedyPlan()));
        m_greedy = std::move(state);
    } else if (m_plan.method == SearchMethod::Attention) {
        ZIGZAG_TRY(state, AttentionState::fromJson(*text, m_model, m_scoring->promptCount()));
        m_attention = std::move(state);
    } else if (m_plan.method == SearchMethod::Logits) {
        ZIGZAG_TRY(state, LogitState::fromJson(*text, m_model, m_logitScoring->promptCount()));
        m_logits = std::move(state);
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
    if (m_plan.method == SearchMethod::Attention)
        return m_scoring->promptCount();
    if (m_plan.method == SearchMethod::Logits)
        return m_logitScoring->promptCount();
    const int rounds = m_plan.method == SearchMethod::Greedy ? greedyRounds(m_model, greedyPlan()) : 1;
    return rounds * m_meter->promptCount();
}

int Search::doneOf() const
{
    if (m_plan.method == SearchMethod::Gates)
        return m_gates.step;
    if (m_plan.method == SearchMethod::Attention)
        return m_attention.done;
    if (m_plan.method == SearchMethod::Logits)
        return m_logits.done;
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
    if (m_plan.method == SearchMethod::Attention)
        return m_scoring->estimateSeconds(doneOf(), cancel);
    if (m_plan.method == SearchMethod::Logits)
        return m_logitScoring->estimateSeconds(doneOf(), cancel);
    const double left = all() > 0 ? static_cast<double>(all() - doneOf()) / all() : 0.0;
    if (m_plan.method == SearchMethod::Gates) {
        ZIGZAG_TRY(seconds, m_training->estimateSecondsPerStep(cancel));
        return seconds * m_plan.steps * left;
    }
    const std::int64_t runs = m_plan.method == SearchMethod::Greedy ? greedyLayerRuns(m_model, greedyPlan())
                                                                    : ablationLayerRuns(m_model, ablationPlan());
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
        result.scores = ablationScores(m_ablation, m_model, ablationPlan());
        result.effects = effectsOf(m_ablation, m_plan.loss);
        result.confidence = confidenceOf(m_ablation, m_model, ablationPlan());
        result.complete = result.complete || (m_plan.untilSettled && result.confidence && result.confidence->isSettled());
        for (std::size_t prompt = 0; prompt < m_ablation.prompts.size() && !result.answered; ++prompt) {
            const PromptMeasure &full = m_ablation.prompts[prompt].front();
            result.answered = isAnswered(m_meter->prompts()[prompt], full.right, full.answer);
        }
    } else if (m_plan.method == SearchMethod::Greedy) {
        result.scores = greedyScores(m_greedy, m_model, greedyPlan());
        result.path = m_greedy.path;
        result.confidence = m_greedy.cut;
        result.answered = m_greedy.answered > 0;
    } else if (m_plan.method == SearchMethod::Attention) {
        result.attention = measureOf(m_attention, result.all);
        result.scores = foldAttention(m_model, result.attention, m_plan.fold);
        result.answered = m_attention.answered > 0;
    } else if (m_plan.method == SearchMethod::Logits) {
        result.logits = measureOf(m_logits, result.all);
        result.scores = logitScores(m_model, result.logits);
        result.answered = m_logits.answered > 0;
    } else {
        result.scores = gateScores(m_gates, m_model, gatePlan(m_plan));
        result.losses = m_gates.losses;
        result.answered = m_gates.answered > 0;
    }
    result.isAsked = m_plan.asked != nullptr;
    result.scores.unanswered = !result.answered;
    result.scores.engine = m_plan.served.engine;
    return result;
}

Result<SearchResult> Search::run(const std::filesystem::path &progress, const std::atomic<bool> *cancel,
                                 const PromptProgress &onProgress)
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
    const auto tell = [&](double share) { // of the prompt or step that runs
        if (onProgress)
            onProgress(doneOf() + share, all());
    };
    // The state that a method hands over replaces ours, so that progress and partial results read from one place.
    const auto keep = [&](auto &mine) {
        return [&](const auto &state) {
            mine = state;
            if (now() - saved >= 1.0)
                save(state);
            tell(0.0);
        };
    };
    // What is done of a prompt, so that a long one is not begun anew either.
    const auto keepPart = [&](auto &mine) {
        return [&](const auto &state) {
            mine.begun = state.begun;
            if (now() - saved >= 1.0)
                save(mine);
        };
    };
    const auto finish = [&](auto &mine, auto outcome) -> Result<void> {
        if (!outcome) {
            if (isCancelled(outcome.error()) && isBegun(mine))
                save(mine);
            return tl::unexpected(std::move(outcome.error()));
        }
        mine = std::move(*outcome);
        if (const SearchResult now = soFar(); !now.complete || !now.answered) // what is no result may still be asked for as it is
            save(mine);
        return {};
    };
    // Before its first count the greedy search asks full attention alone, which its measurements do not count.
    const bool greedyBegins = m_plan.method == SearchMethod::Greedy;
    const auto inPrompt = [&](double share) { tell(greedyBegins && m_greedy.path.empty() ? 0.0 : share); };
    if (m_meter)
        m_meter->onLayer = inPrompt;
    if (m_training)
        m_training->onLayer = inPrompt;
    Result<void> ran;
    if (m_plan.method == SearchMethod::Ablation)
        ran = finish(m_ablation,
                     runAblation(*m_meter, ablationPlan(), m_ablation, cancel, keep(m_ablation), keepPart(m_ablation)));
    else if (m_plan.method == SearchMethod::Greedy)
        ran = finish(m_greedy, runGreedy(*m_meter, greedyPlan(), m_greedy, cancel, keep(m_greedy), [&](const GreedyState &state) {
                         if (m_greedy.path.size() != state.path.size()) // full attention was asked since
                             m_greedy = state;
                         keepPart(m_greedy)(state);
                     }));
    else if (m_plan.method == SearchMethod::Attention)
        ran = finish(m_attention, m_scoring->run(m_attention, cancel, keep(m_attention), inPrompt));
    else if (m_plan.method == SearchMethod::Logits)
        ran = finish(m_logits, m_logitScoring->run(m_logits, cancel, keep(m_logits), inPrompt));
    else
        ran = finish(m_gates, m_training->run(m_gates, cancel, keep(m_gates)));
    if (m_meter)
        m_meter->onLayer = {};
    if (m_training)
        m_training->onLayer = {};
    ZIGZAG_CHECK(ran);
    ZIGZAG_CHECK(saving);
    SearchResult result = soFar();
    result.seconds = now() - begin;
    // A training step runs every layer forward, forward again and backward (about two forwards).
    if (m_plan.method == SearchMethod::Logits)
        result.layerRuns = std::int64_t{m_model.layers} * (doneOf() - stepsBefore);
    else if (m_plan.method != SearchMethod::Attention)
        result.layerRuns
            = m_meter ? m_meter->layerRuns() - runsBefore : std::int64_t{4} * m_model.layers * (doneOf() - stepsBefore);
    if (result.complete && result.answered && !progress.empty()) {
        std::error_code ignored;
        std::filesystem::remove(progress, ignored);
    }
    return result;
}

std::string unansweredText(const SearchResult &result)
{
    if (result.isAsked)
        return fmt::format("no prompt was answered, not even with full attention (of {}, none has an answer whose tokens the "
                           "model gives one in ten): "
                           "such scores say nothing of the layers; look at the answers, and at how the questions are asked",
                           result.done);
    return fmt::format(
        "no prompt was answered, not even with full attention (0 of {}): such scores say nothing of the layers; try "
        "shorter contexts, or a model that finds a key in a text",
        result.done);
}

} // namespace zigzag
