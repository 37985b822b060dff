// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores.h"
#include "profiler/cost/cost_model.h"
#include "profiler/jobs/recommend_clock.h"
#include "profiler/jobs/recommend_state.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zigzag::jobs {

/// What a map costs where it is served.
struct ServedCost {
    ServedMemory memory;
    std::optional<double> ms; ///< of a token, predicted for our engine on this machine; none: nothing was calibrated
};

/// One map that was tried.
struct TriedMap {
    std::size_t way = 0, window = 0; ///< places in the ways and in the plan's windows
    HeadMap map; ///< as it is written, sinks and all
    int streaming = 0; ///< layers
    ServedCost cost;
    /// Means over the prompts that choose: rise of the right answer's negative log-likelihood, nats a token; shares of answers
    /// right, of the map and of full attention.
    double loss = 0, right = 0, rightFull = 0;
    int prompts = 0;
    bool byTime = false; ///< maps are compared by time: it was asked for, or none of them takes less memory than full attention
    bool inSet = false; ///< no other is better in cost and loss (paretoSet)
    /// What maps are compared by: milliseconds or bytes.
    double compared() const { return byTime && cost.ms ? *cost.ms : static_cast<double>(cost.memory.bytes); }
};

/// What a recommendation works with, whatever stage it is at.
struct RecommendRun {
    const JobContext &job;
    const RecommendRequest &request;
    std::vector<ServingWay> ways;
    RecommendState state;
    std::optional<CostModel> cost = {}; ///< none where nothing could be calibrated
    std::vector<std::optional<HeadScores>> scores = {}; // [ways]
    std::shared_ptr<const std::vector<TaskPrompt>> choosing = {}; ///< a person's prompts; null: needle tasks
    std::vector<std::shared_ptr<DeviceModel>> standIns = {}; // [windows]: every layer's, made when they are first needed
    std::vector<std::string> notes = {};
    std::function<void()> grown = {}; ///< called whenever an order or a window has been added

    StreamingWindow windowOf(std::size_t way, std::size_t window) const;
    ServedCost costOf(const ServingWay &way, const HeadMap &map) const;
    bool isInBudget(const ServedCost &cost) const;
    Result<void> save() const;
};

/// A person's questions as prompts that choose, with full attention's own right answers behind them.
Result<void> askChoosing(RecommendRun &run);

/// Orders the layers of every way that has no order yet; stops when the stage's time is over, with what it has.
Result<void> orderLayers(RecommendRun &run, double seconds);

/// Tries counts of streaming layers in every window of every way. Refuses a budget that not even all layers keep.
Result<void> tryCounts(RecommendRun &run, double seconds);

/// What was tried, by ways, windows and counts.
std::vector<TriedMap> triedMaps(const RecommendRun &run);

} // namespace zigzag::jobs
