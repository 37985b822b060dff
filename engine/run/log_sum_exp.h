// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace zigzag {

/// log Σ exp(logit): a logit less this is the natural logarithm of its token's probability. logits: [vocabulary], not empty
inline double logSumExp(std::span<const float> logits)
{
    const auto largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0;
    for (const float logit : logits)
        sum += std::exp(static_cast<double>(logit) - largest);
    return largest + std::log(sum);
}

} // namespace zigzag
