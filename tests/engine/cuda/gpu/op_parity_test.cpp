// SPDX-License-Identifier: GPL-3.0-or-later
// Every op but attention's on the GPU against the CPU: random inputs, poisoned outputs, odd sizes. The table that these tests
// print (op × largest relative error) is what the project shows: build/headless/bin/zigzag_gpu_tests
#include "tests/engine/cuda/gpu/parity_fixture.h"

#include <array>

namespace zigzag::test {
namespace {

std::int64_t signedSize(std::size_t size)
{
    return static_cast<std::int64_t>(size);
}

class OpParity : public Parity
{
protected:
    std::array<const Side *, 2> sides() const { return {&m_cpu, &m_gpu}; }
    /// The type of activations on a side.
    DType active(const Side &side, DType type) const { return side.backend->activationType(type); }

    static std::unique_ptr<Matrix> prepared(const Side &side, const Stored &stored, std::int64_t rows, std::int64_t columns)
    {
        auto matrix = side.backend->prepare({stored.bytes.data(), stored.type, rows, columns});
        EXPECT_TRUE(matrix);
        return matrix ? std::move(*matrix) : nullptr;
    }
};

TEST_F(OpParity, Embed)
{
    for (const DType type : allTypes)
        for (const std::int64_t width : {8, 37, 64, 4096}) {
            const Stored table(type, randomFloats(static_cast<std::size_t>(100 * width), 1));
            const std::vector<std::int32_t> tokens = {99, 0, 3, 3, 42};
            std::array<std::vector<float>, 2> results;
            for (std::size_t s = 0; s < 2; ++s) {
                const Side &side = *sides()[s];
                const auto matrix = prepared(side, table, 100, width);
                auto ids = side.backend->allocate(tokens.size() * sizeof(std::int32_t));
                ASSERT_TRUE(ids);
                side.backend->upload(**ids, 0, tokens.data(), tokens.size() * sizeof(std::int32_t));
                const Array out(side, DType::F32, tokens.size() * static_cast<std::size_t>(width));
                side.backend->embed({(*ids)->as<std::int32_t>(), std::ssize(tokens), matrix.get(), out.floats()});
                ASSERT_TRUE(side.backend->synchronize());
                results[s] = out.read();
            }
            EXPECT_EQ(results[0], results[1]) << width;
            compare("embed", type, results[1], results[0], fmt::format("width {}", width));
        }
}

TEST_F(OpParity, RmsNorm)
{
    for (const DType type : allTypes)
        for (const std::size_t width : {1, 7, 64, 100, 2048, 4096, 8192})
            for (const std::size_t tokens : {1, 3, 33}) {
                const auto in = randomFloats(tokens * width, width), weight = randomFloats(width, 2);
                std::array<std::vector<float>, 2> results;
                for (std::size_t s = 0; s < 2; ++s) {
                    const Side &side = *sides()[s];
                    const DType outType = active(side, type);
                    const Array from(side, DType::F32, in), by(side, DType::F32, weight), out(side, outType, in.size());
                    side.backend->rmsNorm(
                        {from.floats(), by.floats(), out.data(), signedSize(tokens), signedSize(width), 1e-5f, outType});
                    ASSERT_TRUE(side.backend->synchronize());
                    results[s] = out.read();
                }
                compare("rms_norm", type, results[1], results[0], fmt::format("{} × {}", tokens, width));
            }
}

struct MatmulCase {
    std::int64_t tokens, columns;
    std::vector<std::int64_t> rows;
    bool bias = false, residual = false, floatOut = false, norm = false, gated = false;
};

TEST_F(OpParity, Matmul)
{
    const std::vector<MatmulCase> cases = {
        {1, 64, {1}},
        {1, 4096, {4096}, false, true},
        {1, 4096, {1000}, true},
        {1, 4096, {4096, 1024, 1024}, true, false, false, true},
        {1, 4096, {1283}, false, false, true, true},
        {1, 2048, {5632, 5632}, false, false, false, true, true},
        {1, 5632, {2048}, false, true},
        {1, 40, {33}},
        {1, 44, {33}},
        {1, 30, {12, 5}, true},
        {2, 256, {96, 32, 32}, true, false, false, true},
        {3, 2048, {130}, false, true},
        {7, 896, {4864, 4864}, false, false, false, true, true},
        {8, 4096, {512}, false, true},
        {9, 512, {512, 64, 64}, true, false, false, true},
        {16, 1536, {257, 257}, false, false, false, true, true},
        {16, 14336, {64}, false, true},
        {17, 512, {512}, true, true},
        {33, 256, {100, 36, 36}, true},
        {64, 512, {1000}, false, false, true},
        {130, 768, {256, 256}, false, false, false, true, true},
        {257, 64, {48}, false, true},
    };
    for (const DType type : allTypes)
        for (const MatmulCase &c : cases) {
            const std::string what = fmt::format("{} tokens, {} columns, {} products of {}{}{}{}{}", c.tokens, c.columns,
                                                 c.rows.size(), c.rows[0], c.bias ? ", bias" : "", c.residual ? ", residual" : "",
                                                 c.norm ? ", norm" : "", c.gated ? ", gated" : "");
            const auto tokens = static_cast<std::size_t>(c.tokens), columns = static_cast<std::size_t>(c.columns);
            const auto in = randomOf(type, tokens * columns, 3), residualIn = randomFloats(tokens * columns, 4),
                       weight = randomFloats(columns, 5);
            std::array<std::vector<std::vector<float>>, 2> results;
            for (std::size_t s = 0; s < 2; ++s) {
                const Side &side = *sides()[s];
                const DType activation = active(side, type);
                const Array before(side, DType::F32, residualIn), normWeight(side, DType::F32, weight);
                const Array input = c.norm ? Array(side, activation, in.size()) : Array(side, activation, in);
                std::vector<Stored> weights; // the CPU backend reads them where they are
                weights.reserve(c.rows.size());
                std::vector<std::unique_ptr<Matrix>> matrices;
                std::vector<Array> biases, outs;
                std::vector<Product> products;
                for (std::size_t p = 0; p < c.rows.size(); ++p) {
                    const auto rows = static_cast<std::size_t>(c.rows[p]);
                    weights.emplace_back(type,
                                         randomFloats(rows * columns, 10 + p, 1.0f / std::sqrt(static_cast<float>(columns))));
                    matrices.push_back(prepared(side, weights.back(), c.rows[p], c.columns));
                    biases.emplace_back(side, DType::F32, randomFloats(rows, 20 + p));
                    if (c.residual)
                        outs.emplace_back(side, DType::F32, randomFloats(tokens * rows, 30 + p)); // added to in place
                    else
                        outs.emplace_back(side, c.floatOut ? DType::F32 : activation, tokens * rows);
                    products.push_back({matrices[p].get(), c.bias ? biases[p].floats() : nullptr,
                                        c.residual ? outs[p].floats() : nullptr, outs[p].data(), c.floatOut});
                }
                if (c.norm)
                    side.backend->rmsNorm(
                        {before.floats(), normWeight.floats(), input.data(), c.tokens, c.columns, 1e-5f, activation});
                side.backend->matmul({input.data(), c.tokens, products});
                if (c.gated)
                    side.backend->swiGlu(
                        {outs[0].data(), outs[1].data(), outs[0].data(), signedSize(outs[0].count()), activation});
                ASSERT_TRUE(side.backend->synchronize()) << what;
                for (std::size_t p = 0; p < (c.gated ? 1 : outs.size()); ++p)
                    results[s].push_back(outs[p].read());
            }
            for (std::size_t p = 0; p < results[0].size(); ++p)
                compare(c.gated      ? "matmul, gated"
                            : c.norm ? "matmul after norm"
                                     : "matmul",
                        type, results[1][p], results[0][p], what);
        }
}

TEST_F(OpParity, SwiGlu)
{
    for (const DType type : allTypes)
        for (const std::size_t count : {1, 31, 4096, 100003}) {
            const auto gate = randomOf(type, count, 1, 3.0f), up = randomOf(type, count, 2);
            std::array<std::vector<float>, 2> results;
            for (std::size_t s = 0; s < 2; ++s) {
                const Side &side = *sides()[s];
                const Array g(side, active(side, type), gate), u(side, active(side, type), up);
                side.backend->swiGlu({g.data(), u.data(), g.data(), signedSize(count), active(side, type)});
                ASSERT_TRUE(side.backend->synchronize());
                results[s] = g.read();
            }
            compare("swiglu", type, results[1], results[0], fmt::format("{} values", count));
        }
}

TEST_F(OpParity, CopyHeads)
{
    const std::vector<int> heads = {1, 2, 6};
    for (const DType type : allTypes)
        for (const int headDim : {32, 80, 128}) {
            const auto in = randomOf(type, static_cast<std::size_t>(5 * 8 * headDim), 7);
            for (const bool scatter : {false, true}) {
                std::array<std::vector<float>, 2> results;
                for (std::size_t s = 0; s < 2; ++s) {
                    const Side &side = *sides()[s];
                    const DType activation = active(side, type);
                    // Where heads are scattered, what lies between them stays.
                    const Array from(side, activation, in), to(side, activation, std::vector<float>(in.size(), 0.5f));
                    side.backend->copyHeads(
                        {from.data(), to.data(), heads, 5, scatter ? 3 : 8, scatter ? 8 : 3, headDim, scatter, activation});
                    ASSERT_TRUE(side.backend->synchronize());
                    results[s] = to.read();
                }
                EXPECT_EQ(results[0], results[1]) << headDim << scatter;
                compare("copy_heads", type, results[1], results[0], "");
            }
        }
}

TEST_F(OpParity, NextToken)
{
    for (const std::int64_t vocabulary : {2, 1000, 128256}) {
        constexpr std::size_t rows = 3;
        constexpr std::int64_t context = 10;
        std::vector<float> logits = randomFloats(rows * static_cast<std::size_t>(vocabulary), 9);
        logits[static_cast<std::size_t>(vocabulary) + 1] = logits[2 * static_cast<std::size_t>(vocabulary) - 1]
            = 50; // equals: the lowest id
        std::array<std::vector<std::int32_t>, 2> results;
        for (std::size_t s = 0; s < 2; ++s) {
            const Side &side = *sides()[s];
            const Array from(side, DType::F32, logits);
            std::vector<std::int32_t> state(2 * rows + rows * context, -7);
            state[rows] = 0, state[rows + 1] = 4, state[rows + 2] = 9; // the last choice lies outside the context
            auto memory = side.backend->allocate(state.size() * sizeof(std::int32_t));
            ASSERT_TRUE(memory);
            side.backend->upload(**memory, 0, state.data(), state.size() * sizeof(std::int32_t));
            auto *ints = (*memory)->as<std::int32_t>();
            side.backend->nextToken({from.floats(), rows, vocabulary, ints, ints + rows, ints + 2 * rows, context});
            ASSERT_TRUE(side.backend->synchronize());
            side.backend->download(state.data(), ints, state.size() * sizeof(std::int32_t));
            results[s] = state;
        }
        EXPECT_EQ(results[0], results[1]) << vocabulary;
        EXPECT_EQ(results[1][1], 1);
        EXPECT_EQ(results[1][rows + 1], 5);
    }
}

TEST_F(OpParity, ARecordedStepRunsAgain)
{
    const Array logits(m_gpu, DType::F32, std::vector<float>{1, 5, 3});
    std::vector<std::int32_t> state = {0, 0, -1, -1, -1, -1, -1, -1};
    auto memory = m_gpu.backend->allocate(state.size() * sizeof(std::int32_t));
    ASSERT_TRUE(memory);
    m_gpu.backend->upload(**memory, 0, state.data(), state.size() * sizeof(std::int32_t));
    auto *ints = (*memory)->as<std::int32_t>();
    const auto step = m_gpu.backend->record([&] {
        m_gpu.backend->nextToken({logits.floats(), 1, 3, ints, ints + 1, ints + 2, 6});
    });
    ASSERT_TRUE(step);
    for (int i = 0; i < 3; ++i)
        step->replay();
    ASSERT_TRUE(m_gpu.backend->synchronize());
    m_gpu.backend->download(state.data(), ints, state.size() * sizeof(std::int32_t));
    EXPECT_EQ(state, (std::vector<std::int32_t>{1, 3, -1, 1, 1, 1, -1, -1}));
}

TEST_F(OpParity, MemoryThatIsNotThereIsRefusedAndTheRestStaysUsable)
{
    const auto refused = m_gpu.backend->allocate(std::size_t{1} << 45);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("bytes could not be allocated"), std::string::npos);
    fmt::print("{}\n", refused.error().message);
    EXPECT_TRUE(m_gpu.backend->allocate(1 << 20));
    EXPECT_TRUE(m_gpu.backend->synchronize());
}

} // namespace
} // namespace zigzag::test
