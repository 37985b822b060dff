// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/carry/carry_quality.h"
#include "profiler/carry/sink_fit.h"
#include "profiler/jobs/job.h"

#include <optional>
#include <vector>

namespace zigzag::jobs {

/// What stand-ins are made from and judged by, as tokens.
struct CarryTexts {
    std::vector<std::vector<int>> calibration;
    std::vector<std::vector<int>> fit; ///< more of the same, where there is more
    std::vector<std::vector<int>> heldOut; ///< that neither has seen
};

struct CarryPlan {
    CarryTexts texts;
    std::optional<FitPlan> fit; ///< absent: calibration alone
};

struct Carried {
    SinkCarrier carrier; ///< the better one of both
    CarryQuality calibrated;
    std::optional<CarryQuality> fitted; ///< absent without a fit
    int steps = 0; ///< of the fit
    bool isFitted = false; ///< the fit is the one that was taken

    const CarryQuality &quality() const { return isFitted ? *fitted : calibrated; }
};

/// Stand-ins for a map's sinks: calibrated, fitted where the plan says so, and measured. Of a fit that is no better than the
/// calibration, over the held-out texts and by the plan's weights, the calibration is taken. Steps have "calibration", "fit" and
/// "measurement" as their subjects.
Result<Carried> carry(const JobContext &context, const HeadMap &map, const CarryPlan &plan);

} // namespace zigzag::jobs
