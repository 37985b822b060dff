// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/op_table.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace zigzag {

/// What `--by` may be, and the grouping that it asks for.
std::vector<std::string> groupNames();
GroupBy groupNamed(const std::string &name);

std::string opTableText(const std::vector<OpRow> &rows);
nlohmann::ordered_json opTableJson(const std::vector<OpRow> &rows);

} // namespace zigzag
