// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/kernels/matvec_q8.cuh"
#include "tests/engine/cuda/kernel_fixture.h"

namespace zigzag::test {
namespace {

using gpu::Bf16, gpu::F16;

/// A matrix in Q8_0, at a multiple of 4, and the numbers that it stands for.
struct Q8Matrix {
    std::vector<std::uint32_t> memory;
    std::vector<double> values; // [rows, columns]

    Q8Matrix(std::size_t rows, std::size_t columns, unsigned seed)
    {
        std::mt19937 random(seed);
        std::vector<std::uint8_t> bytes;
        for (std::size_t block = 0; block < rows * columns / 32; ++block) {
            const std::uint16_t scale = floatToF16(0.001f * static_cast<float>(1 + random() % 50));
            bytes.push_back(static_cast<std::uint8_t>(scale));
            bytes.push_back(static_cast<std::uint8_t>(scale >> 8));
            for (int i = 0; i < 32; ++i) {
                const auto integer = static_cast<std::int8_t>(block % 5 == 0 && i < 2 ? (i == 0 ? -128 : 127) : random() % 256);
                bytes.push_back(static_cast<std::uint8_t>(integer));
                values.push_back(static_cast<double>(f16ToFloat(scale)) * integer);
            }
        }
        memory.resize((bytes.size() + 3) / 4); // half a word more at most, which an odd number of blocks leaves
        std::memcpy(memory.data(), bytes.data(), bytes.size());
    }
};

template <class T> void checkProducts(const std::vector<int> &rows, int columns, int batch, bool more, double tolerance)
{
    const auto width = static_cast<std::size_t>(columns), count = static_cast<std::size_t>(batch);
    const DeviceArray<T> in(randomFloats(count * width, 1));
    const auto x = in.floats();
    gpu::MatvecArgs args = {};
    args.in = in.data(), args.batch = batch, args.columns = columns;
    std::vector<Q8Matrix> matrices;
    std::vector<std::vector<float>> biases, residuals;
    std::vector<std::unique_ptr<DeviceArray<T>>> outs;
    std::vector<std::unique_ptr<DeviceArray<float>>> floatOuts;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto outputs = static_cast<std::size_t>(rows[i]);
        matrices.emplace_back(outputs, width, static_cast<unsigned>(i));
        biases.push_back(randomFloats(outputs, 20 + i));
        residuals.push_back(randomFloats(count * outputs, 30 + i));
        outs.push_back(std::make_unique<DeviceArray<T>>(count * outputs));
        floatOuts.push_back(std::make_unique<DeviceArray<float>>(residuals[i]));
        const bool floatOut = more && i != 1;
        args.products[i] = {matrices[i].memory.data(),
                            more ? biases[i].data() : nullptr,
                            floatOut ? floatOuts[i]->data() : nullptr,
                            floatOut ? static_cast<void *>(floatOuts[i]->data()) : outs[i]->data(),
                            rows[i],
                            floatOut,
                            more ? 0.5f : 1.0f};
    }
    ASSERT_EQ(gpu::launchMatvecQ8<T>(args, {}, gpu::Start::Early), 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto outputs = static_cast<std::size_t>(rows[i]);
        const bool floatOut = more && i != 1;
        std::vector<double> expected;
        for (std::size_t b = 0; b < count; ++b)
            for (std::size_t r = 0; r < outputs; ++r) {
                double sum = more ? double{biases[i][r]} : 0.0;
                for (std::size_t c = 0; c < width; ++c)
                    sum += matrices[i].values[r * width + c] * static_cast<double>(x[b * width + c]);
                expected.push_back(floatOut ? 0.5 * sum + double{residuals[i][b * outputs + r]} : more ? 0.5 * sum : sum);
            }
        const auto got = floatOut ? floatOuts[i]->floats() : outs[i]->floats();
        EXPECT_LT(relativeError(got.data(), expected), floatOut ? 1e-5 : tolerance) << i;
        EXPECT_TRUE(outs[i]->intact() && floatOuts[i]->intact());
    }
}

TEST(MatvecQ8Kernel, MatchesFloat64)
{
    for (const int batch : {1, 2, 3, 8})
        for (const bool more : {false, true}) {
            checkProducts<Bf16>({33}, 32, batch, more, 4e-3); // blocks of both alignments begin rows
            checkProducts<F16>({40, 7, 1}, 96, batch, more, 5e-4);
            checkProducts<Bf16>({5, 16, 2}, 1056, batch, more, 4e-3);
        }
    EXPECT_TRUE(gpu::supportsMatvecQ8(8, 896));
    EXPECT_FALSE(gpu::supportsMatvecQ8(9, 896) || gpu::supportsMatvecQ8(1, 48));
}

} // namespace
} // namespace zigzag::test
