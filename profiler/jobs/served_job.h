// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/engine_serving.h"
#include "profiler/jobs/job.h"

namespace zigzag::jobs {

/// What runs where an engine serves a map.
struct ServedRun {
    JobContext context; ///< the one that was given, with the model as that engine has it
    HeadMap map; ///< that runs on it
};

/// `serving`: engineServing of this very map. What stands in for its sinks, where something does, is calibrated here, from texts
/// that are made, as an export without texts has it: always the same.
Result<ServedRun> servedRun(const JobContext &context, const HeadMap &map, const EngineServing &serving);

} // namespace zigzag::jobs
