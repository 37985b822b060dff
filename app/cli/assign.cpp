// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "engine/map/criterion.h"
#include "engine/map/map_io.h"
#include "engine/model/model.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace zigzag {

namespace {

struct AssignOptions {
    std::string scores, criterion, model, out;
    std::string fold = "max";
    double sparsity = 0;
    int sink = defaultSink, recent = defaultRecent;
    std::string format = "table";
};

std::string_view nameOf(LayerKind kind)
{
    return kind == LayerKind::Retrieval ? "retrieval" : kind == LayerKind::Streaming ? "streaming" : "mixed";
}

nlohmann::ordered_json toJson(const Sacrifice &sacrifice)
{
    return {{"streaming_heads", sacrifice.streaming},
            {"flipped", sacrifice.flipped},
            {"demoted", sacrifice.demoted},
            {"transport_cost", sacrifice.transportCost}};
}

void printJson(const Assignment &assignment, const SacrificeReport &report)
{
    const HeadMap &map = assignment.map;
    nlohmann::ordered_json result = toJson(report.total);
    result["mixed_layers"] = map.mixedLayers();
    result["ties"] = assignment.ties;
    result["heads"] = map.layers() * map.kvHeads();
    result["layers"] = nlohmann::ordered_json::array();
    for (int layer = 0; layer < map.layers(); ++layer) {
        nlohmann::ordered_json row = {{"layer", layer}, {"kind", nameOf(map.layerKind(layer))}};
        row.update(toJson(report.layers[static_cast<std::size_t>(layer)]));
        result["layers"].push_back(std::move(row));
    }
    fmt::print("{}\n", result.dump(1));
}

void printTable(const Assignment &assignment, const SacrificeReport &report)
{
    const HeadMap &map = assignment.map;
    fmt::print("{:>5}  {:<9}  {:>9}  {:>7}  {:>7}  {:>14}\n", "layer", "kind", "streaming", "flipped", "demoted",
               "transport cost");
    const auto row = [](const std::string &name, std::string_view kind, const Sacrifice &one) {
        fmt::print("{:>5}  {:<9}  {:>9}  {:>7}  {:>7}  {:>14.3f}\n", name, kind, one.streaming, one.flipped, one.demoted,
                   one.transportCost);
    };
    for (int layer = 0; layer < map.layers(); ++layer)
        row(std::to_string(layer), nameOf(map.layerKind(layer)), report.layers[static_cast<std::size_t>(layer)]);
    row("total", "", report.total);
    fmt::print("{} of {} KV heads stream, {} of {} layers are mixed, {} ties at the cut\n", report.total.streaming,
               map.layers() * map.kvHeads(), map.mixedLayers(), map.layers(), assignment.ties);
}

Result<void> assign(const AssignOptions &options)
{
    std::optional<ModelShape> model;
    if (!options.model.empty()) {
        ZIGZAG_TRY(config, loadModelConfig(options.model));
        model = config.shape();
    }
    ZIGZAG_TRY(scores, readHeadScores(options.scores, model, options.fold == "mean" ? Fold::Mean : Fold::Max));
    ZIGZAG_TRY(assignment, assignHeads(scores, options.criterion, options.sparsity, options.sink, options.recent));
    ZIGZAG_CHECK(writeHeadMap(assignment.map, options.out));
    for (const std::string &note : scores.notes)
        fmt::print(stderr, "note: {}: {}\n", options.scores, note);
    const SacrificeReport report = sacrificed(assignment.map, scores);
    if (options.format == "json")
        printJson(assignment, report);
    else
        printTable(assignment, report);
    return {};
}

} // namespace

void addAssign(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<AssignOptions>();
    CLI::App *command = app.add_subcommand("assign", "decide from scores which heads stream, and write the head map");
    std::string names;
    for (const Criterion &criterion : criteria())
        names += (names.empty() ? "" : ", ") + std::string(criterion.name);
    command->add_option("SCORES", options->scores, "zigzag-head-scores, DuoAttention folder or TSV, or Retrieval_Head JSON")
        ->required();
    command->add_option("--criterion", options->criterion, "how heads are chosen: " + names)->required();
    command->add_option("--sparsity", options->sparsity, "fraction of the KV heads that stream, 0 to 1")->required();
    command->add_option("--sink", options->sink, "first tokens that streaming heads keep")->capture_default_str();
    command->add_option("--recent", options->recent, "last tokens that streaming heads keep")->capture_default_str();
    command->add_option("--model", options->model, "check the scores against this model, and fold query heads as it has them");
    command->add_option("--fold", options->fold, "how scores of query heads become those of KV heads")
        ->check(CLI::IsMember({"max", "mean"}))
        ->capture_default_str();
    command->add_option("--out", options->out, "head map to write")->required();
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return assign(*options); }; });
}

} // namespace zigzag
