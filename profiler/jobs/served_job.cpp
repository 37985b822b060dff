// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/served_job.h"

#include "profiler/carry/granite_swa_folder.h"
#include "profiler/jobs/carry_job.h"

namespace zigzag::jobs {

Result<ServedRun> servedRun(const JobContext &context, const HeadMap &map, const EngineServing &serving, CalibrationState *soFar)
{
    if (!serving.standsIn)
        return ServedRun{context, serving.asRun(map)};
    ZIGZAG_TRY(texts, madeCarryTexts(context.textModel(), streamingWindowOf(map)));
    ZIGZAG_TRY(carrier, calibrateStandIns(context, map, texts, soFar));
    return servedRun(context, map, carrier);
}

namespace {

/// A model with stand-ins in the place of the context's.
ServedRun onCarried(const JobContext &context, std::shared_ptr<DeviceModel> carried)
{
    ServedRun run{context, {}};
    run.context.texts = context.texts ? context.texts : context.device->model;
    run.context.device = std::move(carried);
    run.map = HeadMap(run.context.model().shape(), HeadKind::Retrieval, 0, 1); // its windows are the model's own
    return run;
}

} // namespace

Result<ServedRun> exportedRun(const JobContext &context, const HeadMap &map, const std::string &exported)
{
    ZIGZAG_TRY(carried, openCarried(exported, context.model(), map));
    ZIGZAG_TRY(device, uploadModel(carried, context.device->backend));
    return onCarried(context, std::move(device));
}

Result<ServedRun> servedRun(const JobContext &context, const HeadMap &map, const SinkCarrier &standIns)
{
    ZIGZAG_TRY(device, withStandIns(context, map, standIns));
    ServedRun run = onCarried(context, std::move(device));
    run.queries = standIns.queries;
    return run;
}

} // namespace zigzag::jobs
