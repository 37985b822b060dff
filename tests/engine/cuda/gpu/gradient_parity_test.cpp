// SPDX-License-Identifier: GPL-3.0-or-later
// The backward ops on the GPU against the CPU's, which central differences prove (tests/engine/cpu/gradients_test.cpp).
#include "engine/model/random_blocks.h"
#include "engine/run/gradients.h"
#include "tests/engine/cuda/gpu/parity_fixture.h"

#include <array>

namespace zigzag::test {
namespace {

const std::vector<DType> gradientTypes = {DType::F32, DType::BF16};

class GradientParity : public Parity
{
protected:
    std::array<const Side *, 2> sides() const { return {&m_cpu, &m_gpu}; }
    static DType active(const Side &side, DType type) { return side.backend->activationType(type); }
    static GradientOps &opsOf(const Side &side) { return *side.backend->gradients(); }

    /// Σ of the products' gradients on both sides, of matrices that `prepare` gives for (side, number of rows).
    template <class Prepare>
    void checkProducts(DType type, std::int64_t tokens, std::int64_t columns, const std::vector<std::int64_t> &rows, bool add,
                       Prepare prepare, const std::string &what)
    {
        const auto before = randomFloats(static_cast<std::size_t>(tokens * columns), 5);
        std::array<std::vector<float>, 2> results;
        for (std::size_t s = 0; s < 2; ++s) {
            const Side &side = *sides()[s];
            const Array gradIn(side, DType::F32, before);
            std::vector<std::unique_ptr<Matrix>> matrices;
            std::vector<Array> gradients;
            std::vector<ProductGradient> products;
            for (std::size_t p = 0; p < rows.size(); ++p) {
                matrices.push_back(prepare(side, p));
                gradients.emplace_back(side, DType::F32, randomFloats(static_cast<std::size_t>(tokens * rows[p]), 10 + p));
            }
            for (std::size_t p = 0; p < rows.size(); ++p)
                products.push_back({matrices[p].get(), gradients[p].floats(), p == 0 ? 0.5f : 1.0f});
            opsOf(side).matmul({products, gradIn.floats(), tokens, add});
            ASSERT_TRUE(side.backend->synchronize()) << what;
            results[s] = gradIn.read();
        }
        compare("matmul, backward", type, results[1], results[0], what);
    }

    void checkPlainProducts(DType type, std::int64_t tokens, std::int64_t columns, const std::vector<std::int64_t> &rows,
                            bool add)
    {
        std::vector<Stored> stored;
        for (std::size_t p = 0; p < rows.size(); ++p)
            stored.emplace_back(type, randomFloats(static_cast<std::size_t>(rows[p] * columns), 20 + p));
        const auto prepare = [&](const Side &side, std::size_t p) {
            return std::move(*side.backend->prepare({stored[p].bytes.data(), type, rows[p], columns}));
        };
        checkProducts(type, tokens, columns, rows, add, prepare, fmt::format("{} tokens, {} of {}", tokens, columns, rows[0]));
    }

    std::vector<std::vector<std::byte>> m_kept; ///< quantised matrices
};

TEST_F(GradientParity, Products)
{
    for (const DType type : gradientTypes) {
        checkPlainProducts(type, 1, 64, {32}, false);
        checkPlainProducts(type, 33, 128, {320, 320}, false);
        checkPlainProducts(type, 300, 512, {512, 128, 128}, true);
        checkPlainProducts(type, 7, 48, {100}, false);
    }
    // More than the scratch holds at a time: two parts of the tokens.
    checkPlainProducts(DType::BF16, 600, 16, {120000}, true);
}

TEST_F(GradientParity, ProductsWithQuantisedMatrices)
{
    for (const BlockType type : {BlockType::Q80, BlockType::Q4K}) {
        const std::int64_t rows = 200, columns = 512;
        const auto prepare = [&](const Side &side, std::size_t) {
            m_kept.emplace_back(static_cast<std::size_t>(rows * rowBytes(type, columns))); // the CPU reads them where they are
            fillBlocks(type, 0.05, 3, 0, rows * columns / WeightType(type).blockLength(), m_kept.back().data());
            auto matrix = std::move(*side.backend->prepare({m_kept.back().data(), type, rows, columns}));
            matrix->activations = DType::BF16;
            return matrix;
        };
        checkProducts(DType::BF16, 40, columns, {rows}, false, prepare, "quantised");
    }
}

TEST_F(GradientParity, Pointwise)
{
    for (const DType type : gradientTypes) {
        std::array<std::vector<std::vector<float>>, 2> results;
        std::vector<double> gates[2];
        const std::vector<float> open = {0.0f, 0.3f, 1.0f, 0.7f};
        for (std::size_t s = 0; s < 2; ++s) {
            const Side &side = *sides()[s];
            const DType act = active(side, type);
            constexpr std::int64_t tokens = 37;
            constexpr int heads = 8, dim = 64;
            constexpr std::size_t count = tokens * heads * dim;
            const Array in(side, DType::F32, randomFloats(count, 1)), weight(side, DType::F32, randomFloats(heads * dim, 2)),
                grad(side, DType::F32, randomFloats(count, 3)), added(side, DType::F32, randomFloats(count, 4));
            opsOf(side).rmsNorm({in.floats(), weight.floats(), grad.floats(), added.floats(), tokens, heads * dim, 1e-5f, true});
            const Array gate(side, act, randomOf(type, count, 5, 3.0f)), up(side, act, randomOf(type, count, 6)),
                gradGate(side, DType::F32, randomFloats(count, 7)), gradUp(side, DType::F32, count);
            opsOf(side).swiGlu({gate.data(), up.data(), gradGate.floats(), gradGate.floats(), gradUp.floats(), count, act});
            const Array turned(side, DType::F32, randomFloats(count, 8)), plain(side, act, randomOf(type, count, 9)),
                norm(side, DType::F32, randomFloats(dim, 10)), angles(side, DType::F32, randomFloats((tokens + 1) * dim, 11));
            opsOf(side).rotate(
                {turned.floats(), plain.data(), norm.floats(), angles.floats(), tokens, 1, heads, dim, 1e-6f, 0, false, act});
            const Array full(side, act, randomOf(type, count, 12)), streaming(side, act, randomOf(type, count, 13)),
                out(side, act, count), gradOut(side, DType::F32, randomFloats(count, 14));
            opsOf(side).blend({full.data(), streaming.data(), open, out.data(), tokens, heads, dim, act});
            ASSERT_TRUE(side.backend->synchronize());
            results[s] = {added.read(), gradGate.read(), gradUp.read(), turned.read(), out.read()};
            gates[s].assign(open.size(), 7.0);
            opsOf(side).blendGradient({full.data(), streaming.data(), open, gradOut.floats(), full.data(), streaming.data(),
                                       gates[s], tokens, heads, dim, act});
            ASSERT_TRUE(side.backend->synchronize());
            results[s].push_back(full.read());
            results[s].push_back(streaming.read());
            results[s].emplace_back(gates[s].begin(), gates[s].end());
        }
        const char *names[]
            = {"rms_norm, backward",     "swiglu, backward (gate)",     "swiglu, backward (up)",  "rope, backward", "blend",
               "blend, backward (full)", "blend, backward (streaming)", "blend, backward (gates)"};
        for (std::size_t i = 0; i < results[0].size(); ++i)
            compare(names[i], type, results[1][i], results[0][i], "");
    }
}

struct Case {
    int tokens, headDim, group;
    std::vector<HeadPattern> patterns;
    bool sinkLogits = false, add = false;
};

TEST_F(GradientParity, Attention)
{
    const HeadPattern full, window = HeadPattern::streaming(64, 256), narrow = HeadPattern::streaming(3, 20);
    for (const DType type : gradientTypes)
        for (const Case &c : {Case{1, 128, 1, {full, narrow}},
                              {700, 128, 4, {full, window, narrow}},
                              {333, 64, 3, {full, HeadPattern::streaming(0, 100), narrow}, true, true},
                              {130, 80, 1, {full, narrow}},
                              {65, 32, 2, {narrow, full}},
                              {100, 256, 2, {full, narrow}},
                              {50, 48, 1, {full, narrow}, true}}) {
            const int kvHeads = static_cast<int>(c.patterns.size()), queryHeads = kvHeads * c.group;
            const auto ofQueries = static_cast<std::size_t>(c.tokens * queryHeads * c.headDim),
                       ofKeys = static_cast<std::size_t>(c.tokens * kvHeads * c.headDim);
            std::array<std::vector<std::vector<float>>, 2> results;
            for (std::size_t s = 0; s < 2; ++s) {
                const Side &side = *sides()[s];
                const DType act = active(side, type);
                const Array queries(side, act, randomOf(type, ofQueries, 1)), gradOut(side, act, randomOf(type, ofQueries, 2)),
                    keys(side, act, randomOf(type, ofKeys, 3)), values(side, act, randomOf(type, ofKeys, 4)),
                    logits(side, DType::F32, randomFloats(static_cast<std::size_t>(queryHeads), 5)),
                    gradQueries(side, DType::F32, randomFloats(ofQueries, 6)),
                    gradKeys(side, DType::F32, randomFloats(ofKeys, 7)), gradValues(side, DType::F32, randomFloats(ofKeys, 8));
                std::vector<HeadCache> caches;
                const std::int64_t headBytes = std::int64_t{c.tokens} * c.headDim * bytesOf(act);
                for (int head = 0; head < kvHeads; ++head)
                    caches.push_back({.pattern = c.patterns[static_cast<std::size_t>(head)],
                                      .keys = static_cast<std::byte *>(keys.data()) + head * headBytes,
                                      .values = static_cast<std::byte *>(values.data()) + head * headBytes,
                                      .slots = c.tokens});
                std::vector<double> ofLogits(c.sinkLogits ? static_cast<std::size_t>(queryHeads) : 0);
                opsOf(side).attention({.queries = queries.data(),
                                       .heads = caches,
                                       .gradOut = gradOut.data(),
                                       .gradQueries = gradQueries.floats(),
                                       .gradKeys = gradKeys.floats(),
                                       .gradValues = gradValues.floats(),
                                       .tokens = c.tokens,
                                       .queryHeads = queryHeads,
                                       .kvHeads = kvHeads,
                                       .headDim = c.headDim,
                                       .sinkLogits = c.sinkLogits ? logits.floats() : nullptr,
                                       .add = c.add,
                                       .gradSinkLogits = ofLogits,
                                       .type = act});
                ASSERT_TRUE(side.backend->synchronize());
                results[s] = {gradQueries.read(), gradKeys.read(), gradValues.read(), {ofLogits.begin(), ofLogits.end()}};
            }
            const char *names[] = {"attention, backward (queries)", "attention, backward (keys)", "attention, backward (values)",
                                   "attention, backward (sink logits)"};
            for (std::size_t i = 0; i < (c.sinkLogits ? 4 : 3); ++i)
                compare(names[i], type, results[1][i], results[0][i], fmt::format("{} tokens, d{}", c.tokens, c.headDim));
        }
}

} // namespace
} // namespace zigzag::test
