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

/// Columns that a terminal shows of a UTF-8 text without wide characters.
std::size_t columnsOf(const std::string &text);

std::string opTableText(const std::vector<OpRow> &rows);
nlohmann::ordered_json opTableJson(const std::vector<OpRow> &rows);

} // namespace zigzag
