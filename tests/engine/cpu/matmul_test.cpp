// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/cpu/op_fixture.h"

#include <cstring>

namespace zigzag::test {
namespace {

struct Weight {
    Stored stored;
    std::unique_ptr<Matrix> matrix;
};

Weight makeWeight(Backend &backend, DType type, std::int64_t rows, std::int64_t columns, std::uint64_t seed)
{
    Weight weight{Stored(type, randomFloats(static_cast<std::size_t>(rows * columns), seed)), nullptr};
    weight.matrix = std::move(*backend.prepare({weight.stored.bytes.data(), type, rows, columns}));
    return weight;
}

std::vector<double> multiply(const std::vector<float> &in, std::size_t tokens, const Weight &weight, const float *bias,
                             const float *residual)
{
    const auto rows = static_cast<std::size_t>(weight.matrix->rows), columns = static_cast<std::size_t>(weight.matrix->columns);
    std::vector<double> out(tokens * rows);
    for (std::size_t t = 0; t < tokens; ++t)
        for (std::size_t r = 0; r < rows; ++r) {
            double sum = (bias ? bias[r] : 0.0) + (residual ? residual[t * rows + r] : 0.0);
            for (std::size_t c = 0; c < columns; ++c)
                sum += double{in[t * columns + c]} * weight.stored.values[r * columns + c];
            out[t * rows + r] = sum;
        }
    return out;
}

/// Of the largest result. BF16 weights round the activations of many tokens to bf16 where the CPU has bf16 units.
double tolerance(DType type, std::size_t tokens)
{
    return type == DType::BF16 && tokens > 8 ? 4e-3 : 3e-6;
}

TEST(CpuMatmul, ProductsOfEveryTypeAndSize)
{
    const auto backend = createCpuBackend();
    for (const DType type : allTypes)
        for (const std::size_t tokens : {1, 2, 3, 7, 8, 9, 16, 65})
            for (const std::int64_t columns : {1, 31, 64, 130, 1100}) {
                SCOPED_TRACE(testing::Message() << nameOf(type) << " tokens " << tokens << " columns " << columns);
                const auto in = randomFloats(tokens * static_cast<std::size_t>(columns), 1);
                const Weight first = makeWeight(*backend, type, 71, columns, 2),
                             second = makeWeight(*backend, type, 3, columns, 3);
                const auto bias = randomFloats(71, 4), residual = randomFloats(tokens * 3, 5);
                auto outFirst = guardedFloats(tokens * 71), outSecond = guardedFloats(tokens * 3);
                const std::vector<Product> products = {{first.matrix.get(), bias.data(), nullptr, outFirst.data()},
                                                       {second.matrix.get(), nullptr, residual.data(), outSecond.data()}};
                backend->matmul({in.data(), static_cast<std::int64_t>(tokens), products});
                EXPECT_LT(relativeError(outFirst.data(), multiply(in, tokens, first, bias.data(), nullptr)),
                          tolerance(type, tokens));
                EXPECT_LT(relativeError(outSecond.data(), multiply(in, tokens, second, nullptr, residual.data())),
                          tolerance(type, tokens));
                EXPECT_TRUE(outFirst.intact() && outSecond.intact());
            }
}

TEST(CpuMatmul, ResidualInPlaceWithBias)
{
    const auto backend = createCpuBackend();
    for (const DType type : allTypes)
        for (const std::size_t tokens : {1, 5, 40}) {
            const auto in = randomFloats(tokens * 48, 1), bias = randomFloats(300, 2), residual = randomFloats(tokens * 300, 3);
            const Weight weight = makeWeight(*backend, type, 300, 48, 4);
            auto out = guardedFloats(tokens * 300);
            std::copy(residual.begin(), residual.end(), out.data());
            const Product product{weight.matrix.get(), bias.data(), out.data(), out.data()};
            backend->matmul({in.data(), static_cast<std::int64_t>(tokens), {&product, 1}});
            EXPECT_LT(relativeError(out.data(), multiply(in, tokens, weight, bias.data(), residual.data())),
                      tolerance(type, tokens));
            EXPECT_TRUE(out.intact());
        }
}

/// A row of a product is the same to rounding, however many tokens run with it: chunked prefill rests on this.
TEST(CpuMatmul, Float32RowsDoNotDependOnTheNumberOfTokens)
{
    const auto backend = createCpuBackend();
    const std::size_t tokens = 100, columns = 700, rows = 90;
    const auto in = randomFloats(tokens * columns, 1);
    const Weight weight = makeWeight(*backend, DType::F32, rows, columns, 2);
    std::vector<float> whole(tokens * rows), parts(tokens * rows);
    const auto run = [&](std::size_t first, std::size_t count, std::vector<float> &out) {
        const Product product{weight.matrix.get(), nullptr, nullptr, out.data() + first * rows};
        backend->matmul({in.data() + first * columns, static_cast<std::int64_t>(count), {&product, 1}});
    };
    run(0, tokens, whole);
    for (const std::size_t chunk : {1, 7, 64}) {
        for (std::size_t first = 0; first < tokens; first += chunk)
            run(first, std::min(chunk, tokens - first), parts);
        EXPECT_LT(relativeError(parts.data(), std::vector<double>(whole.begin(), whole.end())), 1e-6) << chunk;
    }
}

} // namespace
} // namespace zigzag::test
