// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/op_cost.h"
#include "profiler/trace/op_table.h"
#include "profiler/trace/trace_recorder.h"
#include "tests/profiler/loaded_model.h"

#include <gtest/gtest.h>
#include <numeric>

namespace zigzag {
namespace {

/// A pass of 100 ns around an attention of 60 ns (with a commit of 20 ns in it) and a product of 30 ns; then the same again.
Trace handMade()
{
    Trace trace;
    trace.rows = {"host", "stream 7"};
    trace.info.layerKinds = {LayerKind::Streaming};
    for (const std::int64_t at : {0, 200}) {
        const auto pass = static_cast<std::int32_t>(trace.spans.size());
        trace.spans.push_back({.beginNs = at, .durationNs = 100, .op = Op::Pass});
        trace.spans.push_back({.beginNs = at + 5,
                               .durationNs = 60,
                               .bytes = 600,
                               .flops = 120,
                               .parent = pass,
                               .floorNs = 30,
                               .layer = 0,
                               .op = Op::Attention,
                               .kind = LayerKind::Streaming,
                               .depth = 1});
        trace.spans.push_back({.beginNs = at + 40,
                               .durationNs = 20,
                               .parent = pass + 1,
                               .layer = 0,
                               .op = Op::Commit,
                               .kind = LayerKind::Streaming,
                               .depth = 2});
        trace.spans.push_back({.beginNs = at + 70, .durationNs = 30, .parent = pass, .op = Op::Logits, .depth = 1});
    }
    trace.kernelNames = {"attention_kernel"};
    trace.kernels.push_back({.beginNs = 50, .durationNs = 25, .name = 0, .span = 1, .row = 1});
    return trace;
}

const OpRow *find(const std::vector<OpRow> &rows, Op op)
{
    for (const OpRow &row : rows)
        if (row.op == op)
            return &row;
    return nullptr;
}

/// An op that was faster than its ceiling allows has no ratio, rather than one above 100 %.
TEST(OpTable, AFloorAboveTheTimeIsNoResult)
{
    Trace trace = handMade();
    for (TraceSpan &span : trace.spans)
        if (span.op == Op::Attention)
            span.floorNs = 90; // of 60
    EXPECT_EQ(find(opTable(trace, GroupBy::Op), Op::Attention)->floorRatio, 0);
    for (TraceSpan &span : trace.spans)
        if (span.op == Op::Attention)
            span.floorNs = 60;
    EXPECT_EQ(find(opTable(trace, GroupBy::Op), Op::Attention)->floorRatio, 1);
}

TEST(OpTable, CountsTotalsAndOwnTimes)
{
    const Trace trace = handMade();
    EXPECT_EQ(traceFault(trace), "");
    const auto rows = opTable(trace, GroupBy::Op);
    ASSERT_EQ(rows.size(), 4u);
    const OpRow *attention = find(rows, Op::Attention);
    ASSERT_TRUE(attention);
    EXPECT_EQ(attention->count, 2);
    EXPECT_EQ(attention->totalNs, 120);
    EXPECT_EQ(attention->selfNs, 80);
    EXPECT_DOUBLE_EQ(attention->p50Ns, 60);
    EXPECT_DOUBLE_EQ(attention->bytesPerSecond, 1e10);
    EXPECT_DOUBLE_EQ(attention->flopsPerSecond, 2e9);
    EXPECT_DOUBLE_EQ(attention->floorRatio, 0.5);
    EXPECT_EQ(attention->kernelNs, 25);
    EXPECT_EQ(find(rows, Op::Pass)->selfNs, 20);
    for (const GroupBy by : {GroupBy::Op, GroupBy::Layer, GroupBy::LayerKind, GroupBy::OpAndLayer, GroupBy::OpAndKind}) {
        std::int64_t self = 0;
        for (const OpRow &row : opTable(trace, by))
            self += row.selfNs;
        EXPECT_EQ(self, 200) << "own times add up to the passes, whatever the grouping";
    }
    const auto kinds = opTable(trace, GroupBy::LayerKind);
    ASSERT_EQ(kinds.size(), 2u);
    EXPECT_EQ(kinds[0].label(), "streaming");
    EXPECT_EQ(kinds[0].totalNs, 120);
    EXPECT_EQ(kinds[1].label(), "outside");
}

TEST(OpTable, ARangeCutsSpans)
{
    const Trace trace = handMade();
    const auto rows = opTable(trace, GroupBy::Op, {.beginNs = 10, .endNs = 50});
    EXPECT_EQ(find(rows, Op::Pass)->totalNs, 40);
    EXPECT_EQ(find(rows, Op::Attention)->totalNs, 40);
    EXPECT_EQ(find(rows, Op::Attention)->selfNs, 30);
    EXPECT_EQ(find(rows, Op::Commit)->totalNs, 10);
    EXPECT_EQ(find(rows, Op::Logits), nullptr);
    EXPECT_TRUE(kernelTable(trace, {.beginNs = 0, .endNs = 50}).empty());
    const auto kernels = kernelTable(trace, {.beginNs = 0, .endNs = 60});
    ASSERT_EQ(kernels.size(), 1u);
    EXPECT_EQ(kernels[0].totalNs, 10);
}

TEST(Trace, FaultsAreSeen)
{
    const auto faulty = [](auto &&spoil) {
        Trace trace = handMade();
        spoil(trace);
        return traceFault(trace);
    };
    EXPECT_NE(faulty([](Trace &t) { t.spans[1].row = 2; }), "");
    EXPECT_NE(faulty([](Trace &t) { t.spans[1].durationNs = 200; }), "");
    EXPECT_NE(faulty([](Trace &t) { t.spans[1].parent = 3; }), "");
    EXPECT_NE(faulty([](Trace &t) { t.spans[2].depth = 1; }), "");
    EXPECT_NE(faulty([](Trace &t) { t.spans[0].op = static_cast<Op>(99); }), "");
    EXPECT_NE(faulty([](Trace &t) { t.spans[0].beginNs = -1; }), "");
    EXPECT_NE(faulty([](Trace &t) { t.spans[3].beginNs -= 20; }), "") << "begins before the span beside it ends";
    EXPECT_NE(faulty([](Trace &t) { t.kernels.resize(5000, {.durationNs = latestTraceNs}); }), "") << "times that add up too far";
    EXPECT_NE(faulty([](Trace &t) { t.kernels[0].name = 1; }), "");
    EXPECT_NE(faulty([](Trace &t) { t.kernels[0].span = 8; }), "");
}

class RecorderTest : public test::LoadedModel
{ };

TEST_F(RecorderTest, ARunBecomesATrace)
{
    const HeadMap heads = mixedMap();
    auto session = Session::create(device, heads, {.maxContext = 96, .chunk = 32, .mixed = MixedMode::Reference});
    ASSERT_TRUE(session) << session.error().message;
    TraceRecorder recorder;
    (*session)->setTraceSink(&recorder);
    const std::vector<int> tokens(70, 5);
    ASSERT_TRUE((*session)->run(tokens));
    TraceInfo info;
    info.machine.readBytesPerSecond = 1e9;
    info.machine.cachedReadBytesPerSecond = 2e9;
    info.machine.matrixFlopsF32 = 1e10;
    info.machine.matrixFlopsBf16 = 1e10;
    const Trace trace = recorder.trace(info, model->config, heads);
    EXPECT_EQ(traceFault(trace), "");
    EXPECT_EQ(trace.dropped, 0);
    ASSERT_EQ(trace.info.layerKinds.size(), static_cast<std::size_t>(model->config.layers));
    int passes = 0;
    double attentionFlops = 0, wanted = 0;
    for (const TraceSpan &span : trace.spans) {
        passes += span.op == Op::Pass;
        if (span.op == Op::Attention)
            attentionFlops += static_cast<double>(span.flops);
        EXPECT_EQ(span.floorNs > 0, span.op != Op::Pass) << nameOf(span.op);
        EXPECT_TRUE(span.layer < 0 || span.kind == heads.layerKind(span.layer));
    }
    EXPECT_EQ(passes, 3); // 32 + 32 + 6 tokens
    for (int layer = 0; layer < model->config.layers; ++layer)
        wanted += opCost(model->config, heads, Op::Attention, layer, Phase::Prefill, 70).flops;
    EXPECT_DOUBLE_EQ(attentionFlops, wanted) << "the chunks' pairs are the prefill's";
    std::int64_t self = 0, total = 0;
    for (const OpRow &row : opTable(trace, GroupBy::Op)) {
        self += row.selfNs;
        total += row.op == Op::Pass ? row.totalNs : 0;
    }
    EXPECT_EQ(self, total);
}

TEST_F(RecorderTest, WhatDoesNotFitIsCounted)
{
    const HeadMap heads = map(HeadKind::Retrieval);
    auto session = Session::create(device, heads, {.maxContext = 96, .chunk = 32});
    ASSERT_TRUE(session);
    TraceRecorder recorder(7);
    (*session)->setTraceSink(&recorder);
    const std::vector<int> tokens(10, 5);
    ASSERT_TRUE((*session)->run(tokens));
    const Trace trace = recorder.trace({}, model->config, heads);
    EXPECT_EQ(trace.spans.size(), 7u);
    EXPECT_EQ(trace.dropped, 1 + 3 + 9 * model->config.layers - 7);
    EXPECT_EQ(traceFault(trace), "");
}

TEST(FanOut, SinksNest)
{
    std::string heard;
    struct Sink : TraceSink {
        Sink(std::string &to, char letter)
            : text(to)
            , name(letter)
        { }
        void begin(const SpanInfo &) override { text += name; }
        void end() override { text += static_cast<char>(name - 'a' + 'A'); }
        std::string &text;
        char name;
    } a(heard, 'a'), b(heard, 'b');
    FanOutSink both({&a, &b});
    {
        const Span span(&both, {});
    }
    EXPECT_EQ(heard, "abBA");
}

} // namespace
} // namespace zigzag
