// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <random>
#include <span>

namespace zigzag {

/// The next token from logits. Temperature 0 = greedy (the lowest id among equals); otherwise seeded and reproducible.
class Sampler
{
public:
    explicit Sampler(double temperature = 0.0, double topP = 1.0, std::uint64_t seed = 0);
    int next(std::span<const float> logits); // [vocabulary]

private:
    double m_temperature;
    double m_topP;
    std::mt19937_64 m_random;
};

} // namespace zigzag
