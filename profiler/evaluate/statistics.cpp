// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

namespace zigzag {
namespace {

constexpr double normalQuantile = 1.959964; // 97.5 %

/// The 97.5 % quantile of Student's t (Abramowitz and Stegun, 26.7.5; exact where that expansion is poor).
double studentQuantile(double freedom)
{
    constexpr double exact[] = {12.7062, 4.3027, 3.1824, 2.7764};
    if (freedom < 5)
        return exact[static_cast<std::size_t>(freedom) - 1];
    const double z = normalQuantile, z3 = z * z * z, z5 = z3 * z * z;
    return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom);
}

std::vector<double> ranks(std::span<const double> values)
{
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranked(values.size());
    for (std::size_t first = 0; first < order.size();) {
        std::size_t last = first;
        while (last < order.size() && values[order[last]] == values[order[first]])
            ++last;
        for (std::size_t i = first; i < last; ++i)
            ranked[order[i]] = 0.5 * static_cast<double>(first + last - 1);
        first = last;
    }
    return ranked;
}

} // namespace

Interval meanInterval(std::span<const double> values)
{
    Interval result;
    if (values.empty())
        return result;
    const auto count = static_cast<double>(values.size());
    result.count = static_cast<int>(values.size());
    result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0.0;
    for (const double value : values)
        squares += (value - result.mean) * (value - result.mean);
    result.error = values.size() < 2 ? 0.0 : std::sqrt(squares / (count - 1) / count);
    const double reach = values.size() < 2 ? 0.0 : result.error * studentQuantile(count - 1);
    result.low = result.mean - reach;
    result.high = result.mean + reach;
    return result;
}

Interval positiveMeanInterval(std::span<const double> values)
{
    Interval result = meanInterval(values);
    if (!(result.mean > 0))
        return result;
    const double width = std::exp((result.high - result.mean) / result.mean);
    result.low = result.mean / width;
    result.high = result.mean * width;
    return result;
}

Interval shareInterval(double found, double trials)
{
    Interval result;
    if (trials <= 0)
        return result;
    const double share = found / trials, z2 = normalQuantile * normalQuantile, whole = 1 + z2 / trials;
    const double middle = (share + z2 / (2 * trials)) / whole;
    const double reach = normalQuantile / whole * std::sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials));
    result.mean = share;
    result.low = std::clamp(middle - reach, 0.0, share);
    result.high = std::clamp(middle + reach, share, 1.0);
    result.error = std::sqrt(share * (1 - share) / trials);
    result.count = static_cast<int>(trials);
    return result;
}

double rankCorrelation(std::span<const double> a, std::span<const double> b)
{
    assert(a.size() == b.size());
    const std::vector<double> x = ranks(a), y = ranks(b);
    const double middle = 0.5 * (static_cast<double>(x.size()) - 1);
    double xy = 0.0, xx = 0.0, yy = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        xy += (x[i] - middle) * (y[i] - middle);
        xx += (x[i] - middle) * (x[i] - middle);
        yy += (y[i] - middle) * (y[i] - middle);
    }
    return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0.0;
}

Bootstrap::Bootstrap(int values, std::uint64_t seed)
    : m_random(seed)
    , m_drawn(static_cast<std::size_t>(values))
{
    assert(values > 0);
}

std::span<const int> Bootstrap::next()
{
    std::fill(m_drawn.begin(), m_drawn.end(), 0);
    for (std::size_t i = 0; i < m_drawn.size(); ++i) // the library's distributions differ from one to another
        ++m_drawn[static_cast<std::size_t>(m_random() % m_drawn.size())];
    return m_drawn;
}

} // namespace zigzag
