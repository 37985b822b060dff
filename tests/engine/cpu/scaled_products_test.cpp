// SPDX-License-Identifier: GPL-3.0-or-later
// Products with weights in F8 that have scales beside them, against the decoder's numbers (engine/model/tensor_values.h).
#include "engine/model/tensor_values.h"
#include "tests/engine/cpu/op_fixture.h"

#include <fmt/format.h>

namespace zigzag::test {
namespace {

struct Scaled {
    std::vector<std::byte> bytes;
    std::vector<float> scales, values;
    TensorView view;

    /// Random numbers of the type, NaN left out, and random scales of both signs.
    Scaled(std::int64_t rows, std::int64_t columns, std::int64_t rowsPerScale, std::int64_t columnsPerScale)
    {
        std::mt19937_64 random(11);
        bytes.resize(static_cast<std::size_t>(rows * columns));
        for (std::byte &byte : bytes)
            if (byte = static_cast<std::byte>(random() & 255); (byte & std::byte{127}) == std::byte{127})
                byte = std::byte{0};
        view = {bytes.data(), DType::F8, rows, columns, {nullptr, rowsPerScale, columnsPerScale}};
        scales = randomFloats(static_cast<std::size_t>(view.scales.count(rows, columns)), 12, 0.01f);
        view.scales.data = scales.data();
        values = floatsOf(view);
    }
};

TEST(CpuScaled, TheDecoderMultipliesEachNumberWithItsScale)
{
    const Scaled weights(5, 11, 2, 4);
    EXPECT_EQ(weights.scales.size(), 9u);
    for (std::size_t row = 0; row < 5; ++row)
        for (std::size_t column = 0; column < 11; ++column)
            EXPECT_EQ(weights.values[row * 11 + column],
                      f8ToFloat(std::to_integer<std::uint8_t>(weights.bytes[row * 11 + column]))
                          * weights.scales[row / 2 * 3 + column / 4]);
}

TEST(CpuScaled, ProductsAreThoseOfTheDecodedNumbers)
{
    struct Shape {
        std::int64_t rows, columns, rowsPerScale, columnsPerScale;
    };
    const auto backend = createCpuBackend();
    for (const Shape &shape : {Shape{64, 256, 64, 256}, Shape{70, 320, 1, 320}, Shape{140, 384, 128, 128},
                               Shape{9, 200, 128, 128}, Shape{13, 37, 5, 7}, Shape{1, 1, 1, 1}})
        for (const std::size_t tokens : {1, 2, 3, 7, 8, 9, 40}) {
            SCOPED_TRACE(fmt::format("[{}, {}] by [{}, {}], {} tokens", shape.rows, shape.columns, shape.rowsPerScale,
                                     shape.columnsPerScale, tokens));
            const Scaled weights(shape.rows, shape.columns, shape.rowsPerScale, shape.columnsPerScale);
            const auto matrix = std::move(*backend->prepare(weights.view));
            const auto rows = static_cast<std::size_t>(shape.rows), columns = static_cast<std::size_t>(shape.columns);
            const std::vector<float> in = randomFloats(tokens * columns, 13);
            auto out = guardedFloats(tokens * rows);
            const Product product{.matrix = matrix.get(), .out = out.data()};
            backend->matmul({in.data(), static_cast<std::int64_t>(tokens), {&product, 1}});
            EXPECT_TRUE(out.intact());
            for (std::size_t t = 0; t < tokens; ++t)
                for (std::size_t row = 0; row < rows; ++row) {
                    double sum = 0, sizes = 0;
                    for (std::size_t c = 0; c < columns; ++c) {
                        const double term = double{weights.values[row * columns + c]} * in[t * columns + c];
                        sum += term;
                        sizes += std::abs(term);
                    }
                    // Many tokens are multiplied by oneDNN, in bf16 at worst.
                    ASSERT_NEAR(out.data()[t * rows + row], sum, (tokens <= 8 ? 3e-6 : 8e-3) * sizes);
                }
        }
}

/// Files in F8 hold no embedding, but an embedding may be asked of any matrix.
TEST(CpuScaled, EmbeddingsAreRowsWithTheirScales)
{
    const auto backend = createCpuBackend();
    const Scaled weights(6, 40, 2, 16);
    const auto table = std::move(*backend->prepare(weights.view));
    const std::vector<std::int32_t> tokens = {5, 0, 3};
    auto out = guardedFloats(3 * 40);
    backend->embed({tokens.data(), 3, table.get(), out.data()});
    EXPECT_TRUE(out.intact());
    for (std::size_t t = 0; t < 3; ++t)
        for (std::size_t c = 0; c < 40; ++c)
            EXPECT_EQ(out.data()[t * 40 + c], weights.values[static_cast<std::size_t>(tokens[t]) * 40 + c]);
}

} // namespace
} // namespace zigzag::test
