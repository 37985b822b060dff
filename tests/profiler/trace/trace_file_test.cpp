// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/files.h"
#include "profiler/trace/chrome_writer.h"
#include "profiler/trace/op_table.h"
#include "profiler/trace/trace_file.h"
#include "profiler/trace/trace_run.h"
#include "tests/profiler/loaded_model.h"
#include "tests/profiler/trace/event_format.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace zigzag {
namespace {

using nlohmann::json;
using test::formatFault;

class TraceFile : public test::LoadedModel
{
protected:
    Trace recorded(Phase phase, int batch = 1)
    {
        TracePlan plan;
        plan.model = "tiny \"quoted\"";
        plan.map = {"mixed.json", mixedMap()};
        plan.phase = phase;
        plan.context = 60;
        plan.batch = batch;
        plan.mixed = MixedMode::Reference;
        plan.steps = 5;
        MachineProfile machine;
        machine.device = "a processor";
        machine.readBytesPerSecond = 1.25e9;
        machine.cachedReadBytesPerSecond = 3e9;
        machine.matrixFlopsF32 = 1e10 / 3;
        auto trace = recordTrace(device, model->config, machine, plan);
        EXPECT_TRUE(trace) << trace.error().message;
        return trace ? *trace : Trace{};
    }

    static void addKernels(Trace &trace)
    {
        trace.rows.push_back("stream 7");
        trace.kernelNames = {"attention<64, \"x\">", "gemm"};
        trace.kernels = {{.beginNs = 500, .durationNs = 250, .name = 0, .span = 2, .row = 1},
                         {.beginNs = 900, .durationNs = 1, .name = 1, .span = -1, .row = 1}};
    }

    std::string refusal(const std::string &text)
    {
        const auto file = files / "bad.json";
        EXPECT_TRUE(writeFileAtomically(file, text));
        const auto trace = readTrace(file);
        return trace ? std::string() : trace.error().message;
    }

    test::TempFolder files;
};

TEST_F(TraceFile, BothFormsReadBackExactly)
{
    for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
        Trace trace = recorded(phase, phase == Phase::Decode ? 3 : 1);
        ASSERT_GT(trace.spans.size(), 20u);
        addKernels(trace);
        trace.dropped = 4;
        trace.info.disturbed = phase == Phase::Decode;
        for (const bool chrome : {false, true}) {
            const auto file = files / "trace.json";
            ASSERT_TRUE(chrome ? writeChromeTrace(trace, file) : writeTrace(trace, file));
            const auto back = readTrace(file);
            ASSERT_TRUE(back) << back.error().message;
            EXPECT_EQ(back->spans, trace.spans) << (chrome ? "chrome" : "zigzag");
            EXPECT_EQ(back->kernels, trace.kernels);
            EXPECT_EQ(back->kernelNames, trace.kernelNames);
            EXPECT_EQ(back->rows, trace.rows);
            EXPECT_EQ(back->dropped, 4);
            EXPECT_EQ(back->info.model, trace.info.model);
            EXPECT_EQ(back->info.phase, phase);
            EXPECT_EQ(back->info.disturbed, phase == Phase::Decode);
            EXPECT_EQ(back->info.batch, trace.info.batch);
            EXPECT_EQ(back->info.mixed, MixedMode::Reference);
            EXPECT_EQ(back->info.layerKinds, trace.info.layerKinds);
            EXPECT_EQ(back->info.machine.device, "a processor");
            EXPECT_EQ(back->info.machine.matrixFlopsF32, 1e10 / 3);
        }
    }
}

TEST_F(TraceFile, ChromeTracesAreStrictlyInFormatAndCountsAreOurs)
{
    Trace trace = recorded(Phase::Prefill);
    addKernels(trace);
    const auto file = files / "trace.json";
    ASSERT_TRUE(writeChromeTrace(trace, file));
    const json document = json::parse(*readTextFile(file));
    EXPECT_EQ(formatFault(document), "");
    std::map<std::string, std::int64_t> spans;
    std::int64_t kernels = 0;
    for (const json &event : document["traceEvents"]) {
        if (event["ph"] != "X")
            continue;
        if (event["cat"] == "kernel") {
            ++kernels;
            continue;
        }
        ++spans[event["name"]];
        EXPECT_EQ(event["args"].contains("layer"), event["cat"] != "outside") << event.dump();
        EXPECT_EQ(event["args"].contains("type"), event["cat"] != "outside");
        EXPECT_TRUE(event["args"].contains("bytes"));
    }
    EXPECT_EQ(kernels, 2);
    std::int64_t all = 0;
    for (const OpRow &row : opTable(trace, GroupBy::Op)) {
        EXPECT_EQ(spans[std::string(nameOf(*row.op))], row.count) << nameOf(*row.op);
        all += row.count;
    }
    EXPECT_EQ(all, static_cast<std::int64_t>(trace.spans.size()));
}

TEST(TraceEventFormat, TheCheckerSeesFaults)
{
    const json good = {{"displayTimeUnit", "ns"}, {"traceEvents", json::array({})}};
    EXPECT_EQ(formatFault(good), "");
    const auto with = [&](const json &event) {
        json document = good;
        document["traceEvents"].push_back(event);
        return formatFault(document);
    };
    const json event
        = {{"ph", "X"}, {"name", "a"}, {"cat", "b"}, {"pid", 1}, {"tid", 0}, {"ts", 1.5}, {"dur", 2}, {"args", json::object()}};
    EXPECT_EQ(with(event), "");
    for (const char *key : {"ph", "name", "cat", "pid", "tid", "ts", "dur", "args"}) {
        json without = event;
        without.erase(key);
        EXPECT_NE(with(without), "") << key;
    }
    json text = event;
    text["ts"] = "1.5";
    EXPECT_NE(with(text), "");
    json document = good;
    document["traceEvents"] = {event, event};
    EXPECT_EQ(formatFault(document), "");
    document["traceEvents"][1]["ts"] = 2.5;
    EXPECT_EQ(formatFault(document), "events of a thread overlap");
}

TEST_F(TraceFile, AForeignTraceIsReadAsItsEvents)
{
    const auto file = files / "foreign.json";
    ASSERT_TRUE(
        writeFileAtomically(file, R"([{"ph": "X", "name": "aten::mm", "pid": 7, "tid": "main", "ts": 1700000000000010, "dur": 5},
        {"ph": "X", "name": "attention", "cat": "kernel", "pid": 7, "tid": "stream", "ts": 1700000000000011, "dur": 1},
        {"ph": "i", "name": "mark", "pid": 7, "tid": "main", "ts": 11},
        {"ph": "X", "name": "attention", "pid": 7, "tid": 8, "ts": 1700000000000012.5, "dur": 2.001}])"));
    const auto trace = readTrace(file);
    ASSERT_TRUE(trace) << trace.error().message;
    ASSERT_EQ(trace->kernels.size(), 3u);
    EXPECT_EQ(trace->kernelNames, (std::vector<std::string>{"aten::mm", "attention"}));
    EXPECT_EQ(trace->kernels[0].beginNs, 0) << "other programs count from 1970, a trace from its first event";
    EXPECT_TRUE(trace->spans.empty()) << "another program's attention is not ours";
    EXPECT_EQ(trace->kernels[2].beginNs, 2500);
    EXPECT_EQ(trace->kernels[2].durationNs, 2001);
    EXPECT_EQ(trace->rows, (std::vector<std::string>{"main", "stream", "thread 8 of process 7"}));
}

TEST_F(TraceFile, HostileFilesAreRefused)
{
    const std::string head = R"({"format": "zigzag-trace", "version": 1, "info": {}, "rows": ["host"], "kernel_names": ["k"],
        "shapes": [{"op": "pass"}, {"op": "qkv", "layer": 0, "depth": 1}], )";
    EXPECT_EQ(refusal(head + R"("spans": [[0,10,0,0],[2,5,1,0]], "kernels": [[1,2,0,1,0]]})"), "");
    for (const char *rest : {R"("spans": [[0,10,2,0]], "kernels": []})", // no such shape
                             R"("spans": [[0,10,1,0]], "kernels": []})", // deeper than anything
                             R"("spans": [[0,10,0,0],[2,50,1,0]], "kernels": []})", // ends after its parent
                             R"("spans": [[0,10,0,0],[2,5,1,0],[3,2,1,0]], "kernels": []})", // overlaps the one beside it
                             R"("spans": [[-5,10,0,0]], "kernels": []})", R"("spans": [[0,-1,0,0]], "kernels": []})",
                             R"("spans": [[0,10,0]], "kernels": []})", R"("spans": [[0,1e3,0,0]], "kernels": []})",
                             R"("spans": [[0,10,0,4294967296]], "kernels": []})", R"("spans": 3, "kernels": []})",
                             R"("spans": [], "kernels": [[1,2,1,-1,0]]})", R"("spans": [], "kernels": [[1,2,0,0,0]]})",
                             R"("spans": [], "kernels": [[1,2,0,-1,3]]})",
                             R"("spans": [[4611686018427387904,1,0,0],[4611686018427387904,1,0,0]], "kernels": []})"})
        EXPECT_NE(refusal(head + rest), "") << rest;
    EXPECT_NE(refusal(R"({"format": "zigzag-trace", "version": 2})").find("version"), std::string::npos);
    EXPECT_NE(refusal(R"({"traceEvents": [{"ph": "X", "name": "a", "ts": -1}]})"), "");
    EXPECT_NE(refusal(R"({"traceEvents": [{"ph": "X", "ts": 1}]})"), "");
    EXPECT_NE(refusal(R"({"traceEvents": [5]})"), "");
    const std::string ours = R"({"otherData": {"zigzag": {}}, "traceEvents": [)";
    EXPECT_EQ(refusal(ours + R"({"ph": "X", "name": "qkv", "ts": 0, "dur": 10, "args": {"layer": 1}}]})"), "");
    EXPECT_NE(
        refusal(ours + R"({"ph": "X", "name": "qkv", "ts": 0, "dur": 10}, {"ph": "X", "name": "down", "ts": 5, "dur": 10}]})"),
        "");
    EXPECT_NE(refusal(ours + R"({"ph": "X", "name": "qkv", "ts": 0, "dur": 10, "args": {"layer": 99999}}]})"), "");
}

TEST_F(TraceFile, AMillionSpansAreWrittenAndReadInSeconds)
{
    Trace trace;
    trace.rows = {"host"};
    for (std::int64_t step = 0; step < 10'000; ++step) {
        const auto pass = static_cast<std::int32_t>(trace.spans.size());
        trace.spans.push_back({.beginNs = step * 1000, .durationNs = 990, .op = Op::Pass});
        for (std::int64_t i = 0; i < 99; ++i)
            trace.spans.push_back({.beginNs = step * 1000 + i * 10,
                                   .durationNs = 9,
                                   .parent = pass,
                                   .layer = static_cast<std::int16_t>(i / 10),
                                   .op = static_cast<Op>(1 + i % 10),
                                   .depth = 1});
    }
    const auto file = files / "million.json";
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(writeTrace(trace, file));
    const auto back = readTrace(file);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->spans, trace.spans);
    EXPECT_LT(std::filesystem::file_size(file), 30u << 20);
    RecordProperty("seconds", std::to_string(seconds));
}

} // namespace
} // namespace zigzag
