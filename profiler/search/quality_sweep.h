// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/criterion.h"
#include "profiler/evaluate/map_quality.h"
#include "profiler/search/search_units.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// One map of a sweep and what it costs in quality; what it costs in time is asked of the cost model.
struct SweepPoint {
    HeadMap map;
    MapQuality quality;
};

/// The maps that a criterion makes of scores: every count of streaming layers (or, for a criterion of heads, as many counts
/// as there are layers) in every window; full attention once.
Result<std::vector<HeadMap>> sweepMaps(const HeadScores &scores, std::string_view criterion,
                                       std::span<const StreamingWindow> windows);
/// The maps' quality, as it becomes known: `onPoints` hears all points after each prompt. Cancelled, it returns the points of
/// the prompts that were done (MapQuality::prompts), with the error only where there were none. `state` and `onMap`:
/// measureQuality.
Result<std::vector<SweepPoint>> sweepQuality(MapMeter &meter, std::span<const HeadMap> maps, const std::atomic<bool> *cancel,
                                             const PromptProgress &progress,
                                             const std::function<void(std::vector<SweepPoint>)> &onPoints = {},
                                             QualityState *state = nullptr, const std::function<void()> &onMap = {});
/// The maps that the first prompt was measured with so far, while it is under way: points of one prompt, fewer than there are
/// maps. None once a prompt is done.
std::vector<SweepPoint> firstPoints(const MapMeter &meter, std::span<const HeadMap> maps, const QualityState &state);
std::string sweepStateJson(const QualityState &state);
/// Trusts nothing: of at most `prompts` prompts, with a measure for each of `maps` maps and for full attention.
Result<QualityState> sweepStateFrom(std::string_view text, std::size_t prompts, std::size_t maps);
/// What a file with the state of a sweep must agree with, word for word: all that its points depend on.
std::string sweepPlanJson(const MapMeter &meter, std::span<const HeadMap> maps, std::string_view backend);
/// Half, once and twice the recent window, and half the sinks: what lies around a window.
std::vector<StreamingWindow> windowsAround(StreamingWindow window);
/// Which points no other is better than in both: no dearer and no worse, and one of the two less. Of equal points the first.
std::vector<bool> paretoSet(std::span<const double> cost, std::span<const double> loss);

} // namespace zigzag
