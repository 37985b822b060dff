// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/as_engine.h"

#include "engine/map/map_io.h"
#include "profiler/carry/engine_serving.h"
#include "profiler/carry/granite_swa_folder.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>

namespace zigzag {

namespace {

Result<SinkCarrier> calibratedHere(const Loaded &loaded, const HeadMap &map)
{
    ZIGZAG_TRY(texts, jobs::madeCarryTexts(*loaded.model, streamingWindowOf(map)));
    Progress progress("calibrating the sinks");
    ZIGZAG_TRY(carrier, calibrateSinks(loaded.device, map, texts.calibration, &interruptFlag(), std::ref(progress)));
    return std::move(carrier);
}

/// The model with stand-ins, and where they are from.
Result<std::shared_ptr<const Model>> standingIn(const Loaded &loaded, const HeadMap &map, const EngineOptions &options,
                                                bool calibrates, std::string &source)
{
    if (!options.standIns.empty()) {
        source = "of " + options.standIns;
        return openCarried(options.standIns, *loaded.model, map);
    }
    SinkCarrier carrier;
    if (calibrates) {
        ZIGZAG_TRY(calibrated, calibratedHere(loaded, map));
        carrier = std::move(calibrated);
        source = fmt::format("calibrated here over {} queries of prompts made from seeds; --stand-ins FOLDER takes those of an "
                             "export",
                             carrier.queries);
    } else {
        carrier = blankCarrier(loaded.model->config, map);
        source = "without values, which times do not depend on";
    }
    return carriedModel(*loaded.model, map, carrier);
}

Result<EngineRun> asGraniteSwa(const Loaded &loaded, const std::string &name, const HeadMap &map, const EngineOptions &options,
                               bool calibrates)
{
    if (loaded.device->isDealt())
        return badInput(
            fmt::format("--as-engine {} is another model, which is run on one GPU alone: leave --gpus out", carriedFormat));
    ZIGZAG_TRY(exported, loadExportModel(name));
    ZIGZAG_CHECK(engineServing(carriedFormat, exported, map));
    std::string source;
    ZIGZAG_TRY(carried, standingIn(loaded, map, options, calibrates, source));
    EngineRun run;
    run.isCarried = true;
    ZIGZAG_TRY(device, uploadModel(carried, loaded.backend));
    run.loaded.device = std::move(device);
    run.loaded.model = carried;
    run.loaded.backend = loaded.backend;
    run.loaded.texts = loaded.model;
    ZIGZAG_TRY(full, resolveHeadMap("full", carried->shape(), 0, 1));
    run.map = std::move(full);
    const std::vector<std::int64_t> &windows = carried->config.fileWindows;
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
    command.add_option("--stand-ins", options.standIns,
                       "granite-swa: the exported folder whose stand-ins for sinks are run (default: calibrated on the spot)");
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
