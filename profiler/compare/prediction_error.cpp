// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/compare/prediction_error.h"

#include <cmath>

namespace zigzag {

PredictionError predictionError(const std::vector<PredictedPoint> &points)
{
    PredictionError all;
    std::vector<double> errors;
    for (const PredictedPoint &point : points)
        if (point.disturbed)
            ++all.disturbed;
        else
            errors.push_back(std::abs(point.error()));
    all.count = static_cast<int>(errors.size());
    all.median = quantile(errors, 0.5);
    all.worst = quantile(errors, 1.0);
    return all;
}

} // namespace zigzag
