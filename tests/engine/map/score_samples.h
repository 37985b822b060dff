// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_scores.h"

#include <random>
#include <utility>

namespace zigzag::test {

inline HeadScores scoresOf(int layers, int kvHeads, std::vector<float> gates)
{
    HeadScores scores;
    scores.model = {"sample", layers, 4 * kvHeads, kvHeads, 64, {}};
    scores.method = "gates";
    scores.scores = std::move(gates);
    return scores;
}

/// Gates as trained ones are: many near 0, many exactly 1, the rest in between and coarse, so that ties happen.
inline HeadScores randomGates(int layers, int kvHeads, unsigned seed)
{
    std::mt19937 random(seed);
    std::vector<float> gates;
    for (int i = 0; i < layers * kvHeads; ++i) {
        const unsigned draw = random() % 4;
        const auto steps = static_cast<float>(random() % 257);
        gates.push_back(draw == 0 ? 0.0f : draw == 1 ? 1.0f : draw == 2 ? steps / 256.0f : steps * 1e-6f);
    }
    return scoresOf(layers, kvHeads, std::move(gates));
}

} // namespace zigzag::test
