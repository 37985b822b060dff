// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/map_difference.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

MapSide sideIn(const HeadMap &map, int layer, std::int64_t context)
{
    MapSide side;
    for (int head = 0; head < map.kvHeads(); ++head) {
        const HeadPattern pattern = map.pattern(layer, head);
        side.streaming += !pattern.keepsEverything();
        side.kvSlots += pattern.slots(context);
    }
    return side;
}

void add(MapSide &total, const MapSide &part)
{
    total.streaming += part.streaming;
    total.kvSlots += part.kvSlots;
}

} // namespace

Result<MapDifference> differenceOf(const HeadMap &a, const HeadMap &b, std::int64_t context, const HeadScores *scores)
{
    if (a.layers() != b.layers() || a.kvHeads() != b.kvHeads())
        return badInput(fmt::format("the maps are for {} x {} and {} x {} layers x KV heads: give two maps of one model",
                                    a.layers(), a.kvHeads(), b.layers(), b.kvHeads()));
    if (scores && (scores->model.layers != a.layers() || scores->model.kvHeads != a.kvHeads()))
        return badInput(
            fmt::format("the scores are for {} x {} layers x KV heads, the maps for {} x {}: give scores of this model",
                        scores->model.layers, scores->model.kvHeads, a.layers(), a.kvHeads()));
    std::optional<SacrificeReport> lostA, lostB;
    if (scores) {
        lostA = sacrificed(a, *scores);
        lostB = sacrificed(b, *scores);
    }
    MapDifference difference;
    for (int layer = 0; layer < a.layers(); ++layer) {
        difference.windowsDiffer = difference.windowsDiffer || a.window(layer) != b.window(layer);
        LayerDifference one{layer, {}, sideIn(a, layer, context), sideIn(b, layer, context)};
        add(difference.a, one.a);
        add(difference.b, one.b);
        for (int head = 0; head < a.kvHeads(); ++head)
            if (a.at(layer, head) != b.at(layer, head))
                one.heads.push_back(head);
        if (one.heads.empty())
            continue;
        difference.heads += static_cast<int>(one.heads.size());
        if (scores) {
            one.a.lost = lostA->layers[static_cast<std::size_t>(layer)];
            one.b.lost = lostB->layers[static_cast<std::size_t>(layer)];
        }
        difference.layers.push_back(std::move(one));
    }
    if (scores) {
        difference.a.lost = lostA->total;
        difference.b.lost = lostB->total;
    }
    return difference;
}

} // namespace zigzag
