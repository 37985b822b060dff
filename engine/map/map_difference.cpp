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
        side.streaming += map.at(layer, head) == HeadKind::Streaming;
        side.kvSlots += pattern.slots(context);
    }
    return side;
}

/// Both are of one model, and a map of an older version does not know which of its layers are local.
HeadMap withLocalLayersOf(HeadMap map, const HeadMap &other)
{
    if (map.model().localLayers() == 0) {
        ModelShape model = map.model();
        model.fileWindows = other.model().fileWindows;
        map.setModel(std::move(model));
    }
    return map;
}

void add(MapSide &total, const MapSide &part)
{
    total.streaming += part.streaming;
    total.kvSlots += part.kvSlots;
}

} // namespace

Result<MapDifference> differenceOf(const HeadMap &left, const HeadMap &right, std::int64_t context, const HeadScores *scores)
{
    if (left.layers() != right.layers() || left.kvHeads() != right.kvHeads())
        return badInput(fmt::format("the maps are for {} x {} and {} x {} layers x KV heads: give two maps of one model",
                                    left.layers(), left.kvHeads(), right.layers(), right.kvHeads()));
    const HeadMap a = withLocalLayersOf(left, right), b = withLocalLayersOf(right, left);
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
