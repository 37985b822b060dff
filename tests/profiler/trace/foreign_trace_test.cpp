// SPDX-License-Identifier: GPL-3.0-or-later
// Traces of other programs, in the forms that the Trace Event Format allows, with right values worked out by hand.
#include "engine/base/files.h"
#include "profiler/compare/compare.h"
#include "profiler/trace/chrome_writer.h"
#include "profiler/trace/lane_time.h"
#include "profiler/trace/trace_file.h"
#include "tests/cli/run_program.h"
#include "tests/paths.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <numeric>

namespace zigzag {
namespace {

class ForeignTrace : public testing::Test
{
protected:
    Trace read(const std::string &text)
    {
        const auto file = files / "trace.json";
        EXPECT_TRUE(writeFileAtomically(file, text));
        auto trace = readTrace(file);
        EXPECT_TRUE(trace) << trace.error().message;
        EXPECT_TRUE(!trace || trace->info.isForeign);
        return trace ? std::move(*trace) : Trace{};
    }
    std::string refusal(const std::string &text)
    {
        const auto file = files / "bad.json";
        EXPECT_TRUE(writeFileAtomically(file, text));
        const auto trace = readTrace(file);
        return trace ? std::string() : trace.error().message;
    }
    /// "name row begin+duration/own", microseconds, in the order of the trace.
    static std::vector<std::string> events(const Trace &trace)
    {
        const LaneTimes times = laneTimes(trace);
        std::vector<std::string> lines;
        for (std::size_t i = 0; i < trace.kernels.size(); ++i) {
            const KernelSpan &event = trace.kernels[i];
            lines.push_back(trace.kernelNames[event.name] + " " + trace.rows[event.row] + " " + us(event.beginNs) + "+"
                            + us(event.durationNs) + "/" + us(times.selfNs[i]));
        }
        return lines;
    }
    static std::string us(std::int64_t ns)
    {
        std::string text = std::to_string(ns / 1000);
        return ns % 1000 == 0 ? text : text + "." + std::to_string(ns % 1000 / 100);
    }

    test::TempFolder files;
};

using Lines = std::vector<std::string>;

TEST_F(ForeignTrace, APyTorchTraceOf4MsTotals4MsAndItsKernelsAreNotItsCalls)
{
    const auto trace = readTrace(std::filesystem::path(test::sourceDir()) / "tests/fixtures/traces/pytorch.json.gz");
    ASSERT_TRUE(trace) << trace.error().message;
    EXPECT_EQ(trace->kernels.size(), 161u);
    EXPECT_EQ(trace->rows, (Lines{"thread 4242 (python3)", "stream 7 ", "PyTorch Profiler"}));
    EXPECT_EQ(trace->info.note, "not shown: 2 instants, 80 flow arrows");
    EXPECT_EQ(passTimes(*trace), std::vector<double>{4.0});
    std::map<std::string, double> own;
    for (const Difference &row : compareTraces(*trace, *trace, GroupBy::Op))
        own[row.name] = row.a;
    EXPECT_DOUBLE_EQ(own["the whole"], 4.0);
    EXPECT_DOUBLE_EQ(own["PyTorch Profiler (0)"], 4.0) << "it lies in a row of its own";
    EXPECT_NEAR(own["aten::linear"] + own["aten::mm"] + own["cudaLaunchKernel"], 2.42, 1e-9) << "as long as the outermost calls";
    EXPECT_NEAR(own["aten::mm"], 40 * (40.125 - 7.1) / 1e3, 1e-9);
    // The op table of the window: calls with what is inside them, and without.
    std::map<std::string, KernelRow> table;
    for (const KernelRow &row : kernelTable(*trace))
        table[row.name] = row;
    EXPECT_EQ(table["aten::linear"].totalNs, 2'420'000);
    EXPECT_EQ(table["aten::linear"].selfNs, 2'420'000 - table["aten::mm"].totalNs);
    EXPECT_EQ(table["cudaLaunchKernel"].selfNs, 284'000);
    std::int64_t onDevice = 0;
    for (const KernelSpan &kernel : trace->kernels)
        onDevice += trace->rows[kernel.row] == "stream 7 " ? kernel.durationNs : 0;
    EXPECT_NEAR(static_cast<double>(onDevice), 480e3, 5e3);
}

TEST_F(ForeignTrace, PairsOfBeginAndEndNestWithinTheirThread)
{
    const Trace trace = read(R"([{"name": "outer", "ph": "B", "pid": 2, "tid": 13, "ts": 100},
        {"name": "other", "ph": "B", "pid": 2, "tid": 14, "ts": 105}, {"name": "inner", "ph": "B", "pid": 2, "tid": 13, "ts": 110},
        {"ph": "E", "pid": 2, "tid": 14, "ts": 125}, {"ph": "E", "pid": 2, "tid": 13, "ts": 160},
        {"name": "x", "ph": "X", "pid": 2, "tid": 13, "ts": 170, "dur": 5}, {"ph": "E", "pid": 2, "tid": 13, "ts": 200}])");
    EXPECT_EQ(events(trace),
              (Lines{"outer thread 13 of process 2 0+100/45", "other thread 14 of process 2 5+20/20",
                     "inner thread 13 of process 2 10+50/50", "x thread 13 of process 2 70+5/5"}));
    EXPECT_EQ(laneTimes(trace).depth, (std::vector<std::uint8_t>{0, 0, 1, 1}));
    EXPECT_EQ(trace.info.note, "");
    EXPECT_EQ(passTimes(trace), std::vector<double>{0.1});
}

TEST_F(ForeignTrace, EndsThatDoNotMatchAreCountedAndFilesNeedNotBeSorted)
{
    const Trace trace = read(R"([{"ph": "E", "pid": 1, "tid": 1, "ts": 30}, {"ph": "E", "pid": 1, "tid": 1, "ts": 5},
        {"name": "a", "ph": "B", "pid": 1, "tid": 1, "ts": 10}, {"name": "never", "ph": "B", "pid": 1, "tid": 2, "ts": 10},
        {"name": "never", "ph": "B", "pid": 1, "tid": 1, "ts": 40}])");
    EXPECT_EQ(events(trace), Lines{"a thread 1 of process 1 0+20/20"});
    EXPECT_EQ(trace.info.note, "not shown: 2 begins without an end, 1 ends without a begin");
}

TEST_F(ForeignTrace, AsynchronousEventsLieInRowsOfTheirOwn)
{
    const Trace trace = read(R"({"traceEvents": [{"ph": "X", "name": "work", "pid": 1, "tid": 1, "ts": 0, "dur": 100},
        {"cat": "io", "id": "0x1", "ph": "b", "name": "read", "pid": 1, "tid": 1, "ts": 10},
        {"cat": "io", "id": "0x1", "ph": "b", "name": "parse", "pid": 1, "tid": 1, "ts": 12},
        {"cat": "io", "id": "0x1", "ph": "n", "name": "mark", "pid": 1, "tid": 1, "ts": 13},
        {"cat": "io", "id2": {"local": "0x1"}, "ph": "b", "name": "write", "pid": 1, "tid": 1, "ts": 14},
        {"cat": "io", "id": "0x1", "ph": "e", "name": "parse", "pid": 1, "tid": 1, "ts": 20},
        {"cat": "io", "id": "0x1", "ph": "e", "name": "read", "pid": 1, "tid": 1, "ts": 30},
        {"cat": "io", "id2": {"local": "0x1"}, "ph": "e", "name": "write", "pid": 1, "tid": 2, "ts": 40},
        {"cat": "io", "id": "0x3", "ph": "b", "name": "read", "pid": 1, "tid": 1, "ts": 30},
        {"cat": "io", "id": "0x3", "ph": "e", "name": "read", "pid": 1, "tid": 1, "ts": 35},
        {"cat": "io", "id": "0x4", "ph": "b", "name": "lost", "pid": 1, "tid": 1, "ts": 30},
        {"cat": "io", "ph": "b", "name": "no id", "pid": 1, "tid": 1, "ts": 30},
        {"cat": "old", "id": 7, "ph": "S", "name": "step", "pid": 1, "tid": 1, "ts": 1},
        {"cat": "old", "id": 7, "ph": "T", "name": "step", "pid": 1, "tid": 1, "ts": 2},
        {"cat": "old", "id": 7, "ph": "F", "name": "step", "pid": 1, "tid": 1, "ts": 3}]})");
    const std::string io = "io, asynchronous, of process 1";
    EXPECT_EQ(
        events(trace),
        (Lines{"work thread 1 of process 1 0+100/100", "step old, asynchronous, of process 1 1+2/2", "read " + io + " 10+20/12",
               "parse " + io + " 12+8/8", "write " + io + " (2) 14+26/26", "read " + io + " 30+5/5"}));
    EXPECT_EQ(trace.info.note,
              "not shown: 2 asynchronous instants, 1 begins without an end, 1 asynchronous events without an id");
}

TEST_F(ForeignTrace, AnAsynchronousEventThatNeverEndsDoesNotHideThoseInsideIt)
{
    const Trace trace = read(R"([{"cat": "c", "id": 1, "ph": "b", "name": "open", "pid": 1, "ts": 0},
        {"cat": "c", "id": 1, "ph": "b", "name": "a", "pid": 1, "ts": 10}, {"cat": "c", "id": 1, "ph": "e", "pid": 1, "ts": 20},
        {"cat": "c", "id": 2, "ph": "b", "name": "b", "pid": 1, "ts": 15}, {"cat": "c", "id": 2, "ph": "e", "pid": 1, "ts": 30}])");
    const std::string row = "c, asynchronous, of process 1";
    EXPECT_EQ(events(trace), (Lines{"a " + row + " 0+10/10", "b " + row + " (2) 5+15/15"}));
}

TEST_F(ForeignTrace, AnArrayNeedNotBeClosed)
{
    const std::string one = R"([{"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": 5, "dur": 7})",
                      row = " thread 1 of process 1 ";
    for (const std::string &text : {one + "]", one, one + ",", one + " ,\n", one + ",]", one + ", ]\n"}) {
        const Trace trace = read(text);
        EXPECT_EQ(events(trace), Lines{"a" + row + "0+7/7"}) << text;
        EXPECT_EQ(trace.info.note, "") << text;
    }
    const Trace cut = read(one + R"(, {"ph": "X", "name": "b, )");
    EXPECT_EQ(events(cut), Lines{"a" + row + "0+7/7"});
    EXPECT_EQ(cut.info.note, "not shown: 1 event that is cut off at the end of the file");
    // An object has to be closed: what lies behind its events is missing.
    EXPECT_NE(refusal(R"({"traceEvents": )" + one).find("cut off"), std::string::npos);
    EXPECT_NE(refusal(one + "] x").find("not valid JSON at byte"), std::string::npos);
    EXPECT_NE(refusal(one + " x").find("not valid JSON at byte"), std::string::npos);
}

TEST_F(ForeignTrace, AnEventNamedAsOneOfOurOpsIsAnEventLikeAnyOther)
{
    const Trace trace = read(R"([{"ph": "X", "name": "qkv", "pid": 1, "tid": 1, "ts": 0, "dur": 10},
        {"ph": "X", "name": "down", "pid": 1, "tid": 1, "ts": 5, "dur": 10, "args": {"layer": 99999, "span": 0}}])");
    EXPECT_TRUE(trace.spans.empty());
    EXPECT_EQ(events(trace), (Lines{"qkv thread 1 of process 1 0+10/5", "down thread 1 of process 1 5+10/10"}))
        << "what overlaps is not counted twice either";
    EXPECT_EQ(trace.kernels[1].span, -1);
    EXPECT_EQ(passTimes(trace), std::vector<double>{0.015});
    EXPECT_TRUE(opTable(trace, GroupBy::Op).empty());
}

TEST_F(ForeignTrace, WhatHasNoDurationIsCounted)
{
    const Trace trace = read(R"([{"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": 0, "dur": 10},
        {"ph": "i", "name": "x", "ts": 1}, {"ph": "I", "name": "x", "ts": 1}, {"ph": "C", "name": "memory", "ts": 1, "args": {}},
        {"ph": "s", "id": 1, "ts": 1}, {"ph": "t", "id": 1, "ts": 1}, {"ph": "f", "id": 1, "ts": 1}, {"ph": "N", "id": 1},
        {"ph": "V"}, {"ph": "P", "name": "y", "ts": 1}, {"ph": "(", "ts": 2}, {"ph": "strange"},
        {"ph": "M", "name": "process_name", "args": {"name": "python"}}, {"ph": "M", "name": "thread_name", "pid": 1, "tid": 1,
        "args": {"name": "main"}}, {"ph": "M", "name": "thread_name", "pid": 1, "tid": 9, "args": {"name": "idle"}}])");
    EXPECT_EQ(trace.rows, Lines{"main"}) << "a thread that did nothing has no row";
    EXPECT_EQ(trace.info.note,
              "not shown: 2 instants, 1 counters, 3 flow arrows, 1 object events, 1 memory dumps, 1 samples, 2 events of other "
              "phases");
    EXPECT_NE(refusal(R"([{"ph": "i", "name": "x", "ts": 1}])")
                  .find("a trace without any event that lasts (not shown: 1 instants); record it anew"),
              std::string::npos);
    EXPECT_NE(refusal(R"({"traceEvents": []})").find("a trace without any event that lasts; record it anew"), std::string::npos);
}

TEST_F(ForeignTrace, ACallThatCallsItselfCountsOnce)
{
    const Trace trace = read(R"([{"ph": "X", "name": "f", "pid": 1, "tid": 1, "ts": 0, "dur": 100},
        {"ph": "X", "name": "f", "pid": 1, "tid": 1, "ts": 10, "dur": 50}, {"ph": "X", "name": "g", "pid": 1, "tid": 1, "ts": 20, "dur": 30},
        {"ph": "X", "name": "f", "pid": 1, "tid": 2, "ts": 0, "dur": 7}])");
    const auto rows = kernelTable(trace);
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].name, "f");
    EXPECT_EQ(rows[0].count, 3);
    EXPECT_EQ(rows[0].totalNs, 107'000);
    EXPECT_EQ(rows[0].selfNs, 77'000);
    EXPECT_EQ(rows[1].selfNs, 30'000);
    const auto part = kernelTable(trace, {.beginNs = 5'000, .endNs = 25'000});
    EXPECT_EQ(part[0].selfNs, 2'000 + 15'000) << "of a stretch of time: 2 of the second thread, 15 of the first";
    EXPECT_EQ(part[0].totalNs, 2'000 + 20'000);
    EXPECT_EQ(part[1].selfNs, 5'000);
}

TEST_F(ForeignTrace, WrittenAndReadAgainItIsStillForeign)
{
    const Trace trace = read(R"([{"ph": "X", "name": "attention", "pid": 1, "tid": 1, "ts": 0, "dur": 10},
        {"ph": "C", "name": "memory", "ts": 1}])");
    for (const auto write : {writeTrace, writeChromeTrace}) {
        ASSERT_TRUE(write(trace, files / "again.json"));
        const auto again = readTrace(files / "again.json");
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_TRUE(again->info.isForeign);
        EXPECT_EQ(again->info.note, "not shown: 1 counters");
        EXPECT_EQ(again->kernels, trace.kernels);
        EXPECT_TRUE(again->spans.empty());
    }
    // Another program may have put our own remarks behind the events.
    const auto moved = files / "moved.json";
    test::writeText(moved,
                    R"({"traceEvents": [{"ph": "X", "name": "attention", "pid": 1, "tid": 0, "ts": 2, "dur": 3, "args":
        {"layer": 1}}],)"
                        + std::string(70'000, ' ') + R"("otherData": {"zigzag": {"model": "m"}, "dropped": 2}})");
    const auto ours = readTrace(moved);
    ASSERT_TRUE(ours) << ours.error().message;
    EXPECT_FALSE(ours->info.isForeign);
    EXPECT_EQ(ours->info.model, "m");
    EXPECT_EQ(ours->dropped, 2);
    ASSERT_EQ(ours->spans.size(), 1u);
    EXPECT_EQ(ours->spans[0].beginNs, 2000);
    EXPECT_EQ(ours->spans[0].layer, 1);
}

TEST_F(ForeignTrace, TimesThatNoTraceHasAreRefused)
{
    EXPECT_NE(refusal(R"([{"ph": "X", "name": "a", "ts": 0, "dur": 1}, {"ph": "X", "name": "a", "ts": 9e15, "dur": 1}])"), "");
    EXPECT_NE(refusal(R"([{"ph": "B", "name": "a", "ts": 0}, {"ph": "E", "ts": 9e15}])"), "");
    EXPECT_NE(refusal(R"([{"ph": "b", "id": 1, "name": "a", "ts": 0}, {"ph": "e", "id": 1, "ts": 9e15}])"), "");
    EXPECT_NE(refusal(R"([{"ph": "X", "name": "a", "ts": "soon"}])"), "");
}

TEST_F(ForeignTrace, WhatIsNoTraceIsToldWhatItIs)
{
    EXPECT_NE(refusal(R"({"model_type": "llama"})").find("this is a model's config.json, not a trace"), std::string::npos);
    EXPECT_NE(refusal("plain words").find("this is plain text, not a trace"), std::string::npos);
    EXPECT_NE(refusal("").find("this is an empty file, not a trace"), std::string::npos);
    EXPECT_NE(refusal("\x1f\x8b nothing").find("gzip"), std::string::npos);
}

TEST_F(ForeignTrace, CompareReadsWhatTheWindowReadsAndSaysWhatOtherFilesAre)
{
    const std::string packed = (std::filesystem::path(test::sourceDir()) / "tests/fixtures/traces/pytorch.json.gz").string();
    const auto same = test::runZigzag({"compare", packed, packed});
    EXPECT_EQ(same.code, 0) << same.errors;
    EXPECT_NE(same.output.find("pytorch.json.gz, of another program: 161 events in 3 rows"), std::string::npos) << same.output;
    EXPECT_NE(same.output.find("the whole"), std::string::npos);
    EXPECT_EQ(same.errors, "note: " + packed + ": not shown: 2 instants, 80 flow arrows\n");
    // 270 MB: more than other files may have.
    const std::string large = (files / "large.json").string();
    test::writeText(
        large, R"({"traceEvents":[{"name":"k","ph":"X","pid":1,"tid":1,"ts":0,"dur":5})" + std::string(270 << 20, ' ') + "]}");
    EXPECT_EQ(test::runZigzag({"compare", large, large}).code, 0);
    struct Wrong {
        std::string text, says;
    };
    for (const Wrong &wrong : {Wrong{R"({"architectures": []})", "this is a model's config.json, not a head map, a trace"},
                               Wrong{"words", "this is plain text"}, Wrong{"", "this is an empty file"},
                               Wrong{std::string("\x10\0\0\0\0\0\0\0{\"a\":", 13), "this is a safetensors file"},
                               Wrong{"GGUF\x03", "this is a GGUF model"}, Wrong{"PK\x03\x04", "this is a zip archive"},
                               Wrong{std::string("\x80\x02\0", 3), "this is binary data"}}) {
        const std::string file = (files / "wrong").string();
        test::writeText(file, wrong.text);
        const auto result = test::runZigzag({"compare", file, packed});
        EXPECT_EQ(test::refusalFault(result, 2), "") << wrong.says;
        EXPECT_NE(result.errors.find(wrong.says), std::string::npos) << result.errors;
    }
}

} // namespace
} // namespace zigzag
