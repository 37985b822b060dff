// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/compare/op_matrix.h"

#include <nlohmann/json.hpp>
#include <string>

namespace zigzag {

/// Microseconds a step by op and run, and behind each the difference to the run in column `against`, marked ~ where the spreads
/// do not tell the two apart.
std::string opMatrixText(const OpMatrix &matrix, std::size_t against);
nlohmann::ordered_json opMatrixJson(const OpMatrix &matrix, std::size_t against);

} // namespace zigzag
