// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/time_budget.h"

#include <cassert>
#include <numeric>

namespace zigzag {

TimeBudget timeBudget(const CostModel &cost, double ms, std::int64_t context, const HeadMap &map)
{
    assert(cost.isFitted());
    HeadMap windows = map;
    windows.setModel(cost.config().shape()); // a map from bare scores knows no head size
    const Estimate full = cost.estimate(windows.withEvery(HeadKind::Retrieval), Phase::Decode, context);
    const Estimate streaming = cost.estimate(windows.withEvery(HeadKind::Streaming), Phase::Decode, context);
    TimeBudget budget;
    budget.ms = ms;
    budget.context = context;
    // A fitted line may fall a hair below nothing where there is nearly nothing to measure.
    const auto known = [](double time) { return time > 0.0 ? time : 0.0; };
    budget.outsideMs = known(full.ms - std::accumulate(full.layerMs.begin(), full.layerMs.end(), 0.0));
    for (std::size_t layer = 0; layer < full.layerMs.size(); ++layer)
        budget.layers.push_back({known(full.layerMs[layer]), known(streaming.layerMs[layer])});
    return budget;
}

} // namespace zigzag
