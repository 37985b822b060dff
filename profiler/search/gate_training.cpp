// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/gate_training.h"

#include "engine/run/session.h"
#include "profiler/evaluate/answer_loss.h"
#include "profiler/search/measure_json.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <random>

namespace zigzag {
namespace {

constexpr double beta1 = 0.9, beta2 = 0.999, adamEpsilon = 1e-8; // Adam's defaults, arXiv 1412.6980
constexpr const char *where = "the progress of the gates";

/// The rate at a step: up over the first tenth, level, down to zero over the last half.
double rateAt(const GatePlan &plan, int step)
{
    const double done = (step + 1.0) / plan.steps;
    return plan.rate * std::min({1.0, 10.0 * done, 2.0 * (1.0 - done) + 2.0 / plan.steps});
}

bool inLastQuarter(const GatePlan &plan, int step)
{
    return 4 * (step + 1) > 3 * plan.steps;
}

int samplesOfSpread(const GatePlan &plan, int stepsDone)
{
    int count = 0;
    for (int step = 0; step < stepsDone; ++step)
        count += inLastQuarter(plan, step);
    return count;
}

/// One step of Adam on loss + λ · mean α.
void stepGates(GateState &state, std::vector<double> gradient, const GatePlan &plan)
{
    const auto units = static_cast<double>(gradient.size());
    const double rate = rateAt(plan, state.step), steps = state.step + 1.0;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        const double slope = gradient[i] + plan.lambda / units;
        state.first[i] = beta1 * state.first[i] + (1 - beta1) * slope;
        state.second[i] = beta2 * state.second[i] + (1 - beta2) * slope * slope;
        const double mean = state.first[i] / (1 - std::pow(beta1, steps));
        const double size = std::sqrt(state.second[i] / (1 - std::pow(beta2, steps)));
        state.gates[i] = std::clamp(state.gates[i] - rate * mean / (size + adamEpsilon), 0.0, 1.0);
        if (inLastQuarter(plan, state.step)) {
            state.sums[i] += state.gates[i];
            state.squares[i] += state.gates[i] * state.gates[i];
        }
    }
}

Result<std::vector<double>> readNumbers(const json::Value &root, const char *key, std::size_t count, double least, double most)
{
    ZIGZAG_TRY(list, json::arrayIn(root, key, where));
    if (list->size() != count)
        return badInput(
            fmt::format("{}: \"{}\" has {} numbers and not {}: start the search again", where, key, list->size(), count));
    std::vector<double> numbers;
    for (const json::Value &entry : *list) {
        ZIGZAG_TRY(number, json::asNumber(entry, key, least, most, where));
        numbers.push_back(number);
    }
    return numbers;
}

} // namespace

std::string GateState::toJson() const
{
    return json::Value{{"step", step}, {"gates", gates},     {"first", first},   {"second", second},
                       {"sums", sums}, {"squares", squares}, {"losses", losses}, {"answered", answered}}
        .dump();
}

Result<GateState> GateState::fromJson(std::string_view text, const ModelShape &model, const GatePlan &plan)
{
    ZIGZAG_TRY(root, json::parse(text, where));
    const auto units = static_cast<std::size_t>(unitCount(model, plan.unit));
    GateState state;
    ZIGZAG_TRY(step, json::integerIn(root, "step", 0, plan.steps, where));
    state.step = static_cast<int>(step);
    const std::tuple<const char *, std::vector<double> *, double, double> lists[] = {
        {"gates", &state.gates, 0.0, 1.0},
        {"first", &state.first, -largestLoss, largestLoss},
        {"second", &state.second, 0.0, largestLoss},
        {"sums", &state.sums, 0.0, largestLoss},
        {"squares", &state.squares, 0.0, largestLoss},
    };
    for (const auto &[key, list, least, most] : lists) {
        ZIGZAG_TRY(numbers, readNumbers(root, key, units, least, most));
        *list = std::move(numbers);
    }
    ZIGZAG_TRY(losses, readNumbers(root, "losses", static_cast<std::size_t>(step), 0.0, largestLoss));
    state.losses = std::move(losses);
    ZIGZAG_TRY(answered, json::integerOr(root, "answered", 0, 0, step, where));
    state.answered = static_cast<int>(answered);
    return state;
}

Result<GateTraining> GateTraining::create(std::shared_ptr<DeviceModel> model, std::vector<TaskPrompt> prompts,
                                          const GatePlan &plan)
{
    if (plan.steps < 1 || !(plan.rate > 0) || !(plan.lambda >= 0) || prompts.empty())
        return badInput("gates need at least one prompt, one step, a rate above 0 and a lambda of at least 0");
    const ModelConfig &config = model->config();
    GateTraining training;
    std::int64_t longest = 0;
    for (const TaskPrompt &prompt : prompts) {
        longest = std::max(longest, static_cast<std::int64_t>(prompt.tokens.size()));
        std::vector<std::int64_t> &rows = training.m_rows.emplace_back();
        for (const AnswerSpan &answer : prompt.answers)
            for (std::int64_t at = answer.begin; at < answer.end; ++at)
                rows.push_back(at - 1);
    }
    const std::int64_t states = longest * config.hiddenSize * static_cast<std::int64_t>(sizeof(float)) * (config.layers + 2);
    const std::int64_t needed = LayerPass::bytesNeeded(*model->backend, config, longest, true) + states;
    if (const std::int64_t available = model->backend->device().memoryBytes; needed > available)
        return failed(
            fmt::format("training the gates of {} over {} tokens needs {} bytes and {} are free: choose shorter contexts",
                        config.name, longest, needed, available));
    ZIGZAG_TRY(pass, LayerPass::create(model, longest, true));
    training.m_pass = std::move(pass);
    for (int layer = 0; layer <= config.layers; ++layer) {
        ZIGZAG_TRY(buffer, training.m_pass->states());
        training.m_states.push_back(std::move(buffer));
    }
    ZIGZAG_TRY(gradient, training.m_pass->states());
    training.m_gradient = std::move(gradient);
    training.m_targets.resize(prompts.size());
    training.m_answered.resize(prompts.size());
    training.m_prompts = std::move(prompts);
    training.m_model = std::move(model);
    training.m_plan = plan;
    return training;
}

Result<void> GateTraining::makeTarget(int prompt, const std::atomic<bool> *cancel)
{
    const auto at = static_cast<std::size_t>(prompt);
    if (!m_targets[at].empty())
        return {};
    const ModelConfig &config = m_pass->config();
    const std::vector<HeadPattern> full(static_cast<std::size_t>(config.kvHeads));
    Buffer &states = *m_states.front();
    ZIGZAG_CHECK(m_pass->embed(m_prompts[at].tokens, states));
    for (int layer = 0; layer < config.layers; ++layer) {
        if (cancel && cancel->load(std::memory_order_relaxed))
            return cancelled();
        m_pass->run(layer, full, static_cast<std::int64_t>(m_prompts[at].tokens.size()), states, states);
    }
    ZIGZAG_TRY(target, m_pass->lastStates(m_rows[at], states));
    ZIGZAG_TRY(logits, m_pass->logits(m_rows[at], states));
    const auto vocabulary = static_cast<std::size_t>(config.vocabulary);
    std::size_t row = 0;
    for (const AnswerSpan &answer : m_prompts[at].answers) {
        bool right = true;
        for (std::int64_t token = answer.begin; token < answer.end; ++token, ++row) {
            const auto said = std::span(logits).subspan(row * vocabulary, vocabulary);
            right = right
                && std::max_element(said.begin(), said.end()) - said.begin()
                    == m_prompts[at].tokens[static_cast<std::size_t>(token)];
        }
        m_answered[at] = m_answered[at] || right;
    }
    m_answered[at] = isAnswered(m_prompts[at], m_answered[at] ? 1.0 : 0.0, answerLoss(m_prompts[at], logits, config.vocabulary));
    m_targets[at] = std::move(target);
    return {};
}

std::vector<std::vector<float>> GateTraining::gatesByLayer(std::span<const double> gates) const
{
    const ModelConfig &config = m_pass->config();
    std::vector<std::vector<float>> rows;
    for (int layer = 0; layer < config.layers; ++layer) {
        std::vector<float> &row = rows.emplace_back();
        for (int head = 0; head < config.kvHeads; ++head) {
            const int unit = m_plan.unit == Unit::Layer ? layer : layer * config.kvHeads + head;
            row.push_back(static_cast<float>(gates[static_cast<std::size_t>(unit)]));
        }
    }
    return rows;
}

Result<double> GateTraining::lossAndGradient(int prompt, std::span<const double> gates, std::vector<double> &gradient,
                                             const std::atomic<bool> *cancel)
{
    ZIGZAG_CHECK(makeTarget(prompt, cancel));
    const ModelConfig &config = m_pass->config();
    const auto at = static_cast<std::size_t>(prompt);
    const auto tokens = static_cast<std::int64_t>(m_prompts[at].tokens.size());
    const HeadPattern streaming = patternOf(HeadKind::Streaming, m_plan.window);
    const std::vector<std::vector<float>> rows = gatesByLayer(gates);
    const auto stopped = [&] { return cancel && cancel->load(std::memory_order_relaxed); };
    ZIGZAG_CHECK(m_pass->embed(m_prompts[at].tokens, *m_states.front()));
    for (std::size_t layer = 0; layer < rows.size(); ++layer) {
        if (stopped())
            return cancelled();
        m_pass->runGated(static_cast<int>(layer), rows[layer], streaming, tokens, *m_states[layer], *m_states[layer + 1]);
        if (onLayer && m_paced.isDue()) // forward twice and backward, which takes about as long as three times this
            onLayer(0.25 * static_cast<double>(layer + 1) / static_cast<double>(rows.size()));
    }
    ZIGZAG_TRY(last, m_pass->lastStates(m_rows[at], *m_states.back()));
    const auto count = static_cast<double>(last.size());
    std::vector<float> slope(last.size());
    double loss = 0.0;
    for (std::size_t i = 0; i < last.size(); ++i) {
        const double difference = static_cast<double>(last[i]) - static_cast<double>(m_targets[at][i]);
        loss += difference * difference / count;
        slope[i] = static_cast<float>(2.0 * difference / count);
    }
    ZIGZAG_CHECK(m_pass->lastStatesGradient(m_rows[at], *m_states.back(), slope, tokens, *m_gradient));
    gradient.assign(gates.size(), 0.0);
    std::vector<double> heads(static_cast<std::size_t>(config.kvHeads));
    for (std::size_t layer = rows.size(); layer-- > 0;) {
        if (stopped())
            return cancelled();
        m_pass->backward(static_cast<int>(layer), rows[layer], streaming, tokens, *m_states[layer], *m_gradient, heads);
        for (std::size_t head = 0; head < heads.size(); ++head)
            gradient[m_plan.unit == Unit::Layer ? layer : layer * heads.size() + head] += heads[head];
        if (onLayer && layer > 0 && m_paced.isDue())
            onLayer(1.0 - 0.75 * static_cast<double>(layer) / static_cast<double>(rows.size()));
    }
    const auto isNumber = [](double value) { return std::isfinite(value); };
    if (!isNumber(loss) || !std::all_of(gradient.begin(), gradient.end(), isNumber))
        return failed(
            fmt::format("the gates' loss or its gradient over prompt {} is not finite: activations of {} overflow float32, "
                        "and their gates cannot be trained",
                        prompt, config.name));
    return loss;
}

/// Every prompt once in a seeded order, then again in another.
int GateTraining::promptOf(int step) const
{
    const auto prompts = static_cast<std::uint64_t>(m_prompts.size());
    const std::uint64_t round = static_cast<std::uint64_t>(step) / prompts;
    std::vector<int> order(m_prompts.size());
    std::iota(order.begin(), order.end(), 0);
    std::seed_seq sequence{static_cast<std::uint32_t>(m_plan.seed), static_cast<std::uint32_t>(m_plan.seed >> 32),
                           static_cast<std::uint32_t>(round)};
    std::mt19937_64 random(sequence);
    for (std::size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[random() % i]);
    return order[static_cast<std::uint64_t>(step) % prompts];
}

Result<GateState> GateTraining::run(GateState from, const std::atomic<bool> *cancel,
                                    const std::function<void(const GateState &)> &onStep)
{
    const auto units = static_cast<std::size_t>(unitCount(m_model->model->shape(), m_plan.unit));
    GateState &state = from;
    if (state.gates.empty()) {
        state.gates.assign(units, 1.0); // full attention, as DuoAttention starts
        for (std::vector<double> *zeros : {&state.first, &state.second, &state.sums, &state.squares})
            zeros->assign(units, 0.0);
    }
    std::vector<double> gradient;
    while (state.step < m_plan.steps) {
        const auto loss = lossAndGradient(promptOf(state.step), state.gates, gradient, cancel);
        if (!loss) {
            if (isCancelled(loss.error()))
                return state;
            return tl::unexpected(loss.error());
        }
        stepGates(state, gradient, m_plan);
        state.losses.push_back(*loss);
        state.answered += m_answered[static_cast<std::size_t>(promptOf(state.step))];
        ++state.step;
        if (onStep)
            onStep(state);
    }
    return state;
}

Result<double> GateTraining::estimateSecondsPerStep(const std::atomic<bool> *cancel)
{
    std::size_t longest = 0;
    double tokens = 0.0;
    for (std::size_t i = 0; i < m_prompts.size(); ++i) {
        tokens += static_cast<double>(m_prompts[i].tokens.size());
        if (m_prompts[i].tokens.size() > m_prompts[longest].tokens.size())
            longest = i;
    }
    const std::vector<double> half(static_cast<std::size_t>(unitCount(m_model->model->shape(), m_plan.unit)), 0.5);
    std::vector<double> gradient;
    double seconds = 0.0;
    for (int pass = 0; pass < 2; ++pass) { // the first builds what the backend builds once
        const auto begin = std::chrono::steady_clock::now();
        ZIGZAG_CHECK(lossAndGradient(static_cast<int>(longest), half, gradient, cancel));
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    return seconds * tokens / (static_cast<double>(m_prompts[longest].tokens.size()) * static_cast<double>(m_prompts.size()));
}

HeadScores gateScores(const GateState &state, const ModelShape &model, const GatePlan &plan)
{
    const int samples = samplesOfSpread(plan, state.step);
    std::vector<double> spread(state.gates.size(), 0.0);
    for (std::size_t i = 0; samples > 0 && i < spread.size(); ++i) {
        const double mean = state.sums[i] / samples;
        spread[i] = std::sqrt(std::max(0.0, state.squares[i] / samples - mean * mean));
    }
    HeadScores result;
    result.model = model;
    result.method = plan.unit == Unit::Layer ? "gates-layer" : "gates";
    result.scores = spreadOverHeads(model, plan.unit, state.gates);
    result.spread = spreadOverHeads(model, plan.unit, spread);
    return result;
}

} // namespace zigzag
