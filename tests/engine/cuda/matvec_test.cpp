// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/kernels/matvec.cuh"
#include "tests/engine/cpu/op_fixture.h"

#include <cmath>
#include <ostream>

namespace zigzag::test {
namespace {

using gpu::Bf16, gpu::F16;

struct MatvecCase {
    std::string name;
    std::vector<int> rows; ///< of each product
    int columns = 256;
    int batch = 1;
    bool gated = false, norm = false, bias = false, residual = false;
    int sharedPerMultiprocessor = 228 << 10;

    friend void PrintTo(const MatvecCase &testCase, std::ostream *out) { *out << testCase.name; }
};

class Matvec : public testing::TestWithParam<MatvecCase>
{
protected:
    template <class T> void run(DType type, double tolerance)
    {
        const MatvecCase &c = GetParam();
        const auto columns = static_cast<std::size_t>(c.columns), batch = static_cast<std::size_t>(c.batch);
        const std::vector<float> in = randomFloats(batch * columns, 1), norm = randomFloats(columns, 2);
        const Stored input(type, in);
        gpu::MatvecArgs args = {};
        args.in = c.norm ? static_cast<const void *>(in.data()) : input.bytes.data();
        args.normWeight = c.norm ? norm.data() : nullptr;
        args.epsilon = 1e-2f;
        args.batch = c.batch, args.columns = c.columns;

        std::vector<Stored> weights;
        std::vector<std::vector<float>> biases;
        std::vector<Guarded<float>> outs; // float, or two T in one
        for (std::size_t i = 0; i < c.rows.size(); ++i) {
            const auto rows = static_cast<std::size_t>(c.rows[i]);
            weights.emplace_back(type, randomFloats(rows * columns, 10 + i, 1.0f / std::sqrt(static_cast<float>(columns))));
            biases.push_back(randomFloats(rows, 20 + i));
            outs.push_back(guardedFloats(batch * rows));
            if (c.residual)
                for (std::size_t j = 0; j < batch * rows; ++j)
                    outs[i][j] = residual(i, j);
            args.products[i] = {weights[i].bytes.data(),
                                c.bias ? biases[i].data() : nullptr,
                                c.residual ? outs[i].data() : nullptr,
                                outs[i].data(),
                                c.rows[i],
                                floatOut(i),
                                scale(i)};
        }
        gpu::GpuLimits limits{.multiprocessors = 2, .sharedPerMultiprocessor = c.sharedPerMultiprocessor};
        const gpu::MatvecPlan plan = gpu::planMatvec(c.rows, c.columns, c.batch, c.gated, limits);
        EXPECT_EQ(plan.whole, c.sharedPerMultiprocessor > 100 << 10);
        ASSERT_EQ(gpu::launchMatvec<T>(args, plan, {}, gpu::Start::Early), 0);

        for (std::size_t i = 0; i < (c.gated ? 1 : c.rows.size()); ++i) {
            const auto rows = static_cast<std::size_t>(c.rows[i]);
            std::vector<float> got;
            std::vector<double> expected;
            for (std::size_t b = 0; b < batch; ++b)
                for (std::size_t r = 0; r < rows; ++r) {
                    double value = dot(weights[i], c.norm ? in : input.values, norm, b, r) + (c.bias ? biases[i][r] : 0.0);
                    if (c.gated) {
                        const double up = dot(weights[1], c.norm ? in : input.values, norm, b, r) + (c.bias ? biases[1][r] : 0.0);
                        value = value / (1 + std::exp(-value)) * up;
                    }
                    value *= static_cast<double>(scale(i));
                    if (c.residual)
                        value += static_cast<double>(residual(i, b * rows + r));
                    expected.push_back(value);
                    got.push_back(read<T>(outs[i], b * rows + r, floatOut(i)));
                }
            EXPECT_LT(relativeError(got.data(), expected), tolerance) << "product " << i;
            EXPECT_TRUE(outs[i].intact());
            // T is half of a float: the second half of the memory was left alone.
            EXPECT_TRUE(floatOut(i) || std::isnan(outs[i][batch * rows - 1]));
        }
    }

private:
    static float residual(std::size_t product, std::size_t at) { return static_cast<float>((product * 31 + at * 7) % 11) - 5; }
    /// Gates have none.
    static float scale(std::size_t product) { return GetParam().gated || product == 0 ? 1.0f : 0.22f; }
    bool floatOut(std::size_t product) const { return GetParam().residual || product == 2; }
    double dot(const Stored &weights, const std::vector<float> &in, const std::vector<float> &norm, std::size_t b,
               std::size_t r) const
    {
        const auto columns = static_cast<std::size_t>(GetParam().columns);
        double sum = 0, squares = 0;
        for (std::size_t k = 0; k < columns; ++k) {
            const double x = static_cast<double>(in[b * columns + k]);
            squares += x * x;
            sum += x * static_cast<double>(weights.values[r * columns + k])
                * (GetParam().norm ? static_cast<double>(norm[k]) : 1.0);
        }
        return GetParam().norm ? sum / std::sqrt(squares / static_cast<double>(columns) + 0.01) : sum;
    }
    template <class T> static float read(Guarded<float> &out, std::size_t at, bool asFloat)
    {
        if (asFloat)
            return out[at];
        T value;
        std::memcpy(&value, reinterpret_cast<const std::byte *>(out.data()) + at * sizeof(T), sizeof(T));
        return gpu::toFloat(value);
    }
};

TEST_P(Matvec, MatchesFloat64)
{
    // Inputs are exact in T but for the norm's, which are rounded once; so are results in T.
    run<Bf16>(DType::BF16, 6e-3);
    run<F16>(DType::F16, 8e-4);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Matvec,
    testing::Values(MatvecCase{"one", {64}}, MatvecCase{"odd_sizes", {37}, 1000, 3},
                    MatvecCase{"several_rounds", {100}, 4104, 1, false, false, true, true},
                    MatvecCase{"three_products", {48, 16, 20}, 512, 2, false, true, true},
                    MatvecCase{"batch8", {70, 33}, 1504, 8, false, false, true},
                    MatvecCase{"batch16", {90}, 2040, 16, false, false, false, true},
                    MatvecCase{"batch11_norm", {40}, 264, 11, false, true}, MatvecCase{"gated", {75, 75}, 520, 1, true, true},
                    MatvecCase{"gated_bias_batch5", {44, 44}, 1032, 5, true, false, true},
                    MatvecCase{"gated_batch16", {24, 24}, 296, 16, true},
                    MatvecCase{"parts_of_the_vectors", {70}, 9000, 3, false, false, false, true, 64 << 10},
                    MatvecCase{"parts_batch16", {90}, 3000, 16, false, false, false, true, 100 << 10},
                    MatvecCase{"parts_batch6_gated", {40, 40}, 5000, 6, true, false, false, false, 80 << 10}),
    [](const auto &test) { return test.param.name; });

TEST(MatvecPlan, BlocksRunTogetherWithEqualShares)
{
    const gpu::GpuLimits h200;
    const int gateUp[] = {14336, 14336};
    gpu::MatvecPlan plan = gpu::planMatvec(gateUp, 4096, 1, true, h200);
    EXPECT_EQ(plan.tiles, 1792);
    EXPECT_EQ(plan.blocks, 256u); // seven tiles each
    EXPECT_TRUE(plan.whole);
    const int down[] = {4096};
    EXPECT_TRUE(gpu::planMatvec(down, 14336, 3, false, h200).whole);
    EXPECT_FALSE(gpu::planMatvec(down, 14336, 16, false, h200).whole);
    const int qkv[] = {4096, 1024, 1000};
    plan = gpu::planMatvec(qkv, 4096, 2, false, h200);
    EXPECT_EQ(plan.tileEnd, (std::array<int, 3>{256, 320, 383}));
    // What is asked for can be had, twice on every multiprocessor.
    for (const gpu::GpuLimits &limits :
         {h200, gpu::GpuLimits{108, 164 << 10, 163 << 10, 80}, gpu::GpuLimits{84, 100 << 10, 99 << 10, 86}})
        for (const int columns : {64, 4096, 28672})
            for (int batch = 1; batch <= gpu::matvecMaxBatch; ++batch)
                EXPECT_LE(gpu::planMatvec(down, columns, batch, false, limits).sharedBytes,
                          static_cast<std::size_t>(limits.sharedPerBlock));
    EXPECT_FALSE(gpu::supportsMatvec(17, 4096));
    EXPECT_FALSE(gpu::supportsMatvec(1, 100));
}

} // namespace
} // namespace zigzag::test
