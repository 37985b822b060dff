// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/calibration_job.h"

namespace zigzag::jobs {

Result<ModelSamples> sampleModel(const JobContext &context, const CalibrationPlan &plan, std::string_view subject)
{
    const MachineProfile &machine = context.machine();
    if (context.isCancelled())
        return cancelled();
    const auto tell
        = [&](double fraction) { context.tell({.part = JobPart::Calibrate, .fraction = fraction, .subject = subject}); };
    tell(0);
    return measureModel(context.device, machine, plan, context.cancel, tell);
}

Result<CostModel> calibrate(const JobContext &context, const CalibrationPlan &plan)
{
    ZIGZAG_TRY(samples, sampleModel(context, plan));
    return CostModel({context.machine(), {std::move(samples)}}, context.config());
}

} // namespace zigzag::jobs
