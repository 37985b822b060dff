// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/engine_serving.h"

#include "profiler/carry/granite_swa_folder.h"
#include "profiler/carry/sink_carrier.h"

#include <fmt/format.h>

namespace zigzag {

namespace {

/// The least that a search turns: one layer, or one head of it. Engines judge windows and families, not which layer it is.
HeadMap oneTurned(const ModelShape &model, StreamingWindow window, bool head)
{
    HeadMap map(model, HeadKind::Retrieval, window.sink, window.recent);
    for (int layer = 0; layer < model.layers; ++layer)
        if (!model.isLocal(layer)) {
            if (head)
                map.set(layer, 0, HeadKind::Streaming);
            else
                map.setLayer(layer, HeadKind::Streaming);
            return map;
        }
    return map;
}

struct Judged {
    EngineServing serving;
    ExportVerdict verdict;
    std::string_view title;
};

Result<Judged> judged(std::string_view engine, const ExportModel &model, const HeadMap &map)
{
    Judged found{{.engine = std::string(engine)}, {}, engine};
    if (engine == carriedFormat) {
        found.verdict = graniteSwaVerdict(map, &model);
        found.serving.asRun = withoutSinks;
        found.serving.standsIn = true;
        found.serving.counted = "vLLM"; // the others that load such a folder count otherwise
        return found;
    }
    ZIGZAG_TRY(format, findExportFormat(engine));
    found.verdict = format->verdict(map, &model);
    found.serving.asRun = format->asRun;
    found.serving.counted = format->engine;
    found.title = format->title;
    return found;
}

} // namespace

Result<EngineServing> engineServing(std::string_view engine, const ExportModel &model, StreamingWindow window, bool ofHeads)
{
    ZIGZAG_TRY(found, judged(engine, model, oneTurned(model.config.shape(), window, false)));
    if (!found.verdict.refusal.empty())
        return badInput(fmt::format("{} cannot run maps of this model: {}", found.title, found.verdict.refusal));
    if (ofHeads && found.serving.asRun(oneTurned(model.config.shape(), window, true)).streamingHeads() == 0)
        return badInput(fmt::format("{} knows whole layers alone, in which a single head never streams: search with --unit layer",
                                    found.title));
    return std::move(found.serving);
}

Result<EngineServing> engineServing(std::string_view engine, const ExportModel &model, const HeadMap &map)
{
    ZIGZAG_TRY(found, judged(engine, model, map));
    if (!found.verdict.refusal.empty())
        return badInput(fmt::format("{} cannot run this map: {}", found.title, found.verdict.refusal));
    return std::move(found.serving);
}

std::vector<ServingEngine> servingEngines()
{
    std::vector<ServingEngine> engines;
    for (const ExportFormat &format : exportFormats())
        if (!format.engine.empty())
            engines.push_back({format.name, format.title});
    engines.push_back({carriedFormat, "with what stands in for sinks"});
    return engines;
}

} // namespace zigzag
