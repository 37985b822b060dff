// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zigzag {

/// One position's distribution of the next token beside full attention's.
struct NextToken {
    double kl = 0; ///< Σ p_full (log p_full − log p), nats
    bool sameTop = false; ///< whether the likeliest token is full attention's
};

/// Of each row. full, other: logits [rows, vocabulary], host
std::vector<NextToken> compareNextTokens(std::span<const float> full, std::span<const float> other, std::size_t vocabulary);

/// Σ weights · KL, and turns `other` into its gradient in it: weight · (p − p_full). weights: [rows]
double divergenceGradient(std::span<const float> full, std::span<float> other, std::span<const double> weights);

} // namespace zigzag
