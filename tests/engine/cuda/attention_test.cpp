// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/kernels/attention_decode.cuh"
#include "engine/cuda/kernels/attention_prefill_f8.cuh"
#include "engine/cuda/kernels/attention_simple.cuh"
#include "tests/engine/cuda/attention_fixture.h"

namespace zigzag::test {
namespace {

using gpu::Bf16, gpu::F16, gpu::F8;

const auto caseName = [](const auto &test) { return test.param.name; };

template <class T> inline constexpr DType typeOf = DType::F32;
template <> inline constexpr DType typeOf<F16> = DType::F16;
template <> inline constexpr DType typeOf<Bf16> = DType::BF16;

class SimpleAttention : public testing::TestWithParam<AttentionCase>
{
protected:
    template <class T, class K = T> void run(double tolerance)
    {
        AttentionProblem problem(GetParam(), typeOf<T>, !std::is_same_v<T, K>);
        for (const std::vector<int> &selected : selections(GetParam())) {
            problem.clearOut();
            const gpu::SimpleAttentionArgs args{problem.args(selected), problem.strongest()};
            ASSERT_EQ((gpu::launchAttentionSimple<T, K>(args, {}, gpu::Start::Early)), 0);
            problem.check(tolerance, true);
        }
    }
};

TEST_P(SimpleAttention, MatchesFloat64)
{
    run<float>(1e-5);
    run<F16>(1e-3);
    run<Bf16>(8e-3);
    run<Bf16, F8>(8e-3);
    run<F16, F8>(1e-3);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, SimpleAttention,
    testing::Values(AttentionCase{"prefill", {R, S}, 2, 32, 2, 5, 20, {0}},
                    AttentionCase{"odd_dim", {S, R}, 3, 22, 2, 9, 7, {30}}, AttentionCase{"wide", {S, R}, 1, 256, 3, 40, 2, {70}},
                    AttentionCase{"sinks_meet_window", {S}, 1, 16, 10, 30, 9, {33}},
                    AttentionCase{"context_below_sink", {S, R}, 1, 16, 50, 8, 5, {4}},
                    AttentionCase{"no_sinks_wrapped", {S}, 1, 16, 0, 6, 3, {50}},
                    AttentionCase{"batch", {R, S}, 2, 16, 2, 5, 1, {40, 3, 0}, 3, true},
                    AttentionCase{"sink_logits", {R, S}, 3, 32, 2, 5, 20, {0}, 3, false, 0, true},
                    AttentionCase{"soft_cap", {R, S}, 2, 32, 2, 9, 20, {5}, 3, false, 0.1f, true, {0, 0}, 2.0f}),
    caseName);

class DecodeAttention : public testing::TestWithParam<AttentionCase>
{
protected:
    template <class T, class K = T> void run(const gpu::GpuLimits &limits, double tolerance)
    {
        AttentionProblem problem(GetParam(), typeOf<T>, !std::is_same_v<T, K>);
        for (const std::vector<int> &selected : selections(GetParam())) {
            const gpu::DecodePlan plan
                = gpu::planDecode(problem.slots(selected), problem.longestContext() + 200,
                                  static_cast<int>(GetParam().first.size()), GetParam().group, GetParam().headDim, limits);
            Guarded<float> partials = guardedFloats(plan.partials), states = guardedFloats(plan.partialStates);
            gpu::DecodeAttentionArgs args = {};
            args.attention = problem.args(selected);
            std::copy(plan.firstBlock.begin(), plan.firstBlock.end(), args.firstBlock);
            args.partials = partials.data();
            args.partialStates = states.data();
            // Twice: the first launch leaves the scratch as the second one needs it.
            for (int repeat = 0; repeat < 2; ++repeat) {
                problem.clearOut();
                ASSERT_EQ((gpu::launchAttentionDecode<T, K>(args, plan, {}, gpu::Start::Early)), 0);
                problem.check(tolerance);
            }
            EXPECT_TRUE(partials.intact() && states.intact());
        }
    }
};

/// New tokens as their products left them, turned and appended by a launch of their own, or by attention.
template <class T, class K> class DecodeTurns
{
public:
    DecodeTurns(const AttentionCase &config, const gpu::GpuLimits &limits)
        : m_config(config)
        , m_problem(config, typeOf<T>, !std::is_same_v<T, K>)
        , m_heads(static_cast<int>(config.kinds.size()))
        , m_rotary(config.headDim >= 64 ? config.headDim / 4 * 2 : 0)
    {
        for (int i = 0; i < m_heads; ++i)
            m_selected.push_back(i);
        m_plan = gpu::planDecode(m_problem.slots(m_selected), m_problem.longestContext(), static_cast<int>(sequences()),
                                 config.group, config.headDim, limits);
        const std::size_t turned = static_cast<std::size_t>(m_rotary > 0 ? m_rotary : config.headDim);
        m_cosSin = randomFloats(static_cast<std::size_t>(m_problem.longestContext()) * turned, 31);
        m_queryScales = randomFloats(static_cast<std::size_t>(m_problem.longestContext()), 32);
        m_norms = randomFloats(2 * dim(), 33);
    }

    /// The outputs, and the caches after them.
    std::vector<std::uint8_t> run(bool apart, bool interleaved, bool norms)
    {
        Stored queries(typeOf<T>, randomFloats(sequences() * rowHeads() * m_config.group * dim(), 34));
        const Stored keys(typeOf<T>, randomFloats(sequences() * rowHeads() * dim(), 35)),
            values(typeOf<T>, randomFloats(sequences() * rowHeads() * dim(), 36));
        Guarded<float> partials = guardedFloats(m_plan.partials), states = guardedFloats(m_plan.partialStates);
        std::vector<std::uint8_t> out(queries.bytes.size(), 0xff);
        gpu::DecodeAttentionArgs args = {};
        args.attention = m_problem.args(m_selected);
        args.attention.queries = queries.bytes.data();
        args.attention.out = out.data();
        std::copy(m_plan.firstBlock.begin(), m_plan.firstBlock.end(), args.firstBlock);
        args.partials = partials.data();
        args.partialStates = states.data();
        const gpu::DecodeTurn turn = {keys.bytes.data(),
                                      values.bytes.data(),
                                      norms ? m_norms.data() : nullptr,
                                      norms ? m_norms.data() + dim() : nullptr,
                                      m_cosSin.data(),
                                      norms ? m_queryScales.data() : nullptr,
                                      1e-5f,
                                      0.4f,
                                      2.2f,
                                      m_rotary,
                                      interleaved};
        if (apart) {
            const int queryHeads = m_heads * m_config.group;
            const gpu::RopeAppendKernelArgs rope = {queries.bytes.data(), turn.keys,
                                                    turn.values,          turn.queryNorm,
                                                    turn.keyNorm,         turn.cosSin,
                                                    queryHeads,           m_heads,
                                                    m_config.headDim,     turn.epsilon,
                                                    turn.keyScale,        turn.valueScale,
                                                    args.attention.rows,  args.attention.caches,
                                                    turn.rotaryDim,       turn.interleaved,
                                                    turn.queryScales};
            gpu::launch(gpu::ropeAppend<T, K>,
                        {static_cast<unsigned>(sequences()), gpu::ropeAppendBlocksPerRow(queryHeads, m_heads)},
                        gpu::ropeAppendThreads, 0, nullptr, rope, gpu::Start::Early);
        } else {
            args.turn = turn;
        }
        EXPECT_EQ((gpu::launchAttentionDecode<T, K>(args, m_plan, {}, gpu::Start::Early)), 0);
        EXPECT_TRUE(partials.intact() && states.intact());
        const std::vector<std::uint8_t> &caches = m_problem.caches();
        out.insert(out.end(), caches.begin(), caches.end());
        return out;
    }

private:
    std::size_t sequences() const { return m_config.first.size(); }
    std::size_t rowHeads() const { return static_cast<std::size_t>(m_heads); }
    std::size_t dim() const { return static_cast<std::size_t>(m_config.headDim); }

    AttentionCase m_config;
    AttentionProblem m_problem;
    int m_heads, m_rotary;
    std::vector<int> m_selected;
    gpu::DecodePlan m_plan;
    std::vector<float> m_cosSin, m_queryScales, m_norms;
};

TEST_P(DecodeAttention, TurnsAndAppendsAsALaunchOfItsOwn)
{
    const auto compare = [&]<class T, class K>(const gpu::GpuLimits &limits, bool interleaved, bool norms) {
        DecodeTurns<T, K> apart(GetParam(), limits), together(GetParam(), limits);
        EXPECT_EQ(apart.run(true, interleaved, norms), together.run(false, interleaved, norms)); // to the bit
    };
    compare.template operator()<Bf16, Bf16>({.multiprocessors = 1}, false, true);
    compare.template operator()<F16, F16>({.multiprocessors = 100}, true, false);
    compare.template operator()<Bf16, F8>({.multiprocessors = 4}, false, true);
}

TEST_P(DecodeAttention, MatchesFloat64)
{
    // Small GPUs: one block a head, a few, one a step.
    run<Bf16>({.multiprocessors = 1}, 1.2e-2);
    run<F16>({.multiprocessors = 4, .sharedPerMultiprocessor = 100 << 10}, 1.5e-3);
    run<Bf16>({.multiprocessors = 100}, 1.2e-2);
    // Products of F8 are made in F16: only the output's type shows.
    run<F16, F8>({.multiprocessors = 1}, 1.5e-3);
    run<Bf16, F8>({.multiprocessors = 100}, 8e-3);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, DecodeAttention,
    testing::Values(AttentionCase{"first_token", {R, S}, 4, 64, 2, 5, 1, {0}},
                    AttentionCase{"group1", {R, S}, 1, 128, 4, 70, 1, {333}},
                    AttentionCase{"group4", {S, R}, 4, 128, 4, 70, 1, {258}},
                    AttentionCase{"group7", {R, S}, 7, 80, 16, 100, 1, {190}},
                    AttentionCase{"group8", {R}, 8, 96, 2, 5, 1, {131}}, AttentionCase{"group16", {R, S}, 16, 32, 2, 5, 1, {100}},
                    AttentionCase{"group20", {S, R}, 20, 64, 2, 70, 1, {75}},
                    AttentionCase{"context_below_sink", {S, R}, 2, 32, 300, 8, 1, {150}},
                    AttentionCase{"ring_full_exactly", {S}, 2, 32, 30, 34, 1, {63}},
                    AttentionCase{"unused_slots", {R, S}, 2, 32, 30, 500, 1, {20}, 700},
                    AttentionCase{"rising_maximum", {R, S}, 3, 64, 4, 200, 1, {300}, 3, false, 0.1f},
                    AttentionCase{"many_splits", {R, S}, 4, 128, 4, 70, 1, {2600}},
                    AttentionCase{"most_splits", {R}, 2, 32, 4, 70, 1, {7970}},
                    AttentionCase{"batch", {R, S, R}, 2, 64, 3, 60, 1, {130, 0, 64, 63, 299}, 3, true},
                    AttentionCase{"two_windows", {S, R, S}, 2, 64, 4, 70, 1, {333}, 3, false, 0, false, {9, 200}},
                    AttentionCase{"two_windows_batch", {S, S}, 2, 32, 0, 64, 1, {130, 0, 97}, 3, true, 0, false, {30, 1}},
                    AttentionCase{"wide", {S, R}, 2, 256, 4, 70, 1, {258}},
                    AttentionCase{"sink_logits", {S, R}, 8, 64, 4, 70, 1, {258}, 3, false, 0, true},
                    AttentionCase{"sink_logits_group20", {R, S}, 20, 64, 2, 70, 1, {155}, 3, false, 0, true},
                    AttentionCase{"sink_logits_batch", {R, S}, 3, 32, 3, 60, 1, {130, 0, 64}, 3, true, 0, true},
                    AttentionCase{"sink_logits_first_token", {R, S}, 4, 64, 2, 5, 1, {0}, 3, false, 0, true},
                    AttentionCase{"soft_cap", {R, S}, 2, 128, 4, 70, 1, {333}, 3, false, 0.1f, false, {0, 0}, 30.0f},
                    AttentionCase{"soft_cap_and_sinks", {S, R}, 5, 96, 4, 70, 1, {222}, 3, false, 0, true, {9, 200}, 1.5f}),
    caseName);

class PrefillAttention : public testing::TestWithParam<AttentionCase>
{
protected:
    template <class T, class K = T> void run(const gpu::GpuLimits &limits, double tolerance)
    {
        AttentionProblem problem(GetParam(), typeOf<T>, !std::is_same_v<T, K>);
        for (std::vector<int> selected : selections(GetParam())) {
            std::stable_partition(selected.begin(), selected.end(),
                                  [](int head) { return GetParam().kinds[static_cast<std::size_t>(head)] == R; });
            problem.clearOut();
            const int heads = GetParam().group * static_cast<int>(selected.size());
            constexpr bool f8 = !std::is_same_v<T, K>;
            const gpu::PrefillPlan plan = f8 ? gpu::planPrefillF8(GetParam().tokens, heads, GetParam().headDim)
                                             : gpu::planPrefill(GetParam().tokens, heads, GetParam().headDim, limits);
            gpu::PrefillAttentionArgs args = {};
            args.fullCount = static_cast<int>(std::count_if(selected.begin(), selected.end(), [](int head) {
                return GetParam().kinds[static_cast<std::size_t>(head)] == R;
            }));
            args.attention = problem.args(selected);
            if constexpr (f8)
                ASSERT_EQ(gpu::launchAttentionPrefillF8<T>(args, plan, {}, gpu::Start::Early), 0);
            else
                ASSERT_EQ(gpu::launchAttentionPrefill<T>(args, plan, {}, gpu::Start::Early), 0);
            problem.check(tolerance);
        }
    }
};

TEST_P(PrefillAttention, MatchesFloat64)
{
    run<Bf16>({}, 1.2e-2); // two stages
    run<F16>({.sharedPerMultiprocessor = 32 << 10}, 1.5e-3); // one
    run<F16, F8>({}, 1.5e-3);
    run<Bf16, F8>({}, 8e-3);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, PrefillAttention,
    testing::Values(AttentionCase{"short", {R, S}, 2, 64, 2, 5, 3, {0}}, AttentionCase{"causal", {R}, 1, 128, 2, 5, 300, {0}},
                    AttentionCase{"continued", {R, S}, 1, 64, 4, 70, 70, {131}},
                    AttentionCase{"window_below_tile", {S}, 4, 32, 3, 10, 200, {90}},
                    AttentionCase{"window_of_many_tiles", {S, R}, 1, 32, 70, 150, 260, {333}},
                    AttentionCase{"ring_wraps", {S}, 1, 96, 5, 100, 33, {391}},
                    AttentionCase{"sinks_meet_window", {S}, 1, 80, 10, 30, 40, {35}},
                    AttentionCase{"context_below_sink", {S, R}, 1, 32, 300, 8, 60, {75}},
                    AttentionCase{"first_chunk_ends_in_sinks", {S}, 2, 32, 100, 20, 90, {50}},
                    AttentionCase{"no_sinks", {S, S}, 1, 32, 0, 64, 129, {64}},
                    AttentionCase{"window_of_one", {S}, 1, 32, 1, 1, 70, {3}},
                    AttentionCase{"group7", {R, S}, 7, 32, 16, 100, 20, {120}},
                    AttentionCase{"unused_slots", {R}, 1, 32, 0, 1, 65, {10}, 500},
                    AttentionCase{"rising_maximum", {R, S}, 1, 32, 4, 100, 150, {100}, 3, false, 0.1f},
                    AttentionCase{"one_key_of_a_tile", {S}, 1, 32, 0, 34, 128, {0}},
                    AttentionCase{"all_but_one_key_of_a_tile", {S}, 1, 32, 0, 127, 128, {0}},
                    AttentionCase{"batch", {R, R}, 2, 32, 0, 1, 5, {130, 0, 64}, 3, true},
                    AttentionCase{"two_windows", {S, R, S}, 2, 32, 4, 70, 150, {131}, 3, false, 0, false, {9, 200}},
                    AttentionCase{"two_windows_without_full", {S, S}, 1, 64, 0, 64, 90, {300}, 3, false, 0, false, {30, 1}},
                    AttentionCase{"sink_logits", {R, S}, 8, 64, 4, 70, 37, {131}, 3, false, 0, true},
                    AttentionCase{"sink_logits_rising", {S, R}, 1, 32, 4, 100, 150, {100}, 3, false, 0.1f, true},
                    AttentionCase{"soft_cap", {S, R}, 2, 128, 10, 30, 70, {35}, 3, false, 0.1f, false, {0, 0}, 30.0f},
                    AttentionCase{"soft_cap_and_sinks", {R, S}, 1, 96, 5, 100, 133, {91}, 3, false, 0, true, {9, 20}, 1.5f}),
    caseName);

TEST(PrefillPlan, TwoBlocksShareAMultiprocessorWhereTheyCan)
{
    const gpu::GpuLimits h200;
    EXPECT_EQ(gpu::planPrefill(16384, 32, 128, h200).blocks, 4096u);
    EXPECT_EQ(gpu::planPrefill(1, 32, 128, h200).blocks, 32u);
    for (const int headDim : {32, 64, 80, 96, 128}) {
        const gpu::PrefillPlan plan = gpu::planPrefill(1000, 8, headDim, h200);
        EXPECT_EQ(plan.stages, 2);
        EXPECT_LE(2 * (plan.sharedBytes + 1024), static_cast<std::size_t>(h200.sharedPerMultiprocessor));
        EXPECT_LE(gpu::planPrefill(1000, 8, headDim, {84, 100 << 10, 99 << 10, 86}).sharedBytes, 99u << 10);
        EXPECT_LE(gpu::planPrefillF8(1000, 8, headDim).sharedBytes, 99u << 10);
        EXPECT_LE(2 * (gpu::planPrefillF8(1000, 8, headDim).sharedBytes + 1024),
                  static_cast<std::size_t>(h200.sharedPerMultiprocessor));
    }
    EXPECT_EQ(gpu::planPrefill(1000, 8, 128, {108, 164 << 10, 163 << 10, 80}).stages, 1);
    EXPECT_LE(sizeof(gpu::PrefillWork), 512u);
}

TEST(HopperPlan, FitsAndIsTakenOnHopperAlone)
{
    const gpu::GpuLimits h100, a100{108, 164 << 10, 163 << 10, 80}, blackwell{148, 228 << 10, 227 << 10, 100};
    for (const int headDim : {64, 128, 256}) {
        for (const std::int64_t mostKeys : {320, 4096, gpu::everyKey})
            for (const bool isF8 : {false, true}) {
                const gpu::PrefillPlan plan = gpu::planHopper(1000, 8, headDim, mostKeys, isF8, h100);
                EXPECT_EQ(plan.blocks, 64u);
                EXPECT_EQ(plan.resident, 132u);
                EXPECT_GE(plan.stages, 2);
                EXPECT_LE(plan.sharedBytes, static_cast<std::size_t>(h100.sharedPerBlock));
            }
        EXPECT_TRUE(gpu::prefersHopper(4096, headDim, false, h100));
        EXPECT_FALSE(gpu::prefersHopper(1, headDim, false, h100));
        EXPECT_FALSE(gpu::prefersHopper(4096, headDim, false, a100));
        EXPECT_FALSE(gpu::prefersHopper(4096, headDim, false, blackwell));
    }
    EXPECT_FALSE(gpu::prefersHopper(4096, 96, false, h100));
    EXPECT_TRUE(gpu::prefersHopper(4096, 64, true, h100) && gpu::prefersHopper(4096, 256, true, h100));
    EXPECT_FALSE(gpu::prefersHopper(4096, 128, true, h100));
    EXPECT_LE(sizeof(gpu::PrefillWork), static_cast<std::size_t>(gpu::hopperWorkBytes));
    // Registers of a block: what one group gives back is what two others take.
    EXPECT_LE(128 * (gpu::hopperCopyRegisters<false> + 2 * gpu::hopperProductRegisters<false>), 65536);
    EXPECT_LE(128 * (gpu::hopperCopyRegisters<true> + 2 * gpu::hopperProductRegisters<true>), 65536);
}

TEST(DecodePlan, BlocksRunTogetherAndShareTheKeys)
{
    const gpu::GpuLimits h200;
    const std::vector<std::int64_t> retrieval(8, 131072);
    const gpu::DecodePlan plan = gpu::planDecode(retrieval, 131072, 1, 4, 128, h200);
    EXPECT_LE(plan.blocks, 264u);
    EXPECT_GE(plan.blocks, 250u);
    EXPECT_LE(2 * (plan.sharedBytes + 1024), static_cast<std::size_t>(h200.sharedPerMultiprocessor));
    EXPECT_EQ(plan.firstBlock[1], plan.blocks / 8);
    EXPECT_EQ(plan.partials, plan.blocks * 4u * 128);

    // Streaming heads take what their few keys need.
    std::vector<std::int64_t> mixed(8, 131072);
    for (std::size_t i = 0; i < 8; i += 2)
        mixed[i] = 320;
    const gpu::DecodePlan half = gpu::planDecode(mixed, 131072, 1, 4, 128, h200);
    EXPECT_LE(half.blocks, 264u);
    EXPECT_EQ(half.firstBlock[1], 1);
    EXPECT_GE(half.firstBlock[2] - half.firstBlock[1], 60);

    const gpu::DecodePlan large = gpu::planDecode(retrieval, 131072, 64, 4, 128, h200);
    EXPECT_GE(large.blocks, 8u);
    // 320 shares would be a wave and a fifth of blocks: smaller ones leave less of the last wave empty.
    const unsigned blocks = gpu::planDecode(retrieval, 131072, 40, 4, 128, h200).blocks * 40;
    EXPECT_GT(static_cast<double>(blocks) / 264 / std::ceil(static_cast<double>(blocks) / 264), 0.95);
    EXPECT_EQ(gpu::planDecode(retrieval, 131072, 1, 20, 128, h200).slices, 2u);
    // Scratch is bounded, whatever the batch and the heads.
    for (const int heads : {1, 8, 64})
        for (int sequences = 1; sequences <= 64; ++sequences)
            for (const int group : {1, 8, 40}) {
                const std::vector<std::int64_t> many(static_cast<std::size_t>(heads), 1 << 20);
                const gpu::DecodePlan any = gpu::planDecode(many, 1 << 20, sequences, group, 128, h200);
                ASSERT_LE(4 * (any.partials + any.partialStates), 14u << 20) << heads << ' ' << sequences << ' ' << group;
            }
    EXPECT_TRUE(gpu::supportsTensorDecode(256, h200));
    EXPECT_LE(gpu::planDecode(retrieval, 131072, 1, 4, 256, h200).sharedBytes, static_cast<std::size_t>(h200.sharedPerBlock));
    EXPECT_FALSE(gpu::supportsTensorDecode(48, h200));
    EXPECT_FALSE(gpu::supportsTensorDecode(256, {84, 100 << 10, 99 << 10, 86}));
    // The 8.6 and 8.9 families have less shared memory.
    for (const int headDim : {32, 64, 80, 96, 128})
        EXPECT_LE(gpu::planDecode(retrieval, 131072, 1, 4, headDim, {84, 100 << 10, 99 << 10, 86}).sharedBytes, 99u << 10);
    // Heads travel with the launch, whose arguments have 4 KiB.
    EXPECT_LE(sizeof(gpu::DecodeAttentionArgs), 4096u);
    // However long the context, no head has more splits than the join takes.
    const std::vector<std::int64_t> one(1, 1 << 24);
    EXPECT_LE(gpu::planDecode(one, 1 << 24, 1, 1, 64, {.multiprocessors = 4000}).blocks,
              static_cast<unsigned>(gpu::decodeMaxSplits));
}

} // namespace
} // namespace zigzag::test
