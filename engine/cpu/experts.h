// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cpu/matmul.h"
#include "engine/cpu/scratch.h"

#include <cstdint>
#include <vector>

namespace zigzag {

/// Feed-forwards of which each token passes through a few (ExpertsArgs): the rows of an expert's tokens are gathered, so that its
/// weights are read once for all of them.
class Experts
{
public:
    void run(const ExpertsArgs &args, Matmul &matmul);

private:
    /// One token's way through one expert.
    struct Route {
        std::int32_t token = 0;
        float weight = 0;
    };

    void choose(const ExpertsArgs &args);
    void runExpert(const ExpertsArgs &args, std::size_t expert, std::span<const Route> routes, Matmul &matmul);

    std::vector<std::int32_t> m_chosen; // [tokens, per_token]
    std::vector<float> m_weights; // [tokens, per_token]
    std::vector<std::size_t> m_first; // [experts + 1], of each expert in m_routes
    std::vector<Route> m_routes; // [tokens · per_token], by expert, then by token
    Scratch m_in, m_gate, m_up, m_out;
};

} // namespace zigzag
