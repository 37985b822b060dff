// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/cost/cost_model.h"
#include "profiler/jobs/job.h"
#include "profiler/search/quality_sweep.h"
#include "profiler/search/search.h"

#include <filesystem>

namespace zigzag::jobs {

struct SweepJob {
    std::vector<HeadMap> maps = {}; ///< sweepMaps
    TaskPlan tasks = {};
    ServedBy served = {}; ///< how the engine that will serve a map runs it; maps stay as they are asked for
    std::filesystem::path progressFile = {}; ///< where an unfinished sweep waits; empty: nowhere
    Begin begin = Begin::GoOn; ///< as of a search
    /// The prompts are made, and nothing was run yet: what else the caller needs, such as times; an error ends the sweep.
    std::function<Result<void>()> opened = {};
    /// Once a pass was timed; `done`: prompts of an earlier run.
    std::function<void(int prompts, int done, double seconds)> begun = {};
    /// After each prompt.
    std::function<void(std::vector<SweepPoint>)> soFar = {};
    /// While the first prompt is under way, at most twice a second: the points that there are (firstPoints).
    std::function<void(std::vector<SweepPoint>)> first = {};
};

struct SweepResult {
    std::vector<SweepPoint> points;
    int prompts = 0; ///< of the whole sweep; the points are of fewer where it was stopped (MapQuality::prompts)
};

/// What each map costs in quality. Cancelled, it returns the points of the prompts that were done, or fails where there are none.
/// With a progress file, which a whole sweep removes, what was measured waits there, and the same sweep goes on from it to the
/// same points.
Result<SweepResult> sweep(const JobContext &context, const SweepJob &job);

/// A point of a sweep with what it takes.
struct PricedPoint {
    double ms = 0; ///< predicted, per token
    std::int64_t kvBytes = 0;
    bool inSet = false; ///< no other is better in time and quality (paretoSet)
};
/// One for each point of the sweep, at a context.
std::vector<PricedPoint> priced(const std::vector<SweepPoint> &points, const CostModel &cost, std::int64_t context);
/// The same by another quality: `losses`, of which less is better, one for each map.
std::vector<PricedPoint> priced(const std::vector<HeadMap> &maps, std::span<const double> losses, const CostModel &cost,
                                std::int64_t context);

} // namespace zigzag::jobs
