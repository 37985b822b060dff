// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cpu/experts.h"

#include "engine/cpu/activations.h"
#include "engine/cpu/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace zigzag {

namespace {

/// The `perToken` largest routes of one token, the lower expert first among equals, and their part of the softmax over all.
void chooseRow(std::span<const float> routes, bool renormalises, std::span<std::int32_t> chosen, std::span<float> weights)
{
    std::vector<std::int32_t> order(routes.size());
    std::iota(order.begin(), order.end(), 0);
    const auto routeTo = [&](std::int32_t expert) { // what is no number comes last, and spoils the sum below
        const float route = routes[static_cast<std::size_t>(expert)];
        return std::isnan(route) ? -std::numeric_limits<float>::infinity() : route;
    };
    const auto larger = [&](std::int32_t a, std::int32_t b) {
        const float x = routeTo(a), y = routeTo(b);
        return x > y || (x == y && a < b);
    };
    std::partial_sort(order.begin(), order.begin() + std::ssize(chosen), order.end(), larger);
    const float most = routes[static_cast<std::size_t>(order.front())];
    float all = 0, some = 0;
    for (const float route : routes)
        all += std::exp(route - most);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        chosen[i] = order[i];
        weights[i] = std::exp(routes[static_cast<std::size_t>(order[i])] - most) / all;
        some += weights[i];
    }
    if (renormalises)
        for (float &weight : weights)
            weight /= some;
}

} // namespace

/// Fills the routes of every expert, in the order of its tokens.
void Experts::choose(const ExpertsArgs &args)
{
    const std::size_t experts = args.gates.size(), perToken = static_cast<std::size_t>(args.perToken);
    const auto tokens = static_cast<std::size_t>(args.tokens);
    m_chosen.resize(tokens * perToken);
    m_weights.resize(tokens * perToken);
    parallelFor(args.tokens, rowsPerPart(static_cast<std::int64_t>(experts)), [&](std::int64_t begin, std::int64_t end) {
        for (auto t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t)
            chooseRow({args.routes + t * experts, experts}, args.renormalises,
                      std::span(m_chosen).subspan(t * perToken, perToken), std::span(m_weights).subspan(t * perToken, perToken));
    });
    m_first.assign(experts + 1, 0);
    for (const std::int32_t expert : m_chosen)
        ++m_first[static_cast<std::size_t>(expert) + 1];
    std::partial_sum(m_first.begin(), m_first.end(), m_first.begin());
    m_routes.resize(m_chosen.size());
    std::vector<std::size_t> next(m_first.begin(), m_first.end() - 1);
    for (std::size_t i = 0; i < m_chosen.size(); ++i)
        m_routes[next[static_cast<std::size_t>(m_chosen[i])]++] = {static_cast<std::int32_t>(i / perToken), m_weights[i]};
}

void Experts::runExpert(const ExpertsArgs &args, std::size_t expert, std::span<const Route> routes, Matmul &matmul)
{
    const Matrix &gateMatrix = *args.gates[expert], &upMatrix = *args.ups[expert], &downMatrix = *args.downs[expert];
    const auto hidden = static_cast<std::size_t>(gateMatrix.columns), wide = static_cast<std::size_t>(gateMatrix.rows);
    const std::size_t rows = routes.size();
    float *in = m_in.get<float>(rows * hidden), *gate = m_gate.get<float>(rows * wide), *up = m_up.get<float>(rows * wide),
          *out = m_out.get<float>(rows * hidden);
    const auto tokenOf = [&](std::size_t row) { return static_cast<std::size_t>(routes[row].token); };
    for (std::size_t row = 0; row < rows; ++row)
        std::memcpy(in + row * hidden, floats(args.in) + tokenOf(row) * hidden, hidden * sizeof(float));
    const auto tokens = static_cast<std::int64_t>(rows);
    const Product wideProducts[] = {{.matrix = &gateMatrix, .out = gate}, {.matrix = &upMatrix, .out = up}};
    matmul.run({in, tokens, wideProducts});
    parallelFor(tokens, rowsPerPart(static_cast<std::int64_t>(wide)), [&](std::int64_t begin, std::int64_t end) {
        const std::size_t from = static_cast<std::size_t>(begin) * wide;
        kernels::swiGluRow(gate + from, up + from, gate + from, static_cast<std::size_t>(end - begin) * wide);
    });
    const Product down{.matrix = &downMatrix, .out = out};
    matmul.run({gate, tokens, {&down, 1}});
    for (std::size_t row = 0; row < rows; ++row) {
        float *sum = args.out + tokenOf(row) * hidden;
        for (std::size_t c = 0; c < hidden; ++c)
            sum[c] += routes[row].weight * out[row * hidden + c];
    }
}

void Experts::run(const ExpertsArgs &args, Matmul &matmul)
{
    choose(args);
    for (std::size_t expert = 0; expert + 1 < m_first.size(); ++expert)
        if (const std::size_t count = m_first[expert + 1] - m_first[expert]; count > 0)
            runExpert(args, expert, std::span(m_routes).subspan(m_first[expert], count), matmul);
}

} // namespace zigzag
