// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

namespace zigzag {

/// A mean with its 95 % confidence interval.
struct Interval {
    double mean = 0, low = 0, high = 0;
    double error = 0; ///< standard error of the mean; 0 from fewer than two values
};

/// Student's t; the interval is the mean itself from fewer than two values.
Interval meanInterval(std::span<const double> values);
/// Wilson's score interval of a share; `found` may count parts of trials.
Interval shareInterval(double found, double trials);
/// Spearman's rank correlation, equal values sharing their mean rank; 0 where one side is constant.
double rankCorrelation(std::span<const double> a, std::span<const double> b);

} // namespace zigzag
