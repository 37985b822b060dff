// SPDX-License-Identifier: GPL-3.0-or-later
// Layers of experts on the GPU against the CPU: one token, a few, many, and a recorded step.
#include "engine/model/random_blocks.h"
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
    std::vector<std::vector<float>> m_kept;

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

    /// Quantised ones; on the CPU as the numbers that they stand for.
    Matrices prepared(const Side &side, BlockType type, unsigned seed, std::size_t count, std::size_t rows, std::size_t columns)
    {
        Matrices result;
        for (std::size_t i = 0; i < count; ++i) {
            const auto height = static_cast<std::int64_t>(rows), width = static_cast<std::int64_t>(columns);
            const std::int64_t blocks = height * width / WeightType(type).blockLength();
            std::vector<std::byte> bytes(static_cast<std::size_t>(height * rowBytes(type, width)));
            fillBlocks(type, 0.05, seed + i, 0, blocks, bytes.data());
            std::vector<float> numbers(rows * columns);
            decodeNumbers(type, bytes.data(), height * width, numbers.data());
            const bool onGpu = side.backend->capabilities().copiesWeights;
            auto matrix = onGpu
                ? side.backend->prepare({bytes.data(), type, height, width})
                : side.backend->prepare({reinterpret_cast<const std::byte *>(numbers.data()), DType::F32, height, width});
            EXPECT_TRUE(matrix);
            if (!onGpu)
                m_kept.push_back(std::move(numbers)); // it reads them where they are
            (*matrix)->activations = DType::BF16;
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
        compareBoth(c, type, renormalises, "experts", [&](const Side &side) {
            return std::array{prepared(side, gates, c.intermediate, c.hidden), prepared(side, ups, c.intermediate, c.hidden),
                              prepared(side, downs, c.hidden, c.intermediate)};
        });
    }

    void checkBlocks(const ExpertsCase &c, BlockType type, BlockType typeOfDowns)
    {
        m_kept.clear();
        compareBoth(c, DType::BF16, true, fmt::format("experts {}/{}", nameOf(type), nameOf(typeOfDowns)), [&](const Side &side) {
            return std::array{prepared(side, type, 1, c.experts, c.intermediate, c.hidden),
                              prepared(side, type, 1001, c.experts, c.intermediate, c.hidden),
                              prepared(side, typeOfDowns, 2001, c.experts, c.hidden, c.intermediate)};
        });
    }

    template <class Prepare>
    void compareBoth(const ExpertsCase &c, DType type, bool renormalises, const std::string &what, Prepare prepare)
    {
        std::array<std::vector<std::vector<float>>, 2> results;
        for (std::size_t s = 0; s < 2; ++s) {
            const Side &side = s == 0 ? m_cpu : m_gpu;
            const auto [gate, up, down] = prepare(side);
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
            compare(what, type, results[1][i], results[0][i],
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

TEST_F(ExpertsParity, QuantisedMatrices)
{
    for (const auto &[type, downs] : {std::pair{BlockType::Q80, BlockType::Q80},
                                      {BlockType::Q40, BlockType::Q41},
                                      {BlockType::Q4K, BlockType::Q6K},
                                      {BlockType::Q50, BlockType::Q50},
                                      {BlockType::Int4, BlockType::Int4}}) {
        checkBlocks({16, 512, 768, 4, {1, 3, 5, 200}}, type, downs);
        checkBlocks({3, 4096, 14336, 2, {1, 40}}, type, downs); // more rows than there is room for as plain numbers
    }
}

TEST_F(ExpertsParity, MoreThanOnePieceOfScratch)
{
    check({64, 2048, 768, 8, {4000}}, DType::BF16, true);
}

} // namespace
} // namespace zigzag::test
