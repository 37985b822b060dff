// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "engine/map/map_io.h"
#include "engine/model/model.h"
#include "profiler/exports/export_format.h"

#include <fmt/format.h>
#include <memory>

namespace zigzag {

namespace {

struct ExportOptions {
    std::string map, format, model, out;
};

Result<HeadMap> mapToExport(const ExportOptions &options)
{
    if (options.model.empty() && (options.map == "full" || options.map == "streaming"))
        return badInput(fmt::format("map '{}' has no shape of its own: add --model", options.map));
    if (options.model.empty())
        return readHeadMap(options.map);
    ZIGZAG_TRY(config, loadModelConfig(options.model));
    return resolveHeadMap(options.map, config.shape(), defaultSink, defaultRecent);
}

Result<void> exportMap(const ExportOptions &options)
{
    ZIGZAG_TRY(format, findExportFormat(options.format));
    ZIGZAG_TRY(map, mapToExport(options));
    ZIGZAG_CHECK(format->write(map, options.out)); // first, so that a failure is one line
    const ExportVerdict verdict = format->verdict(map);
    const auto yes = [](bool kept) { return kept ? "yes" : "no"; };
    fmt::print(stderr, "{}: sinks kept: {}, per head: {}, KV freed: {}; {}\n", format->title, yes(verdict.sinksKept),
               yes(verdict.perHeadKept), yes(verdict.kvFreed), verdict.note);
    return {};
}

} // namespace

void addExport(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<ExportOptions>();
    CLI::App *command = app.add_subcommand("export", "write a head map in the form that another program runs");
    std::string names;
    for (const ExportFormat &format : exportFormats())
        names += (names.empty() ? "" : ", ") + std::string(format.name);
    command->add_option("MAP", options->map, "head-map file; with --model also full or streaming")->required();
    command->add_option("--format", options->format, "what to write: " + names)->required();
    command->add_option("--model", options->model, "check the map against this model");
    command->add_option("--out", options->out, "file or folder to write")->required();
    command->callback([options, &chosen] { chosen.run = [options] { return exportMap(*options); }; });
}

} // namespace zigzag
