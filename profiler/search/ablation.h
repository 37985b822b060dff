// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/map_meter.h"
#include "profiler/search/search_units.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

struct AblationPlan {
    Unit unit = Unit::Layer;
    StreamingWindow window;
    bool share = true; ///< layers below the turned one are run once for all; false runs them again for each
};

/// How far an ablation is: complete prompts alone. A value that can be written down and taken up again.
struct AblationState {
    std::vector<std::vector<PromptMeasure>> prompts; // [prompts done][units + 1]: full attention, then each unit alone
    std::string toJson() const;
    /// Trusts nothing: of at most `prompts` prompts, with a measure for each map of the plan.
    static Result<AblationState> fromJson(std::string_view text, const ModelShape &model, std::size_t prompts,
                                          const AblationPlan &plan);
};

/// One unit's effect, over prompts.
struct AblationEffect {
    double loss = 0, lossError = 0; ///< mean distillation loss and its standard error
    double accuracyChange = 0; ///< share of answers right, minus full attention's
};

/// Turns each unit alone to streaming and measures what that does; local layers, which cannot be turned, are full attention once
/// more, which costs nothing and measures nothing. `onPrompt` hears of every finished prompt. Cancelled, it
/// returns what is complete, with the error only when nothing is.
Result<AblationState> runAblation(MapMeter &meter, const AblationPlan &plan, AblationState from = {},
                                  const std::atomic<bool> *cancel = nullptr,
                                  const std::function<void(const AblationState &)> &onPrompt = {});
/// Layer runs of a whole ablation on one prompt, full attention's included.
std::int64_t ablationLayerRuns(const ModelShape &model, const AblationPlan &plan);

std::vector<AblationEffect> effectsOf(const AblationState &state);
/// Score = loss over the largest loss; spread = its standard error over the same. Needs a finished prompt.
HeadScores ablationScores(const AblationState &state, const ModelShape &model, const AblationPlan &plan);

} // namespace zigzag
