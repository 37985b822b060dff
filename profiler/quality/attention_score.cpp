// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/quality/attention_score.h"

#include "profiler/quality/needle_trials.h"

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

/// The share of the key's tokens that each query head copied in one trial: while token t of the answer is generated, its
/// strongest key is a needle token equal to t. A wrong token ends the answer, and the rest counts as not copied.
Result<std::vector<double>> copiedShares(Session &session, const ModelConfig &config, const NeedlePrompt &prompt)
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
    session.setAttentionObserver({});
    ZIGZAG_CHECK(session.run(tokens.first(tokens.size() - 1), Session::Logits::None));
    session.setAttentionObserver(observe); // from the prompt's last token on, whose query generates the key's first
    int token = tokens.back();
    for (const int wanted : prompt.answer) {
        ZIGZAG_TRY(logits, session.run(std::span<const int>(&token, 1)));
        token = static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
        if (token != wanted)
            break;
        for (std::size_t i = 0; i < shares.size(); ++i) {
            const std::int64_t inKey = strongest[i] - prompt.needleBegin;
            if (inKey >= 0 && inKey < static_cast<std::int64_t>(prompt.answer.size())
                && prompt.answer[static_cast<std::size_t>(inKey)] == token)
                shares[i] += 1.0 / static_cast<double>(prompt.answer.size());
        }
    }
    return shares;
}

/// Per KV head: the scores of its group, folded.
HeadScores folded(const Model &model, const std::vector<Moments> &queryHeads, const std::vector<Moments> &groupMeans, int trials,
                  Fold fold)
{
    HeadScores scores;
    scores.model = model.shape();
    scores.method = "attention";
    const auto group = static_cast<std::size_t>(model.config.group());
    for (std::size_t kv = 0; kv < groupMeans.size(); ++kv) {
        const auto first = queryHeads.begin() + static_cast<std::ptrdiff_t>(kv * group);
        const Moments &best = *std::max_element(first, first + static_cast<std::ptrdiff_t>(group),
                                                [](const Moments &a, const Moments &b) { return a.sum < b.sum; });
        const Moments &of = fold == Fold::Max ? best : groupMeans[kv];
        scores.scores.push_back(static_cast<float>(std::clamp(of.mean(trials), 0.0, 1.0)));
        scores.spread.push_back(static_cast<float>(of.deviation(trials)));
    }
    return scores;
}

} // namespace

Result<HeadScores> scoreByAttention(const std::shared_ptr<DeviceModel> &deviceModel, const Model &model,
                                    const AttentionScorePlan &plan, const std::atomic<bool> *cancel,
                                    const std::function<void(int done, int all)> &progress)
{
    ZIGZAG_TRY(trials, NeedleTrials::plan(model, plan.contexts, plan.depths, plan.trials, plan.seed));
    const ModelConfig &config = model.config;
    SessionOptions options;
    options.maxContext = trials.longestContext();
    const HeadMap full(model.shape(), HeadKind::Retrieval, 0, 1);
    ZIGZAG_TRY(session, Session::create(deviceModel, full, options));
    session->setCancelFlag(cancel);

    const auto group = static_cast<std::size_t>(config.group());
    std::vector<Moments> queryHeads(static_cast<std::size_t>(config.layers) * static_cast<std::size_t>(config.queryHeads));
    std::vector<Moments> groupMeans(queryHeads.size() / group);
    int done = 0;
    for (const std::int64_t context : plan.contexts)
        for (const double depth : plan.depths)
            for (int trial = 0; trial < plan.trials; ++trial) {
                ZIGZAG_TRY(prompt, trials.prompt(context, depth, trial));
                ZIGZAG_TRY(shares, copiedShares(*session, config, prompt));
                for (std::size_t kv = 0; kv < groupMeans.size(); ++kv) {
                    double sum = 0.0;
                    for (std::size_t head = kv * group; head < (kv + 1) * group; ++head) {
                        queryHeads[head].add(shares[head]);
                        sum += shares[head];
                    }
                    groupMeans[kv].add(sum / static_cast<double>(group));
                }
                ++done;
                if (progress)
                    progress(done, trials.count());
            }
    return folded(model, queryHeads, groupMeans, done, plan.fold);
}

} // namespace zigzag
