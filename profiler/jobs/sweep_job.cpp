// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/sweep_job.h"

namespace zigzag::jobs {

Result<SweepResult> sweep(const JobContext &context, const SweepJob &job)
{
    ZIGZAG_TRY(prompts, makeTaskPrompts(context.model(), job.tasks));
    ZIGZAG_TRY(meter, MapMeter::create(context.device, std::move(prompts), job.served));
    if (job.opened)
        ZIGZAG_CHECK(job.opened());
    context.tell(JobPart::TimePass, 0);
    // Full attention, which all are held against, and each beginning of layers that maps share.
    ZIGZAG_TRY(seconds, meter.estimateSeconds(context.config().layers + MapMeter::sharedLayerRuns(job.maps), context.cancel));
    if (job.begun)
        job.begun(meter.promptCount(), seconds);
    context.tell(JobPart::Sweep, 0);
    ZIGZAG_TRY(points, sweepQuality(meter, job.maps, context.cancel, context.counted(JobPart::Sweep), job.soFar));
    return SweepResult{std::move(points), meter.promptCount()};
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
