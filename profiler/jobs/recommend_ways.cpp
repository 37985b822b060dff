// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/recommend_ways.h"

#include "engine/map/kv_layout.h"
#include "profiler/carry/granite_swa_gguf.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/cost/engine_memory.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zigzag::jobs {

namespace {

constexpr double gib = 1024.0 * 1024.0 * 1024.0;

/// What a name that people know an engine by stands for.
struct Engine {
    std::string_view name;
    std::string_view format; ///< of an export in its words; empty: it has none
    std::string_view carried; ///< of one with stand-ins; empty: it takes none
    std::string_view counted;
};
constexpr std::array engines{
    Engine{"vllm", "vllm", carriedFormat, "vLLM"},
    Engine{"sglang", "sglang", carriedFormat, "SGLang"},
    Engine{"transformers", "transformers", carriedFormat, "transformers"},
    Engine{"transformers-cwm", "transformers-cwm", {}, "transformers"},
    Engine{"mlx-lm", "mlx-lm", {}, "mlx-lm"},
    Engine{"llama.cpp", {}, carriedGgufFormat, "llama.cpp"},
    Engine{carriedFormat, {}, carriedFormat, "vLLM"},
    Engine{carriedGgufFormat, {}, carriedGgufFormat, "llama.cpp"},
};

/// Engines judge windows and families, not which layer it is that streams.
HeadMap oneStreams(const ModelShape &model, StreamingWindow window)
{
    HeadMap map(model, HeadKind::Retrieval, window.sink, window.recent);
    for (int layer = 0; layer < model.layers; ++layer)
        if (!model.isLocal(layer)) {
            map.setLayer(layer, HeadKind::Streaming);
            return map;
        }
    return map;
}

} // namespace

bool ServingWay::hasSinks(const ModelShape &model) const
{
    if (standsIn())
        return true;
    const HeadMap run = served(oneStreams(model, {1, 1}));
    for (int layer = 0; layer < run.layers(); ++layer)
        if (run.hasStreaming(layer))
            return run.window(layer).sink > 0;
    return true;
}

ServedBy ServingWay::servedBy() const
{
    if (isOurs())
        return {};
    return {standsIn() ? std::string(carriedFormat) : name, asRun, {}};
}

std::vector<std::string_view> recommendedEngines()
{
    std::vector<std::string_view> names{ourEngine};
    for (const Engine &engine : engines)
        names.push_back(engine.name);
    return names;
}

Result<std::vector<ServingWay>> servingWays(std::string_view engine, const ExportModel &model, StreamingWindow window)
{
    if (engine == ourEngine)
        return std::vector<ServingWay>{ServingWay{}};
    const auto *const known
        = std::find_if(engines.begin(), engines.end(), [&](const Engine &each) { return each.name == engine; });
    if (known == engines.end())
        return badInput(fmt::format("'{}' is no engine that maps are recommended for: choose one of {}", engine,
                                    fmt::join(recommendedEngines(), ", ")));
    std::vector<ServingWay> ways;
    std::string refusal;
    if (!known->carried.empty() && window.sink == 0) {
        refusal = fmt::format("{} has what stands in for sinks, and none are asked for: give --sink 1 or more", known->carried);
    } else if (!known->carried.empty()) {
        const CarriedTarget *target = findCarriedTarget(known->carried);
        const ExportVerdict verdict = target->verdict(oneStreams(model.config.shape(), window), &model);
        if (verdict.refusal.empty())
            ways.push_back({std::string(target->name), withoutSinks, target, known->counted});
        else
            refusal = fmt::format("{} cannot run maps of this model: {}", engine, verdict.refusal);
    }
    if (!known->format.empty()) {
        auto serving = engineServing(known->format, model, window, false);
        if (serving)
            ways.push_back({std::string(known->format), serving->asRun, nullptr, known->counted});
        else
            refusal = serving.error().message; // its own words are the better reason
    }
    if (ways.empty())
        return badInput(refusal);
    return ways;
}

Result<ServedMemory> servedMemory(const ServingWay &way, const ModelConfig &config, const HeadMap &map, std::int64_t context)
{
    if (way.isOurs()) {
        const std::int64_t bytes = kvBytes(map, context, config.kvType);
        return ServedMemory{bytes, bytes, gib / static_cast<double>(bytes), "zigzag", ""};
    }
    ZIGZAG_TRY(layers, engineLayers(way.served(map)));
    for (EngineMemory &memory : engineMemory(config, layers, context))
        if (memory.engine == way.counted)
            return ServedMemory{memory.admitted, memory.decoding, memory.sequencesPerGiB,
                                fmt::format("{} {}", memory.engine, memory.version), std::move(memory.note)};
    return failed(fmt::format("what {} keeps of a sequence is not known here", way.counted));
}

} // namespace zigzag::jobs
