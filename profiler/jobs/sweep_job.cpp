// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/sweep_job.h"

#include "profiler/search/search_progress.h"

#include <chrono>
#include <utility>

namespace zigzag::jobs {

namespace {

constexpr std::string_view methodName = "sweep";

/// Writes a sweep's state down, at most once a second unless it must be.
class Keeper
{
public:
    Keeper(std::filesystem::path file, std::string plan)
        : m_file(std::move(file))
        , m_plan(std::move(plan))
    { }

    /// What cannot be written now is tried again with the next measure; at the end it is an error.
    Result<void> keep(const QualityState &state, bool atOnce)
    {
        constexpr std::chrono::seconds seldom(1);
        const auto now = std::chrono::steady_clock::now();
        if (m_file.empty() || (!atOnce && now - m_saved < seldom) || (state.measured.empty() && state.begun.empty()))
            return {};
        m_saved = now;
        return saveProgress(m_file, methodName, m_plan, sweepStateJson(state));
    }
    Result<void> remove()
    {
        std::error_code ignored;
        if (!m_file.empty())
            std::filesystem::remove(m_file, ignored);
        return {};
    }

private:
    std::filesystem::path m_file;
    std::string m_plan;
    std::chrono::steady_clock::time_point m_saved = std::chrono::steady_clock::now();
};

} // namespace

Result<SweepResult> sweep(const JobContext &context, const SweepJob &job)
{
    ZIGZAG_TRY(prompts, makeTaskPrompts(context.model(), job.tasks));
    ZIGZAG_TRY(meter, MapMeter::create(context.device, std::move(prompts), job.served));
    if (job.opened)
        ZIGZAG_CHECK(job.opened());
    const std::string plan = sweepPlanJson(meter, job.maps, context.device->backend->name());
    QualityState state;
    if (!job.progressFile.empty() && job.begin == Begin::GoOn) {
        ZIGZAG_TRY(text, loadProgress(job.progressFile, methodName, plan));
        if (text) {
            ZIGZAG_TRY(kept, sweepStateFrom(*text, meter.prompts().size(), job.maps.size()));
            state = std::move(kept);
        }
    }
    const auto done = static_cast<int>(state.measured.size());
    const double begunAt = static_cast<double>(done) / meter.promptCount();
    context.tell(JobPart::TimePass, 0);
    // Full attention, which all are held against, and each beginning of layers that maps share.
    ZIGZAG_TRY(seconds, meter.estimateSeconds(context.config().layers + MapMeter::sharedLayerRuns(job.maps), context.cancel));
    if (job.begun)
        job.begun(meter.promptCount(), done, (1 - begunAt) * seconds);
    const auto tell = [&](double measured, int all) {
        context.tell({.part = JobPart::Sweep, .fraction = measured / all, .done = measured, .all = all, .begunAt = begunAt});
    };
    tell(done, meter.promptCount());
    Keeper keeper(job.progressFile, plan);
    auto toldAt = std::chrono::steady_clock::now();
    const auto onMap = [&] {
        (void)keeper.keep(state, false);
        constexpr std::chrono::milliseconds seldom(500);
        if (const auto now = std::chrono::steady_clock::now(); job.first && now - toldAt >= seldom) {
            toldAt = now;
            if (auto soFar = firstPoints(meter, job.maps, state); !soFar.empty())
                job.first(std::move(soFar));
        }
    };
    auto points = sweepQuality(meter, job.maps, context.cancel, tell, job.soFar, &state, onMap);
    const bool isWhole = static_cast<int>(state.measured.size()) == meter.promptCount();
    ZIGZAG_CHECK(isWhole ? keeper.remove() : keeper.keep(state, true));
    if (!points)
        return tl::unexpected(std::move(points.error()));
    return SweepResult{std::move(*points), meter.promptCount()};
}

std::vector<PricedPoint> priced(const std::vector<SweepPoint> &points, const CostModel &cost, std::int64_t context)
{
    std::vector<HeadMap> maps;
    std::vector<double> losses;
    for (const SweepPoint &point : points) {
        maps.push_back(point.map);
        losses.push_back(point.quality.loss.mean);
    }
    return priced(maps, losses, cost, context);
}

std::vector<PricedPoint> priced(const std::vector<HeadMap> &maps, std::span<const double> losses, const CostModel &cost,
                                std::int64_t context)
{
    std::vector<PricedPoint> prices;
    std::vector<double> ms;
    for (const HeadMap &map : maps) {
        const Estimate estimate = cost.estimate(map, Phase::Decode, context);
        prices.push_back({estimate.ms, estimate.kvBytes, false});
        ms.push_back(estimate.ms);
    }
    const std::vector<bool> inSet = paretoSet(ms, losses);
    for (std::size_t i = 0; i < prices.size(); ++i)
        prices[i].inSet = inSet[i];
    return prices;
}

} // namespace zigzag::jobs
