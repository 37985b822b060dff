// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/quality/attention_score.h"

#include "profiler/quality/needle_trials.h"
#include "profiler/quality/task_prompts.h"

#include <algorithm>
#include <cmath>

namespace zigzag {
namespace {

/// Mean and standard deviation, value by value.
struct Moments {
    double sum = 0, sumOfSquares = 0;
    void add(double value)
    {
        sum += value;
        sumOfSquares += value * value;
    }
    double mean(int count) const { return sum / count; }
    double deviation(int count) const { return std::sqrt(std::max(0.0, sumOfSquares / count - mean(count) * mean(count))); }
};

/// A prompt with one needle in the form of those with several: the answer at its end.
TaskPrompt withAnswer(const NeedlePrompt &prompt)
{
    TaskPrompt task;
    task.tokens = prompt.tokens;
    task.tokens.insert(task.tokens.end(), prompt.answer.begin(), prompt.answer.end());
    task.answers.push_back({static_cast<std::int64_t>(prompt.tokens.size()), static_cast<std::int64_t>(task.tokens.size())});
    return task;
}

/// The prompts of a plan, one at a time.
class Questions
{
public:
    static Result<Questions> plan(const Model &model, const AttentionScorePlan &plan)
    {
        ZIGZAG_TRY(trials, NeedleTrials::plan(model, plan.contexts, plan.depths, plan.trials, plan.seed));
        return Questions(model, plan, std::move(trials));
    }
    int count() const { return m_trials.count(); }
    std::int64_t longestContext() const { return m_trials.longestContext(); }
    Result<TaskPrompt> prompt(std::int64_t context, double depth, int trial) const
    {
        if (m_plan.needles == 1) {
            ZIGZAG_TRY(single, m_trials.prompt(context, depth, trial));
            return withAnswer(single);
        }
        const TaskPlan tasks{.kinds = {TaskKind::Passkeys},
                             .contexts = {context},
                             .depths = {depth},
                             .trials = trial + 1,
                             .needles = m_plan.needles,
                             .seed = m_plan.seed};
        ZIGZAG_TRY(prompts, makeTaskPrompts(m_model, tasks));
        return std::move(prompts.back());
    }

private:
    Questions(const Model &model, const AttentionScorePlan &plan, NeedleTrials trials)
        : m_model(model)
        , m_plan(plan)
        , m_trials(std::move(trials))
    { }
    const Model &m_model;
    const AttentionScorePlan &m_plan;
    NeedleTrials m_trials;
};

/// The share of the answers' tokens that each query head copied in one prompt: while an answer's token is predicted, its
/// strongest key is that token in its needle. A wrong prediction ends an answer, and its rest counts as not copied.
Result<std::vector<double>> copiedShares(Session &session, const ModelConfig &config, const TaskPrompt &prompt)
{
    const auto heads = static_cast<std::size_t>(config.queryHeads);
    std::vector<double> shares(heads * static_cast<std::size_t>(config.layers)); // [layers, query_heads]
    std::vector<std::int32_t> strongest(shares.size());
    const auto observe = [&](int layer, std::span<const std::int32_t> keys) { // [1, query_heads]
        std::copy(keys.begin(), keys.end(),
                  strongest.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(layer) * heads));
    };
    const std::span<const int> tokens(prompt.tokens);
    session.reset();
    for (const AnswerSpan &answer : prompt.answers) {
        const auto begin = static_cast<std::size_t>(answer.begin), size = static_cast<std::size_t>(answer.end) - begin;
        const auto needle = std::search(tokens.begin(), tokens.begin() + answer.begin, tokens.begin() + answer.begin,
                                        tokens.begin() + answer.end)
            - tokens.begin();
        session.setAttentionObserver({});
        const auto first = static_cast<std::size_t>(session.position());
        ZIGZAG_CHECK(session.run(tokens.subspan(first, begin - 1 - first), Session::Logits::None));
        session.setAttentionObserver(observe); // from the token on whose query generates the answer's first
        bool right = true;
        for (std::size_t i = 0; i < size; ++i) {
            const int wanted = tokens[begin + i];
            ZIGZAG_TRY(logits, session.run(tokens.subspan(begin + i - 1, 1)));
            right = right && std::max_element(logits.begin(), logits.end()) - logits.begin() == wanted;
            if (!right)
                continue; // the tokens after it still have to be in the cache for the next question
            for (std::size_t head = 0; head < shares.size(); ++head) {
                const std::int64_t inKey = strongest[head] - needle;
                if (inKey >= 0 && inKey < static_cast<std::int64_t>(size)
                    && tokens[begin + static_cast<std::size_t>(inKey)] == wanted)
                    shares[head] += 1.0 / static_cast<double>(size * prompt.answers.size());
            }
        }
    }
    return shares;
}

} // namespace

Result<AttentionMeasure> measureAttention(const std::shared_ptr<DeviceModel> &deviceModel, const Model &model,
                                          const AttentionScorePlan &plan, const std::atomic<bool> *cancel,
                                          const std::function<void(int done, int all)> &progress)
{
    ZIGZAG_TRY(questions, Questions::plan(model, plan));
    const ModelConfig &config = model.config;
    SessionOptions options;
    options.maxContext = questions.longestContext();
    const HeadMap full(model.shape(), HeadKind::Retrieval, 0, 1);
    ZIGZAG_TRY(session, Session::create(deviceModel, full, options));
    session->setCancelFlag(cancel);

    const auto group = static_cast<std::size_t>(config.group());
    std::vector<Moments> queryHeads(static_cast<std::size_t>(config.layers) * static_cast<std::size_t>(config.queryHeads));
    std::vector<Moments> groupMeans(queryHeads.size() / group);
    AttentionMeasure measure;
    measure.all = questions.count();
    const auto run = [&]() -> Result<void> {
        for (const std::int64_t context : plan.contexts)
            for (const double depth : plan.depths)
                for (int trial = 0; trial < plan.trials; ++trial) {
                    ZIGZAG_TRY(prompt, questions.prompt(context, depth, trial));
                    ZIGZAG_TRY(shares, copiedShares(*session, config, prompt));
                    for (std::size_t kv = 0; kv < groupMeans.size(); ++kv) {
                        double sum = 0.0;
                        for (std::size_t head = kv * group; head < (kv + 1) * group; ++head) {
                            queryHeads[head].add(shares[head]);
                            sum += shares[head];
                        }
                        groupMeans[kv].add(sum / static_cast<double>(group));
                    }
                    ++measure.done;
                    if (progress)
                        progress(measure.done, measure.all);
                }
        return {};
    };
    if (auto ran = run(); !ran && !(isCancelled(ran.error()) && measure.done > 0))
        return tl::unexpected(std::move(ran.error()));
    const auto fill = [&](const std::vector<Moments> &from, std::vector<float> &mean, std::vector<float> &deviation) {
        for (const Moments &moments : from) {
            mean.push_back(static_cast<float>(std::clamp(moments.mean(measure.done), 0.0, 1.0)));
            deviation.push_back(static_cast<float>(moments.deviation(measure.done)));
        }
    };
    fill(queryHeads, measure.mean, measure.deviation);
    fill(groupMeans, measure.groupMean, measure.groupDeviation);
    return measure;
}

HeadScores foldAttention(const Model &model, const AttentionMeasure &measure, Fold fold)
{
    HeadScores scores;
    scores.model = model.shape();
    scores.method = "attention";
    const auto group = static_cast<std::ptrdiff_t>(model.config.group());
    for (std::size_t kv = 0; kv < measure.groupMean.size(); ++kv) {
        const auto first = measure.mean.begin() + static_cast<std::ptrdiff_t>(kv) * group;
        const auto best = static_cast<std::size_t>(std::max_element(first, first + group) - measure.mean.begin());
        scores.scores.push_back(fold == Fold::Max ? measure.mean[best] : measure.groupMean[kv]);
        scores.spread.push_back(fold == Fold::Max ? measure.deviation[best] : measure.groupDeviation[kv]);
    }
    return scores;
}

Result<HeadScores> scoreByAttention(const std::shared_ptr<DeviceModel> &deviceModel, const Model &model,
                                    const AttentionScorePlan &plan, const std::atomic<bool> *cancel,
                                    const std::function<void(int done, int all)> &progress)
{
    ZIGZAG_TRY(measure, measureAttention(deviceModel, model, plan, cancel, progress));
    return foldAttention(model, measure, plan.fold);
}

} // namespace zigzag
