// SPDX-License-Identifier: GPL-3.0-or-later
// What some families' layers ask of the small ops beyond Llama's, against plain loops in float64.
#include "tests/engine/cpu/op_fixture.h"

#include <cmath>
#include <vector>

namespace zigzag::test {
namespace {

class LayerExtras : public testing::Test
{
protected:
    std::unique_ptr<Backend> backend = createCpuBackend();
};

TEST_F(LayerExtras, ANormIsAddedToTheResidualStreamInPlace)
{
    for (const std::size_t width : {1, 7, 64, 1025}) {
        const auto in = randomFloats(3 * width, 1), weight = randomFloats(width, 2), before = randomFloats(3 * width, 3);
        std::vector<float> stream = before;
        const auto size = static_cast<std::int64_t>(width);
        backend->rmsNorm({.in = in.data(),
                          .weight = weight.data(),
                          .out = stream.data(),
                          .tokens = 3,
                          .width = size,
                          .epsilon = 1e-5f,
                          .residual = stream.data()});
        for (std::size_t row = 0; row < 3; ++row) {
            double squares = 0;
            for (std::size_t i = 0; i < width; ++i)
                squares += double{in[row * width + i]} * double{in[row * width + i]};
            const double scale = 1 / std::sqrt(squares / static_cast<double>(width) + 1e-5);
            for (std::size_t i = row * width; i < (row + 1) * width; ++i)
                ASSERT_NEAR(stream[i], before[i] + in[i] * scale * weight[i - row * width], 1e-5) << width;
        }
        std::vector<float> copy(in.size());
        backend->rmsNorm({.in = in.data(), .out = copy.data(), .tokens = 3, .width = size});
        EXPECT_EQ(copy, in) << "without weights it is no norm";
    }
}

TEST_F(LayerExtras, GatesByGelu)
{
    for (const std::size_t count : {1, 7, 33, 2049}) {
        auto gate = randomFloats(count, 1, 3.0f);
        const auto up = randomFloats(count, 2);
        gate[0] = -60.0f;
        gate[count / 2] = 60.0f;
        std::vector<float> out(count);
        backend->swiGlu({.gate = gate.data(),
                         .up = up.data(),
                         .out = out.data(),
                         .count = static_cast<std::int64_t>(count),
                         .activation = GatedActivation::GeluTanh});
        for (std::size_t i = 0; i < count; ++i) {
            const double g = gate[i], inner = std::sqrt(2 / 3.14159265358979) * (g + 0.044715 * g * g * g);
            ASSERT_NEAR(out[i], 0.5 * g * (1 + std::tanh(inner)) * up[i], 2e-6 * (1 + std::abs(g))) << i;
        }
    }
}

TEST_F(LayerExtras, SoftCapsKeepTheSignAndTheLimit)
{
    auto values = randomFloats(1003, 1, 40.0f);
    values[0] = 1e30f;
    values[1] = -1e30f;
    const auto before = values;
    backend->softCap({values.data(), static_cast<std::int64_t>(values.size()), 30.0f});
    for (std::size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(values[i], 30.0 * std::tanh(before[i] / 30.0), 2e-5) << i;
}

/// One token of two query heads and one KV head of 8 numbers at position 3, in whatever way it is rotated.
class RotationOfHeads : public LayerExtras
{
protected:
    static constexpr int dim = 8, queryHeads = 2;
    std::vector<float> queries = randomFloats(queryHeads * dim, 1), values = randomFloats(dim, 3);
    const std::vector<float> keys = randomFloats(dim, 2), plainQueries = queries;
    std::vector<float> storedKeys = std::vector<float>(8 * dim), storedValues = storedKeys;

    void run(RopeAppendArgs args)
    {
        const HeadCache cache{.keys = storedKeys.data(), .values = storedValues.data(), .slots = 8};
        args.queries = queries.data();
        args.keys = keys.data();
        args.values = values.data();
        args.heads = {&cache, 1};
        args.tokens = 1;
        args.firstPosition = 3;
        args.queryHeads = queryHeads;
        args.kvHeads = 1;
        args.headDim = dim;
        args.epsilon = 1e-5f;
        backend->ropeAppend(args);
    }
    float key(int i) const { return storedKeys[static_cast<std::size_t>(3 * dim + i)]; }
    static std::vector<float> table(int rotated)
    {
        std::vector<float> all;
        for (int position = 0; position < 8; ++position) {
            for (int i = 0; i < rotated / 2; ++i)
                all.push_back(std::cos(static_cast<float>(position * (i + 1))));
            for (int i = 0; i < rotated / 2; ++i)
                all.push_back(std::sin(static_cast<float>(position * (i + 1))));
        }
        return all;
    }
};

TEST_F(RotationOfHeads, NoneLeavesHeadsAsTheyAre)
{
    run({});
    EXPECT_EQ(queries, plainQueries);
    for (int i = 0; i < dim; ++i)
        EXPECT_EQ(key(i), keys[static_cast<std::size_t>(i)]);
}

TEST_F(RotationOfHeads, OfThePartOfAHeadLeavesTheRest)
{
    const std::vector<float> angles = table(4);
    RopeAppendArgs args;
    args.cosSin = angles.data();
    args.rotaryDim = 4;
    run(args);
    for (int i = 0; i < 2; ++i) { // pairs (0, 2) and (1, 3)
        const auto at = static_cast<std::size_t>(i);
        const double c = std::cos(3.0 * (i + 1)), s = std::sin(3.0 * (i + 1));
        EXPECT_NEAR(key(i), keys[at] * c - keys[at + 2] * s, 1e-6);
        EXPECT_NEAR(key(i + 2), keys[at + 2] * c + keys[at] * s, 1e-6);
        EXPECT_NEAR(queries[dim + at], plainQueries[dim + at] * c - plainQueries[dim + at + 2] * s, 1e-6);
    }
    for (int i = 4; i < dim; ++i)
        EXPECT_EQ(key(i), keys[static_cast<std::size_t>(i)]);
}

TEST_F(RotationOfHeads, OfNeighbours)
{
    const std::vector<float> angles = table(6);
    RopeAppendArgs args;
    args.cosSin = angles.data();
    args.rotaryDim = 6;
    args.interleaved = true;
    run(args);
    for (int i = 0; i < 3; ++i) {
        const auto at = static_cast<std::size_t>(2 * i);
        const double c = std::cos(3.0 * (i + 1)), s = std::sin(3.0 * (i + 1));
        EXPECT_NEAR(key(2 * i), keys[at] * c - keys[at + 1] * s, 1e-6);
        EXPECT_NEAR(key(2 * i + 1), keys[at + 1] * c + keys[at] * s, 1e-6);
    }
    EXPECT_EQ(key(7), keys[7]);
}

TEST_F(RotationOfHeads, NormsOverTheWidthAndScalesOfQueries)
{
    const auto queryNorm = randomFloats(queryHeads * dim, 5), keyNorm = randomFloats(dim, 6);
    std::vector<float> scales(8, 0.0f);
    scales[3] = 1.5f;
    RopeAppendArgs args;
    args.queryNorm = queryNorm.data();
    args.keyNorm = keyNorm.data();
    args.normsWidth = true;
    args.queryScales = scales.data();
    run(args);
    double squares = 0;
    for (const float query : plainQueries)
        squares += double{query} * double{query};
    const double scale = 1.5 / std::sqrt(squares / (queryHeads * dim) + 1e-5);
    for (std::size_t i = 0; i < queries.size(); ++i)
        EXPECT_NEAR(queries[i], plainQueries[i] * scale * queryNorm[i], 1e-6) << i;
    double keySquares = 0;
    for (const float each : keys)
        keySquares += double{each} * double{each};
    EXPECT_NEAR(key(2), keys[2] / std::sqrt(keySquares / dim + 1e-5) * keyNorm[2], 1e-6);
}

/// Attention of equal scores but one: a cap of 1 leaves them at most e² apart, in decode and in prefill.
TEST_F(LayerExtras, ScoresAreCappedInDecodeAndPrefill)
{
    constexpr int dim = 16;
    constexpr std::int64_t context = 70;
    std::vector<float> keys(context * dim), values(context * dim), queries(context * dim), out(context * dim);
    for (std::int64_t position = 0; position < context; ++position) {
        keys[static_cast<std::size_t>(position * dim)] = position == 5 ? 50.0f : -50.0f;
        values[static_cast<std::size_t>(position * dim)] = position == 5 ? 1.0f : 0.0f;
        queries[static_cast<std::size_t>(position * dim)] = 1.0f;
    }
    const HeadCache cache{.keys = keys.data(), .values = values.data(), .slots = context};
    const int head = 0;
    const auto run = [&](std::int64_t first, std::int64_t tokens) {
        AttentionArgs args;
        args.queries = queries.data() + first * dim;
        args.out = out.data() + first * dim;
        args.heads = {&cache, 1};
        args.selected = {&head, 1};
        args.tokens = tokens;
        args.firstPosition = first;
        args.queryHeads = args.kvHeads = 1;
        args.headDim = dim;
        args.scale = 1;
        args.softCap = 1;
        backend->attention(args);
    };
    const auto expected = [](std::int64_t position) { // e against 1/e
        return position < 5 ? 0.0 : std::exp(2.0) / (std::exp(2.0) + static_cast<double>(position));
    };
    run(0, context);
    for (std::int64_t position = 0; position < context; ++position)
        EXPECT_NEAR(out[static_cast<std::size_t>(position * dim)], expected(position), 1e-5) << position;
    run(context - 1, 1);
    EXPECT_NEAR(out[(context - 1) * dim], expected(context - 1), 1e-5);
}

} // namespace
} // namespace zigzag::test
