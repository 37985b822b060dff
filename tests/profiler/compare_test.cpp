// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/bench_file.h"
#include "profiler/compare.h"
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
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].name, "attention") << "the largest difference first";
    EXPECT_DOUBLE_EQ(rows[0].a, 1e-3);
    EXPECT_DOUBLE_EQ(rows[0].b, 2.01e-3);
    EXPECT_NEAR(rows[0].relative(), 1.01, 1e-9);
    EXPECT_FALSE(rows[0].isWithinSpread());
    EXPECT_EQ(rows[1].name, "logits");
    EXPECT_TRUE(rows[1].isWithinSpread());
    EXPECT_EQ(rows[2].name, "pass");
    EXPECT_EQ(rows[2].absolute(), 0);
    EXPECT_EQ(compareTraces(a, b, GroupBy::Layer)[0].name, "layer 0");
    EXPECT_EQ(compareTraces(a, b, GroupBy::OpAndKind)[0].name, "attention · streaming");
}

TEST(CompareTraces, WhatOneLacksIsNamed)
{
    const auto rows = compareTraces(traceOf({{100, 50}}), traceOf({{100, 50}}, false), GroupBy::Op);
    const auto logits = std::find_if(rows.begin(), rows.end(), [](const Difference &row) { return row.name == "logits"; });
    ASSERT_NE(logits, rows.end());
    EXPECT_TRUE(logits->onlyA);
    EXPECT_FALSE(logits->isWithinSpread());
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
}

TEST(BenchFile, RecordsReadBackAndAnotherMachineIsNotResumed)
{
    test::TempFolder folder;
    BenchRecord one = record("full", 2, 0.25);
    one.mapFingerprint = "0123";
    one.readRates = {1e9, 2e9};
    one.mixed = MixedMode::Reference;
    one.interrupted = 1;
    BenchRecord failed = record("big", 0, 0);
    failed.samplesMs.clear();
    failed.failure = "needs 8 bytes and 4 are free";
    MachineProfile machine;
    machine.device = "a processor";
    machine.threads = 2;
    machine.build = "0.1.0 abc";
    const auto file = folder / "sweep.json";
    EXPECT_TRUE(resumeFrom(file, "tiny", machine)->empty()) << "no file yet";
    ASSERT_TRUE(writeBenchFile(file, "tiny", machine, {}, {one, failed}));
    const auto back = resumeFrom(file, "tiny", machine);
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
    EXPECT_FALSE(resumeFrom(file, "tiny", other));
    EXPECT_FALSE(resumeFrom(file, "other", machine));
}

} // namespace
} // namespace zigzag
