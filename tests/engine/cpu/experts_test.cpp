// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/cpu/op_fixture.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>

namespace zigzag::test {
namespace {

/// Experts in one storage type, and what a plain loop in double makes of them.
class ExpertsTest : public testing::Test
{
protected:
    static constexpr std::size_t hidden = 24, wide = 20, experts = 6;

    void make(DType type)
    {
        for (const auto &[list, stored, rows, columns] :
             {std::tuple(&m_gates, &m_storedGates, wide, hidden), std::tuple(&m_ups, &m_storedUps, wide, hidden),
              std::tuple(&m_downs, &m_storedDowns, hidden, wide)}) {
            list->clear();
            stored->clear();
            for (std::size_t i = 0; i < experts; ++i)
                stored->emplace_back(type,
                                     randomFloats(rows * columns, 10 * i + (list == &m_ups) + 2 * (list == &m_downs), 0.3f));
            for (const Stored &each : *stored)
                list->push_back(*backend->prepare(
                    {each.bytes.data(), type, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}));
        }
    }

    static double dot(const std::vector<float> &weights, std::size_t row, const double *in, std::size_t columns)
    {
        double sum = 0;
        for (std::size_t c = 0; c < columns; ++c)
            sum += static_cast<double>(weights[row * columns + c]) * in[c];
        return sum;
    }

    /// out += weight · down(silu(gate(in)) · up(in)) of the experts that `routes` chooses.
    void addToken(const float *in, const float *routes, int perToken, bool renormalises, double *out) const
    {
        std::vector<std::size_t> order(experts);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return routes[a] > routes[b]; });
        double all = 0, some = 0;
        for (std::size_t i = 0; i < experts; ++i) {
            all += std::exp(static_cast<double>(routes[order[i]]));
            some += i < static_cast<std::size_t>(perToken) ? std::exp(static_cast<double>(routes[order[i]])) : 0;
        }
        const std::vector<double> row(in, in + hidden);
        for (std::size_t i = 0; i < static_cast<std::size_t>(perToken); ++i) {
            const std::size_t expert = order[i];
            std::vector<double> middle(wide);
            for (std::size_t r = 0; r < wide; ++r) {
                const double gate = dot(m_storedGates[expert].values, r, row.data(), hidden);
                middle[r] = gate / (1 + std::exp(-gate)) * dot(m_storedUps[expert].values, r, row.data(), hidden);
            }
            const double weight = std::exp(static_cast<double>(routes[expert])) / (renormalises ? some : all);
            for (std::size_t r = 0; r < hidden; ++r)
                out[r] += weight * dot(m_storedDowns[expert].values, r, middle.data(), wide);
        }
    }

    void run(const std::vector<float> &routes, const std::vector<float> &in, int perToken, float *out, bool renormalises = false)
    {
        backend->experts({.in = in.data(),
                          .routes = routes.data(),
                          .out = out,
                          .gates = m_gates,
                          .ups = m_ups,
                          .downs = m_downs,
                          .tokens = static_cast<std::int64_t>(routes.size() / experts),
                          .perToken = perToken,
                          .renormalises = renormalises});
    }

    void check(const std::vector<float> &routes, int perToken, bool renormalises, double tolerance)
    {
        const std::size_t tokens = routes.size() / experts;
        const auto in = randomFloats(tokens * hidden, 77), residual = randomFloats(tokens * hidden, 78);
        std::vector<double> expected(residual.begin(), residual.end());
        for (std::size_t t = 0; t < tokens; ++t)
            addToken(in.data() + t * hidden, routes.data() + t * experts, perToken, renormalises, expected.data() + t * hidden);
        auto out = guardedFloats(tokens * hidden);
        std::copy(residual.begin(), residual.end(), out.data());
        run(routes, in, perToken, out.data(), renormalises);
        EXPECT_LT(relativeError(out.data(), expected), tolerance);
        EXPECT_TRUE(out.intact());
    }

    std::unique_ptr<Backend> backend = createCpuBackend();

private:
    std::vector<std::unique_ptr<Matrix>> m_gates, m_ups, m_downs;
    std::vector<Stored> m_storedGates, m_storedUps, m_storedDowns;
};

TEST_F(ExpertsTest, AgreeWithAPlainLoop)
{
    for (const DType type : allTypes) {
        make(type);
        for (const std::size_t tokens : {1, 2, 9, 70})
            for (const int perToken : {1, 2, 6})
                for (const bool renormalises : {false, true}) {
                    SCOPED_TRACE(testing::Message() << nameOf(type) << ", " << tokens << " tokens, " << perToken << " experts");
                    check(randomFloats(tokens * experts, tokens, 2.0f), perToken, renormalises, type == DType::F32 ? 2e-6 : 1e-2);
                }
    }
}

TEST_F(ExpertsTest, AmongEqualsTheLowerIsChosen)
{
    make(DType::F32);
    check(std::vector<float>(3 * experts, 0.25f), 2, false, 2e-6);
    check({1, 3, 3, 3, 1, 1, 3, 1, 1, 1, 3, 3}, 2, true, 2e-6);
}

TEST_F(ExpertsTest, NoTokenIsDroppedWhereAllChooseOneExpert)
{
    make(DType::F32);
    std::vector<float> routes(200 * experts, -1.0f);
    for (std::size_t t = 0; t < 200; ++t)
        routes[t * experts + 4] = 5.0f;
    check(routes, 1, false, 2e-6);
    check(routes, 1, true, 2e-6);
}

TEST_F(ExpertsTest, LargeRoutesDoNotOverflow)
{
    make(DType::F32);
    auto routes = randomFloats(4 * experts, 3, 2.0f), large = routes;
    for (float &route : large)
        route += 512.0f; // which changes no softmax
    for (std::size_t i = 0; i < routes.size(); ++i)
        routes[i] = large[i] - 512.0f; // as it was rounded
    const auto in = randomFloats(4 * hidden, 5);
    auto out = guardedFloats(4 * hidden), same = guardedFloats(4 * hidden);
    std::fill(out.data(), out.data() + 4 * hidden, 0.0f);
    std::fill(same.data(), same.data() + 4 * hidden, 0.0f);
    run(large, in, 3, out.data());
    run(routes, in, 3, same.data());
    for (std::size_t i = 0; i < 4 * hidden; ++i)
        ASSERT_FLOAT_EQ(out[i], same[i]);
}

TEST_F(ExpertsTest, ARouteThatIsNoNumberSpoilsItsTokenAlone)
{
    make(DType::F32);
    std::vector<float> routes(2 * experts, 0.5f);
    routes[3] = std::numeric_limits<float>::quiet_NaN();
    const auto in = randomFloats(2 * hidden, 5);
    auto out = guardedFloats(2 * hidden);
    std::fill(out.data(), out.data() + 2 * hidden, 0.0f);
    run(routes, in, 2, out.data());
    EXPECT_TRUE(std::isnan(out[0]));
    for (std::size_t c = 0; c < hidden; ++c)
        EXPECT_TRUE(std::isfinite(out[hidden + c]));
}

} // namespace
} // namespace zigzag::test
