// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/map_meter.h"
#include "profiler/evaluate/statistics.h"
#include "profiler/evaluate/told_run.h"

#include <functional>
#include <vector>

namespace zigzag {

/// What one map costs against full attention, with 95 % confidence intervals over prompts.
struct MapQuality {
    Interval loss; ///< distillation loss
    Interval kl; ///< nats
    Interval right; ///< share of answers right
    Interval rightFull; ///< the same of full attention
    int prompts = 0; ///< measured; fewer than planned after a cancel
};

/// How far the measuring of maps is: a value that can be written down and taken up again, with the same result as without the
/// break.
struct QualityState {
    std::vector<std::vector<PromptMeasure>> measured; // [prompts done][maps + 1]: full attention last
    BegunPrompt begun; ///< of the prompt under way, [maps + 1]
};

/// Measures maps on every prompt, sharing what they share. One result for each map; cancelled, of the prompts that were done,
/// with the error only where there were none. `onPrompt` hears the result so far after each prompt. With a `state`, what it has
/// is not measured again, and it holds what there is whenever `onMap` hears of a measure, and at the end, cancelled or not.
Result<std::vector<MapQuality>> measureQuality(MapMeter &meter, std::span<const HeadMap> maps,
                                               const std::atomic<bool> *cancel = nullptr, const PromptProgress &progress = {},
                                               const std::function<void(const std::vector<MapQuality> &)> &onPrompt = {},
                                               QualityState *state = nullptr, const std::function<void()> &onMap = {});

} // namespace zigzag
