// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/recommend_judge.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace zigzag::jobs {

struct Recommendation;

/// What it is at, in this order.
enum class RecommendStage {
    Plan, ///< the model's pace
    Times, ///< what a token takes, for predictions
    Order, ///< of layers, for every way
    Try, ///< counts and windows
    Judge,
};

struct RecommendJob {
    RecommendRequest request = {};
    const ExportModel *model = nullptr; ///< the context's model, as it lies on disk; null: for our engine alone
    /// Hears what will be done and how long it takes, once the model's pace is known and before anything else runs.
    std::function<void(const RecommendPlan &plan, const std::vector<ServingWay> &ways)> planned = {};
    std::function<void(RecommendStage stage)> begins = {};
    /// Hears what there is so far whenever it has grown: scores of a way, maps that were tried, maps that were judged. Nothing is
    /// chosen before the end.
    std::function<void(const Recommendation &soFar)> grown = {};
};

/// What came of it, all that was tried included.
struct Recommendation {
    RecommendRequest request;
    RecommendPlan plan;
    ModelShape model;
    std::vector<ServingWay> ways;
    std::vector<std::optional<HeadScores>> scores; // [ways]
    ServedCost full; ///< of full attention, where the engine serves it
    std::vector<TriedMap> tried;
    std::vector<JudgedMap> judged; ///< in the order in which they were
    /// Among those judged: the cheapest that keeps the share that was asked for or, under a budget, the one of those that lost
    /// least; none where none keeps it.
    std::optional<std::size_t> chosen;
    std::vector<std::string> notes;
    MachineProfile machine;
    double seconds = 0; ///< of this run

    const TriedMap *map() const { return chosen ? &tried[judged[*chosen].tried] : nullptr; }
    const ServingWay &wayOf(const TriedMap &one) const { return ways[one.way]; }
};

/// From a model to the map that one engine should serve: orders the layers as that engine runs them, tries counts and windows,
/// and judges the best on prompts that had no part in it. Within the request's time, but for what is under way when it ends; all
/// that it can run through is the request's progress. Refuses a budget that nothing keeps, and one that needs no map. Cancelled,
/// it fails, and with a progress folder the same call goes on.
Result<Recommendation> recommend(const JobContext &context, const RecommendJob &job);

} // namespace zigzag::jobs
