// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/search_units.h"

#include <algorithm>

namespace zigzag {

std::string_view nameOf(Unit unit)
{
    return unit == Unit::Layer ? "layer" : "head";
}

int unitCount(const ModelShape &model, Unit unit)
{
    return unit == Unit::Layer ? model.layers : model.layers * model.kvHeads;
}

bool isMappable(const ModelShape &model, Unit unit, int which)
{
    return !model.isLocal(unit == Unit::Layer ? which : which / model.kvHeads);
}

int mappableUnits(const ModelShape &model, Unit unit)
{
    return unit == Unit::Layer ? model.mappableLayers() : model.mappableHeads();
}

HeadMap mapWith(const ModelShape &model, Unit unit, StreamingWindow window, std::span<const int> streaming)
{
    HeadMap map(model, HeadKind::Retrieval, window.sink, window.recent);
    for (const int which : streaming) {
        if (unit == Unit::Layer)
            map.setLayer(which, HeadKind::Streaming);
        else
            map.set(which / model.kvHeads, which % model.kvHeads, HeadKind::Streaming);
    }
    return map;
}

std::vector<float> spreadOverHeads(const ModelShape &model, Unit unit, std::span<const double> perUnit)
{
    std::vector<float> scores;
    for (int layer = 0; layer < model.layers; ++layer)
        for (int head = 0; head < model.kvHeads; ++head) {
            const int which = unit == Unit::Layer ? layer : layer * model.kvHeads + head;
            const double score = model.isLocal(layer) ? 0.0 : perUnit[static_cast<std::size_t>(which)];
            scores.push_back(static_cast<float>(std::clamp(score, 0.0, 1.0)));
        }
    return scores;
}

} // namespace zigzag
