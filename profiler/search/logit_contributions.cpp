// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/logit_contributions.h"

#include "engine/model/tensor_values.h"
#include "profiler/evaluate/answer_loss.h"
#include "profiler/evaluate/told_run.h"

#include <cassert>
#include <cmath>
#include <numeric>
#include <span>

namespace zigzag {

namespace {

/// Of each row its product with its direction. [rows]
std::vector<double> products(const std::vector<float> &states, const std::vector<double> &directions, std::size_t hidden)
{
    std::vector<double> sums(states.size() / hidden);
    for (std::size_t i = 0; i < states.size(); ++i)
        sums[i / hidden] += static_cast<double>(states[i]) * directions[i];
    return sums;
}

/// The share of the answers that greedy decoding says. `logits`: [rows, vocabulary]
double rightOf(const TaskPrompt &prompt, std::span<const float> logits, std::size_t vocabulary)
{
    int right = 0;
    std::size_t row = 0;
    for (const AnswerSpan &answer : prompt.answers) {
        bool said = true;
        for (std::int64_t at = answer.begin; at < answer.end; ++at, ++row)
            said = said && strongest(logits.subspan(row * vocabulary, vocabulary)) == prompt.tokens[static_cast<std::size_t>(at)];
        right += said ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(prompt.answers.size());
}

} // namespace

AnswerRows answerRows(const TaskPrompt &prompt)
{
    AnswerRows asked;
    for (const AnswerSpan &answer : prompt.answers)
        for (std::int64_t at = answer.begin; at < answer.end; ++at) {
            asked.rows.push_back(at - 1);
            asked.targets.push_back(prompt.tokens[static_cast<std::size_t>(at)]);
        }
    return asked;
}

Result<LogitParts> LogitParts::create(std::shared_ptr<DeviceModel> device, std::int64_t tokens, StreamingWindow window)
{
    LogitParts parts;
    ZIGZAG_TRY(pass, LayerPass::create(device, tokens, false));
    ZIGZAG_TRY(states, pass->states());
    ZIGZAG_TRY(norm, pass->finalNormWeight());
    const TensorView &head = device->model->weights.head;
    std::vector<double> mean(norm.size());
    std::vector<float> row(norm.size());
    for (std::int64_t token = 0; token < head.rows; ++token) {
        decodeRow(head, token, row.data());
        for (std::size_t i = 0; i < row.size(); ++i)
            mean[i] += static_cast<double>(row[i]);
    }
    for (double &each : mean)
        each /= static_cast<double>(head.rows);
    parts.m_norm.assign(norm.begin(), norm.end());
    parts.m_meanRow = std::move(mean);
    parts.m_pass = std::move(pass);
    parts.m_states = std::move(states);
    parts.m_device = std::move(device);
    parts.m_window = window;
    return parts;
}

/// The directions in which the logits of these tokens grow against the mean, but for the final norm's scale. [targets, hidden]
std::vector<double> LogitParts::directions(const std::vector<int> &targets) const
{
    std::vector<double> all;
    std::vector<float> row(m_norm.size());
    for (const int target : targets) {
        decodeRow(m_device->model->weights.head, target, row.data());
        for (std::size_t i = 0; i < row.size(); ++i)
            all.push_back(m_device->config().logitScale * m_norm[i] * (static_cast<double>(row[i]) - m_meanRow[i]));
    }
    return all;
}

Result<LogitContributions> LogitParts::of(const TaskPrompt &prompt, const std::atomic<bool> *cancel,
                                          const std::function<void(double share)> &onLayer)
{
    const ModelConfig &config = m_device->config();
    const auto hidden = static_cast<std::size_t>(config.hiddenSize), queryHeads = static_cast<std::size_t>(config.queryHeads),
               layers = static_cast<std::size_t>(config.layers), vocabulary = static_cast<std::size_t>(config.vocabulary);
    const std::int64_t tokens = std::ssize(prompt.tokens);
    const auto [rows, targets] = answerRows(prompt);
    const HeadPattern streaming = patternOf(HeadKind::Streaming, m_window);
    const std::vector<HeadPattern> full(static_cast<std::size_t>(config.kvHeads), HeadPattern::full());
    ZIGZAG_CHECK(m_pass->embed(prompt.tokens, *m_states));
    const std::vector<double> towards = directions(targets);
    ZIGZAG_TRY(first, m_pass->rowsOf(rows, *m_states));
    std::vector<double> before = products(first, towards, hidden);
    const std::vector<double> embedding = before;
    std::vector<std::vector<double>> added; // [layers][rows]
    std::vector<LayerPass::HeadContributions> found;
    std::vector<float> last;
    for (int layer = 0; layer < config.layers; ++layer) {
        if (cancel && cancel->load(std::memory_order_relaxed))
            return cancelled();
        ZIGZAG_TRY(heads, m_pass->headContributions(layer, streaming, rows, towards, tokens, *m_states));
        found.push_back(std::move(heads));
        m_pass->run(layer, full, tokens, *m_states, *m_states);
        ZIGZAG_TRY(states, m_pass->rowsOf(rows, *m_states));
        last = std::move(states);
        const std::vector<double> after = products(last, towards, hidden);
        std::vector<double> difference(after.size());
        for (std::size_t row = 0; row < after.size(); ++row)
            difference[row] = after[row] - before[row];
        added.push_back(std::move(difference));
        before = after;
        if (onLayer)
            onLayer(static_cast<double>(layer + 1) / config.layers);
    }
    ZIGZAG_TRY(logits, m_pass->logits(rows, *m_states)); // which also finds numbers that are none
    LogitContributions sum;
    sum.heads.resize(layers * queryHeads);
    sum.beyond.resize(layers * queryHeads);
    sum.bias.resize(layers);
    sum.layer.resize(layers);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        // The final norm's scale at this position, and a share of the mean over the answers' tokens.
        double squares = 0;
        for (std::size_t i = 0; i < hidden; ++i)
            squares += static_cast<double>(last[row * hidden + i]) * static_cast<double>(last[row * hidden + i]);
        const double share = 1.0 / static_cast<double>(rows.size());
        const double scale = share / std::sqrt(squares / static_cast<double>(hidden) + config.normEpsilon);
        sum.embedding += scale * embedding[row];
        for (std::size_t layer = 0; layer < layers; ++layer) {
            sum.layer[layer] += scale * added[layer][row];
            sum.bias[layer] += scale * found[layer].bias[row];
            for (std::size_t head = 0; head < queryHeads; ++head) {
                sum.heads[layer * queryHeads + head] += scale * found[layer].heads[row * queryHeads + head];
                sum.beyond[layer * queryHeads + head] += scale * found[layer].beyond[row * queryHeads + head];
            }
        }
        const auto given = std::span(logits).subspan(row * vocabulary, vocabulary);
        const double mean = std::accumulate(given.begin(), given.end(), 0.0) / static_cast<double>(vocabulary);
        sum.logit += share * (static_cast<double>(given[static_cast<std::size_t>(targets[row])]) - mean);
    }
    sum.right = rightOf(prompt, logits, vocabulary);
    sum.loss = answerLoss(prompt, logits, config.vocabulary);
    return sum;
}

} // namespace zigzag
