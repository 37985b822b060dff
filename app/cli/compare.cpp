// SPDX-License-Identifier: GPL-3.0-or-later
// Two things of a kind beside each other, told apart by content.
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/compare_answers.h"
#include "app/cli/compare_maps.h"
#include "app/cli/compare_runs.h"
#include "app/cli/number_checks.h"
#include "app/cli/op_table_text.h"

#include <fmt/format.h>
#include <memory>

namespace zigzag {

namespace {

struct CompareOptions {
    MapComparison maps;
    RunComparison runs;
    RecordComparison answers;
    std::string format = "table";
};

Result<void> compare(CompareOptions options)
{
    options.maps.json = options.runs.json = options.answers.json = options.format == "json";
    options.runs.a = options.answers.a = options.maps.a;
    options.runs.b = options.answers.b = options.maps.b;
    const bool aIsAnswers = isAnswers(options.maps.a), bIsAnswers = isAnswers(options.maps.b);
    if (aIsAnswers != bIsAnswers)
        return badInput(fmt::format("{} is a record of answers and {} is none; give two of a kind",
                                    aIsAnswers ? options.maps.a : options.maps.b, aIsAnswers ? options.maps.b : options.maps.a));
    if (aIsAnswers)
        return compareRecords(options.answers);
    const bool aIsMap = isHeadMap(options.maps.a), bIsMap = isHeadMap(options.maps.b);
    if (aIsMap != bIsMap)
        return badInput(fmt::format("{} is a head map and {} is none; give two of a kind",
                                    aIsMap ? options.maps.a : options.maps.b, aIsMap ? options.maps.b : options.maps.a));
    return aIsMap ? compareMaps(options.maps) : compareRuns(options.runs);
}

} // namespace

void addCompare(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<CompareOptions>();
    CLI::App *command = app.add_subcommand(
        "compare",
        "two head maps, two runs, a run and a prediction, or two records of answers: what differs, and what of it is noise");
    command
        ->add_option(
            "A", options->maps.a,
            "a head map, a DuoAttention folder of 0 and 1, a trace, the JSON of bench or predict, or of questions (eval --out)")
        ->required();
    command->add_option("B", options->maps.b, "another of the same kind")->required();
    command->add_option("--scores", options->maps.scores, "maps: scores, to say what each side sacrifices");
    command->add_option("--context", options->maps.context, "maps: tokens at which the KV cache is compared")
        ->check(integerIn(1, 1 << 30))
        ->capture_default_str();
    command->add_option("--by", options->runs.by, "traces: rows by op, layer, type, op-layer or op-type")
        ->check(CLI::IsMember(groupNames()))
        ->capture_default_str();
    command->add_option("--show-broken", options->answers.broken, "answers: print so many questions that B answers worse than A")
        ->check(integerIn(0, 1 << 20))
        ->capture_default_str();
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return compare(*options); }; });
}

} // namespace zigzag
