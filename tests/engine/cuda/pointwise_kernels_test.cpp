// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/cuda/kernel_fixture.h"

#include "engine/cuda/kernels/add_bias.cuh"
#include "engine/cuda/kernels/copy_heads.cuh"
#include "engine/cuda/kernels/embed.cuh"
#include "engine/cuda/kernels/next_token.cuh"
#include "engine/cuda/kernels/rms_norm.cuh"
#include "engine/cuda/kernels/soft_cap.cuh"
#include "engine/cuda/kernels/swiglu.cuh"
#include "engine/cuda/kernels/width_norm.cuh"

namespace zigzag::test {
namespace {

using gpu::Bf16, gpu::F16;

std::vector<float> randomValues(std::int64_t count, std::uint64_t seed, float scale = 1.0f)
{
    return randomFloats(static_cast<std::size_t>(count), seed, scale);
}

template <class T> void checkEmbedOf(std::int64_t width, std::size_t shift, float scale)
{
    DeviceArray<T> table(randomValues(5 * width, 1), shift);
    const std::int32_t tokens[] = {4, 0, 4, 2};
    DeviceArray<float> out(static_cast<std::size_t>(4 * width));
    gpu::launch(gpu::embed<T>, {4}, gpu::embedThreads, 0, nullptr, {tokens, table.data(), out.data(), width, scale},
                gpu::Start::Early);
    const auto stored = table.floats(), got = out.floats();
    for (std::int64_t i = 0; i < 4 * width; ++i)
        ASSERT_EQ(got[static_cast<std::size_t>(i)],
                  scale * stored[static_cast<std::size_t>(tokens[i / width] * width + i % width)]);
    EXPECT_TRUE(out.intact());
}

TEST(EmbedKernel, RowsOfEveryType)
{
    for (const std::int64_t width : {1, 7, 8, 37, 64, 2056}) {
        for (const std::size_t shift : {0, 1}) {
            checkEmbedOf<float>(width, shift, 12.0f);
            checkEmbedOf<Bf16>(width, shift, 1.0f);
            checkEmbedOf<F16>(width, shift, 0.5f);
        }
    }
}

template <class Out> void checkRmsNormOf(std::int64_t width, std::size_t shift)
{
    constexpr std::int64_t rows = 3;
    DeviceArray<float> in(randomValues(rows * width, 2), shift), weight(randomValues(width, 3));
    DeviceArray<Out> out(in.size());
    std::vector<float> expected(in.size());
    createCpuBackend()->rmsNorm({in.data(), weight.data(), expected.data(), rows, width, 1e-5f});
    const auto run = [&](void *to) {
        gpu::launch(gpu::rmsNorm<Out>, {rows}, gpu::rmsNormThreads(width), gpu::rmsNormSharedBytes, nullptr,
                    {in.data(), weight.data(), to, width, 1e-5f}, gpu::Start::Early);
    };
    run(out.data());
    expectClose(out.floats(), expected, roundingOf<Out> + 1e-6, 1e-7);
    EXPECT_TRUE(out.intact());
    if constexpr (std::is_same_v<Out, float>) {
        run(in.data());
        EXPECT_EQ(std::memcmp(in.data(), out.data(), out.bytes()), 0) << "in place";
        EXPECT_TRUE(in.intact());
    }
}

TEST(RmsNormKernel, MatchesTheCpu)
{
    for (const std::int64_t width : {1, 2, 15, 64, 100, 1025, 2048, 8200, 9001}) {
        checkRmsNormOf<float>(width, 0);
        checkRmsNormOf<float>(width, 1);
        checkRmsNormOf<Bf16>(width, 0);
        checkRmsNormOf<F16>(width, 0);
    }
}

/// Added to the residual stream where that lies; and no norm, where there are no weights.
template <class Out> void checkStreamOf(std::int64_t width, std::size_t shift)
{
    constexpr std::int64_t rows = 3;
    DeviceArray<float> in(randomValues(rows * width, 2), shift), weight(randomValues(width, 3)),
        stream(randomValues(rows * width, 4));
    DeviceArray<Out> plain(in.size());
    std::vector<float> expected = stream.floats();
    createCpuBackend()->rmsNorm({.in = in.data(),
                                 .weight = weight.data(),
                                 .out = expected.data(),
                                 .tokens = rows,
                                 .width = width,
                                 .epsilon = 1e-5f,
                                 .residual = expected.data()});
    const auto run = [&](auto kernel, const float *weights, void *to, const float *residual) {
        gpu::launch(kernel, {rows}, gpu::rmsNormThreads(width), gpu::rmsNormSharedBytes, nullptr,
                    {in.data(), weights, to, width, 1e-5f, residual}, gpu::Start::Early);
    };
    run(gpu::rmsNorm<float>, weight.data(), stream.data(), stream.data());
    expectClose(stream.floats(), expected, 2e-6, 1e-6);
    run(gpu::rmsNorm<Out>, nullptr, plain.data(), nullptr);
    expectClose(plain.floats(), in.floats(), roundingOf<Out>, 1e-30);
    EXPECT_TRUE(stream.intact() && plain.intact());
}

TEST(RmsNormKernel, AddsToTheStreamAndCopiesWithoutWeights)
{
    for (const std::int64_t width : {1, 15, 64, 1025, 8200, 9001}) {
        checkStreamOf<float>(width, 0);
        checkStreamOf<Bf16>(width, 1);
        checkStreamOf<F16>(width, 0);
    }
}

template <class T> void checkWidthNormOf(std::int64_t width)
{
    constexpr std::int64_t rows = 3;
    DeviceArray<T> values(randomValues(rows * width, 2));
    DeviceArray<float> weight(randomValues(width, 3));
    std::vector<float> expected = values.floats();
    createCpuBackend()->rmsNorm({expected.data(), weight.data(), expected.data(), rows, width, 1e-5f});
    gpu::launch(gpu::widthNorm<T>, {rows}, gpu::widthNormThreads, gpu::widthNormSharedBytes, nullptr,
                {values.data(), weight.data(), width, 1e-5f}, gpu::Start::Early);
    expectClose(values.floats(), expected, roundingOf<T> + 1e-6, 1e-7);
    EXPECT_TRUE(values.intact());
}

TEST(WidthNormKernel, MatchesTheCpu)
{
    for (const std::int64_t width : {1, 15, 64, 257, 1025, 4096}) {
        checkWidthNormOf<float>(width);
        checkWidthNormOf<Bf16>(width);
        checkWidthNormOf<F16>(width);
    }
}

TEST(SoftCapKernel, MatchesTheCpu)
{
    for (const std::int64_t count : {2, 7, 256, 1001}) {
        auto wide = randomValues(count, 6, 60.0f);
        wide[0] = 1e30f;
        wide[1] = -1e30f;
        DeviceArray<float> values(wide);
        std::vector<float> expected = wide;
        createCpuBackend()->softCap({expected.data(), count, 30.0f});
        gpu::launch(gpu::softCap<>, {gpu::softCapBlocks(count)}, gpu::softCapThreads, 0, nullptr, {values.data(), count, 30.0f},
                    gpu::Start::Early);
        expectClose(values.floats(), expected, 1e-6, 1e-5);
        EXPECT_TRUE(values.intact());
    }
}

template <class T> void checkSwiGluOf(std::int64_t count, std::size_t shift)
{
    auto gates = randomValues(count, 4, 4.0f);
    gates[0] = -500.0f; // exp(500) is beyond float32
    gates[static_cast<std::size_t>(count / 2)] = 500.0f;
    DeviceArray<T> gate(gates, shift), up(randomValues(count, 5)), out(gate.size());
    std::vector<float> expected(gate.size());
    const auto gateFloats = gate.floats(), upFloats = up.floats();
    createCpuBackend()->swiGlu({gateFloats.data(), upFloats.data(), expected.data(), count});
    const auto run = [&](void *to) {
        gpu::launch(gpu::swiGlu<T>, {gpu::swiGluBlocks(count)}, gpu::swiGluThreads, 0, nullptr,
                    {gate.data(), up.data(), to, count}, gpu::Start::Early);
    };
    run(out.data());
    // F16 reaches below its normal numbers, where rounding is no longer relative.
    expectClose(out.floats(), expected, roundingOf<T> + 3e-6, std::is_same_v<T, F16> ? 1e-9 : 1e-30);
    EXPECT_TRUE(out.intact());
    run(gate.data());
    EXPECT_EQ(std::memcmp(gate.data(), out.data(), out.bytes()), 0) << "in place";
    EXPECT_TRUE(gate.intact());
}

TEST(SwiGluKernel, MatchesTheCpu)
{
    for (const std::int64_t count : {1, 7, 8, 33, 2048, 4111}) {
        for (const std::size_t shift : {0, 1}) {
            checkSwiGluOf<float>(count, shift);
            checkSwiGluOf<Bf16>(count, shift);
            checkSwiGluOf<F16>(count, shift);
        }
    }
}

template <class T> void checkGeluOf(std::int64_t count, std::size_t shift)
{
    auto gates = randomValues(count, 4, 4.0f);
    gates[0] = -500.0f;
    gates[static_cast<std::size_t>(count / 2)] = 500.0f;
    DeviceArray<T> gate(gates, shift), up(randomValues(count, 5)), out(gate.size());
    std::vector<float> expected(gate.size());
    const auto gateFloats = gate.floats(), upFloats = up.floats();
    createCpuBackend()->swiGlu({.gate = gateFloats.data(),
                                .up = upFloats.data(),
                                .out = expected.data(),
                                .count = count,
                                .activation = GatedActivation::GeluTanh});
    gpu::launch(gpu::swiGlu<T>, {gpu::swiGluBlocks(count)}, gpu::swiGluThreads, 0, nullptr,
                {gate.data(), up.data(), out.data(), count, true}, gpu::Start::Early);
    expectClose(out.floats(), expected, roundingOf<T> + 1e-5, 1e-5);
    EXPECT_TRUE(out.intact());
}

TEST(SwiGluKernel, GeluMatchesTheCpu)
{
    for (const std::int64_t count : {1, 8, 33, 4111}) {
        checkGeluOf<float>(count, 0);
        checkGeluOf<Bf16>(count, 1);
        checkGeluOf<F16>(count, 0);
    }
}

template <class T> void checkAddBiasOf(std::int64_t rows, std::int64_t width)
{
    DeviceArray<T> out(randomValues(rows * width, 10));
    const DeviceArray<float> bias(randomValues(width, 11));
    std::vector<float> expected = out.floats();
    for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] += 0.22f * bias[i % static_cast<std::size_t>(width)];
    gpu::AddBiasKernelArgs args = {};
    args.out = out.data();
    args.bias = bias.data();
    args.count = rows * width;
    args.width = width;
    args.scale = 0.22f;
    gpu::launch(gpu::addBias<T>, {gpu::addBiasBlocks(args.count)}, gpu::addBiasThreads, 0, nullptr, args, gpu::Start::Early);
    expectClose(out.floats(), expected, roundingOf<T>, 0);
    EXPECT_TRUE(out.intact());
}

TEST(AddBiasKernel, EveryRow)
{
    for (const std::int64_t width : {1, 7, 300}) {
        checkAddBiasOf<float>(5, width);
        checkAddBiasOf<Bf16>(3, width);
        checkAddBiasOf<F16>(1, width);
    }
}

template <class T, class Unit> void checkCopyHeadsOf(int headDim)
{
    constexpr std::int64_t rows = 5;
    constexpr int all = 7;
    const std::vector<int> heads = {6, 0, 3};
    const int some = static_cast<int>(heads.size()),
              units = headDim * static_cast<int>(sizeof(T)) / static_cast<int>(sizeof(Unit));
    DeviceArray<T> in(randomValues(rows * all * headDim, 7));
    DeviceArray<T> gathered(static_cast<std::size_t>(rows * some * headDim)), scattered(in.size());
    gpu::CopyHeadsKernelArgs args = {in.data(), gathered.data(), rows, all, some, units, some, false, {6, 0, 3}};
    const unsigned blocks = gpu::copyHeadsBlocks(rows, some, units);
    gpu::launch(gpu::copyHeads<Unit>, {blocks}, gpu::copyHeadsThreads, 0, nullptr, args, gpu::Start::Early);
    args.in = gathered.data(), args.out = scattered.data(), args.inHeads = some, args.outHeads = all, args.scatter = true;
    gpu::launch(gpu::copyHeads<Unit>, {blocks}, gpu::copyHeadsThreads, 0, nullptr, args, gpu::Start::Early);
    const auto dim = static_cast<std::size_t>(headDim);
    const auto from = in.floats(), middle = gathered.floats(), to = scattered.floats();
    for (std::size_t i = 0; i < to.size(); ++i) {
        const auto head = std::find(heads.begin(), heads.end(), static_cast<int>(i / dim % all));
        if (head == heads.end()) {
            ASSERT_TRUE(std::isnan(to[i])) << "a head that was not asked for";
            continue;
        }
        ASSERT_EQ(to[i], from[i]);
        const auto place = static_cast<std::size_t>(head - heads.begin());
        ASSERT_EQ(middle[(i / dim / all * heads.size() + place) * dim + i % dim], from[i]);
    }
    EXPECT_TRUE(gathered.intact() && scattered.intact());
}

TEST(CopyHeadsKernel, GathersAndScatters)
{
    checkCopyHeadsOf<float, gpu::Vec16>(64);
    checkCopyHeadsOf<Bf16, gpu::Vec16>(96);
    checkCopyHeadsOf<Bf16, std::uint32_t>(6);
    checkCopyHeadsOf<float, std::uint32_t>(3);
    checkCopyHeadsOf<F16, std::uint16_t>(5);
}

/// Against the CPU backend, which is held to the same arguments.
template <int threads> void checkNextTokenOf(std::int64_t vocabulary, const std::vector<float> &values)
{
    const auto rows = static_cast<std::int64_t>(values.size()) / vocabulary;
    constexpr std::int64_t context = 4;
    DeviceArray<float> logits(values);
    DeviceArray<std::int32_t> tokens(static_cast<std::size_t>(rows)), positions(tokens.size()), history(tokens.size() * context);
    std::vector<std::int32_t> wantTokens(tokens.size()), wantPositions, wantHistory(history.size(), -1);
    for (std::size_t row = 0; row < tokens.size(); ++row) {
        positions[row] = static_cast<std::int32_t>(row % (context + 1)); // the last steps past the context
        wantPositions.push_back(positions[row]);
    }
    createCpuBackend()->nextToken(
        {logits.data(), rows, vocabulary, wantTokens.data(), wantPositions.data(), wantHistory.data(), context});
    gpu::launch(gpu::nextToken<threads>, {static_cast<unsigned>(rows)}, threads, gpu::nextTokenSharedBytes, nullptr,
                {logits.data(), vocabulary, tokens.data(), positions.data(), history.data(), context}, gpu::Start::Early);
    EXPECT_EQ(std::vector(tokens.data(), tokens.data() + tokens.size()), wantTokens);
    EXPECT_EQ(std::vector(positions.data(), positions.data() + positions.size()), wantPositions);
    EXPECT_EQ(std::vector(history.data(), history.data() + history.size()), wantHistory);
    EXPECT_TRUE(tokens.intact() && positions.intact() && history.intact());
}

TEST(NextTokenKernel, MatchesTheCpu)
{
    for (const std::int64_t vocabulary : {1, 3, 31, 1000, 5003}) { // rows of odd length begin at odd addresses
        checkNextTokenOf<gpu::nextTokenThreads>(vocabulary, randomValues(5 * vocabulary, 8));
        auto equals = randomValues(6 * vocabulary, 9);
        for (float &value : equals)
            value = std::round(value); // several of the largest
        checkNextTokenOf<64>(vocabulary, equals);
    }
    const float infinity = std::numeric_limits<float>::infinity();
    checkNextTokenOf<64>(9, std::vector<float>(9, -infinity));
    checkNextTokenOf<64>(4, {1, 2, infinity, infinity});
    checkNextTokenOf<64>(9, std::vector<float>(9, std::numeric_limits<float>::quiet_NaN())); // some token, not a wild one
}

} // namespace
} // namespace zigzag::test
