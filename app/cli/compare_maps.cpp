// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/compare_maps.h"
#include "app/cli/json_text.h"

#include "app/cli/map_tables.h"
#include "engine/base/file_content.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_difference.h"
#include "engine/map/map_io.h"

#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

namespace zigzag {

namespace {

using Json = nlohmann::ordered_json;

/// What one side keeps: bytes where the head size is known, else tokens.
struct KvUnit {
    std::int64_t bytesPerSlot = 0;
    std::int64_t of(const MapSide &side) const { return side.kvSlots * (bytesPerSlot > 0 ? bytesPerSlot : 1); }
};

Json sideJson(const MapSide &side, const KvUnit &unit)
{
    Json json = {{"streaming_heads", side.streaming}, {unit.bytesPerSlot > 0 ? "kv_bytes" : "kv_slots", unit.of(side)}};
    if (side.lost) {
        json["demoted"] = side.lost->demoted;
        json["transport_cost"] = side.lost->transportCost;
    }
    return json;
}

void printTable(const MapDifference &difference, const ModelShape &mapped, const KvUnit &unit, const MapComparison &comparison)
{
    const auto row = [&](const std::string &layer, const std::string &heads, const MapSide &a, const MapSide &b) {
        fmt::print("{:>5}  {:>4} {:>4}  {:>15} {:>15}", layer, a.streaming, b.streaming, unit.of(a), unit.of(b));
        if (a.lost)
            fmt::print("  {:>4} {:>4}  {:>9.3f} {:>9.3f}", a.lost->demoted, b.lost->demoted, a.lost->transportCost,
                       b.lost->transportCost);
        fmt::print("  {}\n", heads);
    };
    fmt::print("{:>5}  {:>9}  {:>31}{}  {}\n", "layer", "streaming",
               fmt::format("KV {} at {}", unit.bytesPerSlot > 0 ? "bytes" : "slots", comparison.context),
               difference.a.lost ? fmt::format("  {:>9}  {:>19}", "demoted", "transport cost") : "", "heads that differ");
    for (const LayerDifference &layer : difference.layers)
        row(std::to_string(layer.layer), fmt::format("{}", fmt::join(layer.heads, " ")), layer.a, layer.b);
    row("total", std::to_string(difference.heads), difference.a, difference.b);
    fmt::print("left: {}; right: {}; {} of {} layers and {} of {} heads differ{}\n", comparison.a, comparison.b,
               difference.layers.size(), mapped.mappableLayers(), difference.heads, mapped.mappableHeads(),
               difference.windowsDiffer ? "; their windows differ" : "");
}

} // namespace

bool isHeadMap(const std::string &path)
{
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        return std::filesystem::exists(std::filesystem::path(path) / "full_attention_heads.tsv", ignored);
    const auto kind = kindOfFile(path);
    return kind && kind->content == FileContent::HeadMap;
}

Result<void> compareMaps(const MapComparison &comparison)
{
    ZIGZAG_TRY(a, readHeadMap(comparison.a));
    ZIGZAG_TRY(b, readHeadMap(comparison.b));
    std::optional<HeadScores> scores;
    if (!comparison.scores.empty()) {
        ZIGZAG_TRY(read, readHeadScores(comparison.scores));
        noteScores(read, comparison.scores);
        scores = std::move(read);
    }
    ZIGZAG_TRY(difference, differenceOf(a, b, comparison.context, scores ? &*scores : nullptr));
    // A map says how large a head is, but not its type: that of nearly every model is two bytes wide.
    const KvUnit unit{2 * std::int64_t{a.model().headDim} * bytesOf(DType::BF16)};
    if (!comparison.json) {
        printTable(difference, a.model().localLayers() > 0 ? a.model() : b.model(), unit, comparison);
        return {};
    }
    Json json = {{"a", comparison.a},
                 {"b", comparison.b},
                 {"context", comparison.context},
                 {"heads", difference.heads},
                 {"windows_differ", difference.windowsDiffer},
                 {"total", {sideJson(difference.a, unit), sideJson(difference.b, unit)}},
                 {"layers", Json::array()}};
    for (const LayerDifference &layer : difference.layers)
        json["layers"].push_back(
            {{"layer", layer.layer}, {"heads", layer.heads}, {"a", sideJson(layer.a, unit)}, {"b", sideJson(layer.b, unit)}});
    fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
    return {};
}

} // namespace zigzag
