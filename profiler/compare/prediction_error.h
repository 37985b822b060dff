// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/base/run_types.h"

#include <vector>

namespace zigzag {

/// A point that was predicted and measured.
struct PredictedPoint {
    double predictedMs = 0, measuredMs = 0;
    bool disturbed = false; ///< while it was measured (BenchRecord::isDisturbed)

    /// (predicted − measured) / measured.
    double error() const { return measuredMs > 0 ? predictedMs / measuredMs - 1 : 0.0; }
};

/// The one rule for how far predictions are off: |error| over the points that nothing disturbed, for a prediction is of a
/// machine that is left alone. The command line and the window say the same of the same points.
struct PredictionError {
    int count = 0; ///< points behind it
    double median = 0, worst = 0;
    int disturbed = 0; ///< points that were left out
};
PredictionError predictionError(const std::vector<PredictedPoint> &points);

} // namespace zigzag
