// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/cost/cost_samples.h"

#include <cstdint>
#include <vector>

namespace zigzag {

/// The passes that a calibration measures: prefill chunks of several sizes and positions, decode steps of several batches and
/// contexts, in maps of retrieval heads and in two windows, so that a fit can tell what grows with the window from what grows
/// with the rows. Phases and kinds of heads in turns, of each the point that lies furthest first, so that a round which is cut
/// short has some of each, near and far: from points at one position no fit could tell what a longer context takes.
/// `longest`: context; `mostPrefillMs`: a pass whose floor is longer is left out.
std::vector<PassPoint> calibrationPoints(const ModelConfig &config, const MachineProfile &machine, std::int64_t longest,
                                         double mostPrefillMs);

} // namespace zigzag
