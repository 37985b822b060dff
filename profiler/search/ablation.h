// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/map_meter.h"
#include "profiler/search/cut_confidence.h"
#include "profiler/search/search_loss.h"
#include "profiler/search/search_units.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

struct AblationPlan {
    Unit unit = Unit::Layer;
    StreamingWindow window;
    bool share = true; ///< layers below the turned one are run once for all; false runs them again for each
    SearchLoss loss = SearchLoss::Distillation; ///< what a unit's effect is
    /// Units that stream at the cut whose confidence is told; 0: none is.
    int count = 0;
    bool untilSettled = false; ///< ends with the first prompt at which the cut is settled (CutConfidence)
    std::uint64_t seed = 1; ///< of the resamples
};

/// How far an ablation is. A value that can be written down and taken up again, with the same result as without the break.
struct AblationState {
    std::vector<std::vector<PromptMeasure>> prompts; // [prompts done][units + 1]: full attention, then each unit alone
    BegunPrompt begun = {}; ///< of the prompt under way; no result is made of it
    std::string toJson() const;
    /// Trusts nothing: of at most `prompts` prompts, with a measure for each map of the plan.
    static Result<AblationState> fromJson(std::string_view text, const ModelShape &model, std::size_t prompts,
                                          const AblationPlan &plan);
};

/// One unit's effect, over prompts.
struct AblationEffect {
    double loss = 0, lossError = 0; ///< mean of the plan's loss, below 0 as SearchLoss says, and its standard error
    double accuracyChange = 0; ///< share of answers right, minus full attention's
};

/// Turns each unit alone to streaming and measures what that does; local layers, which cannot be turned, are full attention once
/// more, which costs nothing and measures nothing. By the answers' loss this is the criterion of arXiv 2606.27791. `onPrompt`
/// hears of every finished prompt, `onMap` of every unit that is added to the one under way. Cancelled, it returns what there is,
/// with the error only where no prompt is complete. Prompts are taken in the meter's order, so whoever stops when the cut is
/// settled gives them in a random one.
Result<AblationState> runAblation(MapMeter &meter, const AblationPlan &plan, AblationState from = {},
                                  const std::atomic<bool> *cancel = nullptr,
                                  const std::function<void(const AblationState &)> &onPrompt = {},
                                  const std::function<void(const AblationState &)> &onMap = {});
/// Layer runs of a whole ablation on one prompt, full attention's included.
std::int64_t ablationLayerRuns(const ModelShape &model, const AblationPlan &plan);

std::vector<AblationEffect> effectsOf(const AblationState &state, SearchLoss loss = SearchLoss::Distillation);
/// How sure the cut of the plan is; nothing where the plan has none, or before there are two prompts. The same for the same
/// prompts.
std::optional<CutConfidence> confidenceOf(const AblationState &state, const ModelShape &model, const AblationPlan &plan);
/// Score = loss over the largest loss; spread = its standard error over the same. Where losses are below 0, all are counted from
/// the lowest one on, so that scores keep their order: (loss − lowest) / (largest − lowest). Needs a finished prompt.
HeadScores ablationScores(const AblationState &state, const ModelShape &model, const AblationPlan &plan);

} // namespace zigzag
