// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/target.h"
#include "profiler/cost/cost_model.h"

namespace zigzag {

/// A budget of milliseconds per output token at a context, in the fitted model's predictions for layers that stream with the
/// windows of `map`. What solves it needs no cost model of its own.
TimeBudget timeBudget(const CostModel &cost, double ms, std::int64_t context, const HeadMap &map);

} // namespace zigzag
