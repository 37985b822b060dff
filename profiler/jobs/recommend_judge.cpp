// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_judge.h"

#include "profiler/jobs/recommend_answers.h"
#include "profiler/jobs/recommend_stand_ins.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace zigzag::jobs {

namespace {

double meanOf(std::span<const double> values)
{
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(std::max<std::size_t>(1, values.size()));
}

/// No other is better than these in cost and loss: the cheapest first, so the surest last.
std::vector<std::size_t> frontier(const std::vector<TriedMap> &tried)
{
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < tried.size(); ++i)
        if (tried[i].inSet)
            places.push_back(i);
    std::stable_sort(places.begin(), places.end(),
                     [&](std::size_t a, std::size_t b) { return tried[a].compared() < tried[b].compared(); });
    return places;
}

bool hasBudget(const RecommendRequest &request)
{
    return request.memory || request.tpotMs;
}

/// What the needle tasks that judge need of one way.
struct TaskJudge {
    RecommendRun &run;
    StageClock &clock;
    std::vector<TaskPrompt> prompts;

    Result<MapMeter> meterFor(const TriedMap &map, const Carried *standIns)
    {
        ServedBy served = run.ways[map.way].servedBy();
        if (standIns) { // its own, as an export has them: of this very map
            ZIGZAG_TRY(standing, withStandIns(clock.context(), map.map, standIns->carrier));
            served.standIns = std::move(standing);
        }
        return MapMeter::create(run.job.device, prompts, std::move(served));
    }

    Result<std::pair<std::vector<double>, std::vector<double>>> operator()(const TriedMap &map, const Carried *standIns)
    {
        JudgedTasks &kept = run.state.judgedOf(keyOf(run.ways[map.way], map.map));
        if (kept.measures.size() < prompts.size()) {
            ZIGZAG_TRY(meter, meterFor(map, standIns));
            const std::string subject = "judging " + nameOf(run, map);
            const auto all = static_cast<int>(prompts.size());
            const auto tell = clock.context().counted(JobPart::Distill, subject, static_cast<double>(kept.measures.size()) / all);
            meter.onLayer = [&](double share) { tell(static_cast<double>(kept.measures.size()) + share, all); };
            Result<void> saved;
            const std::vector<HeadMap> maps{map.map, HeadMap(run.job.model().shape(), HeadKind::Retrieval, 0, 1)};
            const auto done = meter.measureRest(maps, kept.measures, clock.context().cancel, true, [&] {
                tell(static_cast<double>(kept.measures.size()), all);
                if (saved)
                    saved = run.save();
            });
            ZIGZAG_CHECK(saved);
            if (!done && (clock.isCancelled() || !isCancelled(done.error())))
                return tl::unexpected(done.error());
        }
        std::pair<std::vector<double>, std::vector<double>> scores;
        for (const std::vector<PromptMeasure> &prompt : kept.measures) {
            scores.first.push_back(prompt.back().right);
            scores.second.push_back(prompt.front().right);
        }
        return scores;
    }
};

} // namespace

Judgement judged(std::span<const double> full, std::span<const double> map, double asked)
{
    Judgement found;
    found.test = pairedTest(full, map);
    found.full = meanOf(full);
    found.mean = meanOf(map);
    found.kept = found.mean / found.full;
    found.keptLow = std::max(0.0, (found.full + found.test.low) / found.full);
    found.verdict = found.keptLow >= asked ? Kept::Yes : found.kept >= asked ? Kept::Undecided : Kept::No;
    return found;
}

std::vector<std::size_t> mapsToJudge(const std::vector<TriedMap> &tried, const RecommendRequest &request, int most)
{
    const std::vector<std::size_t> places = frontier(tried);
    std::vector<std::size_t> chosen;
    const auto add = [&](std::size_t at) {
        if (std::ssize(chosen) < most && std::find(chosen.begin(), chosen.end(), places[at]) == chosen.end())
            chosen.push_back(places[at]);
    };
    if (places.empty())
        return chosen;
    if (hasBudget(request)) {
        for (std::size_t at = places.size(); at-- > 0;)
            add(at);
        return chosen;
    }
    std::size_t start = places.size() - 1; // the surest, where none kept it
    for (std::size_t at = places.size(); at-- > 0;)
        if (tried[places[at]].right >= request.kept * tried[places[at]].rightFull)
            start = at;
    add(start);
    if (start + 1 < places.size())
        add(start + (places.size() - start) / 2);
    if (start > 0)
        add(start - 1);
    return chosen;
}

std::vector<std::size_t> moreCareful(const std::vector<TriedMap> &tried, const RecommendRequest &request,
                                     const std::vector<JudgedMap> &judged)
{
    const bool isKept
        = std::any_of(judged.begin(), judged.end(), [](const JudgedMap &each) { return each.judgement.verdict == Kept::Yes; });
    if (hasBudget(request) || isKept)
        return {};
    std::vector<std::size_t> places = frontier(tried);
    std::size_t surest = 0; // place behind the surest one that was judged
    for (std::size_t at = 0; at < places.size(); ++at)
        for (const JudgedMap &each : judged)
            if (each.tried == places[at])
                surest = at + 1;
    places.erase(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(surest));
    if (places.size() > 2)
        places = {places[places.size() / 2], places.back()};
    return places;
}

std::string nameOf(const RecommendRun &run, const TriedMap &map)
{
    return fmt::format("{} of {} layers stream, {}, as {}", map.streaming, run.job.model().shape().mappableLayers(),
                       windowText(map.map), run.ways[map.way].name);
}

Result<std::vector<JudgedMap>> judgeMaps(RecommendRun &run, const std::vector<TriedMap> &tried, double seconds,
                                         const std::function<void(const std::vector<JudgedMap> &)> &onJudged)
{
    StageClock clock(run.job, seconds);
    const RecommendPlan &plan = run.state.plan;
    std::optional<AskedJudge> asked;
    std::optional<TaskJudge> made;
    if (run.request.questions) {
        ZIGZAG_TRY(judge, AskedJudge::create(run, clock));
        asked.emplace(std::move(judge));
    } else {
        ZIGZAG_TRY(prompts,
                   makeTaskPrompts(run.job.model(), needleTasks(plan.judgePrompts, plan.promptTokens, run.request.seed + 2)));
        made.emplace(TaskJudge{run, clock, std::move(prompts)});
    }
    std::vector<JudgedMap> all;
    int fitted = 0;
    const auto judgeOne = [&](std::size_t place) -> Result<void> {
        if (clock.isStopped() && !all.empty())
            return {};
        std::shared_ptr<const Carried> standIns;
        Result<std::pair<std::vector<double>, std::vector<double>>> scores = cancelled();
        const bool fits = run.ways[tried[place].way].standsIn() && fitted++ < plan.fittedMaps;
        if (auto standing = judgedStandIns(run, clock.context(), tried[place], fits); standing) {
            standIns = std::move(*standing);
            scores = made ? (*made)(tried[place], standIns.get()) : (*asked)(tried[place], standIns.get());
        } else {
            scores = tl::unexpected(standing.error());
        }
        if (!scores && isCancelled(scores.error()) && !clock.isCancelled())
            scores = std::pair<std::vector<double>, std::vector<double>>();
        if (!scores)
            return tl::unexpected(scores.error());
        const auto &[full, map] = *scores;
        if (full.size() < 2) {
            run.notes.push_back(fmt::format("{}: not judged, the time was over", nameOf(run, tried[place])));
            return {};
        }
        if (meanOf(full) <= 0)
            return failed(
                fmt::format("full attention answers none of {} prompts that are to judge, so that no map can be judged: try "
                            "a shorter context, or questions that the model answers (--prompts)",
                            full.size()));
        all.push_back({place, judged(full, map, run.request.kept), std::move(standIns)});
        if (onJudged)
            onJudged(all);
        return {};
    };
    for (const std::size_t place : mapsToJudge(tried, run.request, plan.judgedMaps))
        ZIGZAG_CHECK(judgeOne(place));
    for (const std::size_t place : moreCareful(tried, run.request, all))
        ZIGZAG_CHECK(judgeOne(place));
    return all;
}

} // namespace zigzag::jobs
