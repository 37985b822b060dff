// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost_model.h"

#include "engine/map/kv_layout.h"

#include <array>
#include <cassert>

namespace zigzag {

Estimate CostModel::estimate(const HeadMap &map, Phase phase, std::int64_t context) const
{
    Estimate estimate;
    estimate.kvBytes = kvBytes(map, context, m_config.dtype);
    estimate.layerMs.resize(static_cast<std::size_t>(map.layers()));
    assert(map.kvHeads() == m_config.kvHeads);

    // One layer of each kind stands for all of them: there are no other costs than these two and what lies between.
    ModelShape oneLayer{{}, 1, m_config.queryHeads, m_config.kvHeads, m_config.headDim, {}};
    std::array<double, 2> layerUs{};
    double outsideUs = 0.0;
    for (const HeadKind kind : {HeadKind::Retrieval, HeadKind::Streaming}) {
        const HeadMap uniform(oneLayer, kind, map.sink(), map.recent());
        const Lines &lines = m_lines[static_cast<std::size_t>(phase)][static_cast<std::size_t>(kind)];
        for (std::size_t i = 0; i < opNames.size(); ++i) {
            const Op op = static_cast<Op>(i);
            if (!isInLayer(op) && kind == HeadKind::Streaming)
                continue; // counted with the other kind
            const OpCost cost = opCost(m_config, uniform, op, 0, phase, context);
            const double us = lines[i].us(cost.tokens, phase == Phase::Decode ? cost.bytes : cost.flops);
            (isInLayer(op) ? layerUs[static_cast<std::size_t>(kind)] : outsideUs) += us;
        }
    }
    estimate.ms = outsideUs / 1e3;
    for (int layer = 0; layer < map.layers(); ++layer) {
        int streaming = 0;
        for (int head = 0; head < map.kvHeads(); ++head)
            streaming += map.at(layer, head) == HeadKind::Streaming;
        const double share = static_cast<double>(streaming) / map.kvHeads();
        const double ms = ((1.0 - share) * layerUs[0] + share * layerUs[1]) / 1e3;
        estimate.layerMs[static_cast<std::size_t>(layer)] = ms;
        estimate.ms += ms;
    }
    return estimate;
}

} // namespace zigzag
