// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/engine_memory.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

std::int64_t divideUp(std::int64_t value, std::int64_t by)
{
    return (value + by - 1) / by;
}

std::int64_t roundedUp(std::int64_t value, std::int64_t step)
{
    return divideUp(value, step) * step;
}

double perGiB(std::int64_t bytes)
{
    return static_cast<double>(gib) / static_cast<double>(bytes);
}

/// v1/kv_cache_interface.py, SlidingWindowSpec: a window and what is in flight, and one block because a window need not begin
/// with one.
EngineMemory vllm(const EngineLayers &layers, std::int64_t layerToken, std::int64_t context, const EngineSettings &settings)
{
    const std::int64_t block = settings.blockTokens;
    const VllmGroups groups = vllmGroups(layers);
    const std::int64_t full = divideUp(context, block);
    const std::int64_t seen = layers.window - 1;
    const std::int64_t admitted = divideUp(std::min(seen + settings.inFlightTokens, context), block) + 1;
    const std::int64_t held = std::min(full, divideUp(seen, block) + 1);
    const std::int64_t blockBytes = layerToken * groups.layers * block;
    const std::int64_t blocks = groups.full * full + groups.sliding * admitted;

    const std::int64_t wholeBlocks = gib / blockBytes;

    EngineMemory memory{"vLLM", "0.32.0"};
    memory.admitted = blockBytes * blocks;
    memory.decoding = blockBytes * (groups.full * full + groups.sliding * held);
    memory.sequencesPerGiB = static_cast<double>(wholeBlocks) / static_cast<double>(blocks);
    memory.note
        = fmt::format("blocks of {} tokens for {} groups of {} layers", block, groups.full + groups.sliding, groups.layers);
    if (const int padding = groups.padding(layers); padding > 0)
        memory.note += fmt::format(", {} of them filled up with nothing", padding);
    if (layers.sliding > 0 && seen + settings.inFlightTokens >= context)
        memory.note += fmt::format("; windows save no room at admission, where {} tokens in flight count: set a smaller "
                                   "--max-num-batched-tokens",
                                   settings.inFlightTokens);
    return memory;
}

/// model_executor/pool_configurator.py: two pools whose sizes keep a ratio that is set at start, whatever the requests are like.
EngineMemory sglang(const EngineLayers &layers, std::int64_t layerToken, std::int64_t context, const EngineSettings &settings)
{
    EngineMemory memory{"SGLang", "0.5.23"};
    const std::int64_t held = std::min(context, layers.window);
    memory.decoding = layerToken * (layers.full * context + layers.sliding * held);
    if (layers.sliding == 0 || layers.full == 0) { // one pool
        memory.admitted = memory.decoding;
        memory.sequencesPerGiB = perGiB(memory.decoding);
        memory.note = "one pool";
        return memory;
    }
    const double tokenBytes = static_cast<double>(layerToken) * (layers.full + settings.sglangRatio * layers.sliding);
    const double fullTokens = static_cast<double>(gib) / tokenBytes;
    const double sequences
        = std::min(fullTokens / static_cast<double>(context), fullTokens * settings.sglangRatio / static_cast<double>(held));
    memory.admitted = static_cast<std::int64_t>(static_cast<double>(gib) / sequences);
    memory.sequencesPerGiB = sequences;
    const double wanted = static_cast<double>(held) / static_cast<double>(context);
    memory.note = fmt::format("two pools at a ratio of {:g}", settings.sglangRatio);
    if (wanted < 0.9 * settings.sglangRatio)
        memory.note += fmt::format("; --swa-full-tokens-ratio {:.3g} is what sequences of this length hold", wanted);
    return memory;
}

/// src/llama-kv-cache-iswa.cpp: cells for a window and one micro-batch, in steps of 256.
EngineMemory llamaCpp(const ModelConfig &config, const EngineLayers &layers, std::int64_t context, const EngineSettings &settings)
{
    constexpr std::int64_t step = 256;
    const std::int64_t layerToken = 2 * config.kvWidth() * bytesOf(settings.llamaCacheType);
    const std::int64_t full = roundedUp(context, step);
    const std::int64_t window = roundedUp(std::min(full, layers.window + settings.microBatchTokens), step);
    EngineMemory memory{"llama.cpp", "b11434"};
    memory.admitted = memory.decoding = layerToken * (layers.full * full + layers.sliding * window);
    memory.sequencesPerGiB = perGiB(memory.admitted);
    memory.note = fmt::format("{}; {} cells of a window and a micro-batch of {}", nameOf(settings.llamaCacheType), window,
                              settings.microBatchTokens);
    return memory;
}

/// cache_utils.py, DynamicSlidingWindowLayer: keeps window − 1 tokens between steps.
EngineMemory transformers(const EngineLayers &layers, std::int64_t layerToken, std::int64_t context)
{
    EngineMemory memory{"transformers", "5.24.0"};
    const std::int64_t held = std::min(context, std::max<std::int64_t>(1, layers.window - 1));
    memory.decoding = layerToken * (layers.full * context + layers.sliding * held);
    // A prompt goes through in one piece, and its layers are cut after it: all but the layer at work keep a window.
    const std::int64_t whole = layers.sliding > 0 ? layerToken * (context - held) : 0;
    memory.admitted = memory.decoding + whole;
    memory.sequencesPerGiB = perGiB(memory.decoding);
    memory.note = "one sequence; one layer at a time holds the whole prompt";
    return memory;
}

/// mlx_lm/models/cache.py: a rotating cache grows by a step of the prompt and is cut to the window by the first token.
EngineMemory mlxLm(const EngineLayers &layers, std::int64_t layerToken, std::int64_t context, const EngineSettings &settings)
{
    constexpr std::int64_t step = 256;
    const std::int64_t full = roundedUp(context, step);
    const std::int64_t prompt = std::min(context, layers.window + settings.promptStepTokens - 1);
    EngineMemory memory{"mlx-lm", "0.32.2"};
    memory.admitted = layerToken * (layers.full * full + layers.sliding * prompt);
    memory.decoding = layerToken * (layers.full * full + layers.sliding * std::min(context, layers.window));
    memory.sequencesPerGiB = perGiB(memory.admitted);
    memory.note = fmt::format("a window and a step of {} tokens while the prompt runs", settings.promptStepTokens);
    return memory;
}

} // namespace

Result<EngineLayers> engineLayers(const HeadMap &map)
{
    EngineLayers layers;
    for (int layer = 0; layer < map.layers(); ++layer) {
        const LayerKind kind = map.layerKind(layer);
        if (kind != LayerKind::Streaming && kind != LayerKind::Local) {
            ++layers.full;
            continue;
        }
        const std::int64_t window = map.pattern(layer, 0).recent(); // of a local layer: the file's
        if (layers.sliding > 0 && window != layers.window)
            return badInput(
                "the map's layers have windows of their own, and serving engines have one for all; give them one window");
        layers.window = window;
        ++layers.sliding;
    }
    return layers;
}

VllmGroups vllmGroups(const EngineLayers &layers)
{
    const int fewer = std::min(layers.full, layers.sliding), more = std::max(layers.full, layers.sliding);
    VllmGroups groups;
    // One kind alone is one group of all layers.
    groups.layers = fewer == 0 || 2 * more < 3 * fewer ? more : fewer;
    groups.full = static_cast<int>(divideUp(layers.full, groups.layers));
    groups.sliding = static_cast<int>(divideUp(layers.sliding, groups.layers));
    return groups;
}

UnpaddedCounts vllmUnpadded(const EngineLayers &layers)
{
    const auto isUnpadded = [&](int sliding) {
        const EngineLayers other{layers.all() - sliding, sliding, layers.window};
        return vllmGroups(other).padding(other) == 0;
    };
    UnpaddedCounts counts;
    for (int sliding = layers.sliding; sliding >= 0 && counts.below < 0; --sliding)
        if (isUnpadded(sliding))
            counts.below = sliding;
    for (int sliding = layers.sliding + 1; sliding <= layers.all() && counts.above < 0; ++sliding)
        if (isUnpadded(sliding))
            counts.above = sliding;
    return counts;
}

int vllmSnapped(const EngineLayers &layers, bool noFewer, int least)
{
    if (layers.sliding == 0)
        return 0;
    const UnpaddedCounts counts = vllmUnpadded(layers);
    if (counts.below == layers.sliding)
        return counts.below;
    const bool mayFewer = !noFewer && counts.below >= std::max(1, least);
    const bool isFewerNearer = counts.above < 0 || layers.sliding - counts.below < counts.above - layers.sliding;
    return mayFewer && isFewerNearer ? counts.below : counts.above;
}

std::vector<EngineMemory> engineMemory(const ModelConfig &config, const EngineLayers &layers, std::int64_t context,
                                       const EngineSettings &settings)
{
    const std::int64_t layerToken = 2 * config.kvWidth() * bytesOf(config.kvType);
    return {vllm(layers, layerToken, context, settings), sglang(layers, layerToken, context, settings),
            llamaCpp(config, layers, context, settings), transformers(layers, layerToken, context),
            mlxLm(layers, layerToken, context, settings)};
}

} // namespace zigzag
