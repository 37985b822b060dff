// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/answers_file.h"
#include "profiler/evaluate/paired_test.h"

#include <cstddef>
#include <string>
#include <vector>

namespace zigzag {

/// One map beside full attention on one task at one length, or on all of them.
struct AnswersRow {
    std::string task; ///< empty: all
    std::int64_t context = 0; ///< 0: of any length
    std::size_t map = 0; ///< its place in AnswersRecord::maps
    double full = 0, mean = 0; ///< mean scores
    PairedTest test;
};

/// For each map but the first: a row for each task and length, in the order in which they were asked, and one for all together
/// where there are several. Of the questions that every map answered.
std::vector<AnswersRow> summaryOf(const AnswersRecord &record);

/// The questions whose score fell most under a map, the largest drop first: by their places.
std::vector<std::size_t> brokenBy(const AnswersRecord &record, std::size_t map);

} // namespace zigzag
