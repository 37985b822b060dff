// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"
#include "profiler/carry/granite_swa_folder.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// An export that is the model itself with stand-ins for its sinks: unlike a map in another program's words (ExportFormat) it is
/// calibrated before it is written.
struct CarriedTarget {
    std::string_view name; ///< of `--format`
    std::string_view title;
    bool writesFolder = false; ///< which can have the model's weights linked or copied
    ExportVerdict (*verdict)(const HeadMap &map, const ExportModel *model);
    /// `carried`: from carriedModel. `quality`: a sentence on what it costs, where there is a place for one. Leaves nothing
    /// behind when it fails.
    Result<void> (*write)(const ExportModel &model, const Model &carried, const std::filesystem::path &out, WeightFiles files,
                          const std::string &quality);
    std::string_view engine; ///< that is counted on for its memory, as profiler/cost/engine_memory.h calls it
};

/// What a person asks of one.
struct CarriedOptions {
    bool fits = false; ///< after calibration; minutes
    WeightFiles files = WeightFiles::Link;
    std::vector<std::filesystem::path> texts; ///< that stand-ins are made from; empty: prompts are made
};

std::span<const CarriedTarget> carriedTargets();
/// Null where no target has this name.
const CarriedTarget *findCarriedTarget(std::string_view name);

} // namespace zigzag
