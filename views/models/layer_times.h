// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/cost/cost_model.h"
#include "profiler/trace/trace.h"
#include "views/models/op_colors.h"

#include <array>
#include <vector>

namespace zigzag {

/// Time of each layer by group of ops, measured or predicted: what the bars beside the head map are stacked of.
struct LayerTimes {
    using Stack = std::array<double, barGroups.size()>;
    std::vector<Stack> ms; // [layers][group]

    double layerMs(int layer) const;
    bool isEmpty() const { return ms.empty(); }
};

/// Of a prefill: the whole of it. Of decode: the median of the steps, by group. A span counts by its own time, so that nothing
/// counts twice; where kernels were recorded in the host's time, theirs stands for the spans that launched them.
LayerTimes layerTimes(const Trace &trace);
/// The same of a prediction; empty without a fitted cost model.
LayerTimes layerTimes(const CostModel &cost, const HeadMap &map, const Workload &work);
double sumOf(const LayerTimes::Stack &stack);

} // namespace zigzag
