// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/expert_launches.cuh"
#include "tests/engine/cuda/blocks_matrix.h"

#include <functional>
#include <numeric>
#include <optional>

namespace zigzag::test {
namespace {

using gpu::Bf16, gpu::F16;

struct Sizes {
    std::size_t experts, hidden, intermediate;
};

/// Which type a matrix has: of gates (0), ups (1) and downs (2), of each expert. None: the activations'.
using TypeOf = std::function<std::optional<WeightType>(std::size_t which, std::size_t expert)>;

/// Experts, for the kernels and for the CPU's op, which gets quantised ones as float32.
template <class T> class ExpertsOf
{
public:
    explicit ExpertsOf(const Sizes &sizes, const TypeOf &typeOfMatrix = {})
        : m_sizes(sizes)
        , m_residual(typeOfMatrix ? 0.0f : 1.0f) // beside which small results would not be seen
    {
        gpu::ExpertList *const lists[] = {&m_onDevice.gates, &m_onDevice.ups, &m_onDevice.downs};
        const std::tuple<std::size_t, std::size_t> shapes[]
            = {{sizes.intermediate, sizes.hidden}, {sizes.intermediate, sizes.hidden}, {sizes.hidden, sizes.intermediate}};
        for (std::size_t which = 0; which < 3; ++which)
            for (std::size_t e = 0; e < sizes.experts; ++e) {
                const auto [rows, columns] = shapes[which];
                lists[which]->rows = static_cast<std::int64_t>(rows);
                lists[which]->columns = static_cast<std::int64_t>(columns);
                if (const auto type = typeOfMatrix ? typeOfMatrix(which, e) : std::nullopt) {
                    const auto &stored = m_blocks.emplace_back(std::make_unique<BlocksMatrix>(
                        *type, lists[which]->rows, lists[which]->columns, static_cast<unsigned>(10 * e + which)));
                    lists[which]->add(static_cast<int>(e), stored->memory.data(), stored->layout.held);
                    m_matrices[which].push_back(*m_cpu->prepare({reinterpret_cast<const std::byte *>(stored->values.data()),
                                                                 DType::F32, lists[which]->rows, lists[which]->columns}));
                    continue;
                }
                const auto &stored = m_weights[which].emplace_back(
                    std::make_unique<DeviceArray<T>>(randomFloats(rows * columns, 10 * e + which, 0.3f)));
                lists[which]->add(static_cast<int>(e), stored->data(), std::nullopt);
                m_matrices[which].push_back(
                    *m_cpu->prepare({reinterpret_cast<const std::byte *>(stored->data()), typeOf<T>,
                                     static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}));
            }
    }

    /// Both, for routes [tokens, experts].
    void check(const std::vector<float> &routes, int perToken, bool renormalises, double tolerance,
               std::size_t scratchBytes = 1 << 20)
    {
        const std::size_t tokens = routes.size() / m_sizes.experts, count = tokens * m_sizes.hidden;
        const DeviceArray<T> in(randomFloats(count, 77));
        const auto residual = randomFloats(count, 78, m_residual), inFloats = in.floats();
        std::vector<float> expected = residual;
        ExpertsArgs args{.in = inFloats.data(),
                         .routes = routes.data(),
                         .out = expected.data(),
                         .gates = m_matrices[0],
                         .ups = m_matrices[1],
                         .downs = m_matrices[2],
                         .tokens = static_cast<std::int64_t>(tokens),
                         .perToken = perToken,
                         .renormalises = renormalises};
        m_cpu->experts(args);
        const DeviceArray<float> out(residual);
        args.in = in.data();
        args.out = out.data();
        const int experts = static_cast<int>(m_sizes.experts);
        const gpu::ExpertPlan plan = gpu::planExperts({.tokens = args.tokens,
                                                       .experts = experts,
                                                       .perToken = perToken,
                                                       .hidden = static_cast<int>(m_sizes.hidden),
                                                       .intermediate = static_cast<int>(m_sizes.intermediate),
                                                       .elementBytes = sizeof(T),
                                                       .needsPlain = !m_onDevice.areUniform(experts)},
                                                      scratchBytes);
        ASSERT_LE(plan.bytes, scratchBytes);
        grouped = plan.grouped;
        pieces = (static_cast<int>(tokens) + plan.tokens - 1) / plan.tokens;
        for (int repeat = 0; repeat < 2; ++repeat) { // the same bits each time, whatever the order of blocks
            const DeviceArray<gpu::Vec16> scratch(plan.bytes / sizeof(gpu::Vec16));
            std::copy(residual.begin(), residual.end(), out.data());
            const DeviceArray<gpu::Vec16> widened(widenedBytes / sizeof(gpu::Vec16));
            const gpu::ExpertMemory memory = {scratch.data(), plan.bytes, widened.data(), widenedBytes};
            ASSERT_EQ(gpu::ExpertLaunches<T>(args, m_onDevice, plan, memory, {}, gpu::Start::Early).run(), 0);
            EXPECT_TRUE(scratch.intact() && widened.intact() && out.intact());
            const auto got = out.floats();
            if (repeat == 0) {
                expectClose(got, expected, 0, tolerance);
                m_first = got;
            } else {
                EXPECT_EQ(std::memcmp(got.data(), m_first.data(), 4 * got.size()), 0);
            }
        }
    }

    bool grouped = false;
    int pieces = 0;
    std::size_t widenedBytes = 1 << 20;

private:
    Sizes m_sizes;
    float m_residual;
    std::unique_ptr<Backend> m_cpu = createCpuBackend();
    std::vector<std::unique_ptr<DeviceArray<T>>> m_weights[3];
    std::vector<std::unique_ptr<Matrix>> m_matrices[3];
    std::vector<std::unique_ptr<BlocksMatrix>> m_blocks;
    gpu::ExpertWeights m_onDevice;
    std::vector<float> m_first;
};

std::vector<float> randomRoutes(std::size_t tokens, const Sizes &sizes)
{
    return randomFloats(tokens * sizes.experts, tokens, 2.0f);
}

TEST(ExpertsKernels, FewTokensMatchTheCpu)
{
    const Sizes sizes{40, 72, 20};
    ExpertsOf<Bf16> bf16(sizes);
    ExpertsOf<float> f32(sizes);
    for (const int perToken : {1, 3, 8})
        for (const bool renormalises : {false, true}) {
            bf16.check(randomRoutes(3, sizes), perToken, renormalises, 2e-2);
            EXPECT_FALSE(bf16.grouped);
            f32.check(randomRoutes(2, sizes), perToken, renormalises, 3e-6);
        }
    // Rows that hold no whole vectors, and rows longer than a warp's round.
    ExpertsOf<F16> odd({5, 37, 21}), wide({3, 520, 264});
    odd.check(randomRoutes(9, {5, 37, 21}), 2, true, 3e-3);
    EXPECT_FALSE(odd.grouped);
    wide.check(randomRoutes(1, {3, 520, 264}), 2, true, 3e-3);
    EXPECT_FALSE(wide.grouped);
}

TEST(ExpertsKernels, ManyTokensMatchTheCpu)
{
    const Sizes sizes{6, 72, 88};
    ExpertsOf<Bf16> bf16(sizes);
    for (const std::size_t tokens : {7, 130}) {
        bf16.check(randomRoutes(tokens, sizes), 2, tokens == 7, 2e-2);
        EXPECT_TRUE(bf16.grouped);
    }
    const Sizes wide{40, 136, 200}; // more than a warp of experts, more than one tile of rows each way
    ExpertsOf<F16> f16(wide);
    f16.check(randomRoutes(65, wide), 5, true, 3e-3);
    EXPECT_TRUE(f16.grouped);
}

TEST(ExpertsKernels, NoTokenIsDropped)
{
    const Sizes sizes{5, 40, 24};
    std::vector<float> routes; // all choose the last two, in turns
    for (int token = 0; token < 150; ++token)
        for (const float route : {0.0f, 0.0f, 0.0f, token % 2 == 0 ? 9.0f : 8.0f, token % 2 == 0 ? 8.0f : 9.0f})
            routes.push_back(route);
    ExpertsOf<Bf16> experts(sizes);
    experts.check(routes, 2, true, 2e-2);
    EXPECT_TRUE(experts.grouped);
}

TEST(ExpertsKernels, PiecesOfATokenStreamAreWhole)
{
    const Sizes sizes{6, 72, 24};
    ExpertsOf<Bf16> experts(sizes);
    experts.check(randomRoutes(40, sizes), 2, true, 2e-2, 8 << 10);
    EXPECT_GT(experts.pieces, 2);
    ExpertsOf<float> f32(sizes);
    f32.check(randomRoutes(40, sizes), 2, true, 3e-6, 4 << 10);
    EXPECT_GT(f32.pieces, 2);
}

TEST(ExpertsKernels, QuantisedMatricesAreReadAsTheyLie)
{
    for (const WeightType type : heldTypes) {
        const auto block = static_cast<std::size_t>(std::max<std::int64_t>(32, type.blockLength()));
        const std::size_t hidden = type == DType::F8 ? 136 : block == 32 ? 160 : 2 * block;
        const Sizes sizes{5, hidden, block}; // groups that are short, and several
        ExpertsOf<Bf16> experts(sizes, [&](std::size_t, std::size_t) { return type; });
        experts.check(randomRoutes(2, sizes), 2, true, 1.5e-2);
        EXPECT_FALSE(experts.grouped);
        experts.check(randomRoutes(9, sizes), 3, false, 1.5e-2);
        EXPECT_TRUE(experts.grouped);
    }
}

TEST(ExpertsKernels, QuantisedMatricesBecomePlainInPieces)
{
    const Sizes sizes{6, 64, 288};
    ExpertsOf<F16> experts(sizes, [](std::size_t, std::size_t) { return BlockType::Q80; });
    for (const std::size_t rows : {128, 288, 700, 1300}) { // some rows of one expert, one, a few
        experts.widenedBytes = 2 * rows * 2 * sizes.hidden;
        experts.check(randomRoutes(70, sizes), 2, true, 3e-3);
        EXPECT_TRUE(experts.grouped);
    }
}

TEST(ExpertsKernels, FormsMayDiffer)
{
    const Sizes sizes{4, 64, 96};
    // Downs of another form, as mixtures of GGUF have; gates and ups that no kernel takes together; and one plain expert.
    ExpertsOf<Bf16> downs(sizes, [](std::size_t which, std::size_t) { return which == 2 ? BlockType::Q80 : BlockType::Q40; }),
        ups(sizes, [](std::size_t which, std::size_t) { return which == 1 ? BlockType::Q80 : BlockType::Q41; }),
        one(sizes, [](std::size_t, std::size_t e) { return e == 2 ? std::nullopt : std::optional<WeightType>(DType::F8); });
    downs.check(randomRoutes(1, sizes), 2, true, 1.5e-2);
    EXPECT_FALSE(downs.grouped);
    for (ExpertsOf<Bf16> *experts : {&downs, &ups, &one}) {
        experts->check(randomRoutes(5, sizes), 2, true, 1.5e-2);
        EXPECT_TRUE(experts->grouped);
    }
    ups.check(randomRoutes(1, sizes), 2, true, 1.5e-2);
    EXPECT_TRUE(ups.grouped);
}

TEST(ExpertsKernels, AmongEqualsTheLowerIsChosen)
{
    const Sizes sizes{6, 24, 16};
    ExpertsOf<float> experts(sizes);
    experts.check(std::vector<float>(3 * sizes.experts, 0.25f), 2, false, 3e-6);
    experts.check({1, 3, 3, 3, 1, 1, 3, 1, 1, 1, 3, 3}, 2, true, 3e-6);
    const Sizes many{70, 24, 16};
    std::vector<float> routes(many.experts, 0.0f);
    routes[69] = routes[37] = routes[5] = 1;
    ExpertsOf<float>(many).check(routes, 2, true, 3e-6);
}

TEST(ExpertsKernels, WhatIsNoNumberSpoilsItsOwnTokenAlone)
{
    const Sizes sizes{6, 24, 16};
    ExpertsOf<float> experts(sizes);
    const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
    experts.check({1, 2, 3, nan, 5, 6, 6, 5, 4, 3, 2, 1, nan, nan, nan, nan, nan, nan}, 2, false, 3e-6);
    experts.check({1, -infinity, 3, -infinity, -infinity, -infinity}, 3, true, 3e-6);
}

TEST(ExpertsKernels, PairsAreSortedByExpertAndNumber)
{
    constexpr int experts = 37;
    for (const int pairs : {1, 31, 600, 3000}) {
        std::vector<std::int32_t> chosen(static_cast<std::size_t>(pairs));
        std::mt19937 random(7);
        for (auto &expert : chosen)
            expert = static_cast<std::int32_t>(random() % (experts - 2)); // the last have none
        const DeviceArray<float> first(experts + 1), order(static_cast<std::size_t>(pairs));
        auto *begins = reinterpret_cast<std::int32_t *>(first.data()), *sorted = reinterpret_cast<std::int32_t *>(order.data());
        gpu::launch(gpu::sortRoutes<>, {experts}, gpu::sortRoutesThreads, gpu::sortRoutesSharedBytes, nullptr,
                    {chosen.data(), begins, sorted, pairs, experts}, gpu::Start::Early);
        std::vector<std::int32_t> expected(chosen.size());
        std::iota(expected.begin(), expected.end(), 0);
        std::stable_sort(expected.begin(), expected.end(), [&](std::int32_t a, std::int32_t b) {
            return chosen[static_cast<std::size_t>(a)] < chosen[static_cast<std::size_t>(b)];
        });
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), sorted));
        for (int e = 0; e <= experts; ++e)
            EXPECT_EQ(begins[e], std::count_if(chosen.begin(), chosen.end(), [e](std::int32_t c) { return c < e; }));
        EXPECT_TRUE(first.intact() && order.intact());
    }
}

TEST(ExpertsPlan, FitsTheScratchAndTheGrid)
{
    for (const auto &[experts, perToken, hidden, intermediate] :
         {std::array{128, 8, 2048, 768}, std::array{8, 2, 4096, 14336}, std::array{512, 10, 2048, 512}})
        for (const std::int64_t tokens : {1, 4, 16, 64, 500, 16384})
            for (const int bytes : {2, 4}) {
                const auto plan = gpu::planExperts({tokens, experts, perToken, hidden, intermediate, bytes}, 64u << 20);
                EXPECT_LE(plan.bytes, std::size_t{64} << 20);
                EXPECT_GE(plan.tokens, 1);
                EXPECT_LE(plan.tokens * perToken, 65535);
                EXPECT_EQ(plan.grouped, bytes == 2 && tokens * perToken > experts);
            }
    EXPECT_LE(gpu::planExperts({9, 4, 2, 64, 64, 2}, 1 << 20).sharedBytes, std::size_t{99} << 10);
    EXPECT_LE(sizeof(gpu::ExpertTilesArgs), std::size_t{32764}) << "what a launch carries";
}

} // namespace
} // namespace zigzag::test
