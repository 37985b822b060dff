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

} // namespace

Result<EngineServing> engineServing(std::string_view engine, const ExportModel &model, StreamingWindow window, bool ofHeads)
{
    EngineServing serving{.engine = std::string(engine)};
    const HeadMap turned = oneTurned(model.config.shape(), window, false);
    ExportVerdict verdict;
    std::string_view title = engine;
    if (engine == carriedFormat) {
        verdict = graniteSwaVerdict(turned, &model);
        serving.asRun = withoutSinks;
        serving.standsIn = true;
    } else {
        ZIGZAG_TRY(format, findExportFormat(engine));
        verdict = format->verdict(turned, &model);
        serving.asRun = format->asRun;
        title = format->title;
    }
    if (!verdict.refusal.empty())
        return badInput(fmt::format("{} cannot run maps of this model: {}", title, verdict.refusal));
    if (ofHeads && serving.asRun(oneTurned(model.config.shape(), window, true)).streamingHeads() == 0)
        return badInput(
            fmt::format("{} knows whole layers alone, in which a single head never streams: search with --unit layer", title));
    return serving;
}

} // namespace zigzag
