// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/thread_pool.h"
#include "engine/map/kv_layout.h"
#include "profiler/cost/op_cost.h"
#include "profiler/machine/machine_profile.h"
#include "profiler/measure/bench.h"
#include "profiler/measure/bench_share.h"
#include "profiler/timing/pace_meter.h"
#include "tests/profiler/loaded_model.h"

#include <chrono>
#include <ctime>
#include <thread>

namespace zigzag {
namespace {

class Bench : public test::LoadedModel
{
protected:
    BenchPlan plan() const
    {
        BenchPlan plan;
        plan.maps = {{"full", map(HeadKind::Retrieval)}, {"mixed", mixedMap()}, {"streaming", map(HeadKind::Streaming)}};
        plan.contexts = {24, 96};
        plan.phases = {Phase::Prefill, Phase::Decode};
        plan.mixed = {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference};
        plan.repeats = 3;
        plan.decodeSteps = 2;
        plan.patienceSeconds = 0;
        return plan;
    }
    static MachineProfile machine()
    {
        MachineProfile machine;
        machine.lastLevelCacheBytes = 1 << 25;
        machine.readBytesPerSecond = machine.cachedReadBytesPerSecond = 1e10;
        machine.matrixFlopsF32 = 1e11;
        return machine;
    }
};

TEST_F(Bench, MeasuresEveryPointAndMixedLayersInEveryWay)
{
    int calls = 0, last = 0, all = 0;
    const auto records = runBench(device, model->config, machine(), plan(), nullptr, [&](int done, int of, const auto &) {
        EXPECT_EQ(done, last + 1);
        last = done;
        all = of;
        ++calls;
    });
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_EQ(records->size(), 2u * 2u * 5u); // contexts, phases; full, three times mixed, streaming
    EXPECT_EQ(calls, 20 * 4);
    EXPECT_EQ(all, calls);
    for (const BenchRecord &record : *records) {
        EXPECT_EQ(record.failure, "");
        EXPECT_EQ(record.samplesMs.size(), 3u);
        EXPECT_GT(record.medianMs, 0);
        EXPECT_GE(record.spreadMs, 0);
        EXPECT_GT(record.floorMs, 0);
        EXPECT_DOUBLE_EQ(record.floorRatio, record.floorMs / record.medianMs);
        EXPECT_NE(record.ceiling, "");
    }
    EXPECT_EQ((*records)[0].map, "full");
    EXPECT_EQ((*records)[1].mixed, MixedMode::Fused);
    EXPECT_EQ((*records)[2].mixed, MixedMode::TwoLaunch);
    EXPECT_EQ((*records)[3].mixed, MixedMode::Reference);
}

TEST_F(Bench, BetterCeilingsLowerTheFloors)
{
    const BenchPlan points = plan();
    auto records = runBench(device, model->config, machine(), points);
    ASSERT_TRUE(records) << records.error().message;
    const std::vector<BenchRecord> before = *records;
    MachineProfile faster = machine();
    faster.cachedReadBytesPerSecond *= 2;
    faster.matrixFlopsF32 /= 2; // a worse measurement of the same machine changes nothing
    MachineProfile best = machine();
    raiseCeilings(best, faster);
    updateFloors(*records, points, model->config, best);
    for (std::size_t i = 0; i < before.size(); ++i) {
        const double expected = before[i].floorMs / (before[i].phase == Phase::Decode ? 2 : 1);
        EXPECT_NEAR((*records)[i].floorMs, expected, 1e-9 * expected);
        EXPECT_DOUBLE_EQ((*records)[i].floorRatio, (*records)[i].floorMs / (*records)[i].medianMs);
    }
}

TEST_F(Bench, DecodeFromMemoryIsHeldAgainstTheBandwidthBesideIt)
{
    MachineProfile small = machine();
    small.lastLevelCacheBytes = 1; // nothing fits
    small.readBytesPerSecond = 1; // would make floors of hours
    const auto records = runBench(device, model->config, small, plan());
    ASSERT_TRUE(records) << records.error().message;
    for (const BenchRecord &record : *records) {
        if (record.phase == Phase::Prefill) {
            EXPECT_TRUE(record.readRates.empty());
            continue;
        }
        EXPECT_EQ(record.ceiling, memoryCeiling);
        EXPECT_EQ(record.readRates.size(), record.samplesMs.size());
        EXPECT_EQ(record.ceilingPerSecond, quantile(record.readRates, 0.5));
        EXPECT_GT(record.ceilingPerSecond, 1e6);
        EXPECT_DOUBLE_EQ(record.floorRatio, record.floorMs / record.medianMs);
    }
}

TEST_F(Bench, WhatIsDisturbedIsKnownAtTheEnd)
{
    load({.layers = 5}); // whose pace no other test knows
    BenchPlan points = plan();
    points.contexts = {24};
    points.patienceSeconds = 1;
    const auto records
        = runBench(device, model->config, machine(), points, nullptr, [&](int done, int all, const std::vector<BenchRecord> &) {
              if (done == all - 1) // before the last sample the machine is seen to be far faster
                  PaceMeter::create(device)->know(1e-6);
          });
    ASSERT_TRUE(records) << records.error().message;
    for (const BenchRecord &record : *records) {
        EXPECT_EQ(record.disturbed, std::ssize(record.samplesMs)) << record.map;
        EXPECT_TRUE(record.isDisturbed());
    }
}

TEST_F(Bench, WhatIsDisturbedIsNotRepeatedOnceTheJobsTimeIsOver)
{
    load({.layers = 6}); // whose pace no other test knows
    BenchPlan points = plan();
    points.patienceSeconds = 1e6;
    points.fullPaceMs = 1e-6; // never seen that fast again: all is disturbed
    points.time = JobTime(1e-9);
    int last = 0, all = 0;
    const auto records = runBench(device, model->config, machine(), points, nullptr, [&](int done, int of, const auto &) {
        EXPECT_LE(done, of);
        last = done;
        all = of;
    });
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_EQ(records->size(), 20u) << "every point is measured";
    for (const BenchRecord &record : *records) {
        EXPECT_EQ(record.samplesMs.size(), 1u) << record.map;
        EXPECT_TRUE(record.isDisturbed());
    }
    EXPECT_EQ(last, 5 + 20) << "the first point's warm-up, and a sample each";
    EXPECT_GE(all, last);
}

/// A long prefill is most of a bench's time, though it is one sample of several.
TEST_F(Bench, ItsShareIsOfTimeAndNotOfSamples)
{
    BenchPlan points = plan();
    points.maps = {points.maps.front(), points.maps.back()}; // exclusive both
    points.contexts = {8, 2048};
    points.phases = {Phase::Prefill};
    points.repeats = 2;
    const BenchShare share(points, model->config, machine());
    EXPECT_EQ(share.begunAt(), 0);
    EXPECT_EQ(share.of({}), 0);
    std::vector<BenchRecord> records;
    for (const NamedMap &map : points.maps) {
        BenchRecord record;
        record.phase = Phase::Prefill;
        record.context = 8;
        record.floorMs = floorMs(model->config, map.map, machine(), Phase::Prefill, 8);
        record.samplesMs = {1, 1};
        records.push_back(record);
    }
    EXPECT_GT(share.of(records), 0);
    EXPECT_LT(share.of(records), 0.1) << "half of the samples";
    for (const NamedMap &map : points.maps) {
        BenchRecord record = records.front();
        record.context = 2048;
        record.floorMs = floorMs(model->config, map.map, machine(), Phase::Prefill, 2048);
        records.push_back(record);
    }
    EXPECT_DOUBLE_EQ(share.of(records), 1);
    records.back().samplesMs.pop_back();
    EXPECT_LT(share.of(records), 0.99);
    EXPECT_GT(share.of(records), 0.5);
    points.known = {records.front()};
    EXPECT_GT(BenchShare(points, model->config, machine()).begunAt(), 0);
}

TEST_F(Bench, CeilingsAreRaisedAfterABenchInEveryProgram)
{
    const BenchPlan points = plan();
    MachineProfile slow = machine();
    slow.matrixFlopsF32 = 1; // as measured while something else ran
    slow.cachedReadBytesPerSecond = 1;
    auto records = runBench(device, model->config, slow, points);
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_TRUE(records->front().ceilingMoved()) << "no machine multiplies faster than it can";
    const std::atomic<bool> cancel{true};
    raiseCeilingsAfter(*records, points, model->config, slow, *backend, &cancel);
    EXPECT_EQ(slow.matrixFlopsF32, 1) << "a measurement that was cut short counts for nothing";
    raiseCeilingsAfter(*records, points, model->config, slow, *backend);
    EXPECT_GT(slow.matrixFlopsF32, 1e6);
    for (const BenchRecord &record : *records) {
        EXPECT_DOUBLE_EQ(record.floorRatio, record.floorMs / record.medianMs);
        EXPECT_EQ(record.ceilingPerSecond,
                  record.phase == Phase::Prefill ? slow.matrixCeiling(model->config.dtype).perSecond
                                                 : slow.cachedReadBytesPerSecond);
    }
}

TEST_F(Bench, BatchesAreMeasuredAndKnownPointsAreNot)
{
    BenchPlan points = plan();
    points.contexts = {24};
    points.batches = {1, 3};
    const auto first = runBench(device, model->config, machine(), points);
    ASSERT_TRUE(first) << first.error().message;
    ASSERT_EQ(first->size(), 2u * 2u * 5u);
    for (const BenchRecord &record : *first) {
        EXPECT_EQ(record.failure, "");
        EXPECT_EQ(record.kvBytes, record.kvBytesAllocated) << "of all sequences";
    }
    EXPECT_EQ((*first)[10].batch, 3);
    EXPECT_EQ((*first)[10].kvBytes, 3 * (*first)[0].kvBytes);
    points.known = *first;
    points.contexts = {24, 30};
    int samples = 0;
    const auto second = runBench(device, model->config, machine(), points, nullptr,
                                 [&](int, int, const std::vector<BenchRecord> &) { ++samples; });
    ASSERT_TRUE(second);
    ASSERT_EQ(second->size(), 40u);
    for (std::size_t i = 0; i < first->size(); ++i)
        EXPECT_EQ((*second)[i].samplesMs, (*first)[i].samplesMs) << "taken over";
    EXPECT_EQ(samples, 20 * 4) << "the new context alone";
}

TEST_F(Bench, RepeatsUntilTheSpreadIsBelowItsBoundOrTheTimeIsUp)
{
    BenchPlan points = plan();
    points.maps = {points.maps.front()};
    points.contexts = {24};
    points.phases = {Phase::Decode};
    points.spreadBound = 1e-12; // no clock is that steady
    points.mostRepeats = 7;
    const auto most = runBench(device, model->config, machine(), points);
    ASSERT_TRUE(most);
    EXPECT_EQ(most->front().samplesMs.size(), 7u);
    points.budgetSeconds = 1e-9;
    const auto least = runBench(device, model->config, machine(), points);
    ASSERT_TRUE(least);
    EXPECT_EQ(least->front().samplesMs.size(), 3u);
    points.spreadBound = 1e12;
    points.budgetSeconds = 0;
    EXPECT_EQ(runBench(device, model->config, machine(), points)->front().samplesMs.size(), 3u);
}

TEST_F(Bench, AllocatedKvBytesAreTheComputedOnes)
{
    const auto records = runBench(device, model->config, machine(), plan());
    ASSERT_TRUE(records) << records.error().message;
    for (const BenchRecord &record : *records) {
        const HeadMap of = record.map == "full" ? map(HeadKind::Retrieval)
            : record.map == "mixed"             ? mixedMap()
                                                : map(HeadKind::Streaming);
        EXPECT_EQ(record.kvBytes, kvBytes(of, record.context, model->config.dtype));
        EXPECT_EQ(record.kvBytesAllocated, record.kvBytes) << record.map << " at " << record.context;
    }
}

TEST_F(Bench, WhatDoesNotFitIsARecordWithTheReason)
{
    BenchPlan huge = plan();
    huge.maps = {{"full", map(HeadKind::Retrieval)}};
    huge.contexts = {24, 2'000'000'000};
    huge.repeats = 1;
    huge.phases = {Phase::Decode};
    const auto records = runBench(device, model->config, machine(), huge);
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_EQ(records->size(), 2u);
    EXPECT_EQ((*records)[0].failure, "");
    EXPECT_NE((*records)[1].failure, "");
    EXPECT_TRUE((*records)[1].samplesMs.empty());
}

TEST_F(Bench, ContextsShorterThanTheStepsAreMeasured)
{
    BenchPlan small = plan();
    small.contexts = {1, 2};
    small.decodeSteps = 8;
    const auto records = runBench(device, model->config, machine(), small);
    ASSERT_TRUE(records) << records.error().message;
    for (const BenchRecord &record : *records)
        EXPECT_GT(record.medianMs, 0) << record.failure;
}

/// Of this process, on all threads: other programs may hold the processors in between.
double processorSeconds(std::clock_t since)
{
    return static_cast<double>(std::clock() - since) / CLOCKS_PER_SEC;
}

TEST_F(Bench, CancelStopsSoonAndKeepsWhatIsMeasured)
{
    BenchPlan endless = plan();
    endless.contexts = {96};
    endless.repeats = 1'000'000;
    std::atomic<bool> cancel{false};
    std::clock_t asked = 0;
    const auto records = runBench(device, model->config, machine(), endless, &cancel, [&](int done, int, const auto &) {
        if (done == 12) {
            asked = std::clock();
            cancel = true;
        }
    });
    const double seconds = processorSeconds(asked);
    ASSERT_TRUE(records) << records.error().message;
    EXPECT_LT(seconds, 1.0 * ThreadPool::current().threads());
    ASSERT_EQ(records->size(), 5u);
    EXPECT_EQ(records->front().samplesMs.size(), 2u);
    EXPECT_EQ(records->back().samplesMs.size(), 1u);
}

TEST_F(Bench, CancelReachesIntoALongRun)
{
    load({.layers = 8, .hidden = 128, .queryHeads = 8, .kvHeads = 4, .headDim = 16, .intermediate = 256, .maxContext = 65536});
    BenchPlan slow = plan();
    slow.maps = {{"full", map(HeadKind::Retrieval)}};
    slow.contexts = {65536}; // minutes of prefill
    slow.phases = {Phase::Prefill};
    std::atomic<bool> cancel{false};
    std::clock_t asked = 0;
    std::thread person([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        asked = std::clock();
        cancel = true;
    });
    const auto records = runBench(device, model->config, machine(), slow, &cancel);
    person.join();
    const double seconds = processorSeconds(asked);
    ASSERT_TRUE(records) << records.error().message;
    EXPECT_TRUE(records->empty());
    EXPECT_LT(seconds, 1.0 * ThreadPool::current().threads());
}

TEST_F(Bench, PlansThatMeasureNothingAreRefused)
{
    const std::vector<void (*)(BenchPlan &)> faults = {
        [](BenchPlan &p) { p.maps.clear(); },
        [](BenchPlan &p) { p.contexts.clear(); },
        [](BenchPlan &p) { p.phases.clear(); },
        [](BenchPlan &p) { p.contexts = {0}; },
        [](BenchPlan &p) { p.contexts = {std::int64_t{1} << 40}; },
        [](BenchPlan &p) { p.repeats = 0; },
        [](BenchPlan &p) { p.decodeSteps = 0; },
    };
    for (const auto &fault : faults) {
        BenchPlan bad = plan();
        fault(bad);
        const auto records = runBench(device, model->config, machine(), bad);
        ASSERT_FALSE(records);
        EXPECT_EQ(records.error().kind, ErrorKind::BadInput);
    }
}

TEST_F(Bench, MachineIsMeasured)
{
    const MachineProfile measured = measureMachine(*backend, model->config);
    EXPECT_NE(measured.device, "");
    EXPECT_NE(measured.build, "");
    EXPECT_GE(measured.threads, 1);
    EXPECT_EQ(measured.backend, "cpu");
    EXPECT_GT(measured.lastLevelCacheBytes, 0);
    EXPECT_GT(measured.readBytesPerSecond, 1e8);
    EXPECT_GT(measured.cachedReadBytesPerSecond, 1e8);
    EXPECT_GT(measured.matrixFlopsF32, 1e7);
    EXPECT_GE(measured.matrixFlopsBf16, 0); // 0 where the processor has no bf16 products
}

} // namespace
} // namespace zigzag
