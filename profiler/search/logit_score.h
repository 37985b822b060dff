// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores.h"
#include "profiler/search/logit_contributions.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// How far the scoring is: sums over the prompts that are done, which can be written down and taken up again.
struct LogitState {
    int done = 0; ///< prompts
    int answered = 0; ///< prompts that full attention answers (isAnswered)
    double logits = 0; ///< sum of the answers' logits
    std::vector<double> sums, squares; // [layers, kv_heads]: of what a KV head's query heads give the answer's logit
    std::vector<double> farSums, farSquares; // [layers, kv_heads]: of the part from keys beyond the window

    std::string toJson() const;
    /// Trusts nothing: of at most `prompts` prompts, with sums for each KV head.
    static Result<LogitState> fromJson(std::string_view text, const ModelShape &model, int prompts);
};

/// Means over prompts, in logits, and their standard errors.
struct LogitMeasure {
    std::vector<float> mean, error; // [layers, kv_heads]
    std::vector<float> beyond, beyondError; // [layers, kv_heads]
    double logit = 0; ///< of the right answer, against the mean over the vocabulary
    int done = 0, all = 0; ///< prompts; fewer done after a cancel
    int answered = 0;
};

/// Which heads move the right answer's logits, also where nothing is copied: the second view of scoring by attention. The
/// contributions are LogitContributions', summed over the query heads of each KV head.
class LogitScoring
{
public:
    /// Refuses prompts in which no answer has a key beyond the window.
    static Result<LogitScoring> create(std::shared_ptr<DeviceModel> device, std::vector<TaskPrompt> prompts,
                                       StreamingWindow window);

    /// Asks the prompts that `from` has not asked. `onPrompt` hears of every finished one, `onPart` how far the running one is.
    /// Cancelled, it returns the prompts that were done, or the error where there were none.
    Result<LogitState> run(LogitState from = {}, const std::atomic<bool> *cancel = nullptr,
                           const std::function<void(const LogitState &)> &onPrompt = {},
                           const std::function<void(double share)> &onPart = {});
    int promptCount() const { return static_cast<int>(m_prompts.size()); }
    /// Seconds that the prompts behind the first `done` take, from a timed pass over the shortest one.
    Result<double> estimateSeconds(int done = 0, const std::atomic<bool> *cancel = nullptr);

private:
    LogitScoring(LogitParts parts, std::vector<TaskPrompt> prompts, const ModelShape &model);

    LogitParts m_parts;
    std::vector<TaskPrompt> m_prompts;
    ModelShape m_model;
};

LogitMeasure measureOf(const LogitState &state, int all);
/// Scores of the method "attention-logits": the logits from keys beyond the window, over the largest such; a head whose far keys
/// speak against the answer has 0. The logits themselves go with them (HeadScores::logits).
HeadScores logitScores(const ModelShape &model, const LogitMeasure &measure);

} // namespace zigzag
