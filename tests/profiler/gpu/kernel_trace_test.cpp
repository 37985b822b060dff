// SPDX-License-Identifier: GPL-3.0-or-later
// Kernels as CUPTI records them: as many as are launched, each under its op and layer, launched one by one and replayed.
#include "engine/run/device_model.h"
#include "profiler/compare/op_matrix.h"
#include "profiler/cost/cost_model.h"
#include "profiler/measure/calibrate.h"
#include "profiler/trace/kernel_collector.h"
#include "profiler/trace/op_table.h"
#include "profiler/trace/trace_recorder.h"
#include "profiler/trace/trace_run.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>

namespace zigzag::test {
namespace {

using Counts = std::map<std::pair<Op, int>, std::int64_t>; // by op and layer

class KernelTrace : public testing::Test
{
protected:
    static constexpr int layers = 3, steps = 5;

    void SetUp() override
    {
        // Of shapes that the tensor-core and matrix-vector kernels take, in BF16, as large models are.
        writeTinyModel(m_folder.path(),
                       {.layers = layers,
                        .hidden = 256,
                        .queryHeads = 4,
                        .kvHeads = 2,
                        .headDim = 64,
                        .intermediate = 512,
                        .dtype = DType::BF16});
        auto loaded = loadModel(m_folder.path().string());
        ASSERT_TRUE(loaded) << loaded.error().message;
        model = *loaded;
        auto created = createBackend("cuda");
        ASSERT_TRUE(created) << created.error().message;
        backend = std::move(*created);
        auto uploaded = uploadModel(model, backend);
        ASSERT_TRUE(uploaded) << uploaded.error().message;
        device = *uploaded;
    }

    /// Layer 0 mixed, layer 1 streaming, layer 2 retrieval.
    HeadMap mixedMap() const
    {
        HeadMap map(model->shape(), HeadKind::Retrieval, 4, 32);
        map.set(0, 1, HeadKind::Streaming);
        map.setLayer(1, HeadKind::Streaming);
        return map;
    }

    Result<Trace> run(TracePlan plan)
    {
        plan.model = "tiny";
        plan.map = {"mixed", mixedMap()};
        plan.context = 256;
        plan.steps = steps;
        return recordTrace(device, model->config, {}, plan);
    }

    /// A trace with every kernel under a span.
    Trace record(const TracePlan &plan)
    {
        auto trace = run(plan);
        EXPECT_TRUE(trace) << (trace ? "" : trace.error().message);
        if (!trace)
            return {};
        EXPECT_EQ(traceFault(*trace), "");
        EXPECT_EQ(trace->info.note, "");
        EXPECT_TRUE(trace->info.inDeviceTime);
        return std::move(*trace);
    }

    static Counts countsOf(const Trace &trace)
    {
        Counts counts;
        for (const KernelSpan &kernel : trace.kernels) {
            EXPECT_GE(kernel.span, 0) << trace.kernelNames[kernel.name];
            if (kernel.span < 0)
                continue;
            const TraceSpan &span = trace.spans[static_cast<std::size_t>(kernel.span)];
            ++counts[{span.op, span.layer}];
            EXPECT_LE(span.beginNs, kernel.endNs());
            EXPECT_GE(span.endNs(), kernel.endNs());
        }
        return counts;
    }

    /// What one decode step launches (engine/cuda/cuda_backend.cu): norms and gates are parts of the products.
    static Counts launchesOfStep(MixedMode mixed)
    {
        Counts counts = {{{Op::Embed, -1}, 1}, {{Op::Logits, -1}, 1}, {{Op::NextToken, -1}, 1}};
        for (int layer = 0; layer < layers; ++layer) {
            for (const Op op : {Op::Qkv, Op::RopeAppend, Op::Attention, Op::OutputProjection, Op::GateUp, Op::Down})
                counts[{op, layer}] = 1;
            if (layer == 0 && mixed != MixedMode::Fused)
                counts[{Op::Attention, layer}] = 2;
            if (layer == 0 && mixed == MixedMode::Reference)
                counts[{Op::CopyHeads, layer}] = 4;
        }
        return counts;
    }

    static std::string text(const Counts &counts)
    {
        std::string text;
        for (const auto &[place, count] : counts)
            text += fmt::format("{} {}: {}\n", nameOf(place.first), place.second, count);
        return text;
    }

    std::shared_ptr<const Model> model;
    std::shared_ptr<Backend> backend;
    std::shared_ptr<DeviceModel> device;

private:
    TempFolder m_folder;
};

TEST_F(KernelTrace, DecodeHasEveryKernelUnderItsOpAndLayer)
{
    for (const bool replays : {false, true})
        for (const MixedMode mixed : {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference}) {
            TracePlan plan;
            plan.mixed = mixed;
            plan.replays = replays;
            const Trace trace = record(plan);
            Counts wanted = launchesOfStep(mixed);
            for (auto &[place, count] : wanted)
                count *= steps;
            EXPECT_EQ(text(countsOf(trace)), text(wanted)) << nameOf(mixed) << (replays ? ", replayed" : ", one by one");
            EXPECT_EQ(trace.dropped, 0);
            EXPECT_EQ(trace.info.isReplayed, replays);
            EXPECT_EQ(trace.info.stepMs > 0 && trace.info.watchedStepMs > 0, replays);
            for (const TraceSpan &span : trace.spans)
                EXPECT_TRUE(span.firstPosition >= 256 - steps && span.firstPosition < 256) << span.firstPosition;
            std::int64_t self = 0, passes = 0;
            for (const OpRow &row : opTable(trace, GroupBy::Op)) {
                self += row.selfNs;
                passes += row.op == Op::Pass ? row.totalNs : 0;
                EXPECT_LE(row.kernelNs, row.totalNs) << row.label();
            }
            EXPECT_EQ(self, passes);
            fmt::print("{:<10} {:<10}: {} kernels, {:.1f} µs a step between first and last kernel, {:.4f} ms unwatched, "
                       "{:.4f} ms watched\n",
                       nameOf(mixed), replays ? "replayed" : "one by one", trace.kernels.size(),
                       static_cast<double>(passes) / 1e3 / steps, trace.info.stepMs, trace.info.watchedStepMs);
        }
}

TEST_F(KernelTrace, ABatchAndAPrefillHaveThemToo)
{
    TracePlan plan;
    plan.batch = 4;
    const Trace batch = record(plan);
    EXPECT_EQ((countsOf(batch)[{Op::Attention, 2}]), steps);
    plan = {};
    plan.phase = Phase::Prefill;
    const Trace trace = record(plan);
    const Counts counts = countsOf(trace);
    const auto count = [&](Op op, int layer) {
        const auto found = counts.find({op, layer});
        return found == counts.end() ? 0 : found->second;
    };
    EXPECT_EQ(count(Op::Embed, -1), 1);
    for (int layer = 0; layer < layers; ++layer) {
        for (const Op op : {Op::InputNorm, Op::RopeAppend, Op::Attention, Op::PostNorm, Op::Activation})
            EXPECT_EQ(count(op, layer), 1) << nameOf(op) << ' ' << layer << '\n' << text(counts);
        EXPECT_GE(count(Op::Qkv, layer), 3) << "three products";
        EXPECT_GE(count(Op::GateUp, layer), 2);
        EXPECT_EQ(count(Op::Commit, layer), layer < 2) << "where heads stream";
    }
    EXPECT_EQ(trace.dropped, 0);
}

TEST_F(KernelTrace, KernelsRunAfterTheirLaunchOnTheHostsClock)
{
    auto session = Session::create(device, mixedMap(), {.maxContext = 64});
    ASSERT_TRUE(session) << session.error().message;
    ASSERT_TRUE((*session)->step(std::vector<int>{1}));
    TraceRecorder recorder;
    auto collector = KernelCollector::start(recorder);
    ASSERT_TRUE(collector) << collector.error().message;
    FanOutSink both({&recorder, collector->get()});
    (*session)->setTraceSink(&both);
    ASSERT_TRUE((*session)->step(std::vector<int>{1}));
    const auto ended = std::chrono::steady_clock::now().time_since_epoch();
    std::int64_t dropped = 0;
    const auto records = (*collector)->stop(dropped);
    ASSERT_FALSE(records.empty());
    const auto ns = [](auto time) { return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count(); };
    constexpr std::int64_t slack = 100'000; // two clocks, and a line through readings of both
    for (const KernelRecord &record : records) {
        ASSERT_GE(record.launchedBy, 0) << record.name;
        const TraceSpan &span = recorder.spans()[static_cast<std::size_t>(record.launchedBy)];
        EXPECT_GE(record.beginNs, ns(recorder.origin().time_since_epoch()) + span.beginNs - slack) << record.name;
        EXPECT_LE(record.endNs, ns(ended) + slack) << record.name;
        EXPECT_LE(record.beginNs, record.endNs);
        EXPECT_FALSE(record.isReplayed);
    }
}

TEST_F(KernelTrace, CalibrationTakesOpsFromThem)
{
    MachineProfile machine;
    machine.backend = "cuda";
    machine.onProcessor = false;
    machine.prefillChunk = backend->device().prefillChunk;
    CalibrationPlan plan;
    plan.maxContext = 256;
    plan.seconds = 0.5;
    const auto samples = measureModel(device, machine, plan);
    ASSERT_TRUE(samples) << samples.error().message;
    std::map<Op, double> most;
    for (const OpSample &sample : samples->ops)
        if (sample.point.phase == Phase::Decode && sample.point.pass.batch == 1)
            most[sample.op] = std::max(most[sample.op], sample.us);
    for (const Op op :
         {Op::Embed, Op::Qkv, Op::RopeAppend, Op::Attention, Op::OutputProjection, Op::GateUp, Op::Down, Op::Logits})
        EXPECT_GT(most[op], 0) << nameOf(op);
    for (const Op op : {Op::InputNorm, Op::PostNorm, Op::Activation, Op::FinalNorm}) {
        EXPECT_TRUE(most.contains(op)) << nameOf(op) << ": larger batches have a kernel of it";
        EXPECT_EQ(most[op], 0) << nameOf(op) << " is a part of the product behind it";
    }
}

TEST_F(KernelTrace, WhatDoesNotFitIsCounted)
{
    const auto all = static_cast<std::int64_t>(record({}).kernels.size());
    TracePlan plan;
    plan.kernelLimits.mostKernels = 40;
    const Trace few = record(plan);
    EXPECT_LE(few.kernels.size(), 40u);
    EXPECT_GE(few.dropped, all - 40);
    // Buffers that are far too small: CUPTI itself drops, and says how many.
    plan.kernelLimits = {.bufferBytes = 8192, .mostBuffers = 1};
    const auto small = run(plan);
    ASSERT_TRUE(small) << small.error().message;
    EXPECT_EQ(traceFault(*small), "");
    EXPECT_TRUE(static_cast<std::int64_t>(small->kernels.size()) == all || small->dropped > 0)
        << small->kernels.size() << " of " << all;
    fmt::print("{} kernels; with room for 40: {} and {} dropped; with one buffer of 8 KiB: {} and {} dropped\n", all,
               few.kernels.size(), few.dropped, small->kernels.size(), small->dropped);
}

TEST_F(KernelTrace, ASecondProfilerIsToldSo)
{
    TraceRecorder recorder;
    auto first = KernelCollector::start(recorder);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = KernelCollector::start(recorder);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("another profiler is attached"), std::string::npos) << second.error().message;
    fmt::print("{}\n", second.error().message);
    first->reset();
    EXPECT_TRUE(KernelCollector::start(recorder)) << "once the first has gone";
}

TEST_F(KernelTrace, MapsAreComparedOpByOp)
{
    TracePlan plan;
    plan.context = 256;
    plan.steps = steps;
    const std::vector<NamedMap> maps = {{"full", HeadMap(model->shape(), HeadKind::Retrieval, 4, 32)}, {"mixed", mixedMap()}};
    const auto runs = comparedRuns(plan, maps, {MixedMode::Fused, MixedMode::TwoLaunch, MixedMode::Reference});
    const auto traces = recordRuns(device, model->config, {}, runs, 2);
    ASSERT_TRUE(traces) << traces.error().message;
    const OpMatrix matrix = opMatrix({"full", "fused", "two-launch", "reference"}, *traces);
    EXPECT_EQ(matrix.kernels[1], matrix.kernels[0]);
    EXPECT_EQ(matrix.kernels[2], matrix.kernels[0] + 1) << "one layer is mixed";
    EXPECT_EQ(matrix.kernels[3], matrix.kernels[0] + 5);
}

} // namespace
} // namespace zigzag::test
