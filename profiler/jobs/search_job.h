// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/sink_carrier.h"
#include "profiler/jobs/job.h"
#include "profiler/search/search.h"

#include <filesystem>

namespace zigzag::jobs {

struct SearchJob {
    SearchPlan plan = {};
    /// The plan's engine has what stands in for sinks: calibrated first, from texts that are made, and always the same.
    bool standsIn = false;
    CalibrationState *calibration
        = nullptr; ///< how far that is, for whom goes on with a search that was stopped in it; null: nobody
    std::filesystem::path progressFile = {}; ///< where an unfinished search waits; empty: nowhere
    Begin begin = Begin::GoOn; ///< from what waits there, or the reason why that cannot be; it is never thrown away unasked
    /// Before anything is run: what was done before is known.
    std::function<void(const Search &)> opened = {};
    /// Once a pass was timed.
    std::function<void(const Search &, double seconds)> begun = {};
    /// As often as progress is told, once there is a result so far (Search::soFar).
    std::function<void(const Search &)> soFar = {};
};

/// Which layers, or heads, can stream. Cancelled, it returns the scores of what was done, or fails where that is nothing.
Result<SearchResult> search(const JobContext &context, const SearchJob &job);

/// How far the scoring of heads is, for whom goes on with it: the same plan ends at the same scores.
struct ScoredSoFar {
    AttentionState state = {};
    /// After every prompt.
    std::function<void(const HeadScores &scores, int done, int all)> told = {};
};

/// How often a head's strongest key is the needle token being copied. Cancelled, it returns the scores of the prompts that were
/// done, or fails where there are none; `soFar`, which may be null, then has them, too.
Result<HeadScores> scoreHeads(const JobContext &context, const AttentionScorePlan &plan, ScoredSoFar *soFar = nullptr);

} // namespace zigzag::jobs
