// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/job.h"
#include "profiler/trace/trace_run.h"

namespace zigzag::jobs {

/// One prefill, or some decode steps, recorded.
Result<Trace> trace(const JobContext &context, const TracePlan &plan);

} // namespace zigzag::jobs
