// SPDX-License-Identifier: GPL-3.0-or-later
// zigzag-trace and Chrome's Trace Event Format, of this program and of others, gzip-compressed or not, told apart by content;
// then the tables that are made of it, it beside itself, and the same trace written and read again.
#include "profiler/compare/compare.h"
#include "profiler/trace/chrome_writer.h"
#include "profiler/trace/lane_time.h"
#include "profiler/trace/trace_file.h"
#include "tests/fuzz/fuzz_target.h"

ZIGZAG_FUZZ(trace)
{
    using namespace zigzag;
    const auto trace = readTrace(test::fuzzFile("trace.json", input));
    if (!trace)
        return;
    for (const GroupBy by : {GroupBy::Op, GroupBy::Layer, GroupBy::OpAndKind})
        for (const OpRow &row : opTable(*trace, by))
            test::require(row.count > 0 && row.selfNs >= 0 && row.totalNs >= row.selfNs);
    for (const Difference &difference : compareTraces(*trace, *trace, GroupBy::OpAndLayer))
        test::require(!difference.onlyA && !difference.onlyB && difference.absolute() == 0);
    for (const KernelRow &row : kernelTable(*trace))
        test::require(row.count > 0 && row.selfNs >= 0 && row.totalNs >= row.selfNs);
    if (trace->info.isForeign) {
        // Nothing of one row is counted twice, so no row is busier than the trace is long.
        test::require(trace->spans.empty() && passTimes(*trace).size() == 1);
        std::vector<std::int64_t> busy(trace->rows.size());
        const LaneTimes times = laneTimes(*trace);
        for (std::size_t i = 0; i < trace->kernels.size(); ++i)
            busy[trace->kernels[i].row] += times.selfNs[i];
        for (const std::int64_t ns : busy)
            test::require(ns <= trace->endNs() - trace->beginNs());
    }
    const auto file = test::fuzzFolder() / "written.json";
    for (const auto write : {writeTrace, writeChromeTrace}) {
        test::require(write(*trace, file).has_value());
        const auto again = readTrace(file);
        test::require(again && again->kernels.size() == trace->kernels.size() && again->spans.size() == trace->spans.size());
    }
}
