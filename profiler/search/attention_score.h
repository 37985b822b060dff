// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "profiler/evaluate/needle.h"
#include "profiler/evaluate/told_run.h"

#include <string>
#include <string_view>

namespace zigzag {

struct AttentionScorePlan {
    std::vector<std::int64_t> contexts;
    std::vector<double> depths;
    int trials = 3; ///< per context and depth
    int needles = 1; ///< keys in a prompt, all asked for in turn; at most 16
    std::uint64_t seed = 1;
    Fold fold = Fold::Max;
    AskAs as = AskAs::Text;
};

/// How far the scoring is: sums over the prompts that are done, which can be written down and taken up again, with the same
/// result as without the break.
struct AttentionState {
    int done = 0; ///< prompts
    int answered = 0; ///< prompts of which the model said an answer to its end
    std::vector<double> sums, squares; // [layers, query_heads]: of each head's share of copied tokens
    std::vector<double> groupSums, groupSquares; // [layers, kv_heads]: of the means over each group

    std::string toJson() const;
    /// Trusts nothing: of at most `prompts` prompts, with sums for each head.
    static Result<AttentionState> fromJson(std::string_view text, const ModelShape &model, int prompts);
};

/// Per query head the mean over prompts, and the standard deviation.
struct AttentionMeasure {
    std::vector<float> mean, deviation; // [layers, query_heads]
    std::vector<float> groupMean, groupDeviation; // [layers, kv_heads], of the mean over each group
    int done = 0, all = 0; ///< prompts; fewer done after a cancel
    int answered = 0; ///< prompts of which the model said an answer to its end; with none the measure says nothing
};

/// Retrieval score of arXiv 2404.15574, section 2: while an answer is decoded, the share of steps in which the head's
/// strongest attention rests on the needle token being copied. With several needles, the mean over their answers.
class AttentionScoring
{
public:
    /// Checks the plan against the model; what is wrong with it is said here.
    static Result<AttentionScoring> create(std::shared_ptr<DeviceModel> deviceModel, const AttentionScorePlan &plan);
    AttentionScoring(AttentionScoring &&) noexcept;
    AttentionScoring &operator=(AttentionScoring &&) noexcept;
    ~AttentionScoring();

    /// Asks the prompts that `from` has not asked. `onPrompt` hears of every finished one, `onPart` how far the running one is.
    /// Cancelled, it returns the prompts that were done, or the error where there were none.
    Result<AttentionState> run(AttentionState from = {}, const std::atomic<bool> *cancel = nullptr,
                               const std::function<void(const AttentionState &)> &onPrompt = {},
                               const std::function<void(double share)> &onPart = {});
    int promptCount() const;
    /// Seconds that the prompts behind the first `done` take, from a timed run over a few hundred tokens.
    Result<double> estimateSeconds(int done = 0, const std::atomic<bool> *cancel = nullptr);

private:
    struct Impl;
    explicit AttentionScoring(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

AttentionMeasure measureOf(const AttentionState &state, int all);
/// The same, folded to KV heads. A measure without an answered prompt makes scores that say so (HeadScores::unanswered).
HeadScores foldAttention(const ModelShape &model, const AttentionMeasure &measure, Fold fold);

/// All of it at once. Cancelled, it returns the prompts that were done, or the error where there were none.
Result<AttentionMeasure> measureAttention(const std::shared_ptr<DeviceModel> &deviceModel, const AttentionScorePlan &plan,
                                          const std::atomic<bool> *cancel = nullptr, const PromptProgress &progress = {});
Result<HeadScores> scoreByAttention(const std::shared_ptr<DeviceModel> &deviceModel, const AttentionScorePlan &plan,
                                    const std::atomic<bool> *cancel = nullptr, const PromptProgress &progress = {});

} // namespace zigzag
