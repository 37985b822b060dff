// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/logit_score.h"

#include "engine/base/json_input.h"
#include "profiler/evaluate/answer_loss.h"
#include "profiler/search/measure_json.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <tuple>

namespace zigzag {

namespace {

constexpr const char *where = "the progress of the scoring";

Result<std::vector<double>> readSums(const json::Value &root, const char *key, std::size_t count)
{
    ZIGZAG_TRY(list, json::arrayIn(root, key, where));
    if (list->size() != count)
        return badInput(
            fmt::format("{}: \"{}\" has {} numbers and not {}: start the search again", where, key, list->size(), count));
    std::vector<double> sums;
    for (const json::Value &entry : *list) {
        ZIGZAG_TRY(sum, json::asNumber(entry, key, -largestLoss, largestLoss, where));
        sums.push_back(sum);
    }
    return sums;
}

/// The standard error of a mean over prompts.
double errorOf(double sum, double squares, int count)
{
    if (count < 2)
        return 0;
    const double mean = sum / count;
    return std::sqrt(std::max(0.0, squares / count - mean * mean) / (count - 1));
}

std::size_t headsOf(const ModelShape &model)
{
    return static_cast<std::size_t>(model.layers) * static_cast<std::size_t>(model.kvHeads);
}

void add(LogitState &state, const TaskPrompt &prompt, const LogitContributions &found, const ModelShape &model)
{
    const auto group = static_cast<std::size_t>(model.queryHeads / model.kvHeads);
    for (std::size_t kv = 0; kv < headsOf(model); ++kv) {
        double all = 0, far = 0;
        for (std::size_t head = kv * group; head < (kv + 1) * group; ++head) {
            all += found.heads[head];
            far += found.beyond[head];
        }
        state.sums[kv] += all;
        state.squares[kv] += all * all;
        state.farSums[kv] += far;
        state.farSquares[kv] += far * far;
    }
    state.logits += found.logit;
    ++state.done;
    state.answered += isAnswered(prompt, found.right, found.loss);
}

} // namespace

std::string LogitState::toJson() const
{
    return json::Value{{"done", done},       {"answered", answered}, {"logits", logits},         {"sums", sums},
                       {"squares", squares}, {"far_sums", farSums},  {"far_squares", farSquares}}
        .dump();
}

Result<LogitState> LogitState::fromJson(std::string_view text, const ModelShape &model, int prompts)
{
    ZIGZAG_TRY(root, json::parse(text, where));
    LogitState state;
    ZIGZAG_TRY(done, json::integerIn(root, "done", 0, prompts, where));
    ZIGZAG_TRY(answered, json::integerIn(root, "answered", 0, done, where));
    ZIGZAG_TRY(logits, json::numberIn(root, "logits", -largestLoss, largestLoss, where));
    state.done = static_cast<int>(done);
    state.answered = static_cast<int>(answered);
    state.logits = logits;
    for (const auto &[key, list] : {std::tuple{"sums", &state.sums}, std::tuple{"squares", &state.squares},
                                    std::tuple{"far_sums", &state.farSums}, std::tuple{"far_squares", &state.farSquares}}) {
        ZIGZAG_TRY(sums, readSums(root, key, headsOf(model)));
        *list = std::move(sums);
    }
    return state;
}

LogitScoring::LogitScoring(LogitParts parts, std::vector<TaskPrompt> prompts, const ModelShape &model)
    : m_parts(std::move(parts))
    , m_prompts(std::move(prompts))
    , m_model(model)
{ }

Result<LogitScoring> LogitScoring::create(std::shared_ptr<DeviceModel> device, std::vector<TaskPrompt> prompts,
                                          StreamingWindow window)
{
    std::int64_t longest = 0, last = -1;
    for (const TaskPrompt &prompt : prompts) {
        longest = std::max(longest, std::ssize(prompt.tokens));
        for (const AnswerSpan &answer : prompt.answers)
            last = std::max(last, answer.end - 2); // the query of the answer's last token
    }
    if (longest == 0)
        return badInput("nothing to score on: give at least one prompt");
    if (last < std::int64_t{window.sink} + window.recent)
        return badInput(
            fmt::format("no answer has a key beyond {} sink and {} recent tokens, so that no head can lose one: choose "
                        "longer contexts, or a smaller window",
                        window.sink, window.recent));
    const ModelShape model = device->model->shape();
    ZIGZAG_TRY(parts, LogitParts::create(std::move(device), longest, window));
    return LogitScoring(std::move(parts), std::move(prompts), model);
}

Result<LogitState> LogitScoring::run(LogitState from, const std::atomic<bool> *cancel,
                                     const std::function<void(const LogitState &)> &onPrompt,
                                     const std::function<void(double share)> &onPart)
{
    LogitState &state = from;
    if (state.sums.empty())
        for (std::vector<double> *sums : {&state.sums, &state.squares, &state.farSums, &state.farSquares})
            sums->assign(headsOf(m_model), 0.0);
    while (state.done < promptCount()) {
        const TaskPrompt &prompt = m_prompts[static_cast<std::size_t>(state.done)];
        const auto found = m_parts.of(prompt, cancel, onPart);
        if (!found && isCancelled(found.error()) && state.done > 0)
            return state;
        ZIGZAG_CHECK(found);
        add(state, prompt, *found, m_model);
        if (onPrompt)
            onPrompt(state);
    }
    return state;
}

Result<double> LogitScoring::estimateSeconds(int done, const std::atomic<bool> *cancel)
{
    const auto shorter = [](const TaskPrompt &one, const TaskPrompt &other) { return one.tokens.size() < other.tokens.size(); };
    const TaskPrompt &shortest = *std::min_element(m_prompts.begin(), m_prompts.end(), shorter);
    const auto begin = std::chrono::steady_clock::now();
    ZIGZAG_CHECK(m_parts.of(shortest, cancel));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    double tokens = 0;
    for (auto prompt = static_cast<std::size_t>(done); prompt < m_prompts.size(); ++prompt)
        tokens += static_cast<double>(m_prompts[prompt].tokens.size());
    return seconds * tokens / static_cast<double>(shortest.tokens.size());
}

LogitMeasure measureOf(const LogitState &state, int all)
{
    LogitMeasure measure;
    measure.done = state.done;
    measure.all = all;
    measure.answered = state.answered;
    const int count = std::max(1, state.done);
    measure.logit = state.logits / count;
    for (std::size_t i = 0; i < state.sums.size(); ++i) {
        measure.mean.push_back(static_cast<float>(state.sums[i] / count));
        measure.error.push_back(static_cast<float>(errorOf(state.sums[i], state.squares[i], count)));
        measure.beyond.push_back(static_cast<float>(state.farSums[i] / count));
        measure.beyondError.push_back(static_cast<float>(errorOf(state.farSums[i], state.farSquares[i], count)));
    }
    return measure;
}

HeadScores logitScores(const ModelShape &model, const LogitMeasure &measure)
{
    HeadScores scores;
    scores.model = model;
    scores.method = "attention-logits";
    scores.unanswered = measure.answered == 0;
    scores.logits = measure.mean;
    scores.logitsBeyond = measure.beyond;
    const auto isLocal = [&](std::size_t kv) { return model.isLocal(static_cast<int>(kv) / model.kvHeads); };
    float largest = 0;
    for (std::size_t kv = 0; kv < measure.beyond.size(); ++kv)
        if (!isLocal(kv))
            largest = std::max(largest, measure.beyond[kv]);
    for (std::size_t kv = 0; kv < measure.beyond.size(); ++kv) {
        const bool counts = !isLocal(kv) && largest > 0; // a local layer's heads are not a map's to change
        scores.scores.push_back(counts ? std::clamp(measure.beyond[kv] / largest, 0.0f, 1.0f) : 0.0f);
        scores.spread.push_back(counts ? std::min(1.0f, measure.beyondError[kv] / largest) : 0.0f);
    }
    return scores;
}

} // namespace zigzag
