// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/run_task.h"
#include "engine/map/head_map.h"
#include "profiler/carry/carried_target.h"
#include "profiler/carry/carry_quality.h"

#include <filesystem>
#include <functional>

namespace zigzag {

/// A calibrated export that was chosen in the dialog.
struct CarriedExportRun {
    HeadMap map;
    ExportModel model;
    const CarriedTarget *target = nullptr;
    CarriedOptions options;
    std::filesystem::path out;
    /// Hears, on the window's thread, what the stand-ins that were written cost.
    std::function<void(const CarryQuality &quality)> written;
};

/// The run that calibrates, fits where that was asked for, measures and writes, with the model that is loaded by then.
RunRequest requestFor(const CarriedExportRun &run);

/// Progress of a whole carry (profiler/jobs/carry_job.h) out of its parts' own.
double carryFraction(const JobStep &step, bool fits);

} // namespace zigzag
