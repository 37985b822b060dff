// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/trace.h"

#include <memory>
#include <random>

namespace zigzag::test {

/// A decode-like trace of at least `spans` spans: passes of layers of the ops of a layer, with seeded durations and small
/// gaps, every fourth layer streaming; with a kernel for each op when asked.
inline std::shared_ptr<const Trace> sampleTrace(std::size_t spans, int layers = 32, bool kernels = false)
{
    constexpr std::array ops = {Op::InputNorm, Op::Qkv,    Op::RopeAppend, Op::Attention, Op::OutputProjection,
                                Op::PostNorm,  Op::GateUp, Op::Activation, Op::Down};
    auto trace = std::make_shared<Trace>();
    trace->info.model = "sample";
    trace->info.map = "map";
    trace->info.phase = Phase::Decode;
    trace->rows = {"host", "GPU stream 7"};
    trace->kernelNames = {"attention_decode_kernel", "matmul_kernel"};
    for (int layer = 0; layer < layers; ++layer)
        trace->info.layerKinds.push_back(layer % 4 == 3 ? LayerKind::Streaming : LayerKind::Retrieval);
    std::mt19937 random(7);
    std::exponential_distribution<double> duration(1.0 / 20'000.0);
    std::int64_t now = 0;
    while (trace->spans.size() < spans) {
        TraceSpan pass;
        pass.beginNs = now;
        pass.tokens = 1;
        pass.firstPosition = static_cast<std::int32_t>(trace->spans.size() % 4096);
        const auto parent = static_cast<std::int32_t>(trace->spans.size());
        trace->spans.push_back(pass);
        for (int layer = 0; layer < layers; ++layer)
            for (const Op op : ops) {
                TraceSpan span;
                span.beginNs = now;
                span.durationNs = 200 + static_cast<std::int64_t>(duration(random) * (op == Op::Attention ? 4 : 1));
                span.bytes = 1 << 20;
                span.floorNs = static_cast<float>(span.durationNs) / 2;
                span.parent = parent;
                span.layer = static_cast<std::int16_t>(layer);
                span.op = op;
                span.kind = trace->info.layerKinds[static_cast<std::size_t>(layer)];
                span.depth = 1;
                if (kernels)
                    trace->kernels.push_back({span.beginNs + 100, span.durationNs - 150, op == Op::Attention ? 0u : 1u,
                                              static_cast<std::int32_t>(trace->spans.size()), 1});
                now = span.endNs() + 50;
                trace->spans.push_back(span);
            }
        trace->spans[static_cast<std::size_t>(parent)].durationNs = now - pass.beginNs;
        now += 2'000;
    }
    return trace;
}

/// Two ranks of `sampleTrace`, the second of which is late in every output projection, where both exchange in the last fifth.
inline std::shared_ptr<const Trace> sampleRanks(std::size_t spans, int layers = 8)
{
    const auto one = sampleTrace(spans, layers);
    auto trace = std::make_shared<Trace>(*one);
    trace->info.gpus = 2;
    trace->rows = {"rank 0", "rank 1"};
    trace->kernelNames.clear();
    const auto count = static_cast<std::int32_t>(one->spans.size());
    for (TraceSpan span : one->spans) {
        span.row = 1;
        span.parent += span.parent < 0 ? 0 : count;
        trace->spans.push_back(span);
    }
    for (std::int32_t i = 0; i < 2 * count; ++i) {
        const TraceSpan &span = trace->spans[static_cast<std::size_t>(i)];
        if (span.op != Op::OutputProjection)
            continue;
        const std::int64_t fifth = span.durationNs / 5, early = span.row == 0 ? 2 * fifth : 0;
        CollectiveSpan each;
        each.beginNs = span.endNs() - fifth - early;
        each.durationNs = fifth + early;
        each.waitNs = early;
        each.bytes = 4096;
        each.span = i;
        each.row = span.row;
        trace->collectives.push_back(each);
    }
    return trace;
}

} // namespace zigzag::test
