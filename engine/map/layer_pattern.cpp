// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/layer_pattern.h"

#include "engine/base/version.h"

#include <charconv>
#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::string_view wayOut = "give every:N, first:N or last:N, separated by commas, as every:4,first:1,last:1";

struct Part {
    std::string_view name;
    int LayerPattern::*count;
};
constexpr Part parts[] = {{"every", &LayerPattern::every}, {"first", &LayerPattern::first}, {"last", &LayerPattern::last}};

} // namespace

Result<LayerPattern> parseLayerPattern(std::string_view text)
{
    LayerPattern pattern;
    std::string_view rest = text;
    while (true) {
        const std::string_view item = rest.substr(0, rest.find(','));
        const std::size_t colon = item.find(':');
        const Part *found = nullptr;
        for (const Part &part : parts)
            if (colon != std::string_view::npos && item.substr(0, colon) == part.name)
                found = &part;
        int count = 0;
        const std::string_view digits = found ? item.substr(colon + 1) : std::string_view();
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
        if (!found || error != std::errc() || end != digits.data() + digits.size() || count < 1)
            return badInput(fmt::format("pattern \"{}\": {}", text, wayOut));
        if (pattern.*found->count != 0)
            return badInput(fmt::format("pattern \"{}\": {} is there twice; {}", text, found->name, wayOut));
        pattern.*found->count = count;
        if (item.size() == rest.size())
            return pattern;
        rest.remove_prefix(item.size() + 1);
    }
}

std::string nameOf(const LayerPattern &pattern)
{
    std::string text;
    for (const Part &part : parts)
        if (const int count = pattern.*part.count; count > 0)
            text += fmt::format("{}{}:{}", text.empty() ? "" : ",", part.name, count);
    return text;
}

Result<HeadMap> assignByPattern(const ModelShape &model, const PatternRequest &request)
{
    const LayerPattern &pattern = request.pattern;
    const int mappable = model.mappableLayers();
    if (pattern == LayerPattern())
        return badInput(fmt::format("the pattern names no layer: {}", wayOut));
    if (pattern.every > mappable || pattern.first > mappable || pattern.last > mappable)
        return badInput(fmt::format("pattern {}: {} has {} layers that a map decides; {}", nameOf(pattern), model.name, mappable,
                                    "give smaller counts"));
    HeadMap map(model, HeadKind::Retrieval, defaultSink, defaultRecent);
    int place = 0; // among the layers that a map decides
    bool anyLocked = false;
    for (int layer = 0; layer < model.layers; ++layer) {
        const auto index = static_cast<std::size_t>(layer);
        if (index < request.windows.size())
            map.setLayerWindow(layer, request.windows[index].sink, request.windows[index].recent);
        if (model.isLocal(layer))
            continue;
        const bool retrieves = place < pattern.first || place >= mappable - pattern.last
            || (pattern.every > 0 && (place + 1) % pattern.every == 0);
        ++place;
        if (request.base && index < request.locked.size() && request.locked[index]) {
            anyLocked = true;
            for (int head = 0; head < model.kvHeads; ++head)
                map.set(layer, head, request.base->at(layer, head));
        } else {
            map.setLayer(layer, retrieves ? HeadKind::Retrieval : HeadKind::Streaming);
        }
    }
    map.setProvenance({"pattern " + nameOf(pattern) + (anyLocked ? " with locked layers" : ""), "", map.sparsity(),
                       std::string(programVersion), ""});
    return map;
}

} // namespace zigzag
