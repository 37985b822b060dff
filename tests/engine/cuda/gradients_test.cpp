// SPDX-License-Identifier: GPL-3.0-or-later
// The backward kernels against the CPU's backward ops, which central differences prove (tests/engine/cpu/gradients_test.cpp).
#include "engine/cuda/kernels/attention_gradient.cuh"
#include "engine/cuda/kernels/attention_gradient_simple.cuh"
#include "engine/cuda/kernels/blend.cuh"
#include "engine/cuda/kernels/gradient_ops.cuh"
#include "engine/run/gradients.h"
#include "tests/engine/cuda/kernel_fixture.h"

#include <array>
#include <string>

namespace zigzag::test {
namespace {

using gpu::Bf16;

std::vector<float> randomValues(std::int64_t count, std::uint64_t seed, float scale = 1.0f)
{
    return randomFloats(static_cast<std::size_t>(count), seed, scale);
}

class GradientKernels : public testing::Test
{
protected:
    std::unique_ptr<Backend> m_cpu = createCpuBackend();
    GradientOps &m_ops = *m_cpu->gradients();
};

class RmsNormGradientKernel : public GradientKernels
{ };
class SwiGluGradientKernel : public GradientKernels
{ };
class RotateGradientKernel : public GradientKernels
{ };
class BlendKernels : public GradientKernels
{ };

TEST_F(RmsNormGradientKernel, MatchesTheCpu)
{
    for (const std::int64_t width : {3, 7, 64, 100, 2056, 4096})
        for (const bool add : {false, true})
            for (const std::size_t shift : {0, 1}) {
                constexpr std::int64_t rows = 3;
                const DeviceArray<float> in(randomValues(rows * width, 1), shift), weight(randomValues(width, 2)),
                    gradOut(randomValues(rows * width, 3)), gradIn(randomValues(rows * width, 4));
                std::vector<float> expected = gradIn.floats();
                m_ops.rmsNorm({in.data(), weight.data(), gradOut.data(), expected.data(), rows, width, 1e-5f, add});
                const auto run = [&](float *to) {
                    gpu::launch(gpu::rmsNormGradient<>, {rows}, gpu::normGradientThreads, gpu::normGradientSharedBytes, nullptr,
                                {in.data(), weight.data(), gradOut.data(), to, width, 1e-5f, add}, gpu::Start::Early);
                };
                run(gradIn.data());
                expectClose(gradIn.floats(), expected, 1e-5, 2e-6);
                EXPECT_TRUE(gradIn.intact());
                if (!add) {
                    run(gradOut.data());
                    EXPECT_EQ(gradOut.floats(), gradIn.floats()) << "in place";
                }
            }
}

template <class T> void checkSwiGluOf(GradientOps &ops, std::int64_t count, std::size_t shift)
{
    const DeviceArray<T> gate(randomValues(count, 5, 3.0f), shift), up(randomValues(count, 6));
    const DeviceArray<float> gradGate(randomValues(count, 7)), gradUp(static_cast<std::size_t>(count));
    gate[0] = gpu::fromFloat<T>(-300.0f); // its power is infinite
    const std::vector<float> gates = gate.floats(), ups = up.floats();
    std::vector<float> expectedGate = gradGate.floats(), expectedUp(expectedGate.size());
    ops.swiGlu({gates.data(), ups.data(), expectedGate.data(), expectedGate.data(), expectedUp.data(), count});
    gpu::launch(gpu::swiGluGradient<T>, {gpu::elementBlocks(count)}, gpu::elementThreads, 0, nullptr,
                {gate.data(), up.data(), gradGate.data(), gradGate.data(), gradUp.data(), count}, gpu::Start::Early);
    expectClose(gradGate.floats(), expectedGate, 2e-5, 1e-6);
    expectClose(gradUp.floats(), expectedUp, 2e-5, 1e-6);
    EXPECT_TRUE(gradGate.intact() && gradUp.intact());
}

TEST_F(SwiGluGradientKernel, MatchesTheCpu)
{
    for (const std::int64_t count : {1, 8, 1000, 2 * gpu::elementThreads * gpu::vectorWidth + 3})
        for (const std::size_t shift : {0, 1}) {
            checkSwiGluOf<float>(m_ops, count, shift);
            checkSwiGluOf<Bf16>(m_ops, count, shift);
        }
}

struct Rotation {
    int heads, headDim, rotaryDim;
    bool interleaved, withNorm, turns;
};

template <class T> void checkRotateOf(GradientOps &ops, const Rotation &c)
{
    constexpr std::int64_t tokens = 3, first = 2;
    const std::int64_t count = tokens * c.heads * c.headDim;
    const DeviceArray<T> in(randomValues(count, 8));
    const DeviceArray<float> gradient(randomValues(count, 9)), norm(randomValues(c.headDim, 10)),
        angles(randomValues((first + tokens) * c.headDim, 11));
    const std::vector<float> plain = in.floats();
    std::vector<float> expected = gradient.floats();
    const float *const weights = c.withNorm ? norm.data() : nullptr, *const table = c.turns ? angles.data() : nullptr;
    ops.rotate(
        {expected.data(), plain.data(), weights, table, tokens, first, c.heads, c.headDim, 1e-6f, c.rotaryDim, c.interleaved});
    const auto blocks = static_cast<unsigned>((tokens * c.heads + gpu::rotateGradientWarps - 1) / gpu::rotateGradientWarps);
    gpu::launch(gpu::rotateGradient<T>, {blocks}, gpu::rotateGradientWarps * gpu::warpSize, 0, nullptr,
                {gradient.data(), in.data(), weights, table, tokens * c.heads, first, c.heads, c.headDim, 1e-6f,
                 c.rotaryDim > 0 ? c.rotaryDim : c.headDim, c.interleaved},
                gpu::Start::Early);
    expectClose(gradient.floats(), expected, 1e-5, 2e-6);
    EXPECT_TRUE(gradient.intact());
}

TEST_F(RotateGradientKernel, MatchesTheCpu)
{
    for (const Rotation &c : {Rotation{2, 8, 0, false, false, true},
                              {3, 8, 6, true, true, true},
                              {2, 128, 0, false, true, true},
                              {1, 80, 0, true, false, true},
                              {5, 64, 32, false, true, true},
                              {2, 64, 0, false, true, false}}) {
        checkRotateOf<float>(m_ops, c);
        checkRotateOf<Bf16>(m_ops, c);
    }
}

template <class T> void checkBlendOf(GradientOps &ops, int tokens, int kvHeads, int group, int headDim)
{
    const std::int64_t count = std::int64_t{tokens} * kvHeads * group * headDim;
    const DeviceArray<T> full(randomValues(count, 12)), streaming(randomValues(count, 13)), out(full.size());
    const DeviceArray<float> gradOut(randomValues(count, 14));
    const std::vector<float> fulls = full.floats(), streams = streaming.floats(), grads = gradOut.floats();
    std::vector<float> gates;
    for (int head = 0; head < kvHeads; ++head)
        gates.push_back(static_cast<float>(head) / static_cast<float>(kvHeads));
    std::vector<float> expected(fulls.size()), expectedFull(fulls.size()), expectedStreaming(fulls.size());
    std::vector<double> expectedGates(gates.size()), got(gates.size());
    const int queryHeads = kvHeads * group;
    ops.blend({fulls.data(), streams.data(), gates, expected.data(), tokens, queryHeads, headDim});
    ops.blendGradient({fulls.data(), streams.data(), gates, grads.data(), expectedFull.data(), expectedStreaming.data(),
                       expectedGates, tokens, queryHeads, headDim});

    const gpu::Grid grid = {gpu::blendChunks(tokens), static_cast<unsigned>(kvHeads)};
    gpu::BlendKernelArgs forward = {full.data(), streaming.data(), out.data(), tokens, kvHeads, group * headDim, {}};
    std::copy(gates.begin(), gates.end(), forward.gates);
    gpu::launch(gpu::blend<T>, grid, gpu::blendThreads, 0, nullptr, forward, gpu::Start::Early);
    expectClose(out.floats(), expected, roundingOf<T> + 1e-6, 1e-7);

    std::vector<double> sums(grid.x * gates.size());
    gpu::BlendGradientKernelArgs backward = {full.data(), streaming.data(), gradOut.data(), full.data(),     streaming.data(),
                                             sums.data(), tokens,           kvHeads,        group * headDim, {}};
    std::copy(gates.begin(), gates.end(), backward.gates);
    gpu::launch(gpu::blendGradient<T>, grid, gpu::blendThreads, gpu::blendSharedBytes, nullptr, backward, gpu::Start::Early);
    for (std::size_t i = 0; i < sums.size(); ++i)
        got[i / grid.x] += sums[i];
    expectClose(full.floats(), expectedFull, roundingOf<T> + 1e-6, 1e-7);
    expectClose(streaming.floats(), expectedStreaming, roundingOf<T> + 1e-6, 1e-7);
    EXPECT_LE(relativeError(std::vector<float>(got.begin(), got.end()).data(), expectedGates), 1e-5);
    EXPECT_TRUE(out.intact() && full.intact() && streaming.intact());
}

TEST_F(BlendKernels, MatchTheCpu)
{
    for (const auto &[tokens, kvHeads, group, headDim] :
         {std::array{1, 1, 1, 2}, std::array{3, 2, 2, 4}, std::array{70, 3, 1, 10}, std::array{5, 2, 4, 128}}) {
        checkBlendOf<float>(m_ops, tokens, kvHeads, group, headDim);
        checkBlendOf<Bf16>(m_ops, tokens, kvHeads, group, headDim);
    }
}

struct Case {
    const char *name;
    int tokens, headDim, group;
    std::vector<HeadPattern> patterns; ///< of the KV heads
    bool sinkLogits = false, add = false;
};

HeadPattern windowOf(int sink, int recent)
{
    return HeadPattern::streaming(sink, recent);
}

class AttentionGradientKernels : public GradientKernels, public testing::WithParamInterface<Case>
{
protected:
    /// Kernels of T against the CPU in float32 over the same numbers.
    template <class T, class Launch> void check(Launch launch, double tolerance)
    {
        const Case &c = GetParam();
        const int kvHeads = static_cast<int>(c.patterns.size()), queryHeads = kvHeads * c.group;
        const std::int64_t ofQueries = std::int64_t{c.tokens} * queryHeads * c.headDim,
                           ofKeys = std::int64_t{c.tokens} * kvHeads * c.headDim, ofHead = std::int64_t{c.tokens} * c.headDim;
        const DeviceArray<T> queries(randomValues(ofQueries, 20)), gradOut(randomValues(ofQueries, 21)),
            keys(randomValues(ofKeys, 22)), values(randomValues(ofKeys, 23));
        const std::vector<float> logits = randomValues(queryHeads, 24), q = queries.floats(), g = gradOut.floats();
        std::vector<float> k = keys.floats(), v = values.floats();
        const int stride = (c.tokens + gpu::gradientTile - 1) / gpu::gradientTile * gpu::gradientTile;
        const DeviceArray<float> rows(static_cast<std::size_t>(2 * queryHeads * stride)),
            gradQueries(randomValues(ofQueries, 25)), gradKeys(randomValues(ofKeys, 26)), gradValues(randomValues(ofKeys, 27));
        gpu::AttentionGradientKernelArgs args = {};
        args.queries = queries.data(), args.gradOut = gradOut.data();
        args.gradQueries = gradQueries.data(), args.gradKeys = gradKeys.data(), args.gradValues = gradValues.data();
        args.rows = reinterpret_cast<gpu::Float2 *>(rows.data());
        args.rowStride = stride, args.tokens = c.tokens;
        args.queryHeads = queryHeads, args.kvHeads = kvHeads, args.headDim = c.headDim;
        args.scale = 1 / std::sqrt(static_cast<float>(c.headDim));
        args.sinkLogits = c.sinkLogits ? logits.data() : nullptr;
        args.add = c.add;
        std::vector<HeadCache> caches;
        for (int head = 0; head < kvHeads; ++head) {
            const HeadPattern &pattern = c.patterns[static_cast<std::size_t>(head)];
            args.caches.heads[head] = {.keys = keys.data() + head * ofHead,
                                       .values = values.data() + head * ofHead,
                                       .slots = c.tokens,
                                       .stagedKeys = nullptr,
                                       .stagedValues = nullptr,
                                       .sink = static_cast<int>(pattern.sink()),
                                       .recent = pattern.keepsEverything() ? gpu::everyKey : static_cast<int>(pattern.recent())};
            caches.push_back(
                {.pattern = pattern, .keys = k.data() + head * ofHead, .values = v.data() + head * ofHead, .slots = c.tokens});
        }
        std::vector<float> toQueries = gradQueries.floats(), toKeys = gradKeys.floats(), toValues = gradValues.floats();
        std::vector<double> toLogits(c.sinkLogits ? logits.size() : 0);
        m_ops.attention({.queries = q.data(),
                         .heads = caches,
                         .gradOut = g.data(),
                         .gradQueries = toQueries.data(),
                         .gradKeys = toKeys.data(),
                         .gradValues = toValues.data(),
                         .tokens = c.tokens,
                         .queryHeads = queryHeads,
                         .kvHeads = kvHeads,
                         .headDim = c.headDim,
                         .sinkLogits = args.sinkLogits,
                         .add = c.add,
                         .gradSinkLogits = toLogits});
        ASSERT_EQ(launch(args), 0);
        const auto expectNear = [&](const DeviceArray<float> &got, const std::vector<float> &expected, const char *what) {
            EXPECT_LE(relativeError(got.data(), std::vector<double>(expected.begin(), expected.end())), tolerance) << what;
            EXPECT_TRUE(got.intact()) << what;
        };
        expectNear(gradQueries, toQueries, "queries");
        expectNear(gradKeys, toKeys, "keys");
        expectNear(gradValues, toValues, "values");
        EXPECT_TRUE(rows.intact());
        if (!c.sinkLogits)
            return;
        std::vector<double> sums(logits.size());
        gpu::launch(gpu::sinkLogitGradient<>, {static_cast<unsigned>(queryHeads)}, gpu::sinkLogitThreads,
                    gpu::sinkLogitSharedBytes, nullptr, {args.rows, stride, c.tokens, args.sinkLogits, sums.data()},
                    gpu::Start::Early);
        EXPECT_LE(relativeError(std::vector<float>(sums.begin(), sums.end()).data(), toLogits), tolerance);
    }
};

TEST_P(AttentionGradientKernels, SimpleMatchTheCpu)
{
    check<float>([](const auto &args) { return gpu::launchAttentionGradientSimple<float>(args, nullptr, gpu::Start::Early); },
                 1e-5);
    check<Bf16>([](const auto &args) { return gpu::launchAttentionGradientSimple<Bf16>(args, nullptr, gpu::Start::Early); },
                1e-5);
}

TEST_P(AttentionGradientKernels, TilesMatchTheCpu)
{
    if (!gpu::supportsTensorAttention(GetParam().headDim))
        GTEST_SKIP() << "the simple kernels take this head dimension";
    // Weights and slopes are rounded to the matrices' type.
    check<Bf16>([](const auto &args) { return gpu::launchAttentionGradientTiles<Bf16>(args, nullptr, gpu::Start::Early); }, 1e-2);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AttentionGradientKernels,
    testing::Values(Case{"one_token", 1, 32, 1, {{}, windowOf(1, 4)}}, Case{"odd_dimension", 40, 6, 2, {{}, windowOf(2, 5)}},
                    Case{"widest", 20, 256, 1, {{}, windowOf(2, 5)}}, Case{"full", 150, 32, 2, {{}}},
                    Case{"added", 65, 64, 1, {{}, windowOf(3, 9)}, false, true},
                    Case{"windows", 200, 32, 1, {windowOf(0, 1), windowOf(3, 20), windowOf(64, 64), windowOf(70, 3)}},
                    Case{"wide_sinks", 140, 32, 2, {windowOf(100, 10), windowOf(1, 130)}},
                    Case{"sink_logits", 130, 64, 3, {{}, windowOf(0, 30), windowOf(5, 70)}, true},
                    Case{"d80", 70, 80, 1, {{}, windowOf(4, 10)}}, Case{"d96", 70, 96, 1, {{}, windowOf(4, 10)}},
                    Case{"d128", 129, 128, 2, {{}, windowOf(4, 40)}, true, true}),
    [](const auto &tested) { return std::string(tested.param.name); });

} // namespace
} // namespace zigzag::test
