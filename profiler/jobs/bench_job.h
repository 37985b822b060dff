// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/job.h"
#include "profiler/measure/bench.h"

namespace zigzag::jobs {

/// The records so far, after every sample.
using RecordsTold = std::function<void(const std::vector<BenchRecord> &soFar)>;

/// Measures every point of the plan, and at the end the machine's ceilings once more: the better of both are the context's
/// machine and the records' floors. Cancelled, it returns the records that it has.
Result<std::vector<BenchRecord>> bench(const JobContext &context, const BenchPlan &plan, const RecordsTold &told = {});

/// The points alone, for whom the ceilings say nothing: predictions that are held against them.
Result<std::vector<BenchRecord>> benchPoints(const JobContext &context, const BenchPlan &plan, const RecordsTold &told = {});

} // namespace zigzag::jobs
