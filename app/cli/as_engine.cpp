// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"

#include "engine/map/map_io.h"
#include "profiler/carry/engine_serving.h"
#include "profiler/carry/granite_swa_folder.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/jobs/served_job.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

Result<EngineRun> asGraniteSwa(const Loaded &loaded, const std::string &name, const HeadMap &map, const EngineOptions &options,
                               bool calibrates)
{
    if (loaded.device->isDealt())
        return badInput(
            fmt::format("--as-engine {} is another model, which is run on one GPU alone: leave --gpus out", carriedFormat));
    ZIGZAG_TRY(exported, loadExportModel(name));
    ZIGZAG_TRY(serving, engineServing(carriedFormat, exported, map));
    JobLines lines("stand in for the sinks");
    const JobContext context = loaded.job(lines);
    ZIGZAG_TRY(served,
               !options.standIns.empty() ? jobs::exportedRun(context, map, options.standIns)
                   : calibrates          ? jobs::servedRun(context, map, serving)
                                         : jobs::servedRun(context, map, blankCarrier(context.config(), map)));
    lines.end();
    EngineRun run;
    run.isCarried = true;
    run.loaded.device = served.context.device;
    run.loaded.model = served.context.device->model;
    run.loaded.backend = loaded.backend;
    run.loaded.texts = loaded.model;
    ZIGZAG_TRY(full, resolveHeadMap("full", served.map.model(), 0, 1)); // the same map, by its name
    run.map = std::move(full);
    const std::string source = !options.standIns.empty() ? "of " + options.standIns
        : calibrates
        ? fmt::format("calibrated here over {} queries of prompts made from seeds; --stand-ins FOLDER takes those of an export",
                      served.queries)
        : std::string("without values, which times do not depend on");
    const std::vector<std::int64_t> &windows = run.loaded.model->config.fileWindows;
    fmt::print(stderr, "as {} runs it: a window of {} tokens in {} of {} layers, no sinks; what stands in for them: {}\n",
               carriedFormat, *std::max_element(windows.begin(), windows.end()), run.map.model().localLayers(), windows.size(),
               source);
    return run;
}

} // namespace

void addEngineOptions(CLI::App &command, EngineOptions &options)
{
    command.add_option("--as-engine", options.engine,
                       "run the map as this engine would: a format of export, such as vllm, transformers, mlx-lm or granite-swa");
    command.add_option(
        "--stand-ins", options.standIns,
        "granite-swa: the exported folder, or GGUF file, whose stand-ins for sinks are run (default: calibrated on the spot)");
}

Result<EngineRun> asEngine(const Loaded &loaded, const std::string &model, const HeadMap &map, const EngineOptions &options,
                           bool calibrates)
{
    if (!options.standIns.empty() && options.engine != carriedFormat)
        return badInput(fmt::format("--stand-ins is for --as-engine {}", carriedFormat));
    if (options.engine.empty())
        return EngineRun{loaded, map};
    if (options.engine == carriedFormat)
        return asGraniteSwa(loaded, model, map, options, calibrates);
    ZIGZAG_TRY(exported, loadExportModel(model));
    ZIGZAG_TRY(serving, engineServing(options.engine, exported, map));
    EngineRun run{loaded, serving.asRun(map)};
    fmt::print(stderr, "as {} runs it: {}, {} of {} KV heads stream ({} in the map)\n", serving.engine, windowText(run.map),
               run.map.streamingHeads(), run.map.model().mappableHeads(), map.streamingHeads());
    return run;
}

} // namespace zigzag
