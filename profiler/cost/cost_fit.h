// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <span>
#include <vector>

namespace zigzag {

/// What a time may depend on; columns that are 0 everywhere are left out of a fit.
using Features = std::array<double, 5>;
double dot(const Features &a, const Features &b);

struct FitPoint {
    Features x{};
    double us = 0;
};

/// Non-negative coefficients with the least sum of squared relative errors: time never falls with more work.
Features fitFeatures(std::span<const FitPoint> points);

/// Microseconds against the rows of a pass: linear between the measured ones, and on as between the last two. What kernels
/// do as rows grow is no line: few rows are bound by reading the weights, many by multiplying, and other code runs.
class RowTable
{
public:
    /// Points in any order; of several with the same rows the median counts.
    static RowTable from(std::span<const std::pair<double, double>> points); // rows, us
    bool isEmpty() const { return m_points.empty(); }
    double at(double rows) const;

private:
    std::vector<std::pair<double, double>> m_points; // rows ascending
};

} // namespace zigzag
