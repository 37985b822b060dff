// SPDX-License-Identifier: GPL-3.0-or-later
// Two things of a kind beside each other, told apart by content.
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/compare_maps.h"

#include <fmt/format.h>
#include <memory>

namespace zigzag {

namespace {

struct CompareOptions {
    MapComparison maps;
    std::string format = "table";
};

Result<void> compare(CompareOptions options)
{
    options.maps.json = options.format == "json";
    for (const std::string &path : {options.maps.a, options.maps.b})
        if (!isHeadMap(path))
            return badInput(fmt::format("{}: this is no head map; give two head maps of one model", path));
    return compareMaps(options.maps);
}

} // namespace

void addCompare(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<CompareOptions>();
    CLI::App *command = app.add_subcommand("compare", "two head maps: which layers and heads differ, and what each costs");
    command->add_option("A", options->maps.a, "a head map, or a DuoAttention folder of 0 and 1")->required();
    command->add_option("B", options->maps.b, "another for the same model")->required();
    command->add_option("--scores", options->maps.scores, "maps: scores, to say what each side sacrifices");
    command->add_option("--context", options->maps.context, "maps: tokens at which the KV cache is compared")
        ->check(CLI::Range(1, 1 << 30))
        ->capture_default_str();
    addOutputOption(*command, options->format);
    command->callback([options, &chosen] { chosen.run = [options] { return compare(*options); }; });
}

} // namespace zigzag
