// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/bench.h"
#include "profiler/bench_file.h"
#include "profiler/machine_json.h"
#include "profiler/quality/needle.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace zigzag {

// What bench, eval and report print. `-o json` keys are a contract; see the command line's documentation.

std::string benchTable(const std::vector<BenchRecord> &records);
std::string benchCsv(const MachineProfile &machine, const std::vector<BenchRecord> &records);
/// The machine and the ceilings that were measured in this run, as one paragraph.
std::string machineText(const MachineProfile &machine);

nlohmann::ordered_json needleJson(const NeedleResult &result);
/// A row per context, a column per depth.
std::string needleTable(const NeedleResult &result);

} // namespace zigzag
