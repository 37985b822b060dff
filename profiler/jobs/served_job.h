// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/engine_serving.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/jobs/job.h"

namespace zigzag::jobs {

/// What runs where an engine serves a map.
struct ServedRun {
    JobContext context; ///< the one that was given, with the model as that engine has it
    HeadMap map; ///< that runs on it
    std::int64_t queries = 0; ///< that what stands in for its sinks is means of; 0: nothing does
};

/// `serving`: engineServing of this very map. What stands in for its sinks, where something does, is calibrated here, from texts
/// that are made, as an export without texts has it: always the same. `soFar`: of the same map; it holds what there is of the
/// calibration when the call is cancelled.
Result<ServedRun> servedRun(const JobContext &context, const HeadMap &map, const EngineServing &serving,
                            CalibrationState *soFar = nullptr);
/// With those of an export, a folder or a GGUF file. Refused where it is of another model or map.
Result<ServedRun> exportedRun(const JobContext &context, const HeadMap &map, const std::string &exported);
/// The same with stand-ins that there are: of this very map.
Result<ServedRun> servedRun(const JobContext &context, const HeadMap &map, const SinkCarrier &standIns);

} // namespace zigzag::jobs
