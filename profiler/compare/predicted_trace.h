// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/cost/cost_model.h"
#include "profiler/trace/trace.h"

namespace zigzag {

/// A prediction in the form of a trace, so that it can be compared with a recorded one op by op: one pass for decode; of a
/// prefill all chunks as one pass. Its info says that it is predicted.
Trace predictedTrace(const CostModel &cost, const NamedMap &map, const Workload &work);

} // namespace zigzag
