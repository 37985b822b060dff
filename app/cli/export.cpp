// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/run_support.h"
#include "engine/base/file_content.h"
#include "engine/base/files.h"
#include "engine/map/map_io.h"
#include "profiler/carry/granite_swa_folder.h"
#include "profiler/evaluate/task_prompts.h"
#include "profiler/exports/engine_checks.h"
#include "profiler/exports/export_format.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace zigzag {

namespace {

struct ExportOptions {
    std::string map, format, model, out, output = "table", backend = "auto";
    std::vector<std::string> texts;
    bool verdicts = false, copies = false;
};

constexpr std::string_view carriedFormat = "granite-swa";

Result<HeadMap> mapToExport(const ExportOptions &options, const ExportModel *model)
{
    if (!model && (options.map == "full" || options.map == "streaming"))
        return badInput(fmt::format("map '{}' has no shape of its own: add --model", options.map));
    if (!model)
        return readHeadMap(options.map);
    return resolveHeadMap(options.map, model->config.shape(), defaultSink, defaultRecent);
}

std::string verdictText(std::string_view title, const ExportVerdict &verdict)
{
    const auto yes = [](bool kept) { return kept ? "yes" : "no"; };
    std::string text = fmt::format("{}: sinks kept: {}, per head: {}, KV freed: {}", title, yes(verdict.sinksKept),
                                   yes(verdict.perHeadKept), nameOf(verdict.kvFreed));
    if (verdict.headsLost > 0)
        text += fmt::format(", {} streaming heads of mixed layers retrieve", verdict.headsLost);
    if (!verdict.minimumVersion.empty())
        text += ", from " + verdict.minimumVersion;
    return text + "; " + verdict.note;
}

Result<void> printVerdicts(const HeadMap &map, const ExportModel *model, bool json)
{
    ZIGZAG_TRY(checks, engineChecks());
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    const auto say = [&](std::string_view name, std::string_view title, const ExportVerdict &verdict) {
        const std::string checked = checkedText(checks, name);
        if (json)
            rows.push_back({{"format", name},
                            {"possible", verdict.refusal.empty()},
                            {"sinks_kept", verdict.sinksKept},
                            {"per_head_kept", verdict.perHeadKept},
                            {"heads_lost", verdict.headsLost},
                            {"kv_freed", nameOf(verdict.kvFreed)},
                            {"minimum_version", verdict.minimumVersion},
                            {"checked", checked},
                            {"note", verdict.refusal.empty() ? verdict.note : verdict.refusal}});
        else
            fmt::print("{:<17} {}{}\n", name,
                       verdict.refusal.empty() ? verdictText(title, verdict) : "refused: " + verdict.refusal,
                       checked.empty() ? "" : "; " + checked);
    };
    for (const ExportFormat &format : exportFormats())
        say(format.name, format.title, format.verdict(map, model));
    say(carriedFormat, "Granite with windows", graniteSwaVerdict(map, model));
    if (json)
        fmt::print("{}\n", rows.dump(1, ' ', false, anyBytes));
    return {};
}

/// What sinks are calibrated on: the files given, in pieces that the model takes, or prompts made here.
Result<std::vector<std::vector<int>>> calibrationTexts(const ExportOptions &options, const Model &model, const HeadMap &map)
{
    constexpr std::int64_t longest = 4096;
    std::vector<std::vector<int>> texts;
    if (options.texts.empty()) {
        const StreamingWindow streaming = map.oneStreamingWindow().value_or(StreamingWindow{});
        const std::int64_t window = std::int64_t{streaming.sink} + streaming.recent;
        TaskPlan plan{.kinds = {TaskKind::Passkeys, TaskKind::Recall},
                      .contexts = {std::min(model.config.maxContext, std::max<std::int64_t>(2048, 4 * window))},
                      .depths = {0.5},
                      .trials = 2};
        ZIGZAG_TRY(prompts, makeTaskPrompts(model, plan));
        for (TaskPrompt &prompt : prompts)
            texts.push_back(std::move(prompt.tokens));
        return texts;
    }
    ZIGZAG_TRY(tokenizer, tokenizerOf(model));
    for (const std::string &file : options.texts) {
        ZIGZAG_TRY(text, readTextFile(file));
        if (const FileContent content = contentOf(text); !isReadable(content))
            return wrongContent(file, {content, false}, "a text");
        std::vector<int> tokens = tokenizer->encode(text, true);
        tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(std::min(longest, model.config.maxContext))));
        texts.push_back(std::move(tokens));
    }
    return texts;
}

/// The model itself with stand-ins for its sinks, which a minute of calibration gives.
Result<void> exportCarried(const ExportOptions &options, const ExportModel *given)
{
    ZIGZAG_TRY(map, mapToExport(options, given));
    const ExportVerdict verdict = graniteSwaVerdict(map, given);
    if (!verdict.refusal.empty())
        return badInput(fmt::format("{} cannot take this map: {}", carriedFormat, verdict.refusal));
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    ZIGZAG_TRY(texts, calibrationTexts(options, *loaded.model, map));
    Progress progress("calibrating the sinks");
    ZIGZAG_TRY(carrier, calibrateSinks(loaded.device, map, texts, &interruptFlag(), std::ref(progress)));
    ZIGZAG_TRY(carried, carriedModel(*loaded.model, map, carrier));
    ZIGZAG_CHECK(writeGraniteSwaFolder(*given, *carried, options.out, options.copies ? WeightFiles::Copy : WeightFiles::Link));
    fmt::print(stderr, "{}: sinks stood in for by logits and biases, means over {} queries of {} texts; {}\n", carriedFormat,
               carrier.queries, texts.size(), verdict.note);
    return {};
}

Result<void> runExport(const ExportOptions &options)
{
    const bool writes = !options.format.empty() || !options.out.empty();
    if (options.verdicts == writes || (writes && (options.format.empty() || options.out.empty())))
        return badInput("export: give --format and --out to write, or --verdicts to see what each format would keep");
    const ExportFormat *format = nullptr;
    const bool carries = options.format == carriedFormat;
    if (!carries && (!options.texts.empty() || options.copies))
        return badInput(fmt::format("--text and --copy are for --format {}", carriedFormat));
    if (writes && !carries) {
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
    if (carries)
        return exportCarried(options, given);
    ZIGZAG_TRY(map, mapToExport(options, given));
    if (!writes) {
        return printVerdicts(map, given, options.output == "json");
    }
    ZIGZAG_CHECK(exportMap(*format, map, given, options.out)); // first, so that a failure is one line
    fmt::print(stderr, "{}\n", verdictText(format->title, format->verdict(map, given)));
    return {};
}

} // namespace

void addExport(CLI::App &app, Chosen &chosen)
{
    const auto options = std::make_shared<ExportOptions>();
    CLI::App *command = app.add_subcommand("export", "write a head map in the form that another program runs");
    std::string names;
    for (const ExportFormat &format : exportFormats())
        names += std::string(format.name) + ", ";
    names += carriedFormat;
    command->add_option("MAP", options->map, "head-map file; with --model also full or streaming")->required();
    command->add_option("--format", options->format, "what to write: " + names);
    command->add_option("--model", options->model,
                        "the model that the map is for: checked, and needed where its config is written");
    command->add_option("--out", options->out, "file or folder to write");
    command->add_option("--text", options->texts, "granite-swa: texts to calibrate its sinks with (default: made from seeds)");
    command->add_flag("--copy", options->copies, "granite-swa: copy the weights instead of linking them");
    addBackendOption(*command, options->backend);
    command->add_flag("--verdicts", options->verdicts, "write nothing: say what each format would keep of the map");
    addOutputOption(*command, options->output);
    command->callback([options, &chosen] { chosen.run = [options] { return runExport(*options); }; });
}

} // namespace zigzag
