// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/paired_test.h"
#include "profiler/jobs/carry_job.h"
#include "profiler/jobs/recommend_search.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zigzag::jobs {

/// Whether a map keeps the share that was asked for of full attention's score.
enum class Kept {
    Yes, ///< also by the lower end of the 95 % interval
    Undecided, ///< by the mean alone: more prompts would tell
    No,
};

/// A map beside full attention on prompts that chose nothing.
struct Judgement {
    PairedTest test;
    double full = 0, mean = 0; ///< mean scores, 0 to 1
    double kept = 0, keptLow = 0; ///< shares of full attention's score, and by the lower end of the interval
    Kept verdict = Kept::Undecided;
};
/// `full` and `map`: scores of the same prompts. Full attention's mean must be above 0.
Judgement judged(std::span<const double> full, std::span<const double> map, double asked);

struct JudgedMap {
    std::size_t tried = 0; ///< its place among those tried
    Judgement judgement;
    std::shared_ptr<const Carried> standIns = {}; ///< with which it was judged; null: nothing stands in for its sinks
};

/// Which maps are judged, in this order: places among those tried. Without a budget the cheapest one that kept the share while it
/// was chosen by, the next cheaper one and a more careful one; with a budget, those that lose least of those that keep it.
std::vector<std::size_t> mapsToJudge(const std::vector<TriedMap> &tried, const RecommendRequest &request, int most);
/// Where none of those kept it: two that are more careful, the surest last; none with a budget.
std::vector<std::size_t> moreCareful(const std::vector<TriedMap> &tried, const RecommendRequest &request,
                                     const std::vector<JudgedMap> &judged);

/// "15 of 30 layers stream, sink 64, recent 256, as vllm".
std::string nameOf(const RecommendRun &run, const TriedMap &map);

/// Judges them one after another until the time is over. A person's questions are asked, and every answer kept in answers.json of
/// the progress folder; else the prompts are needle tasks of another seed than those that chose. Where sinks are dropped and
/// something can stand in for them, each map has that, calibrated for it, and the first ones of the plan's fitted.
/// `onJudged` hears those so far.
Result<std::vector<JudgedMap>> judgeMaps(RecommendRun &run, const std::vector<TriedMap> &tried, double seconds,
                                         const std::function<void(const std::vector<JudgedMap> &)> &onJudged = {});

} // namespace zigzag::jobs
