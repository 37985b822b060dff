// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/map_meter.h"
#include "profiler/search/search_loss.h"
#include "profiler/search/search_units.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// The most layers whose 2^layers maps are measured.
inline constexpr int exhaustiveLayers = 12;

/// One exclusive map and what it does: bit l of `layers` set = layer l streams.
struct MapOutcome {
    std::uint32_t layers = 0;
    double loss = 0, lossError = 0; ///< mean of the loss that was asked for and its standard error
    double right = 0; ///< share of answers right
};

/// Every exclusive map of a model with few layers, measured on the same prompts. A value that can be written down and taken
/// up again; complete when it has every prompt.
struct ExhaustiveState {
    std::vector<std::vector<PromptMeasure>> prompts; // [prompts done][2^layers]
    std::string toJson() const;
    /// Trusts nothing: of at most `prompts` prompts, with a measure for each of the 2^layers maps.
    static Result<ExhaustiveState> fromJson(std::string_view text, const ModelShape &model, std::size_t prompts);
};

Result<ExhaustiveState> measureEveryMap(MapMeter &meter, StreamingWindow window, ExhaustiveState from = {},
                                        const std::atomic<bool> *cancel = nullptr,
                                        const std::function<void(const ExhaustiveState &)> &onPrompt = {});
/// [2^layers], by the number that `layers` is.
std::vector<MapOutcome> outcomesOf(const ExhaustiveState &state, SearchLoss loss = SearchLoss::Distillation);
/// False where measures are from a file of before, which has no losses of answers.
bool hasAnswerLoss(const ExhaustiveState &state);

/// Where a map stands among all maps with as many streaming layers; 1 = none is better, equal ones share the better place.
struct MapRank {
    int streaming = 0;
    int byLoss = 0, byAnswers = 0;
    int of = 0; ///< maps with this count
    MapOutcome outcome, best; ///< best: the lowest loss at this count

    /// Within the best 5 %; with fewer than 40 maps only the best one is.
    bool isAmongBest() const { return byLoss <= std::max(1, of / 20); }
};
/// Refuses a map with mixed layers or of another size.
Result<MapRank> rankOf(const HeadMap &map, const std::vector<MapOutcome> &outcomes);

} // namespace zigzag
