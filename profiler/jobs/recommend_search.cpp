// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_search.h"

#include "engine/base/version.h"
#include "engine/map/assign.h"
#include "engine/map/head_scores_io.h"
#include "profiler/cost/engine_memory.h"
#include "profiler/evaluate/answered_questions.h"
#include "profiler/jobs/recommend_stand_ins.h"
#include "profiler/jobs/search_job.h"
#include "profiler/search/quality_sweep.h"
#include "profiler/search/search_progress.h"
#include "profiler/search/search_units.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

std::filesystem::path besideProgress(const RecommendRequest &request, const std::string &name)
{
    return request.progressFolder.empty() ? std::filesystem::path() : request.progressFolder / name;
}

tl::unexpected<Error> outOfTime(std::string_view what)
{
    return failed(fmt::format("the time was over before {}: give more (--time), or shorter prompts (--context)", what));
}

Result<std::shared_ptr<DeviceModel>> standInsOf(RecommendRun &run, const JobContext &context, std::size_t window)
{
    run.standIns.resize(run.state.plan.windows.size());
    if (!run.standIns[window]) {
        ZIGZAG_TRY(made, searchedStandIns(run, context, window));
        run.standIns[window] = std::move(made);
    }
    return run.standIns[window];
}

Result<SearchPlan> searchPlan(RecommendRun &run, const JobContext &context, std::size_t way)
{
    const RecommendPlan &plan = run.state.plan;
    const std::size_t widest = plan.windows.size() - 1;
    SearchPlan search;
    search.method = plan.greedy ? SearchMethod::Greedy : SearchMethod::Ablation;
    search.window = run.windowOf(way, widest);
    search.tasks = needleTasks(plan.scorePrompts, plan.promptTokens, run.request.seed);
    if (run.choosing)
        search.asked = std::make_shared<const std::vector<TaskPrompt>>(
            run.choosing->begin(),
            run.choosing->begin() + std::min<std::ptrdiff_t>(plan.scorePrompts, std::ssize(*run.choosing)));
    search.loss = SearchLoss::Answer;
    search.served = run.ways[way].servedBy();
    if (run.ways[way].standsIn()) {
        ZIGZAG_TRY(standing, standInsOf(run, context, widest));
        search.served.standIns = std::move(standing);
    }
    return search;
}

Result<LayerOrder> orderOf(const RecommendPlan &plan, const SearchResult &found)
{
    LayerOrder order;
    const ModelShape &shape = found.scores.model;
    if (plan.greedy) {
        order.prompts = plan.scorePrompts;
        for (const GreedyStep &step : found.path)
            order.streaming.push_back(step.streaming);
        return order;
    }
    order.prompts = found.done;
    for (int count = 0; count <= shape.mappableLayers(); ++count) {
        AssignRequest request;
        request.criterion = "zigzag";
        request.target = LayerTarget{count};
        ZIGZAG_TRY(assigned, assignHeads(found.scores, request));
        std::vector<int> &layers = order.streaming.emplace_back();
        for (int layer = 0; layer < shape.layers; ++layer)
            if (assigned.map.hasStreaming(layer))
                layers.push_back(layer);
    }
    return order;
}

Result<void> orderOne(RecommendRun &run, std::size_t way, double seconds)
{
    StageClock clock(run.job, seconds);
    SearchJob job;
    auto plan = searchPlan(run, clock.context(), way);
    if (!plan && isCancelled(plan.error()) && !clock.isCancelled()) // what is calibrated by then is kept
        return outOfTime("what stands in for the sinks was calibrated");
    ZIGZAG_CHECK(plan);
    job.plan = std::move(*plan);
    job.progressFile = besideProgress(run.request, fmt::format("scores-{}.progress", run.ways[way].name));
    job.begin = run.request.begin;
    auto found = search(clock.context(), job);
    if (!found && isCancelled(found.error()) && !clock.isCancelled())
        return outOfTime("the first prompt was searched");
    if (!found)
        return tl::unexpected(std::move(found.error()));
    if (clock.isCancelled())
        return cancelled();
    if (!found->answered)
        return failed(unansweredText(*found));
    ZIGZAG_TRY(order, orderOf(run.state.plan, *found));
    if (!order.isKnown())
        return outOfTime("the first layer was chosen");
    if (!found->complete)
        run.notes.push_back(fmt::format("the layers' order for {} is from {} of {} prompts: the time of that step was over",
                                        run.ways[way].name, found->done, found->all));
    if (const auto file = besideProgress(run.request, fmt::format("scores-{}.json", run.ways[way].name)); !file.empty())
        ZIGZAG_CHECK(writeHeadScores(found->scores, file));
    run.scores[way] = std::move(found->scores);
    run.state.orders[way] = std::move(order);
    ZIGZAG_CHECK(run.save());
    std::error_code ignored;
    if (!job.progressFile.empty()) // of a search that the clock ended: what counts of it is kept now
        std::filesystem::remove(job.progressFile, ignored);
    if (run.grown)
        run.grown();
    return {};
}

HeadMap mapOf(const RecommendRun &run, std::size_t way, std::size_t window, int count)
{
    const std::vector<int> &layers = run.state.orders[way].streaming[static_cast<std::size_t>(count)];
    HeadMap map = mapWith(run.job.model().shape(), Unit::Layer, run.windowOf(way, window), layers);
    const ServingWay &by = run.ways[way];
    map.setProvenance({"zigzag", run.state.plan.greedy ? "greedy" : "answer-loss", map.sparsity(), std::string(programVersion),
                       by.servedBy().engine});
    return map;
}

/// Counts of which vLLM fills up no group of layers.
bool isUnpadded(const ServingWay &way, const HeadMap &map)
{
    const auto layers = way.counted == "vLLM" ? engineLayers(way.served(map)) : failed("");
    return !layers || vllmGroups(*layers).padding(*layers) == 0;
}

std::vector<int> countsFor(const RecommendRun &run, std::size_t way, std::size_t window)
{
    std::vector<int> fitting, even;
    for (int count = 1; count < static_cast<int>(run.state.orders[way].streaming.size()); ++count) {
        const HeadMap map = mapOf(run, way, window, count);
        if (!run.isInBudget(run.costOf(run.ways[way], map)))
            continue;
        fitting.push_back(count);
        if (isUnpadded(run.ways[way], map))
            even.push_back(count);
    }
    if (!even.empty())
        fitting = std::move(even);
    const auto most = static_cast<std::size_t>(run.state.plan.counts);
    if (fitting.size() <= most)
        return fitting;
    if (run.request.memory || run.request.tpotMs) { // the fewest layers that a budget asks for lose least
        fitting.resize(most);
        return fitting;
    }
    std::vector<int> spread;
    for (std::size_t i = 0; i < most; ++i)
        spread.push_back(fitting[i * (fitting.size() - 1) / std::max<std::size_t>(1, most - 1)]);
    return spread;
}

Result<std::vector<TaskPrompt>> sweepPrompts(const RecommendRun &run)
{
    const RecommendPlan &plan = run.state.plan;
    if (!run.choosing)
        return makeTaskPrompts(run.job.model(), needleTasks(plan.sweepPrompts, plan.promptTokens, run.request.seed + 1));
    return std::vector<TaskPrompt>(
        run.choosing->begin(), run.choosing->begin() + std::min<std::ptrdiff_t>(plan.sweepPrompts, std::ssize(*run.choosing)));
}

Result<void> tryWindow(RecommendRun &run, std::size_t way, std::size_t window, double seconds)
{
    StageClock clock(run.job, seconds);
    TriedCounts &tried = run.state.triedIn(way, window);
    if (tried.counts.empty())
        tried.counts = countsFor(run, way, window);
    ZIGZAG_TRY(prompts, sweepPrompts(run));
    const std::size_t all = prompts.size();
    if (tried.counts.empty() || tried.measures.size() >= all)
        return {};
    std::vector<HeadMap> maps;
    for (const int count : tried.counts)
        maps.push_back(mapOf(run, way, window, count));
    maps.emplace_back(run.job.model().shape(), HeadKind::Retrieval, 0, 1);
    ServedBy served = run.ways[way].servedBy();
    if (run.ways[way].standsIn()) {
        auto standing = standInsOf(run, clock.context(), window);
        if (!standing && isCancelled(standing.error()) && !clock.isCancelled()) {
            run.notes.push_back(fmt::format("no map for {} in a window of {} was tried: the time was over before what stands in "
                                            "for the sinks was calibrated",
                                            run.ways[way].name, run.state.plan.windows[window].recent));
            return {};
        }
        ZIGZAG_CHECK(standing);
        served.standIns = std::move(*standing);
    }
    ZIGZAG_TRY(meter, MapMeter::create(run.job.device, std::move(prompts), std::move(served)));
    const std::string subject = "trying maps for " + run.ways[way].name;
    const int parts = static_cast<int>(all * run.state.plan.windows.size()); // one count through all windows
    const auto done = [&] { return static_cast<double>(window * all + tried.measures.size()); };
    const auto tell = clock.context().counted(JobPart::Sweep, subject, done() / parts);
    meter.onLayer = [&](double share) { tell(done() + share, parts); };
    tell(done(), parts);
    clock.look(); // what is over does not begin
    Result<void> saved;
    const auto measured = meter.measureRest(maps, tried.measures, clock.context().cancel, true, [&] {
        tell(done(), parts);
        if (saved)
            saved = run.save();
    });
    ZIGZAG_CHECK(saved);
    if (!measured && (clock.isCancelled() || !isCancelled(measured.error())))
        return tl::unexpected(measured.error());
    if (tried.measures.empty())
        run.notes.push_back(fmt::format("no map for {} in a window of {} was tried: the time of that step was over",
                                        run.ways[way].name, run.state.plan.windows[window].recent));
    else if (tried.measures.size() < all)
        run.notes.push_back(
            fmt::format("maps for {} in a window of {} were tried on {} of {} prompts: the time of that step was over",
                        run.ways[way].name, run.state.plan.windows[window].recent, tried.measures.size(), all));
    if (run.grown)
        run.grown();
    return {};
}

} // namespace

StreamingWindow RecommendRun::windowOf(std::size_t way, std::size_t window) const
{
    StreamingWindow of = state.plan.windows[window];
    if (!ways[way].hasSinks(job.model().shape()))
        of.sink = 0;
    return of;
}

ServedCost RecommendRun::costOf(const ServingWay &way, const HeadMap &map) const
{
    ServedCost found;
    if (auto memory = servedMemory(way, job.config(), map, request.context))
        found.memory = std::move(*memory);
    if (cost)
        found.ms = cost->estimate(way.served(map), Phase::Decode, request.context).ms;
    return found;
}

bool RecommendRun::isInBudget(const ServedCost &of) const
{
    if (request.memory)
        return of.memory.bytes > 0 && of.memory.bytes <= *request.memory;
    return !request.tpotMs || (of.ms && *of.ms <= *request.tpotMs);
}

Result<void> RecommendRun::save() const
{
    const std::filesystem::path file = progressFile(request);
    return file.empty() ? Result<void>() : saveProgress(file, "recommend", requestJson(request, job), state.toJson());
}

Result<void> askChoosing(RecommendRun &run)
{
    if (!run.request.questions)
        return {};
    const RecommendPlan &plan = run.state.plan;
    std::vector<Question> half = halfOf(*run.request.questions, false);
    half.resize(std::min(half.size(), static_cast<std::size_t>(std::max(plan.scorePrompts, plan.sweepPrompts))));
    run.job.tell({.part = JobPart::Questions, .subject = "full attention"});
    ZIGZAG_TRY(answered,
               withOwnAnswers(run.job.device, run.job.textModel(), half, run.request.as, plan.promptTokens, run.job.cancel,
                              run.job.counted(JobPart::Questions, "full attention")));
    run.notes.insert(run.notes.end(), answered.notes.begin(), answered.notes.end());
    if (answered.prompts.empty())
        return badInput(
            fmt::format("full attention answers none of the {} questions that are to choose, so that no map can lose an "
                        "answer: look at how they are asked (eval --task questions --map full)",
                        half.size()));
    run.choosing = std::make_shared<const std::vector<TaskPrompt>>(std::move(answered.prompts));
    return {};
}

Result<void> orderLayers(RecommendRun &run, double seconds)
{
    run.scores.resize(run.ways.size());
    const double each = seconds / static_cast<double>(run.ways.size());
    for (std::size_t way = 0; way < run.ways.size(); ++way) {
        if (run.state.orders[way].isKnown()) {
            if (auto kept = readHeadScores(besideProgress(run.request, fmt::format("scores-{}.json", run.ways[way].name)),
                                           run.job.model().shape()))
                run.scores[way] = std::move(*kept);
            continue;
        }
        ZIGZAG_CHECK(orderOne(run, way, each));
    }
    return {};
}

Result<void> tryCounts(RecommendRun &run, double seconds)
{
    const std::size_t windows = run.state.plan.windows.size();
    const JobTime time(seconds);
    std::size_t left = run.ways.size() * windows; // what one leaves of its time, those behind it share
    bool fits = false, tried = false;
    for (std::size_t way = 0; way < run.ways.size(); ++way)
        for (std::size_t window = 0; window < windows; ++window) {
            ZIGZAG_CHECK(tryWindow(run, way, window, time.left() / static_cast<double>(left--)));
            const TriedCounts &here = run.state.triedIn(way, window);
            fits = fits || !here.counts.empty();
            tried = tried || !here.measures.empty();
        }
    if (!fits)
        return badInput(
            "no map keeps the budget with so many layers as were ordered: raise it, or give smaller windows (--recent)");
    return tried ? Result<void>() : outOfTime("the first map was tried");
}

std::vector<TriedMap> triedMaps(const RecommendRun &run)
{
    std::vector<TriedMap> all;
    for (std::size_t way = 0; way < run.ways.size(); ++way)
        for (std::size_t window = 0; window < run.state.plan.windows.size(); ++window) {
            const TriedCounts &tried = run.state.tried[way * run.state.plan.windows.size() + window];
            for (std::size_t i = 0; i < tried.counts.size() && !tried.measures.empty(); ++i) {
                TriedMap one;
                one.way = way;
                one.window = window;
                one.map = mapOf(run, way, window, tried.counts[i]);
                one.streaming = tried.counts[i];
                one.cost = run.costOf(run.ways[way], one.map);
                one.prompts = static_cast<int>(tried.measures.size());
                for (const std::vector<PromptMeasure> &prompt : tried.measures) {
                    one.loss += prompt[i].answerRise / one.prompts;
                    one.right += prompt[i].right / one.prompts;
                    one.rightFull += prompt.back().right / one.prompts;
                }
                all.push_back(std::move(one));
            }
        }
    const std::int64_t full
        = run.costOf(run.ways.front(), HeadMap(run.job.model().shape(), HeadKind::Retrieval, 0, 1)).memory.bytes;
    const bool savesMemory
        = std::any_of(all.begin(), all.end(), [full](const TriedMap &one) { return one.cost.memory.bytes < full; });
    std::vector<double> costs, losses;
    for (TriedMap &one : all) {
        one.byTime = run.request.tpotMs || !savesMemory;
        costs.push_back(one.compared());
        losses.push_back(one.loss);
    }
    const std::vector<bool> inSet = paretoSet(costs, losses);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i].inSet = inSet[i];
    return all;
}

} // namespace zigzag::jobs
