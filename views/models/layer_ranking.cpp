// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/layer_ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zigzag {

double layerScore(const HeadScores &scores, int layer)
{
    double sum = 0;
    for (int head = 0; head < scores.model.kvHeads; ++head)
        sum += static_cast<double>(scores.at(layer, head));
    return sum / std::max(1, scores.model.kvHeads);
}

LayerRanking rankLayers(const HeadScores &scores, const HeadMap &map)
{
    LayerRanking ranking;
    const auto layers = static_cast<std::size_t>(map.layers());
    int retrievingHeads = 0;
    for (int layer = 0; layer < map.layers(); ++layer) {
        ranking.scores.push_back(layerScore(scores, layer));
        if (map.isLocal(layer))
            continue;
        ++ranking.ranked;
        ranking.highest = std::max(ranking.highest, ranking.scores.back());
        for (int head = 0; head < map.kvHeads(); ++head)
            retrievingHeads += map.pattern(layer, head).keepsEverything();
    }
    ranking.retrieving = static_cast<int>(std::lround(static_cast<double>(retrievingHeads) / std::max(1, map.kvHeads())));
    ranking.order.resize(layers);
    std::iota(ranking.order.begin(), ranking.order.end(), 0);
    std::stable_sort(ranking.order.begin(), ranking.order.end(), [&](int one, int other) {
        if (map.isLocal(one) != map.isLocal(other))
            return map.isLocal(other);
        return !map.isLocal(one)
            && ranking.scores[static_cast<std::size_t>(one)] > ranking.scores[static_cast<std::size_t>(other)];
    });
    ranking.ranks.assign(layers, 0);
    for (int rank = 0; rank < ranking.ranked; ++rank)
        ranking.ranks[static_cast<std::size_t>(ranking.order[static_cast<std::size_t>(rank)])] = rank + 1;
    if (ranking.retrieving > 0 && ranking.retrieving < ranking.ranked) {
        const auto scoreAt
            = [&](int rank) { return ranking.scores[static_cast<std::size_t>(ranking.order[static_cast<std::size_t>(rank)])]; };
        ranking.cut = (scoreAt(ranking.retrieving - 1) + scoreAt(ranking.retrieving)) / 2;
    }
    return ranking;
}

} // namespace zigzag
