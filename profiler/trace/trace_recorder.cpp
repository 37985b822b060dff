// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/trace_recorder.h"

#include "engine/map/kv_layout.h"
#include "profiler/cost/op_cost.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace zigzag {
TraceRecorder::TraceRecorder(std::size_t mostSpans)
    : m_most(std::min(mostSpans, std::size_t{1} << 30)) // indices are 32 bits
{
    m_spans.reserve(m_most); // pages that no span touches cost nothing
    m_batch.reserve(m_most);
    m_open.reserve(16);
}

void TraceRecorder::begin(const SpanInfo &span)
{
    if (m_spans.size() >= m_most) {
        ++m_dropped;
        m_open.push_back(-1);
        return;
    }
    const std::int32_t parent = current();
    TraceSpan record;
    record.parent = parent;
    record.depth = parent < 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(m_spans[static_cast<std::size_t>(parent)].depth + 1);
    record.tokens = static_cast<std::int32_t>(span.tokens);
    record.firstPosition = static_cast<std::int32_t>(span.firstPosition);
    record.layer = static_cast<std::int16_t>(span.layer);
    record.op = span.op;
    record.kind = span.layer < 0 ? LayerKind::Retrieval : span.kind;
    m_open.push_back(static_cast<std::int32_t>(m_spans.size()));
    m_batch.push_back(span.batch);
    m_spans.push_back(record);
    // The clock is read last here and first in `end`, so that our own work is not in the span.
    const auto now = Clock::now();
    if (m_spans.size() == 1)
        m_origin = now;
    m_spans.back().beginNs = std::chrono::duration_cast<std::chrono::nanoseconds>(now - m_origin).count();
}

void TraceRecorder::end()
{
    const auto now = Clock::now();
    const std::int32_t open = current();
    m_open.pop_back();
    if (open < 0)
        return;
    TraceSpan &span = m_spans[static_cast<std::size_t>(open)];
    span.durationNs = std::chrono::duration_cast<std::chrono::nanoseconds>(now - m_origin).count() - span.beginNs;
}

void TraceRecorder::clear()
{
    m_spans.clear();
    m_batch.clear();
    m_open.clear();
    m_dropped = 0;
}

Trace TraceRecorder::trace(TraceInfo info, const ModelConfig &config, const HeadMap &map) const
{
    Trace trace = makeTrace(std::move(info), m_spans, m_batch, config, map);
    trace.rows = {"host"};
    trace.dropped = m_dropped;
    return trace;
}

Trace makeTrace(TraceInfo info, std::vector<TraceSpan> spans, std::span<const int> batches, const ModelConfig &config,
                const HeadMap &map)
{
    Trace trace;
    trace.spans = std::move(spans);
    info.layerKinds.clear();
    for (int layer = 0; layer < map.layers(); ++layer)
        info.layerKinds.push_back(map.layerKind(layer));

    // The op, layer and shape repeat from step to step; a decode's position does not, so it is part of the key only where
    // the cost depends on it.
    using Key = std::tuple<Op, int, std::int32_t, std::int32_t, int>;
    std::map<Key, OpCost> costs;
    const auto weights = static_cast<double>(config.weightBytesReadPerToken());
    bool cached = false;
    std::int64_t cachedAt = -1; ///< the context and batch that `cached` is true or false for
    for (std::size_t i = 0; i < trace.spans.size(); ++i) {
        TraceSpan &span = trace.spans[i];
        const PassShape pass{.tokens = span.tokens, .firstPosition = span.firstPosition, .batch = batches[i]};
        const bool byPosition = span.op == Op::Attention;
        const Key key{span.op, span.layer, span.tokens, byPosition ? span.firstPosition : 0, pass.batch};
        auto found = costs.find(key);
        if (found == costs.end())
            found = costs.emplace(key, passCost(config, map, span.op, span.layer, pass)).first;
        const OpCost &cost = found->second;
        span.bytes = static_cast<std::int64_t>(cost.bytes + cost.activationBytes);
        span.flops = static_cast<std::int64_t>(cost.flops);
        const std::int64_t end = pass.firstPosition + pass.tokens;
        if (const std::int64_t at = end * pass.batch; at != cachedAt) {
            const double step = weights + static_cast<double>(kvBytes(map, end, config.kvType)) * pass.batch;
            cached = info.machine.keeps(step);
            cachedAt = at;
        }
        span.floorNs = static_cast<float>(opFloorNs(cost, config, info.machine, cached));
    }
    trace.info = std::move(info);
    return trace;
}

} // namespace zigzag
