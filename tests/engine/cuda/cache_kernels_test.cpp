// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/engine/cuda/kernel_fixture.h"

#include "engine/cuda/kernels/commit.cuh"
#include "engine/cuda/kernels/rope_append_rows.cuh"
#include "engine/run/key_runs.h"

namespace zigzag::test {
namespace {

using gpu::Bf16, gpu::F16, gpu::F8;

constexpr std::int64_t context = 40;

/// The caches of a layer: even heads keep everything, odd ones have two windows in turn. Several sequences, one after another.
template <class Cache> struct Caches {
    int heads, dim, sequences;
    std::int64_t stride = 0; // elements of a sequence
    DeviceArray<Cache> memory;
    DeviceArray<Cache> staging; // [heads, 2, tokens, dim]
    std::vector<HeadCache> views; // as the CPU backend takes them
    gpu::HeadCaches kernelViews = {};

    Caches(int kvHeads, int headDim, int sequenceCount, std::int64_t stagedTokens)
        : heads(kvHeads)
        , dim(headDim)
        , sequences(sequenceCount)
        , stride(strideOf(kvHeads) * headDim)
        , memory(static_cast<std::size_t>(stride * sequences))
        , staging(static_cast<std::size_t>(stagedTokens * 2 * heads * dim))
    {
        Cache *at = memory.data();
        for (int head = 0; head < heads; ++head) {
            HeadCache view = {.slots = slotsOf(head)};
            view.pattern = patternOf(head);
            view.keys = at;
            view.values = at + view.slots * dim;
            at += 2 * view.slots * dim;
            if (stagedTokens > 0 && !view.pattern.keepsEverything()) {
                view.stagedKeys = staging.data() + 2 * head * stagedTokens * dim;
                view.stagedValues = staging.data() + (2 * head + 1) * stagedTokens * dim;
            }
            views.push_back(view);
            const bool full = view.pattern.keepsEverything();
            kernelViews.heads[head] = {view.keys,
                                       view.values,
                                       view.slots,
                                       view.stagedKeys,
                                       view.stagedValues,
                                       static_cast<int>(view.pattern.sink()),
                                       full ? gpu::everyKey : static_cast<int>(view.pattern.recent())};
        }
        kernelViews.sequenceStride = bytesOfStride();
    }
    static HeadPattern patternOf(int head)
    {
        return head % 2 == 0 ? HeadPattern::full() : head % 4 == 1 ? HeadPattern::streaming(3, 6) : HeadPattern::streaming(1, 11);
    }
    static std::int64_t slotsOf(int head) { return patternOf(head).slots(context); }
    static std::int64_t strideOf(int kvHeads)
    {
        std::int64_t rows = 0;
        for (int head = 0; head < kvHeads; ++head)
            rows += 2 * slotsOf(head);
        return rows;
    }
    std::int64_t bytesOfStride() const { return stride * static_cast<std::int64_t>(sizeof(Cache)); }
    bool intact() const { return memory.intact() && staging.intact(); }
};

struct Case {
    int headDim;
    bool norms;
    int tokens; ///< of one sequence, or sequences of one token each
    bool batch;
    bool staged;
    int rotaryDim = 0;
    bool interleaved = false;
    bool rotates = true;
    bool scales = false;
};

template <class Activation, class Cache> void checkRopeAppendOf(const Case &test)
{
    constexpr int queryHeads = 8, kvHeads = 4, sequences = 4;
    const int dim = test.headDim;
    const std::int64_t rows = test.tokens;
    const auto width = [&](int heads) { return static_cast<std::size_t>(rows * heads * dim); };
    DeviceArray<Activation> queries(randomFloats(width(queryHeads), 1)), keys(randomFloats(width(kvHeads), 2)),
        values(randomFloats(width(kvHeads), 3));
    DeviceArray<float> queryNorm(randomFloats(static_cast<std::size_t>(dim), 4)),
        keyNorm(randomFloats(static_cast<std::size_t>(dim), 5)), cosSin(randomFloats(static_cast<std::size_t>(context * dim), 6)),
        scales(randomFloats(static_cast<std::size_t>(context), 7));
    const std::int32_t positions[sequences] = {17, 2, 9, 30};
    // The same on both sides; what the CPU's activations are, the kernel's read back as.
    Caches<Cache> expected(kvHeads, dim, sequences, test.staged ? rows : 0), got(kvHeads, dim, sequences, test.staged ? rows : 0);
    auto cpuQueries = queries.floats();
    const auto cpuKeys = keys.floats(), cpuValues = values.floats();
    RopeAppendArgs args;
    args.queries = cpuQueries.data(), args.keys = cpuKeys.data(), args.values = cpuValues.data();
    args.queryNorm = test.norms ? queryNorm.data() : nullptr, args.keyNorm = test.norms ? keyNorm.data() : nullptr;
    args.cosSin = test.rotates ? cosSin.data() : nullptr;
    args.rotaryDim = test.rotaryDim, args.interleaved = test.interleaved;
    args.queryScales = test.scales ? scales.data() : nullptr;
    args.heads = expected.views;
    args.tokens = rows, args.firstPosition = 17;
    args.queryHeads = queryHeads, args.kvHeads = kvHeads, args.headDim = dim;
    args.cacheType = typeOf<Cache>, args.epsilon = 1e-5f;
    args.rows = {1, test.batch ? test.tokens : 1, expected.bytesOfStride(), test.batch ? positions : nullptr};
    createCpuBackend()->ropeAppend(args);
    gpu::RopeAppendKernelArgs kernel = {queries.data(),
                                        keys.data(),
                                        values.data(),
                                        args.queryNorm,
                                        args.keyNorm,
                                        args.cosSin,
                                        queryHeads,
                                        kvHeads,
                                        dim,
                                        args.epsilon,
                                        1,
                                        1,
                                        {1, args.rows.count, args.rows.positions, 17},
                                        got.kernelViews,
                                        args.rotaryDim,
                                        args.interleaved,
                                        args.queryScales};
    gpu::launch(gpu::ropeAppend<Activation, Cache>,
                {static_cast<unsigned>(rows), gpu::ropeAppendBlocksPerRow(queryHeads, kvHeads)}, gpu::ropeAppendThreads, 0,
                nullptr, kernel, gpu::Start::Early);
    expectClose(queries.floats(), cpuQueries, roundingOf<Activation>, 1e-6);
    // Both sides round; sums in another order may round to the neighbour.
    expectClose(got.memory.floats(), expected.memory.floats(), 2 * roundingOf<Cache>, 1e-6);
    expectClose(got.staging.floats(), expected.staging.floats(), 2 * roundingOf<Cache>, 1e-6);
    EXPECT_TRUE(queries.intact() && got.intact());
}

TEST(RopeAppendKernel, MatchesTheCpu)
{
    for (const int dim : {2, 6, 64, 80, 96, 128, 256}) {
        for (const bool norms : {false, true}) {
            checkRopeAppendOf<float, float>({dim, norms, 5, false, true});
            checkRopeAppendOf<Bf16, Bf16>({dim, norms, 5, false, true});
            checkRopeAppendOf<F16, F16>({dim, norms, 1, false, false});
            checkRopeAppendOf<Bf16, Bf16>({dim, norms, 3, true, false});
            checkRopeAppendOf<float, F16>({dim, norms, 3, true, false});
        }
    }
}

/// What goes into an F8 cache is what goes into a float one, divided and rounded.
template <class Activation> void checkRopeAppendToF8(const Case &test)
{
    constexpr int queryHeads = 2, kvHeads = 3, sequences = 4;
    constexpr float keyScale = 0.3f, valueScale = 0.002f; // some values are too large
    const int dim = test.headDim;
    const std::int64_t rows = test.tokens;
    const auto width = [&](int heads) { return static_cast<std::size_t>(rows * heads * dim); };
    const auto queryValues = randomFloats(width(queryHeads), 1);
    DeviceArray<Activation> queries(queryValues), keys(randomFloats(width(kvHeads), 2)), values(randomFloats(width(kvHeads), 3));
    DeviceArray<float> norm(randomFloats(static_cast<std::size_t>(dim), 4)),
        cosSin(randomFloats(static_cast<std::size_t>(context * dim), 6));
    const std::int32_t positions[sequences] = {17, 2, 9, 30};
    Caches<float> exact(kvHeads, dim, sequences, test.staged ? rows : 0);
    Caches<F8> got(kvHeads, dim, sequences, test.staged ? rows : 0);
    const auto run = [&](auto kernel, const gpu::HeadCaches &caches) {
        gpu::launch(kernel, {static_cast<unsigned>(rows), gpu::ropeAppendBlocksPerRow(queryHeads, kvHeads)},
                    gpu::ropeAppendThreads, 0, nullptr,
                    {queries.data(),
                     keys.data(),
                     values.data(),
                     nullptr,
                     test.norms ? norm.data() : nullptr,
                     cosSin.data(),
                     queryHeads,
                     kvHeads,
                     dim,
                     1e-5f,
                     keyScale,
                     valueScale,
                     {1, test.batch ? test.tokens : 1, test.batch ? positions : nullptr, 17},
                     caches},
                    gpu::Start::Early);
    };
    run(gpu::ropeAppend<Activation, float>, exact.kernelViews);
    run(gpu::ropeAppend<Activation, F8>, got.kernelViews);
    const auto check = [&](const std::vector<float> &from, const DeviceArray<F8> &to, auto isKey) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            const float value = from[i] / (isKey(i) ? keyScale : valueScale);
            const auto bits = std::isnan(value) ? std::uint8_t{0xff} : floatToF8(value); // unwritten
            ASSERT_EQ(to[i].bits, bits) << i << ": " << value;
        }
    };
    check(exact.staging.floats(), got.staging, [&](std::size_t i) { return i / static_cast<std::size_t>(rows * dim) % 2 == 0; });
    check(exact.memory.floats(), got.memory, [&](std::size_t i) {
        auto row = static_cast<std::int64_t>(i) % exact.stride / dim;
        for (int head = 0;; row -= 2 * exact.slotsOf(head++))
            if (row < 2 * exact.slotsOf(head))
                return row < exact.slotsOf(head);
    });
    EXPECT_TRUE(got.intact());
}

TEST(RopeAppendKernel, DividesAndRoundsToF8)
{
    for (const int dim : {2, 6, 64, 80, 256})
        for (const bool norms : {false, true}) {
            checkRopeAppendToF8<Bf16>({dim, norms, 5, false, true});
            checkRopeAppendToF8<F16>({dim, norms, 1, false, false});
            checkRopeAppendToF8<Bf16>({dim, norms, 3, true, false});
        }
}

/// Parts of heads, pairs of neighbours, none at all, and queries that are scaled by their position.
TEST(RopeAppendKernel, RotatesAsItIsAskedTo)
{
    for (const int dim : {8, 80, 128, 256}) {
        for (const int rotated : {2, 6, dim / 2, dim}) {
            for (const bool interleaved : {false, true}) {
                checkRopeAppendOf<float, float>({dim, true, 5, false, true, rotated, interleaved, true, true});
                checkRopeAppendOf<Bf16, Bf16>({dim, false, 3, true, false, rotated, interleaved, true, false});
            }
        }
        checkRopeAppendOf<F16, F16>({dim, true, 3, true, false, 0, false, false, true});
    }
}

/// Many rows at once become what one by one they become: in the stage, in slots for every position, and in a ring.
template <class Activation, class Cache> void checkRopeAppendRows(int dim, int rows, bool staged, bool scales)
{
    constexpr int queryHeads = 6, kvHeads = 3;
    const auto width = [&](int heads) { return static_cast<std::size_t>(rows * heads * dim); };
    const auto queryValues = randomFloats(width(queryHeads), 1);
    DeviceArray<Activation> expectedQueries(queryValues), gotQueries(queryValues), keys(randomFloats(width(kvHeads), 2)),
        values(randomFloats(width(kvHeads), 3));
    const DeviceArray<float> cosSin(randomFloats(static_cast<std::size_t>(context * dim), 6)),
        scaleOf(randomFloats(static_cast<std::size_t>(context), 7));
    Caches<Cache> expected(kvHeads, dim, 2, staged ? rows : 0), got(kvHeads, dim, 2, staged ? rows : 0);
    gpu::RopeAppendKernelArgs args = {expectedQueries.data(),
                                      keys.data(),
                                      values.data(),
                                      nullptr,
                                      nullptr,
                                      cosSin.data(),
                                      queryHeads,
                                      kvHeads,
                                      dim,
                                      1e-5f,
                                      0.3f,
                                      0.02f,
                                      {1, 1, nullptr, 5},
                                      expected.kernelViews,
                                      0,
                                      false,
                                      scales ? scaleOf.data() : nullptr};
    gpu::launch(gpu::ropeAppend<Activation, Cache>,
                {static_cast<unsigned>(rows), gpu::ropeAppendBlocksPerRow(queryHeads, kvHeads)}, gpu::ropeAppendThreads, 0,
                nullptr, args, gpu::Start::Early);
    args.queries = gotQueries.data();
    args.caches = got.kernelViews;
    gpu::launch(gpu::ropeAppendRows<Activation, Cache>, {gpu::ropeRowsBlocks(rows, queryHeads, kvHeads, dim)},
                gpu::ropeRowsThreads, 0, nullptr, {args, rows}, gpu::Start::Early);
    EXPECT_EQ(std::memcmp(gotQueries.data(), expectedQueries.data(), gotQueries.bytes()), 0);
    EXPECT_EQ(std::memcmp(got.staging.data(), expected.staging.data(), got.staging.bytes()), 0);
    EXPECT_EQ(std::memcmp(got.memory.data(), expected.memory.data(), got.memory.bytes()), 0);
    EXPECT_TRUE(gotQueries.intact() && got.intact());
}

TEST(RopeAppendRowsKernel, DoesWhatTheOtherDoes)
{
    for (const int dim : {16, 64, 80, 96, 128, 256})
        for (const int rows : {1, 7, 30})
            for (const bool staged : {false, true}) {
                if (rows > 6 && !staged)
                    continue; // two rows of one slot
                checkRopeAppendRows<Bf16, Bf16>(dim, rows, staged, false);
                checkRopeAppendRows<F16, F16>(dim, rows, staged, true);
                checkRopeAppendRows<Bf16, F8>(dim, rows, staged, true);
                checkRopeAppendRows<F16, F8>(dim, rows, staged, false);
            }
}

TEST(RopeAppendRowsKernel, IsTakenForWholePlainHeadsOfManyRows)
{
    const float some = 0;
    gpu::RopeAppendKernelArgs args = {};
    args.cosSin = &some, args.headDim = 128, args.rows.count = 1;
    EXPECT_TRUE(gpu::takesRopeRows(args, 64));
    EXPECT_FALSE(gpu::takesRopeRows(args, 63));
    const auto refused = [&](auto change) {
        gpu::RopeAppendKernelArgs other = args;
        change(other);
        return !gpu::takesRopeRows(other, 4096);
    };
    EXPECT_TRUE(refused([](auto &a) { a.rows.count = 2; }));
    EXPECT_TRUE(refused([&](auto &a) { a.queryNorm = &some; }));
    EXPECT_TRUE(refused([&](auto &a) { a.keyNorm = &some; }));
    EXPECT_TRUE(refused([](auto &a) { a.interleaved = true; }));
    EXPECT_TRUE(refused([](auto &a) { a.cosSin = nullptr; }));
    EXPECT_TRUE(refused([](auto &a) { a.rotaryDim = 64; }));
    EXPECT_TRUE(refused([](auto &a) { a.headDim = 72; }));
}

template <class Cache, class Unit> void checkCommitOf(int dim, std::int64_t first, std::int64_t tokens)
{
    constexpr int kvHeads = 4, sequences = 2;
    Caches<Cache> expected(kvHeads, dim, sequences, tokens), got(kvHeads, dim, sequences, tokens);
    const DeviceArray<Cache> chunk(randomFloats(expected.staging.size(), 1));
    std::memcpy(expected.staging.data(), chunk.data(), chunk.bytes());
    std::memcpy(got.staging.data(), expected.staging.data(), chunk.bytes());
    CommitArgs args = {expected.views, tokens, first, dim, typeOf<Cache>, {}};
    args.rows.first = 1, args.rows.cacheStride = expected.bytesOfStride();
    createCpuBackend()->commit(args);
    const int units = dim * static_cast<int>(sizeof(Cache)) / static_cast<int>(sizeof(Unit));
    const auto run = [&](const std::int32_t *positions, std::int64_t firstPosition) {
        gpu::launch(gpu::commit<Unit>, {gpu::commitBlocks(tokens, units), kvHeads, 2}, gpu::commitThreads, 0, nullptr,
                    {tokens, units, {1, 1, positions, firstPosition}, got.kernelViews}, gpu::Start::Early);
        EXPECT_EQ(std::memcmp(got.memory.data(), expected.memory.data(), got.memory.bytes()), 0);
        EXPECT_TRUE(got.intact());
    };
    run(nullptr, first);
    std::memset(static_cast<void *>(got.memory.data()), 0xff, got.memory.bytes());
    const std::int32_t position = static_cast<std::int32_t>(first);
    run(&position, 0);
}

TEST(CommitKernel, MatchesTheCpu)
{
    for (const std::int64_t tokens : {1, 4, 6, 7, 11, 20}) { // shorter and longer than the rings
        for (const std::int64_t first : {0, 2, 5, 18}) {
            checkCommitOf<float, gpu::Vec16>(64, first, tokens);
            checkCommitOf<Bf16, gpu::Vec16>(96, first, tokens);
            checkCommitOf<F16, std::uint32_t>(6, first, tokens);
            checkCommitOf<F8, gpu::Vec16>(80, first, tokens);
            checkCommitOf<F8, std::uint16_t>(6, first, tokens);
        }
    }
}

TEST(CacheView, SlotsAreWhereTheCpuHasThem)
{
    for (const std::int64_t slots : {4, 9, 100})
        for (std::int64_t position = 0; position < 50; ++position)
            EXPECT_EQ(gpu::cacheSlot(position, slots, 3), cacheSlot(position, slots, 3));
}

} // namespace
} // namespace zigzag::test
