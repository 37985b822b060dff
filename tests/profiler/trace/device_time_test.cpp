// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/device_time.h"
#include "profiler/trace/op_table.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

/// What a host records: begin, end, parent by nesting.
class HostRecording
{
public:
    std::int32_t begin(Op op, int layer = -1, std::int32_t position = 0)
    {
        TraceSpan span;
        span.beginNs = m_clock += 10;
        span.parent = m_open.empty() ? -1 : m_open.back();
        span.depth = static_cast<std::uint8_t>(m_open.size());
        span.op = op;
        span.layer = static_cast<std::int16_t>(layer);
        span.firstPosition = position;
        m_open.push_back(static_cast<std::int32_t>(spans.size()));
        spans.push_back(span);
        batches.push_back(1);
        return m_open.back();
    }
    void end()
    {
        TraceSpan &span = spans[static_cast<std::size_t>(m_open.back())];
        span.durationNs = (m_clock += 10) - span.beginNs;
        m_open.pop_back();
    }
    std::int32_t leaf(Op op, int layer = -1, std::int32_t position = 0)
    {
        const std::int32_t index = begin(op, layer, position);
        end();
        return index;
    }

    std::vector<TraceSpan> spans;
    std::vector<int> batches;

private:
    std::int64_t m_clock = 0;
    std::vector<std::int32_t> m_open;
};

KernelRecord kernel(std::int64_t begin, std::int64_t end, const std::string &name, std::int64_t launchedBy,
                    std::int64_t recordedBy = -1)
{
    return {begin, end, name, 7, launchedBy, recordedBy, recordedBy >= 0};
}

Trace traceOf(const DeviceSpans &device)
{
    Trace trace;
    trace.rows = device.rows;
    trace.spans = device.spans;
    trace.kernels = device.kernels;
    trace.kernelNames = device.kernelNames;
    return trace;
}

TEST(DeviceTime, SpansOfLaunchesLastAsLongAsTheirKernels)
{
    HostRecording host;
    const auto pass = host.begin(Op::Pass);
    const auto embed = host.leaf(Op::Embed);
    const auto attention = host.begin(Op::Attention, 0);
    const auto copy = host.leaf(Op::CopyHeads, 0);
    host.end();
    host.leaf(Op::Logits); // launches nothing
    host.end();
    const auto device = inDeviceTime(host.spans, host.batches,
                                     {kernel(1000, 1030, "embed<float>", embed), kernel(1040, 1100, "copyHeads<float>", copy),
                                      kernel(1090, 1200, "attention", attention), kernel(1210, 1220, "stray", -1)});
    const Trace trace = traceOf(device);
    EXPECT_EQ(traceFault(trace), "");
    EXPECT_EQ(device.unknown, 1);
    EXPECT_EQ(trace.rows, (std::vector<std::string>{deviceRow, "GPU stream 7"}));
    ASSERT_EQ(trace.spans.size(), 4u) << "pass, embed, attention, copy; logits ran inside another";
    EXPECT_EQ(trace.spans[0].op, host.spans[static_cast<std::size_t>(pass)].op);
    EXPECT_EQ(trace.spans[0].beginNs, 0);
    EXPECT_EQ(trace.spans[0].durationNs, 200);
    EXPECT_EQ(trace.spans[2].op, Op::Attention);
    EXPECT_EQ(trace.spans[2].beginNs, 40);
    EXPECT_EQ(trace.spans[2].durationNs, 160) << "with what is inside it";
    EXPECT_EQ(trace.spans[3].parent, 2);
    EXPECT_EQ(trace.spans[3].durationNs, 60);
    ASSERT_EQ(trace.kernels.size(), 4u);
    EXPECT_EQ(trace.kernels[2].span, 2);
    EXPECT_EQ(trace.kernels[2].beginNs, 90) << "as it was";
    EXPECT_EQ(trace.kernels[3].span, -1);
    for (const OpRow &row : opTable(trace, GroupBy::Op))
        if (row.op == Op::Attention) {
            EXPECT_EQ(row.selfNs, 100);
            EXPECT_EQ(row.kernelNs, 100) << "it waited for the copy until 1100";
        }
}

TEST(DeviceTime, ReplaysGetTheOpsThatWereRecorded)
{
    HostRecording host;
    const auto warm = host.begin(Op::Pass, -1, 40);
    const auto qkv = host.leaf(Op::Qkv, 0, 40), down = host.leaf(Op::Down, 1, 40);
    host.end();
    const auto first = host.leaf(Op::Pass, -1, 40), second = host.leaf(Op::Pass, -1, 41), third = host.leaf(Op::Pass, -1, 42);
    std::vector<KernelRecord> records;
    std::int64_t at = 500;
    for (const auto replay : {first, second, third}) {
        records.push_back(kernel(at, at + 10, "matvec", replay, qkv));
        records.push_back(kernel(at + 10, at + 40, "matvec", replay, down));
        at += 100;
    }
    const auto device = inDeviceTime(host.spans, host.batches, records, static_cast<std::size_t>(second));
    EXPECT_LT(warm, qkv);
    EXPECT_EQ(traceFault(traceOf(device)), "");
    EXPECT_EQ(device.unknown, 0);
    ASSERT_EQ(device.spans.size(), 6u) << "two replays of a pass with two ops; the first warmed up";
    EXPECT_EQ(device.kernels.size(), 4u);
    for (std::size_t replay = 0; replay < 2; ++replay) {
        const TraceSpan &pass = device.spans[3 * replay], &op = device.spans[3 * replay + 2];
        EXPECT_EQ(pass.op, Op::Pass);
        EXPECT_EQ(pass.beginNs, static_cast<std::int64_t>(100 * replay));
        EXPECT_EQ(pass.durationNs, 40);
        EXPECT_EQ(op.op, Op::Down);
        EXPECT_EQ(op.layer, 1);
        EXPECT_EQ(op.durationNs, 30);
        EXPECT_EQ(op.parent, static_cast<std::int32_t>(3 * replay));
        EXPECT_EQ(op.firstPosition, 41 + static_cast<std::int32_t>(replay)) << "of the replay, not of the recording";
    }
    // A node that was recorded under no span: its kernel is shown, and belongs to none.
    records.back().recordedBy = -1;
    EXPECT_EQ(inDeviceTime(host.spans, host.batches, records, static_cast<std::size_t>(second)).unknown, 1);
}

TEST(DeviceTime, KernelsThatWerePutOffGoBackToTheOpThatAskedForThem)
{
    HostRecording host;
    host.begin(Op::Pass);
    const auto norm = host.leaf(Op::InputNorm, 0), qkv = host.leaf(Op::Qkv, 0), post = host.leaf(Op::PostNorm, 0),
               gateUp = host.leaf(Op::GateUp, 0), activation = host.leaf(Op::Activation, 0);
    host.end();
    const std::string rmsNorm = "void zigzag::gpu::rmsNorm<zigzag::gpu::Bf16>(zigzag::gpu::RmsNormKernelArgs)",
                      swiGlu = "void zigzag::gpu::swiGlu<float>(zigzag::gpu::SwiGluKernelArgs)";
    const auto opsOf = [&](const std::vector<KernelRecord> &records) {
        const auto device = inDeviceTime(host.spans, host.batches, records);
        std::vector<Op> ops;
        for (const KernelSpan &each : device.kernels)
            ops.push_back(device.spans[static_cast<std::size_t>(each.span)].op);
        return ops;
    };
    EXPECT_EQ(opsOf({kernel(10, 20, rmsNorm, qkv), kernel(20, 30, "gemm", qkv), kernel(30, 40, rmsNorm, gateUp),
                     kernel(40, 50, "gemm", gateUp), kernel(50, 60, swiGlu, activation)}),
              (std::vector<Op>{Op::InputNorm, Op::Qkv, Op::PostNorm, Op::GateUp, Op::Activation}));
    EXPECT_EQ(opsOf({kernel(10, 20, "matvec", qkv), kernel(20, 30, "matvec", activation)}),
              (std::vector<Op>{Op::Qkv, Op::GateUp}))
        << "the gate became a part of its products";
    EXPECT_LT(norm, post);
}

TEST(DeviceTime, WhatIsNoSpanIsNone)
{
    HostRecording host;
    host.leaf(Op::Pass);
    const auto device = inDeviceTime(host.spans, host.batches, {kernel(5, 9, "a", 1), kernel(9, 12, "a", -7, 3)});
    EXPECT_EQ(device.unknown, 2);
    EXPECT_TRUE(device.spans.empty());
    EXPECT_TRUE(inDeviceTime({}, {}, {}).kernels.empty());
}

} // namespace
} // namespace zigzag
