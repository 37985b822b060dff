// SPDX-License-Identifier: GPL-3.0-or-later
// FP8 in the kernels of every SIMD target, against the conversions of dtype.h.
#include "engine/cpu/kernels.h"
#include "tests/engine/cpu/op_fixture.h"
#include "tests/engine/cpu/simd_targets.h"

#include <array>
#include <cstring>
#include <numeric>

namespace zigzag::test {
namespace {

/// Every code but the two of NaN.
std::vector<std::uint8_t> numbers()
{
    std::vector<std::uint8_t> codes;
    for (unsigned bits = 0; bits < 256; ++bits)
        if ((bits & 0x7fu) != 0x7fu)
            codes.push_back(static_cast<std::uint8_t>(bits));
    return codes;
}

TEST(CpuF8, WidensEveryCode)
{
    std::array<std::uint8_t, 256> codes{};
    std::iota(codes.begin(), codes.end(), std::uint8_t{0});
    forEveryTarget([&] {
        for (const std::size_t first : {0u, 1u, 3u, 250u}) { // whole vectors, and what is left behind them
            auto out = guardedFloats(codes.size() - first);
            kernels::toFloat(DType::F8, codes.data() + first, out.data(), out.size());
            for (std::size_t i = 0; i < out.size(); ++i) {
                const float expected = f8ToFloat(codes[first + i]);
                if (std::isnan(expected))
                    EXPECT_TRUE(std::isnan(out[i])) << first + i;
                else
                    EXPECT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(expected)) << first + i;
            }
            EXPECT_TRUE(out.intact());
        }
    });
}

TEST(CpuF8, NarrowsAsOneByOne)
{
    std::vector<float> values = randomFloats(3000, 1);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = std::ldexp(values[i], static_cast<int>(i % 24) - 13);
    for (const std::uint8_t below : numbers()) { // the middles between neighbours, and both sides of them
        if ((below & 0x7fu) == 0x7eu)
            continue;
        const float middle = (f8ToFloat(below) + f8ToFloat(static_cast<std::uint8_t>(below + 1))) / 2;
        values.insert(values.end(), {f8ToFloat(below), middle, std::nextafter(middle, 1e9f), std::nextafter(middle, -1e9f)});
    }
    const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    values.insert(values.end(), {447.9f, 448, 464, 465, 1e30f, infinity, nan, -448, -1e9f, -infinity, -nan, 0, -0.0f, 1e-40f});
    values.insert(values.end(), values.end() - 14, values.end()); // once within a vector, once behind the last
    forEveryTarget([&] {
        Guarded<std::uint8_t> out(values.size(), 0x55, 0xa5);
        kernels::fromFloat(DType::F8, values.data(), out.data(), values.size());
        for (std::size_t i = 0; i < values.size(); ++i)
            EXPECT_EQ(out[i], floatToF8(values[i])) << values[i];
        EXPECT_TRUE(out.intact());
    });
}

TEST(CpuF8, DotProductsAndWeightedSums)
{
    const std::vector<std::uint8_t> codes = numbers();
    for (const std::size_t dim : {2, 16, 20, 64, 128, 258}) {
        constexpr std::size_t keys = 13, heads = 7;
        std::vector<std::uint8_t> stored(keys * dim);
        for (std::size_t i = 0; i < stored.size(); ++i)
            stored[i] = codes[i * 41 % codes.size()];
        const auto queries = randomFloats(heads * dim, 1), weights = randomFloats(heads * keys, 2),
                   before = randomFloats(heads * dim, 3);
        const std::vector<float> scale(heads, 0.5f);
        std::vector<double> scores(heads * keys), sums(heads * dim);
        for (std::size_t h = 0; h < heads; ++h) {
            for (std::size_t c = 0; c < dim; ++c)
                sums[h * dim + c] = 0.5 * static_cast<double>(before[h * dim + c]);
            for (std::size_t key = 0; key < keys; ++key)
                for (std::size_t c = 0; c < dim; ++c) {
                    const auto value = static_cast<double>(f8ToFloat(stored[key * dim + c]));
                    scores[h * keys + key] += value * static_cast<double>(queries[h * dim + c]);
                    sums[h * dim + c] += value * static_cast<double>(weights[h * keys + key]);
                }
        }
        forEveryTarget([&] {
            auto gotScores = guardedFloats(heads * keys), gotSums = guardedFloats(heads * dim);
            kernels::dotRows(DType::F8, stored.data(), keys, dim, queries.data(), dim, heads, gotScores.data(), keys);
            EXPECT_LT(relativeError(gotScores.data(), scores), 2e-6) << dim;
            std::copy(before.begin(), before.end(), gotSums.data());
            kernels::accumulateValues(DType::F8, stored.data(), keys, dim, weights.data(), keys, heads, scale.data(),
                                      gotSums.data());
            EXPECT_LT(relativeError(gotSums.data(), sums), 2e-6) << dim;
            EXPECT_TRUE(gotScores.intact() && gotSums.intact());
        });
    }
}

/// One key, whose value attention gives back: what is too large becomes the largest number, unless a scale makes room for it.
TEST(CpuF8, StoresSaturateAndScalesMakeRoom)
{
    const auto backend = createCpuBackend();
    constexpr int dim = 4;
    const std::vector<float> value = {1e6f, -1e6f, 3.0f, 700.0f}, key(dim, 1e9f), angles = {1, 1, 0, 0};
    const int selected = 0;
    for (const float scale : {1.0f, 4096.0f}) {
        std::vector<std::uint8_t> keys(dim, 0xff), values(dim, 0xff);
        const HeadCache cache{HeadPattern::full(), keys.data(), values.data(), 1, nullptr, nullptr};
        std::vector<float> query(dim, 1.0f), out(dim);
        RopeAppendArgs append;
        append.queries = query.data(), append.keys = key.data(), append.values = value.data(), append.cosSin = angles.data();
        append.heads = {&cache, 1}, append.tokens = 1;
        append.queryHeads = append.kvHeads = 1, append.headDim = dim, append.cacheType = DType::F8;
        append.scales = {scale, scale};
        backend->ropeAppend(append);
        EXPECT_EQ(f8ToFloat(keys[0]), f8Max);
        AttentionArgs args;
        args.queries = query.data(), args.out = out.data(), args.heads = {&cache, 1}, args.selected = {&selected, 1};
        args.tokens = 1, args.queryHeads = args.kvHeads = 1, args.headDim = dim, args.cacheType = DType::F8;
        args.scales = append.scales;
        backend->attention(args);
        for (std::size_t c = 0; c < dim; ++c) {
            const float expected = scale == 1 ? std::clamp(value[c], -f8Max, f8Max) : value[c];
            EXPECT_NEAR(out[c], expected, std::abs(expected) / 16 + scale * 0x1p-10f) << scale << ' ' << value[c];
        }
    }
}

} // namespace
} // namespace zigzag::test
