// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/layer_times.h"

#include <algorithm>
#include <numeric>

namespace zigzag {

double sumOf(const LayerTimes::Stack &stack)
{
    return std::accumulate(stack.begin(), stack.end(), 0.0);
}

double LayerTimes::layerMs(int layer) const
{
    return sumOf(ms[static_cast<std::size_t>(layer)]);
}

LayerTimes layerTimes(const CostModel &cost, const HeadMap &map, const Workload &work)
{
    LayerTimes times;
    if (!cost.isFitted())
        return times;
    times.ms.resize(static_cast<std::size_t>(map.layers()));
    for (const OpEstimate &part : cost.breakdown(map, work)) {
        const auto group = std::find(barGroups.begin(), barGroups.end(), groupOf(part.op));
        if (part.layer >= 0 && part.layer < map.layers() && group != barGroups.end())
            times.ms[static_cast<std::size_t>(part.layer)][static_cast<std::size_t>(group - barGroups.begin())] += part.ms;
    }
    return times;
}

LayerTimes layerTimes(const Trace &trace)
{
    // Per pass first: one step that the system interrupted does not tell of a layer.
    std::vector<std::int32_t> passOf(trace.spans.size(), 0);
    std::int32_t passes = 0;
    for (std::size_t index = 0; index < trace.spans.size(); ++index) {
        const TraceSpan &span = trace.spans[index];
        passOf[index] = span.parent >= 0 ? passOf[static_cast<std::size_t>(span.parent)]
            : span.op == Op::Pass        ? passes++
                                         : passes;
    }
    std::vector<std::vector<LayerTimes::Stack>> steps; // [layers][passes]
    const auto add = [&](std::size_t index, std::int64_t ns) {
        const TraceSpan &span = trace.spans[index];
        const auto group = std::find(barGroups.begin(), barGroups.end(), groupOf(span.op));
        if (span.layer < 0 || group == barGroups.end())
            return;
        steps.resize(std::max<std::size_t>(steps.size(), static_cast<std::size_t>(span.layer) + 1));
        auto &layer = steps[static_cast<std::size_t>(span.layer)];
        layer.resize(static_cast<std::size_t>(std::max(passes, 1)) + 1);
        layer[static_cast<std::size_t>(passOf[index])][static_cast<std::size_t>(group - barGroups.begin())]
            += static_cast<double>(ns) * 1e-6;
    };
    if (trace.kernels.empty() || trace.info.inDeviceTime) { // there, spans are as long as their kernels
        for (std::size_t index = 0; index < trace.spans.size(); ++index) {
            const TraceSpan &span = trace.spans[index];
            add(index, span.durationNs);
            if (span.parent >= 0 && trace.spans[static_cast<std::size_t>(span.parent)].layer >= 0)
                add(static_cast<std::size_t>(span.parent), -span.durationNs);
        }
    } else {
        for (const KernelSpan &kernel : trace.kernels)
            if (kernel.span >= 0)
                add(static_cast<std::size_t>(kernel.span), kernel.durationNs);
    }
    LayerTimes times;
    times.ms.resize(steps.size());
    for (std::size_t layer = 0; layer < steps.size(); ++layer)
        for (std::size_t group = 0; group < barGroups.size(); ++group) {
            std::vector<double> values;
            for (std::int32_t pass = 0; pass < passes && !steps[layer].empty(); ++pass)
                values.push_back(steps[layer][static_cast<std::size_t>(pass)][group]);
            if (!values.empty())
                times.ms[layer][group] = trace.info.phase == Phase::Decode ? quantile(values, 0.5)
                                                                           : std::accumulate(values.begin(), values.end(), 0.0);
        }
    return times;
}

} // namespace zigzag
