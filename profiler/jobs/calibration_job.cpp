// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/calibration_job.h"

#include "profiler/cost/profile_file.h"

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

Result<Calibration> calibration(const JobContext &context, const CalibrationPlan &plan)
{
    Calibration found;
    ZIGZAG_TRY(samples, sampleModel(context, plan));
    found.machine = context.machine();
    found.models.push_back(std::move(samples));
    found.measured = today();
    return found;
}

Result<CostModel> calibrate(const JobContext &context, const CalibrationPlan &plan)
{
    ZIGZAG_TRY(found, calibration(context, plan));
    return CostModel(found, context.config());
}

} // namespace zigzag::jobs
