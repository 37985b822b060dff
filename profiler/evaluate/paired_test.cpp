// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/paired_test.h"

#include "profiler/evaluate/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <vector>

namespace zigzag {

namespace {

constexpr int resamples = 10'000;

/// Twice the smaller tail of a fair coin thrown for every pair that differs.
double mcnemar(int worse, int better)
{
    const int pairs = worse + better, fewer = std::min(worse, better);
    double tail = 0.0;
    for (int k = 0; k <= fewer; ++k)
        tail += std::exp(std::lgamma(pairs + 1.0) - std::lgamma(k + 1.0) - std::lgamma(pairs - k + 1.0) - pairs * std::log(2.0));
    return std::min(1.0, 2 * tail);
}

/// Means of resampled differences, ascending.
std::vector<double> resampledMeans(const std::vector<double> &differences, std::uint64_t seed)
{
    Bootstrap bootstrap(static_cast<int>(differences.size()), seed);
    std::vector<double> means(resamples);
    for (double &mean : means) {
        const std::span<const int> drawn = bootstrap.next();
        mean = std::inner_product(drawn.begin(), drawn.end(), differences.begin(), 0.0) / static_cast<double>(differences.size());
    }
    std::sort(means.begin(), means.end());
    return means;
}

/// Of a sorted list.
double quantile(const std::vector<double> &sorted, double share)
{
    const double place = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(below);
    return below + 1 < sorted.size() ? sorted[below] * (1 - part) + sorted[below + 1] * part : sorted[below];
}

/// The least share in (0, 1) that `holds` of, which holds of every larger one; 1 where it holds of none.
template <class Predicate> double leastShare(Predicate &&holds)
{
    double low = 0, high = 1;
    if (!holds(high))
        return 1;
    for (int i = 0; i < 60; ++i) {
        const double middle = 0.5 * (low + high);
        (holds(middle) ? high : low) = middle;
    }
    return high;
}

double binomial(int count, int of, double share)
{
    return std::exp(std::lgamma(of + 1.0) - std::lgamma(count + 1.0) - std::lgamma(of - count + 1.0) + count * std::log(share)
                    + (of - count) * std::log1p(-share));
}

double detectableDrop(int count, double meanSquare)
{
    constexpr double alpha = 1.959963984540054, likely = 0.8, power = 0.8416212335729143; // quantiles of 97.5 % and 80 %
    const double bySize = leastShare([&](double drop) {
        const double square = std::max(meanSquare, drop);
        return std::sqrt(static_cast<double>(count)) * drop
            >= alpha * std::sqrt(square) + power * std::sqrt(std::max(0.0, square - drop * drop));
    });
    constexpr int fewest = 6; // pairs that all fell: 2 / 2⁶ is below 5 %
    const double byPairs = leastShare([&](double drop) {
        double fewer = 0.0;
        for (int pairs = 0; pairs < std::min(fewest, count + 1) && drop < 1; ++pairs)
            fewer += binomial(pairs, count, drop);
        return count >= fewest && 1 - fewer >= likely;
    });
    return std::max(bySize, byPairs);
}

/// Bonett and Price's interval.
void setAdjustedWald(PairedTest &test)
{
    constexpr double normalQuantile = 1.959963984540054;
    const double all = test.count + 2.0, fell = (test.worse + 1) / all, rose = (test.better + 1) / all;
    const double reach = normalQuantile * std::sqrt((fell + rose - (rose - fell) * (rose - fell)) / all);
    test.low = std::max(-1.0, rose - fell - reach);
    test.high = std::min(1.0, rose - fell + reach);
}

} // namespace

PairedTest pairedTest(std::span<const double> full, std::span<const double> map, std::uint64_t seed)
{
    assert(full.size() == map.size());
    PairedTest test;
    test.count = static_cast<int>(full.size());
    if (full.empty())
        return test;
    const auto isWhole = [](double score) { return score == 0.0 || score == 1.0; };
    test.isExact = std::all_of(full.begin(), full.end(), isWhole) && std::all_of(map.begin(), map.end(), isWhole);
    std::vector<double> differences(full.size());
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < full.size(); ++i) {
        const double difference = differences[i] = map[i] - full[i];
        test.worse += difference < 0;
        test.better += difference > 0;
        sum += difference;
        squares += difference * difference;
    }
    const auto count = static_cast<double>(test.count);
    test.difference = sum / count;
    test.detectable = detectableDrop(test.count, squares / count);
    if (test.isExact || test.worse + test.better == 0) {
        setAdjustedWald(test);
        test.p = mcnemar(test.worse, test.better);
        return test;
    }
    const std::vector<double> means = resampledMeans(differences, seed);
    test.low = quantile(means, 0.025);
    test.high = quantile(means, 0.975);
    const auto shareOf = [&](auto &&counts) {
        return static_cast<double>(std::count_if(means.begin(), means.end(), counts)) / static_cast<double>(means.size());
    };
    const double smaller
        = std::min(shareOf([](double mean) { return mean <= 0; }), shareOf([](double mean) { return mean >= 0; }));
    test.p = std::clamp(2 * smaller, 2.0 / resamples, 1.0); // no fewer than the resamples can tell
    return test;
}

std::string pairedText(const PairedTest &test)
{
    if (test.count == 0)
        return "nothing was asked";
    const std::string_view method = test.isExact ? "McNemar's exact test" : "bootstrap over questions";
    if (test.isDifferent())
        return fmt::format("{} by {:.1f} points (95 % interval {:+.1f} to {:+.1f}; n = {}, {} worse, {} better; p = {:.2g}, {})",
                           test.difference < 0 ? "worse" : "better", 100 * std::abs(test.difference), 100 * test.low,
                           100 * test.high, test.count, test.worse, test.better, test.p, method);
    return fmt::format(
        "no difference seen with n = {} ({} worse, {} better; p = {:.2g}, {}); a drop of less than {:.0f} points would "
        "not have been seen",
        test.count, test.worse, test.better, test.p, method, 100 * test.detectable);
}

} // namespace zigzag
