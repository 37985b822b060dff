// SPDX-License-Identifier: GPL-3.0-or-later
// Products with weights that stay in their blocks, against the decoder's numbers (engine/model/weight_type.h).
#include "engine/cpu/kernels.h"
#include "tests/engine/cpu/block_fixture.h"
#include "tests/engine/cpu/op_fixture.h"
#include "tests/engine/cpu/simd_targets.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag::test {
namespace {

std::vector<std::int64_t> columnsOf(WeightType type)
{
    return type.blockLength() == 256 ? std::vector<std::int64_t>{256, 768}
        : type.blockLength() == 128  ? std::vector<std::int64_t>{128, 256, 384, 1152}
                                     : std::vector<std::int64_t>{32, 96, 256, 288, 576, 1120};
}

/// One weight row against one row of activations, in double: the product, and the sum of the products' sizes.
struct Exact {
    double sum = 0, sizes = 0, allowed = 0;
};

/// `allowed`: by how much rounding each part of 32 activations to half a step of its scale can move the sum.
Exact exact(const float *weights, const float *in, std::int64_t columns)
{
    Exact all;
    for (std::int64_t first = 0; first < columns; first += 32) {
        double largest = 0, sizes = 0;
        for (std::int64_t c = first; c < first + 32; ++c) {
            const double product = double{weights[c]} * in[c];
            all.sum += product;
            all.sizes += std::abs(product);
            largest = std::max(largest, std::abs(double{in[c]}));
            sizes += std::abs(double{weights[c]});
        }
        all.allowed += sizes * largest / 254;
    }
    return all;
}

std::vector<float> multiply(Backend &backend, const StoredBlocks &weights, const std::vector<float> &in, std::size_t tokens)
{
    const auto matrix = std::move(*backend.prepare({weights.bytes.data(), weights.type, weights.rows, weights.columns}));
    auto out = guardedFloats(tokens * static_cast<std::size_t>(weights.rows));
    const Product product{.matrix = matrix.get(), .out = out.data()};
    backend.matmul({in.data(), static_cast<std::int64_t>(tokens), {&product, 1}});
    EXPECT_TRUE(out.intact());
    return {out.data(), out.data() + out.size()};
}

TEST(CpuBlocks, WideningIsTheDecoderButForOneRounding)
{
    for (const WeightType type : allBlockTypes())
        for (const std::int64_t columns : columnsOf(type)) {
            SCOPED_TRACE(fmt::format("{} columns {}", nameOf(type), columns));
            const StoredBlocks weights(type, 3, columns, 1);
            for (std::int64_t row = 0; row < 3; ++row) {
                const float *expected = weights.values.data() + row * columns;
                auto got = guardedFloats(static_cast<std::size_t>(columns));
                kernels::widen(type, weights.bytes.data() + row * rowBytes(type, columns), got.data(), got.size());
                EXPECT_TRUE(got.intact());
                EXPECT_LT(relativeError(got.data(), {expected, expected + columns}), 3e-7);
            }
        }
}

/// Activations that eight bits hold as they are: what is left is the order of float32 sums.
void expectNothingLost(std::int64_t rows)
{
    const auto backend = createCpuBackend();
    std::mt19937_64 random(3);
    for (const WeightType type : allBlockTypes())
        for (const std::int64_t columns : columnsOf(type))
            for (const std::size_t tokens : {1, 2, 3, 4, 7, 8, 9, 31}) {
                SCOPED_TRACE(fmt::format("{} columns {} tokens {}", nameOf(type), columns, tokens));
                const StoredBlocks weights(type, rows, columns, 2);
                std::vector<float> in(tokens * static_cast<std::size_t>(columns));
                for (std::size_t i = 0; i < in.size(); ++i) // each part has its 127, and a step of its own
                    in[i] = (i % 32 == 5 ? 127.0f : static_cast<float>(static_cast<int>(random() % 255) - 127))
                        * static_cast<float>(1 + i / 32 % 3) / 64.0f;
                const std::vector<float> got = multiply(*backend, weights, in, tokens);
                for (std::size_t t = 0; t < tokens; ++t)
                    for (std::int64_t row = 0; row < rows; ++row) {
                        const Exact expected = exact(weights.values.data() + row * columns,
                                                     in.data() + t * static_cast<std::size_t>(columns), columns);
                        EXPECT_NEAR(got[t * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row)], expected.sum,
                                    3e-6 * expected.sizes);
                    }
            }
}

TEST(CpuBlocks, NothingIsLostWhereNothingIsRounded)
{
    forEveryTarget([] {
        for (const std::int64_t rows : {1, 9, 16, 39}) // strips of sixteen rows, and what is left of them
            expectNothingLost(rows);
    });
}

/// The largest codes of both signs, each row beside itself with the other sign.
TEST(CpuBlocks, TheLargestCodesDoNotOverflow)
{
    forEveryTarget([] {
        const auto backend = createCpuBackend();
        StoredBlocks weights(BlockType::Q80, 2, 544, 19);
        for (std::size_t at = 0; at < weights.bytes.size(); at += 34) {
            const std::uint16_t one = 0x3c00;
            std::memcpy(weights.bytes.data() + at, &one, sizeof one);
            std::memset(weights.bytes.data() + at + 2, at < weights.bytes.size() / 2 ? 127 : 128, 32);
        }
        const std::vector<float> got = multiply(*backend, weights, std::vector<float>(544, -127.0f), 1);
        EXPECT_EQ(got[0], -127.0f * 127 * 544);
        EXPECT_EQ(got[1], 127.0f * 128 * 544);
    });
}

TEST(CpuBlocks, RoundedActivationsStayWithinHalfAStep)
{
    const auto backend = createCpuBackend();
    fmt::print("type: root mean square of the error over that of the results, normal random activations\n");
    for (const WeightType type : allBlockTypes()) {
        double errors = 0, squares = 0;
        for (const std::int64_t columns : columnsOf(type))
            for (const std::size_t tokens : {1, 5, 32, 33, 80}) {
                SCOPED_TRACE(fmt::format("{} columns {} tokens {}", nameOf(type), columns, tokens));
                const StoredBlocks weights(type, 140, columns, 4);
                const auto in = randomFloats(tokens * static_cast<std::size_t>(columns), 5);
                const std::vector<float> got = multiply(*backend, weights, in, tokens);
                const bool isRounded = tokens <= 32; // others are multiplied by oneDNN, in bf16 at worst
                for (std::size_t i = 0; i < got.size(); ++i) {
                    const std::size_t row = i % 140, token = i / 140;
                    const Exact expected = exact(weights.values.data() + row * static_cast<std::size_t>(columns),
                                                 in.data() + token * static_cast<std::size_t>(columns), columns);
                    const double error = std::abs(got[i] - expected.sum);
                    ASSERT_LE(error, isRounded ? 1.01 * expected.allowed : 8e-3 * expected.sizes);
                    errors += isRounded ? error * error : 0;
                    squares += isRounded ? expected.sum * expected.sum : 0;
                }
            }
        const double off = std::sqrt(errors / squares);
        fmt::print("{:<6} {:.1e}\n", nameOf(type), off);
        EXPECT_LT(off, 9e-3);
    }
}

/// The groups of tokens that share a reading of the weights change no bit of any of them.
TEST(CpuBlocks, ATokenDoesNotDependOnThoseBesideIt)
{
    forEveryTarget([] {
        const auto backend = createCpuBackend();
        for (const WeightType type : allBlockTypes()) {
            SCOPED_TRACE(nameOf(type));
            const StoredBlocks weights(type, 70, 512, 6);
            const auto in = randomFloats(31 * 512, 7);
            const std::vector<float> together = multiply(*backend, weights, in, 31);
            for (const std::size_t token : {0, 3, 6, 7, 30}) {
                const auto *first = in.data() + token * 512;
                const std::vector<float> alone = multiply(*backend, weights, {first, first + 512}, 1);
                EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(token * 70)));
            }
        }
    });
}

/// What is no number must reach the results, where it is looked for (engine/run/finite.h).
TEST(CpuBlocks, WhatIsNoNumberStaysNone)
{
    forEveryTarget([] {
        const auto backend = createCpuBackend();
        for (const WeightType type : allBlockTypes())
            for (const std::size_t tokens : {1, 40})
                for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
                    SCOPED_TRACE(fmt::format("{} tokens {} {}", nameOf(type), tokens, wrong));
                    const StoredBlocks weights(type, 4, 256, 8);
                    auto in = randomFloats(tokens * 256, 9);
                    in[77] = wrong;
                    const std::vector<float> got = multiply(*backend, weights, in, tokens);
                    EXPECT_FALSE(std::isfinite(got[0]) && std::isfinite(got[1]) && std::isfinite(got[2])
                                 && std::isfinite(got[3]));
                    EXPECT_TRUE(tokens == 1 || std::isfinite(got[5]));
                }
        StoredBlocks weights(BlockType::Q80, 2, 64, 10);
        const std::uint16_t nan = 0x7e00;
        std::memcpy(weights.bytes.data() + 34, &nan, sizeof nan);
        const std::vector<float> got = multiply(*backend, weights, randomFloats(64, 11), 1);
        EXPECT_TRUE(std::isnan(got[0]) && std::isfinite(got[1]));
    });
}

TEST(CpuBlocks, ProductsOfSeveralTypesShareTheirInput)
{
    const auto backend = createCpuBackend();
    const StoredBlocks four(BlockType::Q4K, 20, 512, 12), six(BlockType::Q6K, 8, 512, 13);
    const Stored plain(DType::F32, randomFloats(3 * 512, 14));
    const auto a = std::move(*backend->prepare({four.bytes.data(), four.type, 20, 512})),
               b = std::move(*backend->prepare({six.bytes.data(), six.type, 8, 512})),
               c = std::move(*backend->prepare({plain.bytes.data(), DType::F32, 3, 512}));
    for (const std::size_t tokens : {2, 20, 50}) {
        SCOPED_TRACE(tokens);
        const auto in = randomFloats(tokens * 512, 15), bias = randomFloats(20, 16), residual = randomFloats(tokens * 8, 17);
        auto outA = guardedFloats(tokens * 20), outB = guardedFloats(tokens * 8), outC = guardedFloats(tokens * 3);
        const std::vector<Product> products
            = {{.matrix = a.get(), .bias = bias.data(), .out = outA.data()},
               {.matrix = b.get(), .residual = residual.data(), .out = outB.data(), .scale = 0.5f},
               {.matrix = c.get(), .out = outC.data()}};
        backend->matmul({in.data(), static_cast<std::int64_t>(tokens), products});
        EXPECT_TRUE(outA.intact() && outB.intact() && outC.intact());
        for (std::size_t t = 0; t < tokens; ++t) {
            const auto of = [&](const float *weights) { return exact(weights, in.data() + t * 512, 512); };
            for (std::size_t r = 0; r < 20; ++r) {
                const Exact expected = of(four.values.data() + r * 512);
                EXPECT_NEAR(outA[t * 20 + r], expected.sum + double{bias[r]}, 1.01 * expected.allowed);
            }
            for (std::size_t r = 0; r < 8; ++r) {
                const Exact expected = of(six.values.data() + r * 512);
                EXPECT_NEAR(outB[t * 8 + r], expected.sum / 2 + double{residual[t * 8 + r]}, 1.01 * expected.allowed);
            }
            for (std::size_t r = 0; r < 3; ++r)
                EXPECT_NEAR(outC[t * 3 + r], of(plain.values.data() + r * 512).sum, 1e-3);
        }
    }
}

TEST(CpuBlocks, AnEmbeddingIsARowOfTheDecoder)
{
    const auto backend = createCpuBackend();
    for (const WeightType type : allBlockTypes()) {
        const StoredBlocks weights(type, 5, 256, 18);
        const auto table = std::move(*backend->prepare({weights.bytes.data(), type, 5, 256}));
        const std::int32_t tokens[] = {4, 0};
        auto out = guardedFloats(2 * 256);
        backend->embed({.tokens = tokens, .count = 2, .table = table.get(), .out = out.data()});
        EXPECT_TRUE(std::equal(out.data(), out.data() + 256, weights.values.begin() + 4 * 256)) << nameOf(type);
        EXPECT_TRUE(std::equal(out.data() + 256, out.data() + 512, weights.values.begin())) << nameOf(type);
        EXPECT_TRUE(out.intact());
    }
}

} // namespace
} // namespace zigzag::test
