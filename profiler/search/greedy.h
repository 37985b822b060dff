// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/map_meter.h"
#include "profiler/search/cut_confidence.h"
#include "profiler/search/search_loss.h"
#include "profiler/search/search_units.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

struct GreedyPlan {
    Unit unit = Unit::Layer;
    StreamingWindow window;
    /// Maps that are followed at each count: 1 removes the cheapest unit each time; more also follow the next cheapest maps,
    /// because units that cost little alone may cost much together.
    int beam = 1;
    int most = 0; ///< units that stream at the end; 0 = all that can (isMappable)
    SearchLoss loss = SearchLoss::Distillation; ///< by which maps are chosen, anew for every count
    int count = 0; ///< units that stream at the cut whose confidence is told; 0: none is
    std::uint64_t seed = 1; ///< of the resamples
};

/// The best map that the search found for a count of streaming units.
struct GreedyStep {
    std::vector<int> streaming; ///< units, ascending
    double loss = 0, lossError = 0; ///< mean of the plan's loss and its standard error
    double right = 0; ///< share of answers right
    /// Share of the resamples of the prompts (Bootstrap) in which this map is the best of those that were measured at this count,
    /// which grow from the maps followed so far: what another path would have found, it does not know. None of one prompt alone,
    /// and of files that did not have it.
    std::optional<double> same;

    bool operator==(const GreedyStep &) const = default;
};

/// How far a search is. A value that can be written down and taken up again, with the same result as without the break.
struct GreedyState {
    std::vector<GreedyStep> path; ///< path[k]: k units stream; path[0] is full attention
    std::vector<std::vector<int>> beam; ///< the maps that the next count starts from
    std::vector<std::vector<PromptMeasure>> measured; // [prompts done][candidates] of the count under way
    BegunPrompt begun = {}; ///< of the prompt under way, [candidates]
    int answered = 0; ///< prompts that full attention answers (isAnswered)
    std::optional<CutConfidence> cut; ///< of the plan's count, once it is reached; what `same` leaves out, it does as well

    std::string toJson() const;
    /// Trusts nothing: the path starts with full attention and has no gap, and the beam follows maps of its last count.
    static Result<GreedyState> fromJson(std::string_view text, const ModelShape &model, std::size_t prompts,
                                        const GreedyPlan &plan);
};

/// Removes units one after another, each time measuring every remaining one against the map so far. `onPrompt` hears of
/// every prompt of every count, `onMap` of every map that is added to the one under way. Cancelled, it returns what there is.
Result<GreedyState> runGreedy(MapMeter &meter, const GreedyPlan &plan, GreedyState from = {},
                              const std::atomic<bool> *cancel = nullptr,
                              const std::function<void(const GreedyState &)> &onPrompt = {},
                              const std::function<void(const GreedyState &)> &onMap = {});
/// Prompt measurements of the whole search (for progress), and layer runs on one prompt (an estimate: which units go first
/// decides how much is shared).
int greedyRounds(const ModelShape &model, const GreedyPlan &plan);
std::int64_t greedyLayerRuns(const ModelShape &model, const GreedyPlan &plan);

/// Score of a unit = share of the path's maps in which it is still retrieval, so that ranking scores gives the path back
/// (exactly with a beam of 1). The maps themselves are the path's.
HeadScores greedyScores(const GreedyState &state, const ModelShape &model, const GreedyPlan &plan);

} // namespace zigzag
