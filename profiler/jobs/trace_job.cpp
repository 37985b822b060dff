// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/trace_job.h"

namespace zigzag::jobs {

Result<Trace> trace(const JobContext &context, const TracePlan &plan, TraceSoFar *soFar)
{
    const MachineProfile &machine = context.machine();
    context.tell(JobPart::Trace, 0);
    return recordTrace(
        context.device, context.config(), machine, plan, context.cancel,
        [&](double fraction) { context.tell(JobPart::Trace, fraction); }, soFar);
}

} // namespace zigzag::jobs
