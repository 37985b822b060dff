// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores_io.h"
#include "profiler/search/ablation.h"
#include "profiler/search/attention_score.h"
#include "profiler/search/gate_training.h"
#include "profiler/search/greedy.h"
#include "profiler/search/logit_score.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace zigzag {

enum class SearchMethod {
    Ablation,
    Greedy,
    Gates,
    Attention, ///< which heads copy
    Logits ///< which heads move the right answer's logits (LogitScoring)
};
/// Whether a method looks at what heads do under full attention and runs no map.
bool looksAtHeads(SearchMethod method);
std::string_view nameOf(SearchMethod method);

/// Everything that decides a search's result.
struct SearchPlan {
    SearchMethod method = SearchMethod::Ablation;
    Unit unit = Unit::Layer;
    StreamingWindow window;
    TaskPlan tasks; ///< its seed is the search's
    /// A person's questions (withOwnAnswers, withGivenAnswers) in the place of tasks; null: tasks. Not for attention, which asks
    /// for needles.
    std::shared_ptr<const std::vector<TaskPrompt>> asked = {};
    SearchLoss loss = SearchLoss::Distillation; ///< ablation, greedy: what a map is chosen by
    /// Ablation, greedy: units that stream at the cut whose confidence is told; 0: half of those that can.
    int count = 0;
    /// Ablation: prompts in a random order, until the cut is settled (CutConfidence). It is looked at after every prompt, so a
    /// choice that is doubtful at first has several occasions to look settled.
    bool untilSettled = false;
    bool share = true; ///< ablation: shared lower layers are run once
    int beam = 1; ///< greedy
    int steps = 200; ///< gates, with the two below
    double rate = 0.02;
    double lambda = 0.05;
    int copiedNeedles = 1; ///< attention: keys in a prompt; of `tasks` it takes contexts, depths, trials and seed
    Fold fold = Fold::Max; ///< attention
    /// Who will serve the map: layers are chosen by what they cost there. Not for attention, which runs no map; gates know
    /// engines that keep a window alone, not those in which something stands in for sinks. Maps and their windows stay as they
    /// are asked for, sinks included.
    ServedBy served = {};
};

struct SearchResult {
    HeadScores scores;
    bool complete = false; ///< false: cancelled; the scores are of what was done. A search until settled may be so before `all`
    int done = 0, all = 0; ///< prompts, or steps of a training
    /// Whether the model, with full attention, answered any of the prompts (isAnswered). If not, the scores are no result: they
    /// carry the mark (HeadScores::unanswered), and what they are for says so.
    bool answered = false;
    bool isAsked = false; ///< of a person's questions
    std::int64_t layerRuns = 0; ///< in this run; a training step counts four a layer: forward twice, and backward as two
    double seconds = 0; ///< of this run
    std::vector<AblationEffect> effects; ///< ablation
    std::vector<GreedyStep> path; ///< greedy
    /// Ablation, greedy: how sure the choice at the cut is; none of one prompt alone, or where the cut is not reached yet.
    std::optional<CutConfidence> confidence;
    std::vector<double> losses; ///< gates: distillation loss of each step
    AttentionMeasure attention; ///< attention
    LogitMeasure logits; ///< logits
};

/// What to do about a progress file.
enum class Begin {
    GoOn, ///< from what it holds; one of another search is refused
    Anew, ///< whatever it holds
};

/// One search, from its plan to scores: what the command line and the window both run. With a progress file, an unfinished
/// search waits there, and `run` goes on from it to the same result.
class Search
{
public:
    static Result<Search> create(std::shared_ptr<DeviceModel> model, const SearchPlan &plan);
    /// The same with the progress of the same plan, where there is some.
    static Result<Search> create(std::shared_ptr<DeviceModel> model, const SearchPlan &plan,
                                 const std::filesystem::path &progress, Begin begin);

    /// Looks for the progress of the same plan. A file of another search is refused.
    Result<void> resumeFrom(const std::filesystem::path &progress);
    /// What was done before, 0 without a progress file.
    int alreadyDone() const;
    int all() const;
    /// The result of what is done, for `onProgress` to show; needs one finished prompt or step.
    SearchResult soFar() const;
    /// Seconds that what is left will take, from a short timed run.
    Result<double> estimateSeconds(const std::atomic<bool> *cancel = nullptr);
    /// Progress is saved at most once a second, where a file for it is named, and removed by a complete run whose result is one
    /// (an answered prompt). `onProgress` hears also of layers inside a prompt. Cancelled, it returns the scores of what was
    /// done, or the error where that is nothing.
    Result<SearchResult> run(const std::filesystem::path &progress, const std::atomic<bool> *cancel,
                             const PromptProgress &onProgress = {});

private:
    Search() = default;
    int doneOf() const;

    AblationPlan ablationPlan() const;
    GreedyPlan greedyPlan() const;

    SearchPlan m_plan;
    int m_count = 0; ///< units that stream at the cut; 0: there is none
    ModelShape m_model;
    std::string m_planJson;
    std::optional<MapMeter> m_meter;
    std::optional<GateTraining> m_training;
    std::optional<AttentionScoring> m_scoring;
    std::optional<LogitScoring> m_logitScoring;
    AblationState m_ablation;
    GreedyState m_greedy;
    GateState m_gates;
    AttentionState m_attention;
    LogitState m_logits;
};

/// Refuses a search that asks for what its method does not have.
Result<void> checkPlan(const SearchPlan &plan);
/// Refuses a search that has no meaning as its engine runs maps; `standsIn`: where something stands in for sinks.
Result<void> checkServed(const SearchPlan &plan, bool standsIn);

/// Why the result of a search that answered no prompt is none, in one sentence.
std::string unansweredText(const SearchResult &result);

} // namespace zigzag
