// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/predict_job.h"

#include "engine/map/run_alike.h"
#include "profiler/cost/op_cost.h"
#include "profiler/jobs/bench_job.h"

#include <algorithm>

namespace zigzag::jobs {

namespace {

Prediction predictOne(const CostModel &cost, const NamedMap &map, const Workload &work)
{
    Prediction point;
    point.estimate = cost.estimate(map.map, work);
    const Floor floor = computeFloor(cost.config(), map.map, cost.machine(), work.phase, work.context, work.batch);
    BenchRecord &record = point.predicted;
    record.map = map.name;
    record.mapFingerprint = fingerprintOf(map.map);
    record.phase = work.phase;
    record.context = work.context;
    record.batch = work.batch;
    record.kvType = cost.config().kvType;
    record.medianMs = point.estimate.ms;
    record.kvBytes = point.estimate.kvBytes;
    record.floorMs = floor.ms / work.gpus;
    record.floorRatio = record.medianMs > 0 ? record.floorMs / record.medianMs : 0;
    return point;
}

} // namespace

std::vector<Prediction> predict(const CostModel &cost, const PredictPlan &plan)
{
    std::vector<Prediction> points;
    for (const std::int64_t context : plan.contexts)
        for (const int batch : plan.batches)
            for (const Phase phase : plan.phases)
                for (const NamedMap &map : plan.maps)
                    points.push_back(
                        predictOne(cost, map, {.phase = phase, .context = context, .batch = batch, .gpus = plan.gpus}));
    return points;
}

double paceOf(const CostModel &cost, const Backend &backend)
{
    const DeviceInfo here = backend.device();
    const bool isSame = here.name == cost.machine().device && std::max(1, here.threads) == cost.machine().threads;
    return isSame ? cost.paceMs() : 0.0;
}

Result<void> measure(const JobContext &context, std::vector<Prediction> &predictions, const CostModel &cost,
                     const PredictPlan &plan, int repeats, double patienceSeconds)
{
    BenchPlan bench;
    bench.maps = plan.maps;
    bench.contexts = plan.contexts;
    bench.batches = plan.batches;
    bench.gpus = plan.gpus;
    bench.phases = plan.phases;
    bench.repeats = repeats;
    bench.patienceSeconds = patienceSeconds;
    bench.fullPaceMs = paceOf(cost, *context.device->backend);
    ZIGZAG_TRY(records, benchPoints(context, bench));
    for (Prediction &point : predictions)
        for (const BenchRecord &record : records)
            if (record.failure.empty() && record.map == point.predicted.map && record.phase == point.predicted.phase
                && record.context == point.predicted.context && record.batch == point.predicted.batch)
                point.measured = record;
    return {};
}

} // namespace zigzag::jobs
