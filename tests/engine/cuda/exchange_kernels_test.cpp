// SPDX-License-Identifier: GPL-3.0-or-later
// What GPUs write into each other's memory. Ranks run one after the other here: all of them send, and then all of them take.
#include "tests/engine/cuda/kernel_fixture.h"

#include "engine/cuda/kernels/exchange.cuh"

namespace zigzag::test {
namespace {

using gpu::Bf16, gpu::F16;

constexpr std::int64_t capacity = 700;

class ExchangeKernels : public testing::TestWithParam<int>
{
protected:
    ExchangeKernels()
        : m_ranks(static_cast<std::size_t>(GetParam()))
    {
        for (Rank &rank : m_ranks) {
            rank.words.assign(static_cast<std::size_t>(2 * GetParam() * capacity), 0);
            rank.state.assign(2, 0);
        }
    }

    struct Rank {
        std::vector<std::uint64_t> words;
        std::vector<std::uint32_t> state;
    };

    gpu::ExchangeArgs argsOf(int rank)
    {
        gpu::ExchangeArgs args = {};
        for (std::size_t i = 0; i < m_ranks.size(); ++i)
            args.words[i] = m_ranks[i].words.data();
        args.state = m_ranks[static_cast<std::size_t>(rank)].state.data();
        args.stopped = &m_stopped;
        args.capacity = capacity;
        args.rank = rank;
        args.ranks = GetParam();
        return args;
    }

    void onAll(void (*kernel)(gpu::ExchangeArgs), std::vector<gpu::ExchangeArgs> ranks)
    {
        for (const int phase : {gpu::exchangeSends, gpu::exchangeTakes})
            for (gpu::ExchangeArgs &args : ranks) {
                args.phases = phase;
                gpu::launch(kernel, {gpu::exchangeBlocks(args.count)}, gpu::exchangeThreads, 0, nullptr, args, gpu::Start::Early);
            }
    }

    void sum(std::int64_t count, std::uint64_t seed, bool hasResidual)
    {
        const auto numbers = static_cast<std::size_t>(count);
        const std::vector<float> residual = randomFloats(numbers, seed, 1.0f);
        std::vector<float> expected = hasResidual ? residual : std::vector<float>(numbers);
        std::vector<std::unique_ptr<DeviceArray<float>>> parts, outs;
        std::vector<gpu::ExchangeArgs> ranks;
        for (int rank = 0; rank < GetParam(); ++rank) {
            const std::vector<float> part = randomFloats(numbers, seed + 1 + static_cast<std::uint64_t>(rank), 1.0f);
            for (std::size_t i = 0; i < numbers; ++i)
                expected[i] += part[i];
            parts.push_back(std::make_unique<DeviceArray<float>>(part));
            outs.push_back(std::make_unique<DeviceArray<float>>(residual)); // in place
            gpu::ExchangeArgs args = argsOf(rank);
            args.part = parts.back()->data();
            args.out = outs.back()->data();
            args.residual = hasResidual ? args.out : nullptr;
            args.count = count;
            ranks.push_back(args);
        }
        onAll(gpu::exchangeSum, ranks);
        for (const auto &out : outs) {
            EXPECT_EQ(out->floats(), expected) << "the same bits on every rank";
            EXPECT_TRUE(out->intact());
        }
    }

    void gather(std::int64_t rows, const std::vector<std::int64_t> &widths, std::uint64_t seed)
    {
        std::int64_t all = 0;
        for (const std::int64_t width : widths)
            all += width;
        std::vector<float> expected(static_cast<std::size_t>(rows * all));
        std::vector<std::unique_ptr<DeviceArray<float>>> parts, outs;
        std::int64_t offset = 0;
        for (std::size_t rank = 0; rank < widths.size(); ++rank) {
            const std::vector<float> part = randomFloats(static_cast<std::size_t>(rows * widths[rank]), seed + rank, 1.0f);
            for (std::int64_t row = 0; row < rows; ++row)
                std::copy_n(part.begin() + row * widths[rank], widths[rank], expected.begin() + row * all + offset);
            offset += widths[rank];
            parts.push_back(std::make_unique<DeviceArray<float>>(part));
            outs.push_back(std::make_unique<DeviceArray<float>>(expected.size()));
        }
        const std::int64_t most = rows * *std::max_element(widths.begin(), widths.end());
        for (std::int64_t done = 0; done < most; done += capacity) { // as collectives.cu cuts it
            std::vector<gpu::ExchangeArgs> ranks;
            for (int rank = 0; rank < GetParam(); ++rank) {
                gpu::ExchangeArgs args = argsOf(rank);
                args.part = parts[static_cast<std::size_t>(rank)]->data();
                args.out = outs[static_cast<std::size_t>(rank)]->data();
                args.count = std::min(capacity, most - done);
                for (std::size_t i = 0; i < widths.size(); ++i) {
                    args.widths[i] = widths[i];
                    args.offsets[i] = args.pitch;
                    args.pitch += widths[i];
                    args.first[i] = done;
                    args.counts[i] = std::min(args.count, rows * widths[i] - done);
                }
                ranks.push_back(args);
            }
            onAll(gpu::exchangeGather, ranks);
        }
        for (const auto &out : outs) {
            EXPECT_EQ(out->floats(), expected);
            EXPECT_TRUE(out->intact());
        }
    }

    std::vector<Rank> m_ranks;
    int m_stopped = 0;
};

TEST_P(ExchangeKernels, CallsOfAllKindsBehindEachOther)
{
    const auto ranks = static_cast<std::size_t>(GetParam());
    sum(700, 1, true);
    sum(1, 10, true);
    gather(1, std::vector<std::int64_t>(ranks, 300), 20);
    sum(257, 30, false);
    std::vector<std::int64_t> uneven(ranks, 150);
    uneven.back() = 149;
    uneven.front() = 201;
    gather(7, uneven, 40); // in two calls
    sum(699, 50, true);
    for (const Rank &rank : m_ranks) {
        EXPECT_EQ(rank.state[0], 8u) << "calls";
        EXPECT_EQ(rank.state[1], 0u);
    }
}

TEST_P(ExchangeKernels, NobodyIsWaitedForOnceStopped)
{
    m_stopped = 1;
    DeviceArray<float> part(std::vector<float>(300, 2.0f)), out(300);
    gpu::ExchangeArgs args = argsOf(0);
    args.part = part.data();
    args.out = out.data();
    args.count = 300;
    args.phases = gpu::exchangeSends | gpu::exchangeTakes;
    gpu::launch(gpu::exchangeSum, {gpu::exchangeBlocks(300)}, gpu::exchangeThreads, 0, nullptr, args, gpu::Start::Early);
    EXPECT_EQ(out[299], 2.0f) << "its own part";
}

INSTANTIATE_TEST_SUITE_P(Ranks, ExchangeKernels, testing::Values(2, 3, 8));

template <class T> void checkAddPartsOf(std::int64_t count, bool hasResidual)
{
    const auto numbers = static_cast<std::size_t>(count);
    DeviceArray<T> part(randomFloats(numbers, 1, 1.0f));
    DeviceArray<float> out(randomFloats(numbers, 2, 1.0f));
    std::vector<float> expected = hasResidual ? out.floats() : std::vector<float>(numbers);
    const std::vector<float> added = part.floats();
    for (std::size_t i = 0; i < numbers; ++i)
        expected[i] += added[i];
    gpu::launch(gpu::addParts<T>, {gpu::addPartsBlocks(count)}, gpu::exchangeThreads, 0, nullptr,
                {part.data(), out.data(), hasResidual ? out.data() : nullptr, count}, gpu::Start::Early);
    EXPECT_EQ(out.floats(), expected);
    EXPECT_TRUE(out.intact());
}

TEST(AddPartsKernel, AddsToTheResidualStream)
{
    for (const std::int64_t count : {1, 255, 2048, 2049, 5000})
        for (const bool hasResidual : {false, true}) {
            checkAddPartsOf<float>(count, hasResidual);
            checkAddPartsOf<Bf16>(count, hasResidual);
            checkAddPartsOf<F16>(count, hasResidual);
        }
}

} // namespace
} // namespace zigzag::test
