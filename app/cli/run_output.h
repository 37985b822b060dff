// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/needle.h"
#include "profiler/evaluate/statistics.h"
#include "profiler/machine/machine_json.h"
#include "profiler/measure/bench.h"
#include "profiler/measure/bench_file.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

// What bench, eval and report print. `-o json` keys are a contract; see the command line's documentation.

/// `repeats`: samples that were asked for of each point.
std::string benchTable(const std::vector<BenchRecord> &records, int repeats);
std::string benchCsv(const MachineProfile &machine, const std::vector<BenchRecord> &records);
/// The machine and the ceilings that were measured in this run, as one paragraph.
std::string machineText(const MachineProfile &machine);

/// "87.3 %", and "-" where a ratio above 1 says that the ceiling moved, or where none is known.
std::string floorText(const BenchRecord &record);

nlohmann::ordered_json needleJson(const NeedleResult &result);
/// A row per context, a column per depth.
std::string needleTable(const NeedleResult &result);

/// A bound of a mean's interval; null where fewer than two values make none.
nlohmann::ordered_json boundJson(const Interval &interval, double bound);
/// "0.003 to 0.394", and "none: too few prompts" where fewer than two values make no interval.
std::string intervalText(const Interval &interval, std::string_view values);

} // namespace zigzag
