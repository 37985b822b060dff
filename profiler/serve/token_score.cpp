// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/serve/token_score.h"

#include "engine/run/log_sum_exp.h"

#include <algorithm>
#include <numeric>

namespace zigzag::serve {

TokenScore scoreOf(std::span<const float> logits, int token, int count)
{
    const double normalizer = logSumExp(logits);
    const auto logprob = [&](int id) { return static_cast<float>(logits[static_cast<std::size_t>(id)] - normalizer); };
    TokenScore score{.logprob = logprob(token), .top = {}};
    const auto named = std::min<std::size_t>(static_cast<std::size_t>(std::max(count, 0)), logits.size());
    std::vector<int> ids(named > 0 ? logits.size() : 0);
    std::iota(ids.begin(), ids.end(), 0);
    std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(named), ids.end(), [&](int a, int b) {
        const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
        return x > y || (x == y && a < b);
    });
    for (std::size_t i = 0; i < named; ++i)
        score.top.emplace_back(ids[i], logprob(ids[i]));
    return score;
}

} // namespace zigzag::serve
