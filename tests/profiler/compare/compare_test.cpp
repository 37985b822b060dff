// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/compare/compare.h"
#include "profiler/measure/bench_file.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

/// Passes of an attention in a streaming layer and logits, of these nanoseconds.
Trace traceOf(const std::vector<std::pair<std::int64_t, std::int64_t>> &passes, bool withLogits = true)
{
    Trace trace;
    trace.rows = {"host"};
    std::int64_t at = 0;
    for (const auto &[attention, logits] : passes) {
        const auto pass = static_cast<std::int32_t>(trace.spans.size());
        trace.spans.push_back({.beginNs = at, .durationNs = attention + logits + 10, .op = Op::Pass});
        trace.spans.push_back({.beginNs = at,
                               .durationNs = attention,
                               .parent = pass,
                               .layer = 0,
                               .op = Op::Attention,
                               .kind = LayerKind::Streaming,
                               .depth = 1});
        if (withLogits)
            trace.spans.push_back(
                {.beginNs = at + attention, .durationNs = logits, .parent = pass, .op = Op::Logits, .depth = 1});
        at += attention + logits + 10;
    }
    return trace;
}

TEST(CompareTraces, SaysWhatGrewAndWhatIsNoise)
{
    const Trace a = traceOf({{1000, 500}, {1020, 400}, {980, 600}}), b = traceOf({{2000, 510}, {2020, 420}});
    const auto rows = compareTraces(a, b, GroupBy::Op);
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0].name, "the whole");
    EXPECT_DOUBLE_EQ(rows[0].a, 1.51e-3);
    EXPECT_EQ(rows[1].name, "attention") << "then the largest difference";
    EXPECT_EQ(rows[1].op, Op::Attention);
    EXPECT_DOUBLE_EQ(rows[1].a, 1e-3);
    EXPECT_DOUBLE_EQ(rows[1].b, 2.01e-3);
    EXPECT_NEAR(rows[1].relative(), 1.01, 1e-9);
    EXPECT_EQ(rows[1].verdict(), Verdict::Grew);
    EXPECT_EQ(compareTraces(b, a, GroupBy::Op)[1].verdict(), Verdict::Shrank);
    EXPECT_EQ(rows[2].name, "logits");
    EXPECT_TRUE(rows[2].isWithinSpread());
    EXPECT_EQ(rows[3].name, "pass");
    EXPECT_EQ(rows[3].absolute(), 0);
    EXPECT_EQ(compareTraces(a, b, GroupBy::Layer)[1].name, "layer 0");
    EXPECT_EQ(compareTraces(a, b, GroupBy::Layer)[1].layer, 0);
    EXPECT_EQ(compareTraces(a, b, GroupBy::OpAndKind)[1].name, "attention · streaming");
}

TEST(CompareTraces, WhatOneLacksIsNamed)
{
    const auto rows = compareTraces(traceOf({{100, 50}}), traceOf({{100, 50}}, false), GroupBy::Op);
    const auto logits = std::find_if(rows.begin(), rows.end(), [](const Difference &row) { return row.name == "logits"; });
    ASSERT_NE(logits, rows.end());
    EXPECT_TRUE(logits->onlyA);
    EXPECT_FALSE(logits->isWithinSpread());
}

TEST(CompareTraces, ChunksOfAPrefillAreOneRunAndOneRunHasNoSpread)
{
    Trace prefill = traceOf({{1000, 500}, {3000, 100}});
    prefill.info.phase = Phase::Prefill;
    EXPECT_EQ(passTimes(prefill).size(), 1u);
    EXPECT_DOUBLE_EQ(passTimes(prefill)[0], 4.62e-3);
    const auto rows = compareTraces(prefill, prefill, GroupBy::Op);
    EXPECT_DOUBLE_EQ(rows[0].a, 4.62e-3);
    double parts = 0;
    for (std::size_t row = 1; row < rows.size(); ++row)
        parts += rows[row].a;
    EXPECT_NEAR(parts, rows[0].a, 1e-12);
    EXPECT_EQ(rows[0].verdict(), Verdict::Single);
    Trace predicted = prefill;
    predicted.info.predicted = true;
    EXPECT_EQ(compareTraces(predicted, predicted, GroupBy::Op)[0].verdict(), Verdict::Within) << "it claims no noise";
}

TEST(CompareTraces, KernelsStandForTheSpansThatLaunchedThem)
{
    Trace trace = traceOf({{1000, 500}, {1000, 500}});
    trace.rows.push_back("GPU stream 7");
    trace.kernelNames = {"attend", "copy"};
    for (const std::int32_t span : {1, 4})
        trace.kernels.push_back({.beginNs = 3000, .durationNs = 7000, .name = 0, .span = span, .row = 1});
    trace.kernels.push_back({.beginNs = 20, .durationNs = 40, .name = 1, .row = 1});
    const auto rows = compareTraces(trace, trace, GroupBy::Op);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_DOUBLE_EQ(passTimes(trace)[0], 7.04e-3) << "what no span is known for belongs to the pass of its time";
    EXPECT_DOUBLE_EQ(passTimes(trace)[1], 7e-3);
    const auto named = [&](const char *name) {
        return std::find_if(rows.begin(), rows.end(), [&](const Difference &row) { return row.name == name; });
    };
    ASSERT_NE(named("attention"), rows.end());
    EXPECT_DOUBLE_EQ(named("attention")->a, 7e-3);
    ASSERT_NE(named("kernels without a span"), rows.end());
    EXPECT_DOUBLE_EQ(named("kernels without a span")->a, 2e-5) << "in one of two passes";
    EXPECT_FALSE(named("kernels without a span")->op);
}

BenchRecord record(const std::string &map, double ms, double spread, int batch = 1)
{
    BenchRecord record;
    record.map = map;
    record.context = 64;
    record.batch = batch;
    record.medianMs = ms;
    record.spreadMs = spread;
    record.samplesMs = {ms, ms};
    return record;
}

TEST(CompareRecords, MatchesPointsAndNamesTheRest)
{
    BenchRecord failed = record("full", 1, 0, 8);
    failed.failure = "out of memory";
    const auto rows = compareRecords({record("full", 2, 0.2), record("a", 1, 0), failed},
                                     {record("b", 1, 0), record("full", 2.1, 0.1), record("full", 3, 0, 8)});
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0].name, "full, decode at 64");
    EXPECT_TRUE(rows[0].isWithinSpread());
    EXPECT_TRUE(rows[1].onlyA);
    EXPECT_TRUE(rows[2].onlyB);
    EXPECT_EQ(rows[3].name, "full, decode at 64 x 8");
    EXPECT_TRUE(rows[3].onlyB) << "a failure is no measurement";
    EXPECT_EQ(rows[1].b, 0);
    EXPECT_EQ(rows[2].a, 0);
}

TEST(CompareRecords, OneSampleClaimsNothingAndAPredictionIsHeldAgainstTheSpread)
{
    BenchRecord single = record("full", 2, 0), predicted = record("full", 2.05, 0);
    single.samplesMs = {2};
    predicted.samplesMs.clear();
    EXPECT_EQ(compareRecord(single, record("full", 3, 0.1)).verdict(), Verdict::Single);
    EXPECT_EQ(compareRecord(record("full", 2, 0.2), predicted).verdict(), Verdict::Within);
    EXPECT_EQ(compareRecord(record("full", 2, 0.02), predicted).verdict(), Verdict::Grew);
    EXPECT_EQ(compareRecord(record("full", 2, 0.2), record("zigzag", 1, 0.2)).name, "the whole");
}

TEST(BenchFile, RecordsReadBackAndAnotherMachineIsNotResumed)
{
    test::TempFolder folder;
    BenchRecord one = record("full", 2, 0.25);
    one.mapFingerprint = "0123";
    one.readRates = {1e9, 2e9};
    one.mixed = MixedMode::Reference;
    one.disturbed = 1;
    BenchRecord failed = record("big", 0, 0);
    failed.samplesMs.clear();
    failed.failure = "needs 8 bytes and 4 are free";
    MachineProfile machine;
    machine.device = "a processor";
    machine.threads = 2;
    machine.build = "0.1.0 abc";
    const auto file = folder / "sweep.json";
    ModelConfig config;
    config.dtype = config.kvType = DType::BF16;
    EXPECT_TRUE(resumeFrom(file, "tiny", machine, config)->empty()) << "no file yet";
    ASSERT_TRUE(writeBenchFile(file, "tiny", machine, {}, {one, failed}));
    const auto back = resumeFrom(file, "tiny", machine, config);
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->size(), 2u);
    EXPECT_EQ((*back)[0].samplesMs, one.samplesMs);
    EXPECT_EQ((*back)[0].readRates, one.readRates);
    EXPECT_EQ((*back)[0].mapFingerprint, "0123");
    EXPECT_EQ((*back)[0].mixed, MixedMode::Reference);
    EXPECT_EQ((*back)[0].spreadMs, 0.25);
    EXPECT_EQ((*back)[1].failure, failed.failure);
    MachineProfile other = machine;
    other.build = "0.1.0 abd";
    EXPECT_FALSE(resumeFrom(file, "tiny", other, config));
    EXPECT_FALSE(resumeFrom(file, "other", machine, config));

    EXPECT_EQ((*back)[0].kvType, DType::BF16) << "a file that does not tell is of the weights' own type";
    config.kvType = DType::F8;
    const auto refused = resumeFrom(file, "tiny", machine, config);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("keys and values in bf16, and not in fp8"), std::string::npos)
        << refused.error().message;
    one.kvType = DType::F8;
    ASSERT_TRUE(writeBenchFile(file, "tiny", machine, {}, {one}));
    EXPECT_EQ(resumeFrom(file, "tiny", machine, config)->at(0).kvType, DType::F8);
    config.kvType = DType::BF16;
    EXPECT_FALSE(resumeFrom(file, "tiny", machine, config));
    std::string text = test::readText(file);
    for (std::size_t at = 0; (at = text.find("\"fp8\"", at)) != std::string::npos;)
        text.replace(at, 5, "\"int4\"");
    test::writeText(file, text);
    const auto unknown = readBenchFile(file);
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("'int4' is no type of keys and values"), std::string::npos) << unknown.error().message;
}

} // namespace
} // namespace zigzag
