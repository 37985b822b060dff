// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/run_support.h"
#include "profiler/jobs/side_by_side_job.h"

#include <nlohmann/json.hpp>
#include <string>

namespace zigzag {

/// Both answers, and the token at which they part, as `generate` prints them for two maps.
std::string sideBySideText(const jobs::SideBySide &both);
/// `-o json`: its keys are a contract.
nlohmann::ordered_json sideBySideJson(const jobs::SideBySide &both);

} // namespace zigzag
