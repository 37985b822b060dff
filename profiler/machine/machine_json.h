// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Private to .cpp files: it includes nlohmann/json.

#include "engine/base/json_input.h"
#include "profiler/base/run_types.h"

#include <nlohmann/json.hpp>
#include <string>

namespace zigzag {

/// A machine as every record, trace and profile stores it.
nlohmann::ordered_json machineJson(const MachineProfile &machine);
/// Back from what a file says; members that are absent stay empty.
Result<MachineProfile> readMachine(const json::Value &value, const std::string &where);

} // namespace zigzag
