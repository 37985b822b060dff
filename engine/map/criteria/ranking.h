// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace zigzag {

/// The `count` entries with the lowest keys; equal keys go to the lower index.
struct Lowest {
    std::vector<std::size_t> chosen;
    int ties = 0; ///< as Assignment::ties
};

template <class Key> Lowest lowest(const std::vector<Key> &keys, std::size_t count)
{
    std::vector<std::size_t> order(keys.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });

    Lowest result;
    result.chosen.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
    const bool cutSplitsEquals = count > 0 && count < keys.size() && keys[order[count]] == keys[order[count - 1]];
    if (cutSplitsEquals)
        result.ties = static_cast<int>(std::count(keys.begin(), keys.end(), keys[order[count]])) - 1;
    return result;
}

/// How many of `all` a sparsity in [0, 1] makes stream: round(sparsity · all).
inline std::size_t countAt(double sparsity, std::size_t all)
{
    return static_cast<std::size_t>(std::lround(sparsity * static_cast<double>(all)));
}

} // namespace zigzag
