// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace zigzag {

/// A mean with its 95 % confidence interval.
struct Interval {
    double mean = 0, low = 0, high = 0;
    double error = 0; ///< standard error of the mean; 0 from fewer than two values
    int count = 0; ///< values that it is from: with fewer than two a mean has no interval, and low = high = mean
};

/// Student's t, of a quantity of either sign.
Interval meanInterval(std::span<const double> values);
/// Student's t on the logarithm, of a quantity that is never negative (losses, divergences): mean / w to mean · w with
/// w = exp(t · error / mean), the interval of W. Q. Meeker and L. A. Escobar, Statistical Methods for Reliability Data (1998),
/// chapter 8, for positive parameters, with t in place of the normal quantile. Never below 0; wide where the values are few.
/// Every value must be at least 0; where all are 0, so is the interval.
Interval positiveMeanInterval(std::span<const double> values);
/// Wilson's score interval of a share (Journal of the American Statistical Association 22, 1927); `found` may count parts of
/// trials. Within 0 to 1.
Interval shareInterval(double found, double trials);
/// Spearman's rank correlation, equal values sharing their mean rank; 0 where one side is constant.
double rankCorrelation(std::span<const double> a, std::span<const double> b);

/// Resamples of a number of values, as many drawn with replacement each time: what is computed from each says how far it hangs on
/// the values that happened to be there (B. Efron, The Annals of Statistics 7, 1979). A seed gives the same ones on every
/// machine.
class Bootstrap
{
public:
    /// At least one value.
    Bootstrap(int values, std::uint64_t seed);
    /// How often each value was drawn in the next resample. [values]; valid until the next one
    std::span<const int> next();

private:
    std::mt19937_64 m_random;
    std::vector<int> m_drawn;
};

} // namespace zigzag
