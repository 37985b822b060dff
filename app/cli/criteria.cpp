// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/map_tables.h"
#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

namespace zigzag {

namespace {

struct CriteriaOptions {
    std::vector<std::string> scores;
    std::vector<double> sparsities = {0.25, 0.5, 0.75};
    std::string format = "table";
};

struct Row {
    std::string scores;
    double sparsity = 0;
    std::string criterion;
    Assignment assignment;
    Sacrifice total;
};

Result<std::vector<Row>> rowsFor(const CriteriaOptions &options)
{
    std::vector<Row> rows;
    for (const std::string &path : options.scores) {
        ZIGZAG_TRY(scores, readHeadScores(path));
        noteScores(scores, path);
        for (const double sparsity : options.sparsities)
            for (const Criterion &criterion : criteria()) {
                ZIGZAG_TRY(assignment, assignHeads(scores, criterion.name, sparsity, defaultSink, defaultRecent));
                const Sacrifice total = sacrificed(assignment.map, scores).total;
                rows.push_back({scores.model.name, sparsity, std::string(criterion.name), std::move(assignment), total});
            }
    }
    return rows;
}

Result<void> compareCriteria(const CriteriaOptions &options)
{
    ZIGZAG_TRY(rows, rowsFor(options));
    if (options.format == "json") {
        nlohmann::ordered_json json = nlohmann::ordered_json::array();
        for (const Row &row : rows) {
            json.push_back({{"scores", row.scores}, {"sparsity", row.sparsity}, {"criterion", row.criterion}});
            json.back().update(sacrificeJson(row.total));
            json.back()["mixed_layers"] = row.assignment.map.mixedLayers();
            json.back()["ties"] = row.assignment.ties;
        }
        fmt::print("{}\n", json.dump(1, ' ', false, anyBytes));
        return {};
    }
    std::size_t width = 6;
    for (const Row &row : rows)
        width = std::max(width, row.scores.size());
    fmt::print("{:<{}}  {:>8}  {:<13}  {:>12}  {:>9}  {:>7}  {:>7}  {:>14}  {:>4}\n", "scores", width, "sparsity", "criterion",
               "mixed layers", "streaming", "flipped", "demoted", "transport cost", "ties");
    for (const Row &row : rows)
        fmt::print("{:<{}}  {:>8g}  {:<13}  {:>12}  {:>9}  {:>7}  {:>7}  {:>14.2f}  {:>4}\n", row.scores, width, row.sparsity,
                   row.criterion, row.assignment.map.mixedLayers(), row.total.streaming, row.total.flipped, row.total.demoted,
                   row.total.transportCost, row.assignment.ties);
    fmt::print(
        "flipped: heads of another kind than by duo at as many streaming heads; demoted: heads with a gate of {:g} and above "
        "that stream\n",
        strongGate);
    return {};
}

} // namespace

void addCriteria(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<CriteriaOptions>();
    CLI::App *command = app.add_subcommand("criteria", "compare what every criterion would give up on some scores");
    command->add_option("SCORES", options->scores, "score files or DuoAttention folders")->required();
    command->add_option("--sparsity", options->sparsities, "fractions of the KV heads that stream, separated by commas")
        ->delimiter(',')
        ->capture_default_str();
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return compareCriteria(*options); }; });
}

} // namespace zigzag
