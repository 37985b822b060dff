// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace zigzag {

Sampler::Sampler(double temperature, double topP, std::uint64_t seed)
    : m_temperature(temperature)
    , m_topP(topP)
    , m_random(seed)
{ }

int Sampler::next(std::span<const float> logits)
{
    const auto best = std::max_element(logits.begin(), logits.end());
    if (m_temperature <= 0)
        return static_cast<int>(best - logits.begin());
    std::vector<int> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)]; });
    std::vector<double> weights;
    weights.reserve(order.size());
    for (int id : order)
        weights.push_back(std::exp((static_cast<double>(logits[static_cast<std::size_t>(id)]) - *best) / m_temperature));
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    // Nucleus sampling (arXiv 1904.09751): the fewest tokens whose probabilities reach topP.
    double kept = 0;
    std::size_t count = 0;
    while (count < weights.size() && (count == 0 || kept < m_topP * total))
        kept += weights[count++];
    // Not std::discrete_distribution: its algorithm, and so the text behind a seed, differs between standard libraries.
    double at = static_cast<double>(m_random() >> 11) * 0x1p-53 * kept;
    for (std::size_t i = 0; i < count; ++i) {
        at -= weights[i];
        if (at < 0)
            return order[i];
    }
    return order[count - 1];
}

} // namespace zigzag
