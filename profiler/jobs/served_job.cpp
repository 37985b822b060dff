// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/served_job.h"

#include "profiler/carry/sink_carrier.h"
#include "profiler/jobs/carry_job.h"

namespace zigzag::jobs {

Result<ServedRun> servedRun(const JobContext &context, const HeadMap &map, const EngineServing &serving)
{
    if (!serving.standsIn)
        return ServedRun{context, serving.asRun(map)};
    ZIGZAG_TRY(texts, madeCarryTexts(context.textModel(), streamingWindowOf(map)));
    const auto told
        = [&](double fraction) { context.tell({.part = JobPart::Carry, .fraction = fraction, .subject = "calibration"}); };
    told(0);
    ZIGZAG_TRY(carrier, calibrateSinks(context.device, map, texts.calibration, context.cancel, told));
    ZIGZAG_TRY(carried, carriedModel(context.model(), map, carrier));
    ServedRun run{context, {}};
    run.context.texts = context.texts ? context.texts : context.device->model;
    ZIGZAG_TRY(device, uploadModel(carried, context.device->backend));
    run.context.device = std::move(device);
    run.map = HeadMap(carried->shape(), HeadKind::Retrieval, 0, 1); // its windows are the model's own
    return run;
}

} // namespace zigzag::jobs
