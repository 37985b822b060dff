// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/carry/next_token.h"

#include "engine/base/thread_pool.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace zigzag {

namespace {

double logSum(std::span<const float> logits)
{
    const float most = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float value : logits)
        sum += static_cast<double>(std::exp(value - most));
    return static_cast<double>(most) + std::log(sum);
}

std::span<const float> rowOf(std::span<const float> logits, std::int64_t row, std::size_t vocabulary)
{
    return logits.subspan(static_cast<std::size_t>(row) * vocabulary, vocabulary);
}

} // namespace

std::vector<NextToken> compareNextTokens(std::span<const float> full, std::span<const float> other, std::size_t vocabulary)
{
    std::vector<NextToken> rows(full.size() / vocabulary);
    parallelParts(std::ssize(rows), [&](std::int64_t row) {
        const auto a = rowOf(full, row, vocabulary), b = rowOf(other, row, vocabulary);
        const double sumA = logSum(a), sumB = logSum(b);
        double kl = 0;
        for (std::size_t i = 0; i < vocabulary; ++i) {
            const double logA = static_cast<double>(a[i]) - sumA;
            kl += static_cast<double>(std::exp(static_cast<float>(logA))) * (logA - (static_cast<double>(b[i]) - sumB));
        }
        const auto top = [](std::span<const float> of) { return std::max_element(of.begin(), of.end()) - of.begin(); };
        rows[static_cast<std::size_t>(row)] = {std::max(0.0, kl), top(a) == top(b)};
    });
    return rows;
}

double divergenceGradient(std::span<const float> full, std::span<float> other, std::span<const double> weights)
{
    const std::size_t vocabulary = full.size() / weights.size();
    std::vector<double> divergences(weights.size());
    parallelParts(std::ssize(weights), [&](std::int64_t row) {
        const auto a = rowOf(full, row, vocabulary);
        const auto b = other.subspan(static_cast<std::size_t>(row) * vocabulary, vocabulary);
        const double sumA = logSum(a), sumB = logSum(b), weight = weights[static_cast<std::size_t>(row)];
        double kl = 0;
        for (std::size_t i = 0; i < vocabulary; ++i) {
            const double logA = static_cast<double>(a[i]) - sumA, logB = static_cast<double>(b[i]) - sumB;
            const float ofFull = std::exp(static_cast<float>(logA));
            kl += static_cast<double>(ofFull) * (logA - logB);
            b[i] = static_cast<float>(weight) * (std::exp(static_cast<float>(logB)) - ofFull);
        }
        divergences[static_cast<std::size_t>(row)] = weight * std::max(0.0, kl);
    });
    return std::accumulate(divergences.begin(), divergences.end(), 0.0);
}

} // namespace zigzag
