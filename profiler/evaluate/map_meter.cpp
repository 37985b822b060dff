// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/map_meter.h"

#include "engine/map/run_alike.h"
#include "engine/run/log_sum_exp.h"
#include "profiler/evaluate/answer_loss.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <numeric>

namespace zigzag {
namespace {

/// How many of the lowest layers compute the same.
int sharedLayers(const HeadMap &a, const HeadMap &b)
{
    int layer = 0;
    while (layer < a.layers() && compareLayer(a, b, layer) == 0)
        ++layer;
    return layer;
}

/// The order in which neighbours share the most.
std::vector<std::size_t> sortedByLayers(std::span<const HeadMap> maps)
{
    std::vector<std::size_t> order(maps.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        for (int layer = 0; layer < maps[a].layers(); ++layer)
            if (const auto way = compareLayer(maps[a], maps[b], layer); way != 0)
                return way < 0;
        return false;
    });
    return order;
}

/// Σ p_full (log p_full − log p), in nats.
double divergence(std::span<const float> full, std::span<const float> other)
{
    const double fullSum = logSumExp(full), otherSum = logSumExp(other);
    double sum = 0.0;
    for (std::size_t i = 0; i < full.size(); ++i) {
        const double logFull = static_cast<double>(full[i]) - fullSum;
        sum += std::exp(logFull) * (logFull - (static_cast<double>(other[i]) - otherSum));
    }
    return std::max(0.0, sum);
}

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

} // namespace

Result<MapMeter> MapMeter::create(std::shared_ptr<DeviceModel> model, std::vector<TaskPrompt> prompts, ServedBy served)
{
    MapMeter meter;
    std::int64_t longest = 0;
    for (const TaskPrompt &prompt : prompts)
        longest = std::max(longest, static_cast<std::int64_t>(prompt.tokens.size()));
    if (longest == 0)
        return badInput("nothing to measure on: give at least one prompt");
    const ModelConfig &config = model->config();
    const std::int64_t stateBytes = longest * config.hiddenSize * static_cast<std::int64_t>(sizeof(float)) * (config.layers + 1);
    const std::int64_t passes = served.standIns ? 2 : 1;
    const std::int64_t needed = passes * LayerPass::bytesNeeded(*model->backend, config, longest, false) + stateBytes;
    const std::int64_t available = model->backend->device().memoryBytes;
    if (needed > available)
        return failed(fmt::format("the hidden states of every layer of {} over {} tokens need {} bytes and {} are free: choose "
                                  "shorter contexts",
                                  config.name, longest, needed, available));
    ZIGZAG_TRY(pass, LayerPass::create(model, longest, false));
    meter.m_pass = std::move(pass);
    if (served.standIns) {
        ZIGZAG_TRY(standing, LayerPass::create(served.standIns, longest, false));
        meter.m_standIns = std::move(standing);
    }
    meter.m_served = std::move(served);
    for (int layer = 0; layer <= config.layers; ++layer) {
        ZIGZAG_TRY(states, meter.m_pass->states());
        meter.m_states.push_back(std::move(states));
    }
    meter.m_model = std::move(model);
    meter.m_references.resize(prompts.size());
    meter.m_prompts = std::move(prompts);
    return meter;
}

Result<void> MapMeter::measureRest(std::span<const HeadMap> maps, std::vector<std::vector<PromptMeasure>> &measures,
                                   const std::atomic<bool> *cancel, bool share, const std::function<void()> &onPrompt,
                                   BegunPrompt *begun)
{
    for (auto prompt = static_cast<int>(measures.size()); prompt < promptCount(); ++prompt) {
        ZIGZAG_TRY(measured, measure(prompt, maps, cancel, share, begun));
        measures.push_back(std::move(measured));
        onPrompt();
    }
    return {};
}

ModelShape MapMeter::shape() const
{
    return m_model->model->shape();
}

/// Runs layers [fromLayer, layers); the input of `fromLayer` is in its place unless it is 0.
Result<void> MapMeter::run(int prompt, const HeadMap &map, int fromLayer, const std::atomic<bool> *cancel)
{
    const std::vector<int> &tokens = m_prompts[static_cast<std::size_t>(prompt)].tokens;
    const auto count = static_cast<std::int64_t>(tokens.size());
    if (fromLayer == 0)
        ZIGZAG_CHECK(m_pass->embed(tokens, *m_states.front()));
    for (int layer = fromLayer; layer < map.layers(); ++layer) {
        if (cancel && cancel->load(std::memory_order_relaxed))
            return cancelled();
        const auto at = static_cast<std::size_t>(layer);
        LayerPass &pass = m_standIns && map.hasStreaming(layer) ? *m_standIns : *m_pass;
        pass.run(layer, map.patterns(layer), count, *m_states[at], *m_states[at + 1]);
        ++m_layerRuns;
        ++m_callRuns;
        if (onLayer && m_callRuns < m_callAll && m_paced.isDue())
            onLayer(static_cast<double>(m_callRuns) / static_cast<double>(m_callAll));
    }
    return {};
}

/// False where there was one already; otherwise every layer's hidden states are now those of full attention.
Result<bool> MapMeter::makeReference(int prompt, const HeadMap &full, const std::atomic<bool> *cancel)
{
    Reference &reference = m_references[static_cast<std::size_t>(prompt)];
    if (!reference.rows.empty())
        return false;
    ZIGZAG_CHECK(run(prompt, full, 0, cancel));
    std::vector<std::int64_t> rows;
    for (const AnswerSpan &answer : m_prompts[static_cast<std::size_t>(prompt)].answers)
        for (std::int64_t at = answer.begin; at < answer.end; ++at)
            rows.push_back(at - 1);
    ZIGZAG_TRY(states, m_pass->lastStates(rows, *m_states.back()));
    ZIGZAG_TRY(logits, m_pass->logits(rows, *m_states.back()));
    reference.rows = std::move(rows); // only now is there one
    reference.states = std::move(states);
    reference.answer = answerLoss(m_prompts[static_cast<std::size_t>(prompt)], logits, config().vocabulary);
    reference.logits = std::move(logits);
    return true;
}

Result<PromptMeasure> MapMeter::compare(int prompt)
{
    const Reference &reference = m_references[static_cast<std::size_t>(prompt)];
    const TaskPrompt &asked = m_prompts[static_cast<std::size_t>(prompt)];
    ZIGZAG_TRY(states, m_pass->lastStates(reference.rows, *m_states.back()));
    ZIGZAG_TRY(logits, m_pass->logits(reference.rows, *m_states.back()));
    const auto vocabulary = static_cast<std::size_t>(config().vocabulary);
    PromptMeasure measure;
    for (std::size_t i = 0; i < states.size(); ++i) {
        const double difference = static_cast<double>(states[i]) - static_cast<double>(reference.states[i]);
        measure.loss += difference * difference;
    }
    measure.loss /= static_cast<double>(states.size());
    std::size_t row = 0;
    for (const AnswerSpan &answer : asked.answers) {
        bool right = true;
        for (std::int64_t at = answer.begin; at < answer.end; ++at, ++row) {
            const auto mine = std::span(logits).subspan(row * vocabulary, vocabulary);
            const auto most = std::max_element(mine.begin(), mine.end()) - mine.begin();
            right = right && most == asked.tokens[static_cast<std::size_t>(at)];
            measure.kl += divergence(std::span(reference.logits).subspan(row * vocabulary, vocabulary), mine);
        }
        measure.right += right ? 1.0 : 0.0;
    }
    measure.kl /= static_cast<double>(row);
    measure.right /= static_cast<double>(asked.answers.size());
    measure.answer = answerLoss(asked, logits, config().vocabulary);
    measure.answerRise = measure.answer - reference.answer;
    return measure;
}

Result<std::vector<PromptMeasure>> MapMeter::measure(int prompt, std::span<const HeadMap> asked, const std::atomic<bool> *cancel,
                                                     bool share, BegunPrompt *begun)
{
    std::vector<HeadMap> served;
    if (m_served.asRun)
        std::transform(asked.begin(), asked.end(), std::back_inserter(served), m_served.asRun);
    const std::span<const HeadMap> maps = m_served.asRun ? std::span<const HeadMap>(served) : asked;
    const HeadMap full(shape(), HeadKind::Retrieval, 0, 1);
    const bool isNew = m_references[static_cast<std::size_t>(prompt)].rows.empty();
    BegunPrompt own;
    BegunPrompt &known = begun ? *begun : own;
    known.resize(maps.size());
    std::vector<HeadMap> rest;
    for (std::size_t i = 0; i < maps.size(); ++i)
        if (!known[i])
            rest.push_back(maps[i]);
    const auto runsOf = [share](std::span<const HeadMap> of) { return share ? sharedLayerRuns(of) : plainLayerRuns(of); };
    m_callAll = (isNew ? full.layers() : 0) + runsOf(maps);
    m_callRuns = runsOf(maps) - runsOf(rest);
    ZIGZAG_TRY(fresh, makeReference(prompt, full, cancel));
    const HeadMap *before = fresh ? &full : nullptr; // whose hidden states lie in m_states
    for (const std::size_t i : sortedByLayers(maps)) {
        if (known[i])
            continue;
        ZIGZAG_CHECK(run(prompt, maps[i], before && share ? sharedLayers(*before, maps[i]) : 0, cancel));
        ZIGZAG_TRY(measure, compare(prompt));
        known[i] = measure;
        if (begun && onMap)
            onMap();
        before = &maps[i];
    }
    std::vector<PromptMeasure> measures;
    std::transform(known.begin(), known.end(), std::back_inserter(measures), [](const auto &each) { return *each; });
    known.clear();
    return measures;
}

std::int64_t MapMeter::sharedLayerRuns(std::span<const HeadMap> maps)
{
    std::int64_t runs = 0;
    const HeadMap *before = nullptr;
    for (const std::size_t i : sortedByLayers(maps)) {
        runs += maps[i].layers() - (before ? sharedLayers(*before, maps[i]) : 0);
        before = &maps[i];
    }
    return runs;
}

std::int64_t MapMeter::plainLayerRuns(std::span<const HeadMap> maps)
{
    return maps.empty() ? 0 : static_cast<std::int64_t>(maps.size()) * maps.front().layers();
}

Result<double> MapMeter::estimateSeconds(std::int64_t layerRunsPerPrompt, const std::atomic<bool> *cancel)
{
    std::int64_t tokens = 0;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < m_prompts.size(); ++i) {
        tokens += static_cast<std::int64_t>(m_prompts[i].tokens.size());
        if (m_prompts[i].tokens.size() > m_prompts[longest].tokens.size())
            longest = i;
    }
    if (m_secondsPerToken == 0.0) {
        const HeadMap full(shape(), HeadKind::Retrieval, 0, 1);
        m_callRuns = 0;
        m_callAll = std::int64_t{2} * full.layers();
        for (int pass = 0; pass < 2; ++pass) { // the first builds what the backend builds once
            const double begin = now();
            ZIGZAG_CHECK(run(static_cast<int>(longest), full, 0, cancel));
            ZIGZAG_CHECK(m_model->backend->synchronize());
            m_secondsPerToken = (now() - begin) / (static_cast<double>(m_prompts[longest].tokens.size()) * full.layers());
        }
        m_layerRuns -= std::int64_t{2} * full.layers();
    }
    return m_secondsPerToken * static_cast<double>(tokens) * static_cast<double>(layerRunsPerPrompt);
}

} // namespace zigzag
