// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"
#include "app/cli/commands.h"
#include "app/cli/common_options.h"
#include "app/cli/json_text.h"
#include "app/cli/number_checks.h"
#include "app/cli/run_support.h"
#include "engine/base/json_input.h"
#include "engine/map/map_io.h"
#include "profiler/carry/carried_target.h"
#include "profiler/carry/granite_swa_gguf.h"
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
    std::string map, format, model, servedAs, out, output = "table", backend = "auto";
    std::vector<std::string> texts;
    bool verdicts = false, copies = false, fits = false;
    int gpus = 1, gpusPerHost = 8;
    std::int64_t context = 0;
    FitPlan fit;
};

Result<HeadMap> mapToExport(const ExportOptions &options, const ExportModel *model)
{
    if (!model && (options.map == "full" || options.map == "streaming"))
        return badInput(fmt::format("map '{}' has no shape of its own: add --model", options.map));
    if (!model)
        return readHeadMap(options.map);
    return resolveMap(options.map, model->config.shape(), defaultSink, defaultRecent);
}

/// A map whose layers were chosen as one engine runs them is not the best for another that runs maps otherwise.
void noteChosenFor(const HeadMap &map, std::string_view format, HeadMap (*asRun)(const HeadMap &))
{
    const std::string &chosen = map.provenance().engine;
    if (chosen.empty() || chosen == format || format == "head-map" || (chosen == carriedFormat && format == carriedGgufFormat))
        return;
    const auto other = findExportFormat(chosen);
    if (other && asRun && (*other)->asRun == asRun)
        return;
    fmt::print(
        stderr,
        "note: this map's layers were chosen as {} runs them, and {} runs a map otherwise: score --as-engine {} chooses for it\n",
        json::printable(chosen), format, format == carriedGgufFormat ? carriedFormat : format);
}

std::string verdictText(std::string_view title, const ExportVerdict &verdict)
{
    const auto yes = [](bool kept) { return kept ? "yes" : "no"; };
    std::string text = fmt::format("{}: sinks kept: {}, per head: {}, KV freed: {}", title, yes(verdict.sinksKept),
                                   yes(verdict.perHeadKept), nameOf(verdict.kvFreed));
    if (verdict.headsLost > 0)
        text += fmt::format(", {} streaming heads of mixed layers retrieve", verdict.headsLost);
    if (verdict.localLayers > 0)
        text += fmt::format(", {} layers keep the model's own window", verdict.localLayers);
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
        if (json) {
            rows.push_back({{"format", name},
                            {"possible", verdict.refusal.empty()},
                            {"sinks_kept", verdict.sinksKept},
                            {"per_head_kept", verdict.perHeadKept},
                            {"heads_lost", verdict.headsLost},
                            {"kv_freed", nameOf(verdict.kvFreed)},
                            {"minimum_version", verdict.minimumVersion},
                            {"checked", checked},
                            {"note", verdict.refusal.empty() ? verdict.note : verdict.refusal}});
            if (verdict.localLayers > 0)
                rows.back()["local_layers"] = verdict.localLayers;
        } else
            fmt::print("{:<17} {}{}\n", name,
                       verdict.refusal.empty() ? verdictText(title, verdict) : "refused: " + verdict.refusal,
                       checked.empty() ? "" : "; " + checked);
    };
    for (const ExportFormat &format : exportFormats())
        say(format.name, format.title, format.verdict(map, model));
    for (const CarriedTarget &target : carriedTargets())
        say(target.name, target.title, target.verdict(map, model));
    if (json)
        fmt::print("{}\n", rows.dump(1, ' ', false, anyBytes));
    return {};
}

nlohmann::ordered_json nearJson(const NearFull &near)
{
    if (near.positions == 0)
        return nullptr;
    return {{"kl", near.kl}, {"same_top", near.sameTop}, {"positions", near.positions}};
}

/// What was made and what it costs, for people and for programs.
void printCarried(const ExportOptions &options, const jobs::Carried &carried, const jobs::CarryTexts &texts)
{
    const auto qualityJson = [](const CarryQuality &quality) {
        return nlohmann::ordered_json{{"inside", nearJson(quality.inside)}, {"beyond", nearJson(quality.beyond)}};
    };
    if (options.output == "json")
        fmt::print("{}\n",
                   nlohmann::ordered_json{{"format", options.format},
                                          {"out", options.out},
                                          {"queries", carried.carrier.queries},
                                          {"fit_steps", carried.steps},
                                          {"fitted", carried.isFitted},
                                          {"quality", qualityJson(carried.quality())},
                                          {"calibrated", qualityJson(carried.calibrated)},
                                          {"window_alone", {{"beyond", nearJson(carried.calibrated.windowAlone)}}},
                                          {"sinks_kept", {{"beyond", nearJson(carried.calibrated.sinksKept)}}}}
                       .dump(1, ' ', false, anyBytes));
    fmt::print(stderr, "{}: sinks stood in for by logits and biases, means over {} queries of {} texts{}\n", options.format,
               carried.carrier.queries, texts.calibration.size(),
               carried.isFitted ? fmt::format(", then fitted in {} steps", carried.steps) : "");
    if (carried.fitted && !carried.isFitted)
        fmt::print(stderr,
                   "note: {} steps of fitting made it no better, and calibration is what was written: give more text, "
                   "more steps, or a smaller --rate\n",
                   carried.steps);
    fmt::print(stderr, "against full attention, on text that they were not made from: {}\n", qualityText(carried.quality()));
}

/// The model itself with stand-ins for its sinks, which a minute of calibration gives, or ten of fitting.
Result<void> exportCarried(const ExportOptions &options, const CarriedTarget &target, const ExportModel *given)
{
    ZIGZAG_TRY(map, mapToExport(options, given));
    if (const ExportVerdict verdict = target.verdict(map, given); !verdict.refusal.empty()) // before the model is loaded
        return badInput(fmt::format("{} cannot take this map: {}", options.format, verdict.refusal));
    noteChosenFor(map, options.format, nullptr);
    if (!target.writesFolder && options.copies)
        return badInput("--copy is for --format granite-swa: a GGUF file holds its weights");
    ZIGZAG_TRY(loaded, loadForRun(options.model, options.backend));
    jobs::CarryPlan plan;
    ZIGZAG_TRY(texts, jobs::carryTexts({options.texts.begin(), options.texts.end()}, *loaded.model, streamingWindowOf(map)));
    plan.texts = std::move(texts);
    if (options.fits)
        plan.fit = options.fit;
    JobLines lines(std::string{carriedFormat});
    ZIGZAG_TRY(carried,
               jobs::exportCarried(loaded.job(lines), map, plan,
                                   {.target = &target,
                                    .model = given,
                                    .out = options.out,
                                    .files = options.copies ? WeightFiles::Copy : WeightFiles::Link}));
    lines.end();
    printCarried(options, carried, plan.texts);
    return {};
}

Result<void> runExport(const ExportOptions &options)
{
    const bool writes = !options.format.empty() || !options.out.empty();
    if (options.verdicts == writes || (writes && (options.format.empty() || options.out.empty())))
        return badInput("export: give --format and --out to write, or --verdicts to see what each format would keep");
    const ExportFormat *format = nullptr;
    const CarriedTarget *carried = findCarriedTarget(options.format);
    if (!carried && (!options.texts.empty() || options.copies || options.fits))
        return badInput(fmt::format("--text, --copy and --fit are for --format {} and {}", carriedFormat, carriedGgufFormat));
    if (writes && !carried) {
        ZIGZAG_TRY(found, findExportFormat(options.format));
        format = found;
    }
    if (!options.servedAs.empty() && options.model.empty())
        return badInput("--serve-as is how the command that is written calls the model: name it with --model too");
    if (options.gpus > 1 && (options.model.empty() || (options.format != "vllm" && options.format != "sglang")))
        return badInput("--gpus is for the commands that --format vllm and sglang write, for a --model that is named");
    std::optional<ExportModel> model;
    if (!options.model.empty()) {
        ZIGZAG_TRY(loaded, loadExportModel(options.model));
        sayNotes(loaded.config);
        loaded.servedAs = options.servedAs;
        ZIGZAG_TRY(ranks, servingRanks(loaded.config, options.gpus, options.gpusPerHost));
        loaded.ranks = ranks;
        loaded.context = options.context > 0 ? options.context : loaded.config.maxContext;
        model = std::move(loaded);
    }
    const ExportModel *given = model ? &*model : nullptr;
    if (carried)
        return exportCarried(options, *carried, given);
    ZIGZAG_TRY(map, mapToExport(options, given));
    if (!writes) {
        return printVerdicts(map, given, options.output == "json");
    }
    noteChosenFor(map, format->name, format->asRun);
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
    names += fmt::format("{}, {}", carriedFormat, carriedGgufFormat);
    command->add_option("MAP", options->map, "head-map file; with --model also full or streaming")->required();
    command->add_option("--format", options->format, "what to write: " + names);
    command->add_option("--model", options->model,
                        "the model that the map is for: checked, and needed where its config is written");
    command->add_option(
        "--serve-as", options->servedAs,
        "vllm, sglang: what the written command calls the model, such as its name on a hub or its path on another "
        "machine (default: its absolute path here)");
    command
        ->add_option("--gpus", options->gpus,
                     "vllm, sglang: GPUs that the written command serves on, as `plan` spreads the model over them")
        ->check(integerIn(1, 1024))
        ->capture_default_str();
    command->add_option("--gpus-per-host", options->gpusPerHost, "GPUs of one host: with more --gpus, a command for each host")
        ->check(integerIn(1, 64))
        ->capture_default_str();
    command
        ->add_option("--context", options->context,
                     "--gpus: tokens of a sequence whose bytes on each GPU are told (default: the model's most)")
        ->check(longIntegerFrom(1));
    command->add_option("--out", options->out, "file or folder to write");
    command->add_option("--text", options->texts, "granite-swa, gguf: texts to calibrate sinks with (default: made from seeds)");
    command->add_flag("--copy", options->copies, "granite-swa: copy the weights instead of linking them");
    command->add_flag("--fit", options->fits,
                      "granite-swa, gguf: fit the stand-ins to full attention after calibration; minutes");
    command->add_option("--steps", options->fit.steps, "--fit: steps, each with a piece of the texts")
        ->check(integerIn(1, 100000))
        ->capture_default_str();
    command->add_option("--time", options->fit.seconds, "--fit: seconds after which it ends (0: when its steps are done)")
        ->check(numberFrom(0))
        ->capture_default_str();
    command
        ->add_option("--weigh-inside", options->fit.insideWeight,
                     "--fit: what being near within the window counts, where being near beyond it counts 1")
        ->check(numberIn(0.0, 1000.0))
        ->capture_default_str();
    command->add_option("--rate", options->fit.rateScale, "--fit: how large its steps are, where the usual ones are 1")
        ->check(numberIn(0.001, 100.0))
        ->capture_default_str();
    addBackendOption(*command, options->backend);
    command->add_flag("--verdicts", options->verdicts, "write nothing: say what each format would keep of the map");
    addOutputOption(*command, options->output);
    command->callback([options, &chosen] { chosen.run = [options] { return runExport(*options); }; });
}

} // namespace zigzag
