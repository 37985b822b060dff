// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/map_tables.h"

#include "engine/map/assign.h"

#include <array>
#include <cstdio>
#include <fmt/format.h>

namespace zigzag {

using Json = nlohmann::ordered_json;

std::string_view nameOf(LayerKind kind)
{
    constexpr std::array<std::string_view, 4> names{"retrieval", "streaming", "mixed", "local"};
    return names[static_cast<std::size_t>(kind)];
}

Json sacrificeJson(const Sacrifice &sacrifice)
{
    return {{"streaming_heads", sacrifice.streaming},
            {"flipped", sacrifice.flipped},
            {"demoted", sacrifice.demoted},
            {"transport_cost", sacrifice.transportCost}};
}

Json assignmentJson(const Assignment &assignment, const SacrificeReport &report)
{
    const HeadMap &map = assignment.map;
    Json result = sacrificeJson(report.total);
    result["mixed_layers"] = map.mixedLayers();
    result["ties"] = assignment.ties;
    result["heads"] = map.model().mappableHeads();
    if (const int local = map.model().localLayers(); local > 0)
        result["local_layers"] = local;
    result["criterion"] = map.provenance().criterion;
    result["sparsity"] = map.sparsity();
    result["layers"] = Json::array();
    for (int layer = 0; layer < map.layers(); ++layer) {
        Json row = {{"layer", layer}, {"kind", nameOf(map.layerKind(layer))}};
        row.update(sacrificeJson(report.layers[static_cast<std::size_t>(layer)]));
        row["ties"] = assignment.layerTies[static_cast<std::size_t>(layer)];
        result["layers"].push_back(std::move(row));
    }
    return result;
}

namespace {

/// Of a model whose own file gives layers windows: what the counts above speak of.
std::string localLayersLine(const HeadMap &map)
{
    const int local = map.model().localLayers();
    return local == 0 ? std::string()
                      : fmt::format("{} of {} layers can be mapped; {} are local by the model's own file and keep their window\n",
                                    map.model().mappableLayers(), map.layers(), local);
}

} // namespace

std::string assignmentTable(const Assignment &assignment, const SacrificeReport &report)
{
    const HeadMap &map = assignment.map;
    std::string text = fmt::format("{:>5}  {:<9}  {:>9}  {:>7}  {:>7}  {:>14}  {:>4}\n", "layer", "kind", "streaming", "flipped",
                                   "demoted", "transport cost", "ties");
    const auto row = [&](const std::string &name, std::string_view kind, const Sacrifice &one, int ties) {
        text += fmt::format("{:>5}  {:<9}  {:>9}  {:>7}  {:>7}  {:>14.3f}  {:>4}\n", name, kind, one.streaming, one.flipped,
                            one.demoted, one.transportCost, ties);
    };
    for (int layer = 0; layer < map.layers(); ++layer)
        row(std::to_string(layer), nameOf(map.layerKind(layer)), report.layers[static_cast<std::size_t>(layer)],
            assignment.layerTies[static_cast<std::size_t>(layer)]);
    row("total", "", report.total, assignment.ties);
    return text
        + fmt::format("{} of {} KV heads stream, {} of {} layers are mixed, {} ties at the cut\n", report.total.streaming,
                      map.model().mappableHeads(), map.mixedLayers(), map.model().mappableLayers(), assignment.ties)
        + localLayersLine(map);
}

Json patternJson(const HeadMap &map)
{
    Json result
        = {{"streaming_heads", map.streamingHeads()}, {"mixed_layers", map.mixedLayers()}, {"heads", map.model().mappableHeads()},
           {"criterion", map.provenance().criterion}, {"sparsity", map.sparsity()},        {"layers", Json::array()}};
    if (const int local = map.model().localLayers(); local > 0)
        result["local_layers"] = local;
    for (int layer = 0; layer < map.layers(); ++layer)
        result["layers"].push_back({{"layer", layer}, {"kind", nameOf(map.layerKind(layer))}});
    return result;
}

std::string patternTable(const HeadMap &map)
{
    std::string text = fmt::format("{:>5}  {}\n", "layer", "kind");
    for (int layer = 0; layer < map.layers(); ++layer)
        text += fmt::format("{:>5}  {}\n", layer, nameOf(map.layerKind(layer)));
    return text
        + fmt::format("{} of {} KV heads stream, {} of {} layers are mixed; {}\n", map.streamingHeads(),
                      map.model().mappableHeads(), map.mixedLayers(), map.model().mappableLayers(), map.provenance().criterion)
        + localLayersLine(map);
}

void noteScores(const HeadScores &scores, const std::string &file)
{
    for (const std::string &note : scores.notes)
        fmt::print(stderr, "note: {}: {}\n", file, note);
}

} // namespace zigzag
