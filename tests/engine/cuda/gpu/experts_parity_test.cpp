// SPDX-License-Identifier: GPL-3.0-or-later
// Layers of experts on the GPU against the CPU: one token, a few, many, and a recorded step.
#include "tests/engine/cuda/gpu/parity_fixture.h"

#include <array>

namespace zigzag::test {
namespace {

struct ExpertsCase {
    std::size_t experts, hidden, intermediate;
    int perToken;
    std::vector<std::size_t> tokens; ///< of each call
};

class ExpertsParity : public Parity
{
protected:
    using Matrices = std::vector<std::unique_ptr<Matrix>>;

    static Matrices prepared(const Side &side, const std::vector<Stored> &stored, std::size_t rows, std::size_t columns)
    {
        Matrices result;
        for (const Stored &each : stored) {
            auto matrix = side.backend->prepare(
                {each.bytes.data(), each.type, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)});
            EXPECT_TRUE(matrix);
            result.push_back(std::move(*matrix));
        }
        return result;
    }

    void check(const ExpertsCase &c, DType type, bool renormalises)
    {
        std::vector<Stored> gates, ups, downs;
        for (std::size_t e = 0; e < c.experts; ++e) {
            gates.emplace_back(type, randomFloats(c.intermediate * c.hidden, 3 * e, 0.05f));
            ups.emplace_back(type, randomFloats(c.intermediate * c.hidden, 3 * e + 1, 0.05f));
            downs.emplace_back(type, randomFloats(c.intermediate * c.hidden, 3 * e + 2, 0.05f));
        }
        std::array<std::vector<std::vector<float>>, 2> results;
        for (std::size_t s = 0; s < 2; ++s) {
            const Side &side = s == 0 ? m_cpu : m_gpu;
            const Matrices gate = prepared(side, gates, c.intermediate, c.hidden),
                           up = prepared(side, ups, c.intermediate, c.hidden),
                           down = prepared(side, downs, c.hidden, c.intermediate);
            for (const std::size_t tokens : c.tokens) {
                const Array in(side, side.backend->activationType(type), randomOf(type, tokens * c.hidden, tokens));
                const Array routes(side, DType::F32, randomFloats(tokens * c.experts, tokens + 1, 2.0f));
                const Array out(side, DType::F32, randomFloats(tokens * c.hidden, tokens + 2));
                const auto run = [&] {
                    side.backend->experts({.in = in.data(),
                                           .routes = routes.floats(),
                                           .out = out.floats(),
                                           .gates = gate,
                                           .ups = up,
                                           .downs = down,
                                           .tokens = static_cast<std::int64_t>(tokens),
                                           .perToken = c.perToken,
                                           .renormalises = renormalises});
                };
                run();
                if (const auto step = tokens == 1 ? side.backend->record(run) : nullptr) // once more
                    step->replay();
                else if (tokens == 1)
                    run();
                ASSERT_TRUE(side.backend->synchronize());
                results[s].push_back(out.read());
            }
        }
        for (std::size_t i = 0; i < c.tokens.size(); ++i)
            compare("experts", type, results[1][i], results[0][i],
                    fmt::format("{} of {} experts, {} × {}, {} tokens", c.perToken, c.experts, c.hidden, c.intermediate,
                                c.tokens[i]));
    }
};

TEST_F(ExpertsParity, FewTokensAndMany)
{
    for (const DType type : allTypes)
        for (const bool renormalises : {false, true}) {
            check({8, 512, 1024, 2, {1, 2, 5, 64, 300}}, type, renormalises);
            check({128, 256, 96, 8, {1, 3, 16, 17, 700}}, type, renormalises);
            check({5, 37, 21, 3, {1, 9}}, type, renormalises);
            check({300, 136, 72, 10, {1, 40, 900}}, type, renormalises);
        }
}

TEST_F(ExpertsParity, MoreThanOnePieceOfScratch)
{
    check({64, 2048, 768, 8, {4000}}, DType::BF16, true);
}

} // namespace
} // namespace zigzag::test
