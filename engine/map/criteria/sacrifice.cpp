// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/criteria/criterion_list.h"
#include "engine/map/selection.h"

#include <cassert>

namespace zigzag {

SacrificeReport sacrificed(const HeadMap &map, const HeadScores &scores)
{
    assert(map.layers() == scores.model.layers && map.kvHeads() == scores.model.kvHeads);
    const auto kvHeads = static_cast<std::size_t>(map.kvHeads());
    HeadMap duo = map.withEvery(HeadKind::Retrieval);
    const std::vector<Penalty> all = duoCriterion().penalties(scores);
    std::vector<std::size_t> heads; // that a map decides
    std::vector<Penalty> gates; // [heads]
    for (std::size_t head = 0; head < all.size(); ++head)
        if (!map.isLocal(static_cast<int>(head / kvHeads))) {
            heads.push_back(head);
            gates.push_back(all[head]);
        }
    for (const std::size_t chosen : leastPenalties(gates, static_cast<std::size_t>(map.streamingHeads())).chosen)
        duo.set(static_cast<int>(heads[chosen] / kvHeads), static_cast<int>(heads[chosen] % kvHeads), HeadKind::Streaming);

    SacrificeReport report;
    for (int layer = 0; layer < map.layers(); ++layer) {
        Sacrifice one;
        for (int head = 0; head < map.kvHeads() && !map.isLocal(layer); ++head) {
            const bool streams = map.at(layer, head) == HeadKind::Streaming;
            const float gate = scores.at(layer, head);
            one.streaming += streams;
            one.flipped += map.at(layer, head) != duo.at(layer, head);
            one.demoted += streams && gate >= strongGate;
            one.transportCost += streams ? static_cast<double>(gate) : 1.0 - static_cast<double>(gate);
        }
        report.total.streaming += one.streaming;
        report.total.flipped += one.flipped;
        report.total.demoted += one.demoted;
        report.total.transportCost += one.transportCost;
        report.layers.push_back(one);
    }
    return report;
}

} // namespace zigzag
