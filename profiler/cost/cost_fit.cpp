// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/cost_fit.h"

#include "profiler/base/run_types.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

namespace zigzag {
namespace {

constexpr std::size_t columns = std::tuple_size_v<Features>;

/// Solves the normal equations for the columns in `chosen` (bits) by Gaussian elimination; none where they are dependent.
std::optional<Features> solve(const std::vector<Features> &rows, unsigned chosen)
{
    std::array<std::array<double, columns + 1>, columns> a{};
    std::vector<std::size_t> at;
    for (std::size_t c = 0; c < columns; ++c)
        if (chosen >> c & 1u)
            at.push_back(c);
    for (const Features &row : rows) // every right-hand side is 1: the errors are relative
        for (std::size_t i = 0; i < at.size(); ++i) {
            for (std::size_t j = 0; j < at.size(); ++j)
                a[i][j] += row[at[i]] * row[at[j]];
            a[i][columns] += row[at[i]];
        }
    for (std::size_t pivot = 0; pivot < at.size(); ++pivot) {
        if (std::abs(a[pivot][pivot]) < 1e-9) // columns are scaled to length 1
            return std::nullopt;
        for (std::size_t i = 0; i < at.size(); ++i) {
            if (i == pivot)
                continue;
            const double factor = a[i][pivot] / a[pivot][pivot];
            for (std::size_t j = 0; j <= columns; ++j)
                a[i][j] -= factor * a[pivot][j];
        }
    }
    Features solution{};
    for (std::size_t i = 0; i < at.size(); ++i)
        solution[at[i]] = a[i][columns] / a[i][i];
    return solution;
}

} // namespace

double dot(const Features &a, const Features &b)
{
    double sum = 0.0;
    for (std::size_t i = 0; i < columns; ++i)
        sum += a[i] * b[i];
    return sum;
}

Features fitFeatures(std::span<const FitPoint> points)
{
    std::vector<Features> rows;
    for (const FitPoint &point : points) {
        if (point.us <= 0)
            continue;
        Features row = point.x;
        for (double &value : row)
            value /= point.us;
        rows.push_back(row);
    }
    Features length{};
    for (std::size_t c = 0; c < columns; ++c) {
        for (const Features &row : rows)
            length[c] += row[c] * row[c];
        length[c] = std::sqrt(length[c]);
        for (Features &row : rows)
            row[c] = length[c] > 0 ? row[c] / length[c] : 0.0;
    }
    // Five columns: trying every set of them is the whole of non-negative least squares.
    Features best{};
    double leastError = std::numeric_limits<double>::infinity();
    for (unsigned chosen = 1; chosen < 1u << columns; ++chosen) {
        const auto solution = solve(rows, chosen);
        if (!solution || std::any_of(solution->begin(), solution->end(), [](double value) { return !(value >= 0); }))
            continue;
        double error = 0.0;
        for (const Features &row : rows)
            error += (dot(row, *solution) - 1.0) * (dot(row, *solution) - 1.0);
        if (error < leastError - 1e-12) { // of equal fits the first, which has the fewest or plainest columns
            leastError = error;
            best = *solution;
        }
    }
    for (std::size_t c = 0; c < columns; ++c)
        best[c] = length[c] > 0 ? best[c] / length[c] : 0.0;
    return best;
}

RowTable RowTable::from(std::span<const std::pair<double, double>> points)
{
    std::map<double, std::vector<double>> byRows;
    for (const auto &[rows, us] : points)
        byRows[rows].push_back(us);
    RowTable table;
    for (auto &[rows, us] : byRows)
        table.m_points.emplace_back(rows, quantile(std::move(us), 0.5));
    return table;
}

double RowTable::at(double rows) const
{
    if (m_points.empty())
        return 0.0;
    if (rows <= m_points.front().first || m_points.size() == 1) // fewer rows are hardly faster
        return m_points.front().second;
    auto above = std::lower_bound(m_points.begin(), m_points.end(), rows,
                                  [](const auto &point, double value) { return point.first < value; });
    if (above == m_points.end())
        --above;
    const auto &[x0, y0] = *(above - 1);
    const auto &[x1, y1] = *above;
    // Beyond the last point never below it: two noisy points must not make more rows cheaper.
    const double slope = (y1 - y0) / (x1 - x0);
    return rows > x1 ? y1 + std::max(0.0, slope) * (rows - x1) : y0 + slope * (rows - x0);
}

} // namespace zigzag
