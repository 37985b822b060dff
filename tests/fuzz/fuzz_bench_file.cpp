// SPDX-License-Identifier: GPL-3.0-or-later
// What `bench` and `predict` write as JSON; then that beside itself, as `compare` does.
#include "profiler/compare/compare.h"
#include "profiler/measure/bench_file.h"
#include "tests/fuzz/fuzz_target.h"

#include <cmath>

ZIGZAG_FUZZ(bench_file)
{
    const auto file = zigzag::readBenchFile(zigzag::test::fuzzFile("bench.json", input));
    if (!file)
        return;
    for (const zigzag::Difference &difference : zigzag::compareRecords(file->records, file->records))
        zigzag::test::require(!difference.onlyA && !difference.onlyB && std::isfinite(difference.absolute()));
    for (const zigzag::BenchRecord &record : file->records)
        zigzag::test::require(zigzag::tokensPerSecond(record) >= 0);
}
