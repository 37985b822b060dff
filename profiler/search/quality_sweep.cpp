// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/search/quality_sweep.h"

#include "engine/map/assign.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/answered_questions.h"
#include "profiler/search/measure_json.h"

#include <algorithm>
#include <cassert>

namespace zigzag {

Result<std::vector<HeadMap>> sweepMaps(const HeadScores &scores, std::string_view criterion,
                                       std::span<const StreamingWindow> windows)
{
    std::vector<HeadMap> maps;
    for (const StreamingWindow &window : windows)
        for (int count = maps.empty() ? 0 : 1; count <= scores.model.mappableLayers(); ++count) {
            const double sparsity = static_cast<double>(count) / std::max(1, scores.model.mappableLayers());
            ZIGZAG_TRY(assigned, assignHeads(scores, criterion, sparsity, window.sink, window.recent));
            maps.push_back(std::move(assigned.map));
        }
    return maps;
}

Result<std::vector<SweepPoint>> sweepQuality(MapMeter &meter, std::span<const HeadMap> maps, const std::atomic<bool> *cancel,
                                             const PromptProgress &progress,
                                             const std::function<void(std::vector<SweepPoint>)> &onPoints, QualityState *state,
                                             const std::function<void()> &onMap)
{
    const auto pointsOf = [&](const std::vector<MapQuality> &qualities) {
        std::vector<SweepPoint> points;
        for (std::size_t i = 0; i < maps.size(); ++i)
            points.push_back({maps[i], qualities[i]});
        return points;
    };
    const auto hear = [&](const std::vector<MapQuality> &soFar) {
        if (onPoints)
            onPoints(pointsOf(soFar));
    };
    ZIGZAG_TRY(qualities, measureQuality(meter, maps, cancel, progress, hear, state, onMap));
    return pointsOf(qualities);
}

std::vector<SweepPoint> firstPoints(const MapMeter &meter, std::span<const HeadMap> maps, const QualityState &state)
{
    std::vector<SweepPoint> points;
    if (!state.measured.empty())
        return points;
    const auto answers = static_cast<double>(meter.prompts().front().answers.size());
    for (std::size_t i = 0; i < std::min(maps.size(), state.begun.size()); ++i) {
        if (!state.begun[i])
            continue;
        const PromptMeasure &measure = *state.begun[i];
        MapQuality quality;
        quality.loss = positiveMeanInterval(std::vector{measure.loss});
        quality.kl = positiveMeanInterval(std::vector{measure.kl});
        quality.right = shareInterval(measure.right * answers, answers);
        quality.prompts = 1;
        points.push_back({maps[i], quality});
    }
    return points;
}

std::string sweepStateJson(const QualityState &state)
{
    return json::Value{{"measured", measuresJson(state.measured)}, {"begun", begunJson(state.begun)}}.dump();
}

Result<QualityState> sweepStateFrom(std::string_view text, std::size_t prompts, std::size_t maps)
{
    constexpr const char *where = "the progress of the sweep";
    ZIGZAG_TRY(root, json::parse(text, where));
    ZIGZAG_TRY(list, json::arrayIn(root, "measured", where));
    ZIGZAG_TRY(measured, readMeasures(*list, prompts, maps + 1));
    ZIGZAG_TRY(row, json::arrayIn(root, "begun", where));
    if (row->empty())
        return QualityState{std::move(measured), {}};
    ZIGZAG_TRY(begun, readBegun(root, maps + 1));
    return QualityState{std::move(measured), std::move(begun)};
}

std::string sweepPlanJson(const MapMeter &meter, std::span<const HeadMap> maps, std::string_view backend)
{
    const ModelShape model = meter.shape();
    json::Value plan = {{"model", model.name},
                        {"fingerprint", model.fingerprint},
                        {"backend", backend},
                        {"kv_type", nameOf(meter.config().kvType)},
                        {"engine", meter.served().engine},
                        {"prompts", meter.promptCount()},
                        {"prompts_sha256", digestOf(meter.prompts())},
                        {"maps", json::Value::array()}};
    for (const HeadMap &map : maps)
        plan["maps"].push_back(fingerprintOf(map));
    return plan.dump(-1, ' ', false, json::Value::error_handler_t::replace); // a folder's name need not be UTF-8
}

std::vector<StreamingWindow> windowsAround(StreamingWindow window)
{
    std::vector<StreamingWindow> windows = {window,
                                            {window.sink, std::max(1, window.recent / 2)},
                                            {window.sink, 2 * window.recent},
                                            {window.sink / 2, window.recent}};
    for (std::size_t i = windows.size(); i-- > 1;)
        if (std::find(windows.begin(), windows.begin() + static_cast<std::ptrdiff_t>(i), windows[i])
            != windows.begin() + static_cast<std::ptrdiff_t>(i))
            windows.erase(windows.begin() + static_cast<std::ptrdiff_t>(i));
    return windows;
}

std::vector<bool> paretoSet(std::span<const double> cost, std::span<const double> loss)
{
    assert(cost.size() == loss.size());
    std::vector<bool> inSet(cost.size(), true);
    for (std::size_t i = 0; i < cost.size(); ++i)
        for (std::size_t j = 0; j < cost.size() && inSet[i]; ++j) {
            const bool noWorse = cost[j] <= cost[i] && loss[j] <= loss[i];
            const bool better = cost[j] < cost[i] || loss[j] < loss[i] || j < i;
            inSet[i] = !(noWorse && better);
        }
    return inSet;
}

} // namespace zigzag
