// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_stand_ins.h"

#include "engine/map/run_alike.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/jobs/carry_state.h"
#include "profiler/jobs/recommend_judge.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

namespace zigzag::jobs {

namespace {

constexpr std::string_view prefix = "stand-ins-", suffix = ".progress";

std::filesystem::path fileFor(const RecommendRequest &request, const HeadMap &map, std::string_view of)
{
    if (request.progressFolder.empty())
        return {};
    std::string name = fingerprintOf(map);
    std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
    return request.progressFolder / fmt::format("{}{}-{}{}", prefix, of, name, suffix);
}

/// The plan's steps decide; on a machine that is much slower than it was when the plan was made, time does.
FitPlan fitPlan(const RecommendPlan &plan)
{
    constexpr double slower = 3;
    const double each = plan.fittedMaps > 0 ? plan.seconds.fitting / plan.fittedMaps : 0;
    return {.steps = plan.fitSteps, .seconds = slower * each};
}

} // namespace

Result<std::shared_ptr<const Carried>> judgedStandIns(RecommendRun &run, const JobContext &context, const TriedMap &map,
                                                      bool fits)
{
    if (!run.ways[map.way].standsIn())
        return nullptr;
    CarryPlan plan;
    ZIGZAG_TRY(texts, madeCarryTexts(context.textModel(), streamingWindowOf(map.map)));
    plan.texts = std::move(texts);
    if (fits)
        plan.fit = fitPlan(run.state.plan);
    const std::filesystem::path file = fileFor(run.request, map.map, "map");
    CarryFile kept(file, context, map.map, plan, run.request.begin);
    auto carried = carry(context, map.map, plan, &kept.soFar());
    if (!carried && !isCancelled(carried.error()) && kept.soFar().state.calibrated) { // a fit that cannot be made
        run.notes.push_back(
            fmt::format("{}: what stands in for sinks is not fitted: {}", nameOf(run, map), carried.error().message));
        plan.fit.reset();
        kept.soFar().state.fit = {};
        carried = carry(context, map.map, plan, &kept.soFar());
    }
    ZIGZAG_CHECK(kept.save());
    ZIGZAG_CHECK(carried);
    return std::make_shared<const Carried>(std::move(*carried));
}

Result<std::shared_ptr<DeviceModel>> searchedStandIns(const RecommendRun &run, const JobContext &context, std::size_t window)
{
    const StreamingWindow of = run.state.plan.windows[window];
    const HeadMap all(context.model().shape(), HeadKind::Streaming, of.sink, of.recent);
    CarryPlan plan;
    ZIGZAG_TRY(texts, madeCarryTexts(context.textModel(), of));
    plan.texts = std::move(texts);
    CarryFile kept(fileFor(run.request, all, "layers"), context, all, plan, run.request.begin);
    auto made = everyLayerCarried(context, of, &kept.soFar().state.calibration);
    ZIGZAG_CHECK(kept.save());
    return made;
}

std::vector<std::filesystem::path> standInFiles(const RecommendRequest &request)
{
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    if (!request.progressFolder.empty())
        for (const auto &entry : std::filesystem::directory_iterator(request.progressFolder, ignored))
            if (const std::string name = entry.path().filename().string(); name.starts_with(prefix) && name.ends_with(suffix))
                files.push_back(entry.path());
    return files;
}

std::string formText(const ServingWay &way, const ModelShape &model, const Carried *standIns)
{
    if (standIns && standIns->isFitted)
        return fmt::format("stand-ins fitted in {} steps", standIns->steps);
    if (way.standsIn())
        return "stand-ins calibrated";
    return way.isOurs() ? "as it is" : way.hasSinks(model) ? "its sinks kept" : "the window alone";
}

} // namespace zigzag::jobs
