// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <utility>
#include <vector>

namespace zigzag::serve {

/// What a model gave a token, and what it gave the likeliest ones.
struct TokenScore {
    float logprob = 0; ///< natural logarithm of its probability, at temperature 1
    std::vector<std::pair<int, float>> top; ///< id and logarithm, the likeliest first; the lower id among equals
};

/// The score of `token` under logits. [vocabulary] `count`: how many of the likeliest are named.
TokenScore scoreOf(std::span<const float> logits, int token, int count);

} // namespace zigzag::serve
