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

/// Measures maps on every prompt, sharing what they share. One result for each map; cancelled, of the prompts that were done,
/// with the error only where there were none. `onPrompt` hears the result so far after each prompt.
Result<std::vector<MapQuality>> measureQuality(MapMeter &meter, std::span<const HeadMap> maps,
                                               const std::atomic<bool> *cancel = nullptr, const PromptProgress &progress = {},
                                               const std::function<void(const std::vector<MapQuality> &)> &onPrompt = {});

} // namespace zigzag
