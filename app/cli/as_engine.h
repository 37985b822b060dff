// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/run_support.h"
#include "engine/map/head_map.h"
#include "profiler/carry/granite_swa_folder.h"
#include "profiler/jobs/carry_job.h"

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// `--as-engine` and `--stand-ins`.
struct EngineOptions {
    std::string engine, standIns;
};
void addEngineOptions(CLI::App &command, EngineOptions &options);

/// What runs: the map as an engine would run it, on the model as that engine has it.
struct EngineRun {
    Loaded loaded;
    HeadMap map;
    bool isCarried = false; ///< `loaded` is the model with stand-ins, and its map is full: windows are the model's own
};

/// Without --as-engine, what was given. Refuses maps that the engine cannot run; says on stderr what it runs. granite-swa: with
/// the stand-ins of an exported folder (which must be of this model and map), or else of a calibration that is made here as
/// export makes it; `calibrates` false leaves them without values, where only times count.
Result<EngineRun> asEngine(const Loaded &loaded, const std::string &model, const HeadMap &map, const EngineOptions &options,
                           bool calibrates = true);

} // namespace zigzag
