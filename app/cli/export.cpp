// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/run_support.h"
#include "engine/map/map_io.h"
#include "profiler/exports/export_format.h"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace zigzag {

namespace {

struct ExportOptions {
    std::string map, format, model, out, output = "table";
    bool verdicts = false;
};

Result<HeadMap> mapToExport(const ExportOptions &options, const ExportModel *model)
{
    if (!model && (options.map == "full" || options.map == "streaming"))
        return badInput(fmt::format("map '{}' has no shape of its own: add --model", options.map));
    if (!model)
        return readHeadMap(options.map);
    return resolveHeadMap(options.map, model->config.shape(), defaultSink, defaultRecent);
}

std::string verdictText(const ExportFormat &format, const ExportVerdict &verdict)
{
    const auto yes = [](bool kept) { return kept ? "yes" : "no"; };
    std::string text = fmt::format("{}: sinks kept: {}, per head: {}, KV freed: {}", format.title, yes(verdict.sinksKept),
                                   yes(verdict.perHeadKept), nameOf(verdict.kvFreed));
    if (verdict.headsLost > 0)
        text += fmt::format(", {} streaming heads of mixed layers retrieve", verdict.headsLost);
    if (!verdict.minimumVersion.empty())
        text += ", from " + verdict.minimumVersion;
    return text + "; " + verdict.note;
}

void printVerdicts(const HeadMap &map, const ExportModel *model, bool json)
{
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const ExportFormat &format : exportFormats()) {
        const ExportVerdict verdict = format.verdict(map, model);
        if (json)
            rows.push_back({{"format", format.name},
                            {"possible", verdict.refusal.empty()},
                            {"sinks_kept", verdict.sinksKept},
                            {"per_head_kept", verdict.perHeadKept},
                            {"heads_lost", verdict.headsLost},
                            {"kv_freed", nameOf(verdict.kvFreed)},
                            {"minimum_version", verdict.minimumVersion},
                            {"note", verdict.refusal.empty() ? verdict.note : verdict.refusal}});
        else
            fmt::print("{:<17} {}\n", format.name,
                       verdict.refusal.empty() ? verdictText(format, verdict) : "refused: " + verdict.refusal);
    }
    if (json)
        fmt::print("{}\n", rows.dump(1, ' ', false, anyBytes));
}

Result<void> runExport(const ExportOptions &options)
{
    const bool writes = !options.format.empty() || !options.out.empty();
    if (options.verdicts == writes || (writes && (options.format.empty() || options.out.empty())))
        return badInput("export: give --format and --out to write, or --verdicts to see what each format would keep");
    const ExportFormat *format = nullptr;
    if (writes) {
        ZIGZAG_TRY(found, findExportFormat(options.format));
        format = found;
    }
    std::optional<ExportModel> model;
    if (!options.model.empty()) {
        ZIGZAG_TRY(loaded, loadExportModel(options.model));
        sayNotes(loaded.config);
        model = std::move(loaded);
    }
    const ExportModel *given = model ? &*model : nullptr;
    ZIGZAG_TRY(map, mapToExport(options, given));
    if (!writes) {
        printVerdicts(map, given, options.output == "json");
        return {};
    }
    ZIGZAG_CHECK(exportMap(*format, map, given, options.out)); // first, so that a failure is one line
    fmt::print(stderr, "{}\n", verdictText(*format, format->verdict(map, given)));
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
    command->add_option("--format", options->format, "what to write: " + names);
    command->add_option("--model", options->model,
                        "the model that the map is for: checked, and needed where its config is written");
    command->add_option("--out", options->out, "file or folder to write");
    command->add_flag("--verdicts", options->verdicts, "write nothing: say what each format would keep of the map");
    addOutputOption(*command, options->output);
    command->callback([options, &chosen] { chosen.run = [options] { return runExport(*options); }; });
}

} // namespace zigzag
