// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/exhaustive.h"

#include "profiler/evaluate/statistics.h"
#include "profiler/search/measure_json.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>

namespace zigzag {

std::string ExhaustiveState::toJson() const
{
    return json::Value{{"prompts", measuresJson(prompts)}}.dump();
}

Result<ExhaustiveState> ExhaustiveState::fromJson(std::string_view text, const ModelShape &model, std::size_t prompts)
{
    ZIGZAG_TRY(root, json::parse(text, "the measures of every map"));
    ZIGZAG_TRY(list, json::arrayIn(root, "prompts", "the measures of every map"));
    ZIGZAG_TRY(measures, readMeasures(*list, prompts, std::size_t{1} << std::min(model.layers, 30)));
    return ExhaustiveState{std::move(measures)};
}

Result<ExhaustiveState> measureEveryMap(MapMeter &meter, StreamingWindow window, ExhaustiveState from,
                                        const std::atomic<bool> *cancel,
                                        const std::function<void(const ExhaustiveState &)> &onPrompt)
{
    const int layers = meter.config().layers;
    if (layers > exhaustiveLayers)
        return badInput(
            fmt::format("{} has {} layers and 2^{} exclusive maps: every map is measured up to {} layers; use the greedy "
                        "search",
                        meter.config().name, layers, layers, exhaustiveLayers));
    std::vector<HeadMap> maps;
    for (std::uint32_t mask = 0; mask < std::uint32_t{1} << layers; ++mask) {
        std::vector<int> streaming;
        for (int layer = 0; layer < layers; ++layer)
            if (mask >> layer & 1u)
                streaming.push_back(layer);
        maps.push_back(mapWith(meter.shape(), Unit::Layer, window, streaming));
    }
    const auto tell = [&] {
        if (onPrompt)
            onPrompt(from);
    };
    const auto measured = meter.measureRest(maps, from.prompts, cancel, true, tell);
    if (!measured && !(isCancelled(measured.error())))
        return tl::unexpected(measured.error());
    return from;
}

bool hasAnswerLoss(const ExhaustiveState &state)
{
    return std::none_of(state.prompts.begin(), state.prompts.end(), [](const std::vector<PromptMeasure> &maps) {
        return std::any_of(maps.begin(), maps.end(), [](const PromptMeasure &measure) { return std::isnan(measure.answer); });
    });
}

std::vector<MapOutcome> outcomesOf(const ExhaustiveState &state, SearchLoss by)
{
    std::vector<MapOutcome> outcomes;
    const std::size_t maps = state.prompts.empty() ? 0 : state.prompts.front().size();
    for (std::size_t map = 0; map < maps; ++map) {
        std::vector<double> losses, right;
        for (const auto &prompt : state.prompts) {
            losses.push_back(lossOf(prompt[map], by));
            right.push_back(prompt[map].right);
        }
        const Interval loss = meanInterval(losses);
        outcomes.push_back({static_cast<std::uint32_t>(map), loss.mean, loss.error, meanInterval(right).mean});
    }
    return outcomes;
}

Result<MapRank> rankOf(const HeadMap &map, const std::vector<MapOutcome> &outcomes)
{
    if (!map.isExclusive() || map.layers() > exhaustiveLayers || outcomes.size() != std::size_t{1} << map.layers())
        return badInput("only exclusive maps of the measured model have a place among them");
    std::uint32_t mask = 0, local = 0; // a map in which a local layer "streams" is one that is there already
    for (int layer = 0; layer < map.layers(); ++layer) {
        if (map.layerKind(layer) == LayerKind::Streaming)
            mask |= std::uint32_t{1} << layer;
        if (map.isLocal(layer))
            local |= std::uint32_t{1} << layer;
    }
    MapRank rank;
    rank.streaming = std::popcount(mask);
    rank.byLoss = rank.byAnswers = 1;
    rank.outcome = rank.best = outcomes[mask];
    for (const MapOutcome &other : outcomes) {
        if (std::popcount(other.layers) != rank.streaming || (other.layers & local) != 0)
            continue;
        ++rank.of;
        rank.byLoss += other.loss < rank.outcome.loss;
        rank.byAnswers += other.right > rank.outcome.right;
        if (other.loss < rank.best.loss)
            rank.best = other;
    }
    return rank;
}

} // namespace zigzag
