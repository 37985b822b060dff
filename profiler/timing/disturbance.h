// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/base/run_types.h"

#include <string>
#include <vector>

namespace zigzag {

/// What other programs did to a set of measured points.
struct Disturbance {
    int samples = 0, disturbed = 0; ///< those that were taken, and of them those that others slowed (sampler.h)
    int points = 0, shortened = 0; ///< measured points, and of them those with fewer samples than were asked for
    int ceilingsMoved = 0; ///< points that were faster than their ceiling allows (BenchRecord::ceilingMoved)
};
/// `repeats`: samples that were asked for of each point; 0 = not known.
Disturbance disturbanceOf(const std::vector<BenchRecord> &records, int repeats = 0);

/// In plain sentences, for text, JSON and reports alike; empty where nothing was disturbed.
std::string textOf(const Disturbance &disturbance);

} // namespace zigzag
