// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_job.h"

#include "profiler/carry/sink_fit.h"
#include "profiler/jobs/calibration_job.h"
#include "profiler/search/search_progress.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

constexpr std::int64_t longestCalibrated = 32768; ///< beyond it the formula goes on

Result<std::vector<ServingWay>> waysFor(const JobContext &context, const RecommendJob &job)
{
    const RecommendRequest &request = job.request;
    if (request.engine == ourEngine)
        return servingWays(ourEngine, {}, {});
    if (!job.model)
        return failed("a map for another engine needs the model as it lies on disk");
    const std::int64_t longest = std::min(request.context, context.config().maxContext);
    return servingWays(request.engine, *job.model, windowsFor(request, context.config(), longest).back());
}

/// What a person can know before a minute has passed: that no map is small enough, or that none is needed.
Result<void> checkMemory(const RecommendRun &run)
{
    if (!run.request.memory)
        return {};
    const ModelShape shape = run.job.model().shape();
    const std::int64_t full = run.costOf(run.ways.front(), HeadMap(shape, HeadKind::Retrieval, 0, 1)).memory.bytes;
    if (full <= *run.request.memory)
        return badInput(
            fmt::format("full attention takes {} bytes of keys and values at {} tokens, which the budget of {} holds: "
                        "nothing has to stream; leave --memory out to see what can",
                        full, run.request.context, *run.request.memory));
    std::int64_t least = full;
    for (std::size_t way = 0; way < run.ways.size(); ++way) {
        const StreamingWindow window = run.windowOf(way, 0);
        const HeadMap all(shape, HeadKind::Streaming, window.sink, window.recent);
        if (const std::int64_t bytes = run.costOf(run.ways[way], all).memory.bytes; bytes > 0)
            least = std::min(least, bytes);
    }
    if (least > *run.request.memory)
        return badInput(fmt::format("with every layer streaming {} still takes {} bytes of keys and values at {} tokens, and the "
                                    "budget is {}: raise it, or give a smaller window (--recent)",
                                    run.request.engine, least, run.request.context, *run.request.memory));
    return {};
}

Result<void> checkTime(const RecommendRun &run)
{
    if (!run.request.tpotMs)
        return {};
    const ModelShape shape = run.job.model().shape();
    const double full = *run.costOf(run.ways.front(), HeadMap(shape, HeadKind::Retrieval, 0, 1)).ms;
    if (full <= *run.request.tpotMs)
        return badInput(fmt::format("full attention takes {:.3g} ms a token at {} tokens, as predicted here, which the budget of "
                                    "{:g} ms holds: nothing has to stream; leave --tpot out to see what can",
                                    full, run.request.context, *run.request.tpotMs));
    const StreamingWindow window = run.windowOf(0, 0);
    const double least = *run.costOf(run.ways.front(), HeadMap(shape, HeadKind::Streaming, window.sink, window.recent)).ms;
    if (least > *run.request.tpotMs)
        return badInput(
            fmt::format("with every layer streaming a token still takes {:.3g} ms at {} tokens, as predicted here, and "
                        "the budget is {:g} ms: raise it",
                        least, run.request.context, *run.request.tpotMs));
    return {};
}

/// Times are worth little on a machine that does not hold still, but for a budget of time they are what counts.
Result<void> predictTimes(RecommendRun &run)
{
    const double seconds = run.request.seconds;
    CalibrationPlan plan{.maxContext = std::min({run.request.context, run.job.config().maxContext, longestCalibrated}),
                         .seconds = std::clamp(0.02 * seconds, 0.5, 6.0),
                         .time = JobTime(std::clamp(0.05 * seconds, 1.0, 30.0))};
    auto cost = calibrate(run.job, plan);
    if (!cost && (run.request.tpotMs || isCancelled(cost.error())))
        return tl::unexpected(std::move(cost.error()));
    if (!cost) {
        run.notes.push_back("no times: " + cost.error().message);
        return {};
    }
    if (!cost->isFitted())
        return run.request.tpotMs ? failed("a budget of time needs predictions, and none could be made here") : Result<void>();
    if (const std::string why = whyUnreliable(*cost); !why.empty())
        run.notes.push_back(why);
    run.cost = std::move(*cost);
    return checkTime(run);
}

/// From what waits there, or from the model's own pace.
Result<void> plan(RecommendRun &run)
{
    const std::filesystem::path file = progressFile(run.request);
    if (run.request.begin == Begin::GoOn && !file.empty()) {
        ZIGZAG_TRY(text, loadProgress(file, "recommend", requestJson(run.request, run.job)));
        if (text) {
            ZIGZAG_TRY(state, RecommendState::fromJson(*text, run.ways.size(), run.job.model().shape()));
            run.state = std::move(state);
            return {};
        }
    }
    ZIGZAG_TRY(pace, measurePace(run.job, run.request.seconds));
    WayCounts counts = countsOf(run.ways);
    counts.canFit = counts.standingIn > 0 && canFit(run.job.device);
    run.state = RecommendState(planFor(run.request, run.job.config(), counts, pace), run.ways.size());
    return {};
}

std::optional<std::size_t> choiceOf(const RecommendRequest &request, const std::vector<TriedMap> &tried,
                                    const std::vector<JudgedMap> &judged)
{
    const bool hasBudget = request.memory || request.tpotMs;
    std::optional<std::size_t> chosen;
    for (std::size_t i = 0; i < judged.size(); ++i) {
        if (judged[i].judgement.verdict != Kept::Yes)
            continue;
        const TriedMap &mine = tried[judged[i].tried];
        if (!chosen) {
            chosen = i;
            continue;
        }
        const TriedMap &best = tried[judged[*chosen].tried];
        if (hasBudget ? mine.loss < best.loss : mine.compared() < best.compared())
            chosen = i;
    }
    return chosen;
}

/// All that is known by now, but for what was judged.
Recommendation soFar(const RecommendRun &run)
{
    const ModelShape shape = run.job.model().shape();
    Recommendation found;
    found.request = run.request;
    found.plan = run.state.plan;
    found.model = shape;
    found.ways = run.ways;
    found.scores = run.scores;
    found.full = run.costOf(run.ways.front(), HeadMap(shape, HeadKind::Retrieval, 0, 1));
    found.tried = triedMaps(run);
    found.notes = run.notes;
    found.machine = run.job.machine();
    return found;
}

} // namespace

Result<Recommendation> recommend(const JobContext &context, const RecommendJob &job)
{
    const auto begin = std::chrono::steady_clock::now();
    const JobTime time(job.request.seconds);
    ZIGZAG_CHECK(checkRequest(job.request, context.config()));
    ZIGZAG_TRY(ways, waysFor(context, job));
    RecommendRun run{context, job.request, std::move(ways), {}};
    const auto begins = [&](RecommendStage stage) {
        if (job.begins)
            job.begins(stage);
    };
    begins(RecommendStage::Plan);
    ZIGZAG_CHECK(plan(run));
    if (context.isCancelled())
        return cancelled();
    ZIGZAG_CHECK(checkMemory(run));
    if (job.planned)
        job.planned(run.state.plan, run.ways);
    begins(RecommendStage::Times);
    ZIGZAG_CHECK(predictTimes(run));
    if (job.grown)
        run.grown = [&] { job.grown(soFar(run)); };
    ZIGZAG_CHECK(run.save());
    begins(RecommendStage::Order);
    ZIGZAG_CHECK(askChoosing(run));
    // Each stage may take the time of those behind it, but for what these need at the least.
    ZIGZAG_CHECK(orderLayers(run, 0.6 * time.left()));
    begins(RecommendStage::Try);
    ZIGZAG_CHECK(tryCounts(run, 0.6 * time.left()));
    begins(RecommendStage::Judge);
    Recommendation found = soFar(run);
    const auto onJudged = [&](const std::vector<JudgedMap> &judged) {
        found.judged = judged;
        if (job.grown)
            job.grown(found);
    };
    ZIGZAG_TRY(judged, judgeMaps(run, found.tried, std::max(1.0, 0.9 * time.left()), onJudged));
    found.judged = std::move(judged);
    found.chosen = choiceOf(run.request, found.tried, found.judged);
    found.notes = std::move(run.notes);
    found.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return found;
}

} // namespace zigzag::jobs
