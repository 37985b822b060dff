// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/compare/predicted_trace.h"

#include <cmath>

namespace zigzag {

Trace predictedTrace(const CostModel &cost, const NamedMap &map, const Workload &work)
{
    Trace trace;
    trace.rows = {"predicted"};
    TraceInfo &info = trace.info;
    info.model = cost.config().name;
    info.map = map.name;
    info.phase = work.phase;
    info.context = work.context;
    info.batch = work.batch;
    info.kvType = cost.config().kvType;
    info.machine = cost.machine();
    info.predicted = true;
    info.note = whyUnreliable(cost);
    for (int layer = 0; layer < map.map.layers(); ++layer)
        info.layerKinds.push_back(map.map.layerKind(layer));
    const bool decode = work.phase == Phase::Decode;
    const auto tokens = static_cast<std::int32_t>(decode ? 1 : work.context);
    const auto first = static_cast<std::int32_t>(decode ? work.context - 1 : 0);
    trace.spans.push_back({.tokens = tokens, .firstPosition = first, .op = Op::Pass});
    const auto addOps = [&](std::int64_t at) {
        for (const OpEstimate &part : cost.breakdown(map.map, work)) {
            const std::int64_t ns = std::llround(1e6 * part.ms);
            if (part.op != Op::Pass) { // the pass's own time is what is left of it
                TraceSpan span{.beginNs = at, .durationNs = ns, .parent = 0, .tokens = tokens, .firstPosition = first};
                span.layer = static_cast<std::int16_t>(part.layer);
                span.op = part.op;
                span.kind = part.layer < 0 ? LayerKind::Retrieval : info.layerKinds[static_cast<std::size_t>(part.layer)];
                span.depth = 1;
                trace.spans.push_back(span);
            }
            at += ns;
        }
        return at;
    };
    trace.spans.front().durationNs = addOps(0);
    return trace;
}

} // namespace zigzag
