// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/search_job.h"

#include "profiler/jobs/carry_job.h"

#include <algorithm>

namespace zigzag::jobs {

Result<SearchResult> search(const JobContext &context, const SearchJob &job)
{
    SearchPlan plan = job.plan;
    if (job.standsIn) {
        ZIGZAG_CHECK(checkServed(plan, true)); // before a minute of calibration
        ZIGZAG_TRY(carried, everyLayerCarried(context, plan.window, job.calibration));
        plan.served.standIns = std::move(carried);
    }
    ZIGZAG_TRY(running, Search::create(context.device, plan, job.progressFile, job.begin));
    if (job.opened)
        job.opened(running);
    context.tell(JobPart::TimePass, 0);
    ZIGZAG_TRY(seconds, running.estimateSeconds(context.cancel));
    if (job.begun)
        job.begun(running, seconds);
    const double begunAt = static_cast<double>(running.alreadyDone()) / std::max(1, running.all());
    context.tell({.part = JobPart::Search, .fraction = begunAt, .begunAt = begunAt});
    return running.run(job.progressFile, context.cancel, [&](double done, int all) {
        context.tell(
            {.part = JobPart::Search, .fraction = all > 0 ? done / all : 0.0, .done = done, .all = all, .begunAt = begunAt});
        if (job.soFar && done >= 1)
            job.soFar(running);
    });
}

Result<HeadScores> scoreHeads(const JobContext &context, const AttentionScorePlan &plan, ScoredSoFar *soFar)
{
    ZIGZAG_TRY(scoring, AttentionScoring::create(context.device, plan));
    ScoredSoFar own;
    ScoredSoFar &kept = soFar ? *soFar : own;
    const ModelShape shape = context.model().shape();
    const int all = scoring.promptCount();
    const double begunAt = static_cast<double>(kept.state.done) / std::max(1, all);
    const auto tell = [&](double share) {
        const double done = kept.state.done + share;
        context.tell({.part = JobPart::Score, .fraction = done / std::max(1, all), .done = done, .all = all, .begunAt = begunAt});
    };
    const auto onPrompt = [&](const AttentionState &state) {
        kept.state = state;
        tell(0);
        if (kept.told)
            kept.told(foldAttention(shape, measureOf(state, all), plan.fold), state.done, all);
    };
    tell(0);
    ZIGZAG_TRY(state, scoring.run(kept.state, context.cancel, onPrompt, tell));
    kept.state = state;
    return foldAttention(shape, measureOf(state, all), plan.fold);
}

} // namespace zigzag::jobs
