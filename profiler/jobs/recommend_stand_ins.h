// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/carry_job.h"
#include "profiler/jobs/recommend_search.h"

#include <memory>
#include <vector>

namespace zigzag::jobs {

/// What stands in for the sinks of one map that is judged: calibrated for it and, with `fits`, fitted in the plan's steps, as an
/// export has them, and measured against its window alone. Null where nothing stands in. What there is of it waits beside the
/// progress. Where no fit can be made it is the calibration, and a note says why.
Result<std::shared_ptr<const Carried>> judgedStandIns(RecommendRun &run, const JobContext &context, const TriedMap &map,
                                                      bool fits);

/// Every layer's, in one of the plan's windows, as searches take them (everyLayerCarried). Their calibration waits beside the
/// progress.
Result<std::shared_ptr<DeviceModel>> searchedStandIns(const RecommendRun &run, const JobContext &context, std::size_t window);

/// Files of the progress that are of no use once all is written.
std::vector<std::filesystem::path> standInFiles(const RecommendRequest &request);

/// In which form a map was judged, and is served: "stand-ins, fitted in 60 steps".
std::string formText(const ServingWay &way, const ModelShape &model, const Carried *standIns);

} // namespace zigzag::jobs
