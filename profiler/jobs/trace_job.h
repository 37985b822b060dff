// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/job.h"
#include "profiler/trace/trace_run.h"

namespace zigzag::jobs {

/// One prefill, or some decode steps, recorded.
/// `soFar`: of the same plan, as recordTrace keeps it.
Result<Trace> trace(const JobContext &context, const TracePlan &plan, TraceSoFar *soFar = nullptr);

} // namespace zigzag::jobs
