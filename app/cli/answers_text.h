// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/answers_summary.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

// What is printed of answers under one map beside those under another, by `eval` and `compare`.

/// The task, or "all".
std::string taskNameOf(const AnswersRow &row);
/// A row for each task and length of that map, and whether it answers otherwise, in a sentence. `first`, `second`: the columns
/// of scores.
std::string answersTable(const std::vector<AnswersRow> &rows, std::size_t map, std::string_view first, std::string_view second);
nlohmann::ordered_json summaryJson(const AnswersRecord &record, const std::vector<AnswersRow> &rows);
/// The first `most` questions whose score fell under that map, with the right answer and what was said under both.
std::string brokenAnswers(const AnswersRecord &record, std::size_t map, int most, std::string_view first,
                          std::string_view second);

} // namespace zigzag
