// SPDX-License-Identifier: GPL-3.0-or-later
// What `eval --out` writes, and what is told from it.
#include "profiler/evaluate/answers_summary.h"
#include "tests/fuzz/fuzz_target.h"

#include <cmath>

ZIGZAG_FUZZ(answers)
{
    const auto record = zigzag::answersFrom(input, "answers.json");
    if (!record)
        return;
    for (const zigzag::AnswersRow &row : zigzag::summaryOf(*record)) {
        zigzag::test::require(row.test.low <= row.test.high && row.test.p >= 0 && row.test.p <= 1);
        zigzag::test::require(std::isfinite(row.mean) && !zigzag::pairedText(row.test).empty());
    }
    for (std::size_t map = 1; map < record->maps.size(); ++map)
        zigzag::test::require(zigzag::brokenBy(*record, map).size() <= record->questions.size());
    const auto again = zigzag::answersFrom(zigzag::answersJson(*record).dump(), "again.json");
    zigzag::test::require(again.has_value());
}
