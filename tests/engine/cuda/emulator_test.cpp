// SPDX-License-Identifier: GPL-3.0-or-later
// The emulation against plain statements of what the PTX ISA says, and that it fails where a GPU would misbehave.
#include "engine/base/dtype.h"
#include "engine/cuda/gpu/launch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace zigzag::gpu {
namespace {

struct Body {
    const std::function<void()> *run;
};

void callBody(const Body body)
{
    (*body.run)();
}

void runKernel(Grid grid, int threads, std::size_t sharedBytes, const std::function<void()> &body)
{
    ASSERT_EQ(launch(callBody, grid, threads, sharedBytes, nullptr, Body{&body}), 0);
}

/// What the launch fails with; empty when it does not.
std::string failureOf(int threads, std::size_t sharedBytes, const std::function<void()> &body)
{
    try {
        launch(callBody, {}, threads, sharedBytes, nullptr, Body{&body});
    } catch (const emulator::Failure &failure) {
        return failure.what();
    }
    return {};
}

TEST(Emulator, EveryThreadOfEveryBlockRunsOnce)
{
    std::vector<int> count(2 * 3 * 2 * 96);
    runKernel({2, 3, 2}, 96, 0, [&] {
        const Index3 block = blockIdx(), grid = gridDim();
        ++count[((block.z * grid.y + block.y) * grid.x + block.x) * blockDim().x + threadIdx().x];
    });
    EXPECT_TRUE(std::all_of(count.begin(), count.end(), [](int n) { return n == 1; }));
    runKernel({0, 1, 1}, 32, 0, [&] { count[0] = 7; });
    EXPECT_EQ(count[0], 1);
}

TEST(Emulator, SharedMemoryIsAlignedPoisonedAndTheBlocksOwn)
{
    runKernel({3}, 64, 64 * sizeof(float), [] {
        auto *values = sharedMemory<float>();
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(values) % 128, 0u);
        EXPECT_TRUE(std::isnan(values[threadIdx().x]));
        syncThreads();
        values[threadIdx().x] = 1;
    });
}

TEST(Emulator, ABarrierLetsEveryThreadSeeWhatTheOthersWrote)
{
    std::vector<unsigned> sums(256);
    runKernel({1}, 256, 256 * sizeof(unsigned), [&] {
        auto *values = sharedMemory<unsigned>();
        const unsigned i = threadIdx().x;
        values[i] = i;
        syncThreads();
        for (unsigned step = 1; step < 256; step *= 2) {
            const unsigned other = values[(i + step) % 256];
            syncThreads();
            values[i] += other;
            syncThreads();
        }
        sums[i] = values[i];
    });
    EXPECT_TRUE(std::all_of(sums.begin(), sums.end(), [](unsigned sum) { return sum == 255 * 256 / 2; }));
}

TEST(Emulator, AMissingBarrierShows)
{
    int unseen = 0;
    runKernel({16}, 64, 64 * sizeof(float), [&] {
        auto *values = sharedMemory<float>();
        values[threadIdx().x] = 1;
        unseen += std::isnan(values[63 - threadIdx().x]) ? 1 : 0;
    });
    EXPECT_EQ(unseen, 16 * 32); // of two threads that exchange, the first to run sees poison
}

/// What the last block to arrive does not see of the others' work.
int unseenByLastBlock(bool barrierBeforeArrival)
{
    constexpr unsigned blocks = 5, threads = 96;
    std::vector<int> written(blocks * threads);
    unsigned arrivals = 0;
    int unseen = 0;
    runKernel({blocks}, threads, sizeof(unsigned), [&] {
        if (warpId() == 2)
            syncWarp(); // one warp comes later
        written[blockIdx().x * threads + threadIdx().x] = 1;
        threadFence();
        if (barrierBeforeArrival)
            syncThreads();
        auto *before = sharedMemory<unsigned>();
        if (threadIdx().x == 0)
            *before = atomicAdd(&arrivals, 1u);
        syncThreads();
        if (*before + 1 == blocks && threadIdx().x == 0)
            unseen = static_cast<int>(std::count(written.begin(), written.end(), 0));
    });
    return unseen;
}

TEST(Emulator, BlocksRunSideBySide)
{
    int withBarrier = 0, without = 0;
    for (int i = 0; i < 40; ++i) {
        withBarrier += unseenByLastBlock(true);
        without += unseenByLastBlock(false);
    }
    EXPECT_EQ(withBarrier, 0);
    EXPECT_GT(without, 0);
}

TEST(Emulator, NamedBarriersHoldTheirOwnThreads)
{
    std::vector<int> seen(128);
    runKernel({4}, 128, 128 * sizeof(int), [&] {
        auto *values = sharedMemory<int>();
        const unsigned i = threadIdx().x, half = i / 64;
        values[i] = static_cast<int>(i);
        barrier(1 + static_cast<int>(half), 64);
        seen[i] = values[half * 64 + 63 - i % 64];
        if (half == 0)
            barrier(3, 64); // that the other half does not come to
    });
    for (int i = 0; i < 128; ++i)
        EXPECT_EQ(seen[static_cast<std::size_t>(i)], i / 64 * 64 + 63 - i % 64);
}

TEST(Emulator, WarpFunctions)
{
    runKernel({2}, 64, 0, [] {
        const int lane = static_cast<int>(laneId());
        EXPECT_EQ(warpId(), threadIdx().x / 32);
        EXPECT_EQ(shuffleXor(lane, 5), lane ^ 5);
        EXPECT_EQ(shuffleDown(static_cast<float>(lane), 4), static_cast<float>(lane + 4 < 32 ? lane + 4 : lane));
        EXPECT_EQ(shuffle(threadIdx().x, 7), warpId() * 32 + 7);
        EXPECT_EQ(warpSum(static_cast<float>(lane)), 31.0f * 16);
        EXPECT_EQ(warpMax(-static_cast<float>(lane ^ 9)), 0.0f);
        EXPECT_EQ(warpBallot(lane % 2 == 1), 0xaaaaaaaau);
        EXPECT_EQ(warpAny(warpId() == 1 && lane == 30), warpId() == 1);
        syncWarp();
    });
}

TEST(Emulator, SixteenBitNumbers)
{
    for (const float value : {0.0f, 1.0f, -3.14159f, 65504.0f, 1e-7f, 1.00390625f, 1.01171875f}) {
        EXPECT_EQ(fromFloat<Bf16>(value).bits, floatToBf16(value));
        EXPECT_EQ(fromFloat<F16>(value).bits, floatToF16(value));
        EXPECT_EQ(fromFloat<float>(value), value);
        EXPECT_EQ(toFloat(fromFloat<F16>(value)), f16ToFloat(floatToF16(value)));
        EXPECT_EQ(pack2<Bf16>(value, 2.0f), floatToBf16(value) | 0x40000000u);
        EXPECT_EQ(unpack2<F16>(pack2<F16>(-1.5f, value)).y, f16ToFloat(floatToF16(value)));
        EXPECT_EQ(unpack2<F16>(pack2<F16>(-1.5f, value)).x, -1.5f);
    }
}

/// d += a · b through the documented layout: element i of a lane's registers is at (row, column).
template <class T> void checkMultiplication()
{
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    float a[16][16], b[16][8], d[16][8];
    for (float &value : std::span(&a[0][0], 256))
        value = toFloat(fromFloat<T>(normal(random)));
    for (float &value : std::span(&b[0][0], 128))
        value = toFloat(fromFloat<T>(normal(random)));
    for (float &value : std::span(&d[0][0], 128))
        value = normal(random);
    int wrong = 0;
    runKernel({1}, 32, 0, [&] {
        const unsigned g = laneId() / 4, t = laneId() % 4;
        const std::uint32_t mineA[4]
            = {pack2<T>(a[g][2 * t], a[g][2 * t + 1]), pack2<T>(a[g + 8][2 * t], a[g + 8][2 * t + 1]),
               pack2<T>(a[g][2 * t + 8], a[g][2 * t + 9]), pack2<T>(a[g + 8][2 * t + 8], a[g + 8][2 * t + 9])};
        const std::uint32_t mineB[2] = {pack2<T>(b[2 * t][g], b[2 * t + 1][g]), pack2<T>(b[2 * t + 8][g], b[2 * t + 9][g])};
        float mineD[4] = {d[g][2 * t], d[g][2 * t + 1], d[g + 8][2 * t], d[g + 8][2 * t + 1]};
        mma16816<T>(mineD, mineA, mineB);
        for (unsigned i = 0; i < 4; ++i) {
            const unsigned row = g + i / 2 * 8, column = 2 * t + i % 2;
            double expected = d[row][column];
            for (int k = 0; k < 16; ++k)
                expected += double{a[row][k]} * b[k][column];
            wrong += std::abs(mineD[i] - expected) > 1e-6 ? 1 : 0;
        }
    });
    EXPECT_EQ(wrong, 0);
}

TEST(Emulator, EightBitNumbers)
{
    EXPECT_EQ(countBits(0x80000101u), 3);
    runKernel({1}, 32, 0, [] {
        for (std::uint32_t bits = 0; bits < 256; ++bits) {
            const float value = f8ToFloat(static_cast<std::uint8_t>(bits));
            const Float2 pair = unpack2<F16>(f8PairToF16(0x12340000u | 0x3800u | bits)); // 0x38: 1
            EXPECT_TRUE(pair.x == value || (std::isnan(pair.x) && std::isnan(value))) << bits;
            EXPECT_EQ(pair.y, 1.0f);
            EXPECT_EQ(toF8(value).bits, bits);
        }
        EXPECT_EQ(toFloat(toF8(-1e9f)), -448.0f);
        EXPECT_EQ(pickBytes(0x03020100u, 0x07060504u, 0x5140u), 0x05010400u);
        EXPECT_EQ(pickBytes(0x03020100u, 0x07060504u, 0x7362u), 0x07030602u);
    });
}

TEST(Emulator, TensorCoresMultiply)
{
    checkMultiplication<Bf16>();
    checkMultiplication<F16>();
}

TEST(Emulator, MatricesAreLoadedByRowsThatLanesPointTo)
{
    constexpr unsigned pitch = 24; // elements; rows need not be neighbours
    runKernel({1}, 32, 32 * pitch * 2, [] {
        auto *memory = sharedMemory<std::uint16_t>();
        for (unsigned i = laneId(); i < 32 * pitch; i += 32)
            memory[i] = static_cast<std::uint16_t>(i);
        syncThreads();
        const auto element
            = [](unsigned matrix, unsigned row, unsigned column) { return (matrix * 8 + row) * pitch + 8 + column; };
        const void *mine = memory + element(0, laneId(), 0); // lane 8 m + r: row r of matrix m
        const unsigned row = laneId() / 4, column = laneId() % 4 * 2;
        std::uint32_t plain[4], transposed[4], two[2], twoTransposed[2];
        loadMatrix4(plain, mine);
        loadMatrix4Transposed(transposed, mine);
        loadMatrix2(two, laneId() < 16 ? mine : nullptr);
        loadMatrix2Transposed(twoTransposed, laneId() < 16 ? mine : nullptr);
        for (unsigned m = 0; m < 4; ++m) {
            EXPECT_EQ(plain[m], element(m, row, column) | element(m, row, column + 1) << 16);
            EXPECT_EQ(transposed[m], element(m, column, row) | element(m, column + 1, row) << 16);
        }
        for (unsigned m = 0; m < 2; ++m) {
            EXPECT_EQ(two[m], plain[m]);
            EXPECT_EQ(twoTransposed[m], transposed[m]);
        }
    });
}

TEST(Emulator, CopiesArriveWhenTheirGroupIsWaitedFor)
{
    alignas(16) std::array<float, 12> source;
    std::iota(source.begin(), source.end(), 1.0f);
    runKernel({1}, 32, 48 * 32, [&] {
        float *mine = sharedMemory<float>() + 12 * threadIdx().x;
        mine[4] = 5;
        copyAsync16(mine, source.data(), true);
        copyAsyncCommit();
        copyAsync16(mine + 4, source.data() + 4, true);
        copyAsyncCommit();
        copyAsync16(mine + 8, nullptr, false);
        copyAsyncWait<1>();
        EXPECT_EQ(mine[3], 4);
        EXPECT_TRUE(std::isnan(mine[4])) << "the second group has not been waited for";
        copyAsyncWait<0>();
        EXPECT_EQ(mine[4], 5);
        EXPECT_TRUE(std::isnan(mine[8])) << "the third copy has not been committed";
        copyAsyncCommit();
        copyAsyncWait<0>();
        EXPECT_EQ(mine[8], 0);
    });
}

TEST(Emulator, AtomicsAndFastArithmetic)
{
    unsigned count = 0;
    float sum = 0;
    runKernel({4}, 64, 0, [&] {
        EXPECT_LT(atomicAdd(&count, 1u), 256u);
        atomicAdd(&sum, 0.5f);
        threadFence();
    });
    EXPECT_EQ(count, 256u);
    EXPECT_EQ(sum, 128.0f);
    EXPECT_EQ(exp2Fast(3.0f), 8.0f);
    EXPECT_EQ(rsqrtFast(4.0f), 0.5f);
    EXPECT_EQ(rcpFast(4.0f), 0.25f);
}

TEST(EmulatorFailures, ABarrierThatNotAllThreadsReach)
{
    const std::string exited = failureOf(64, 0, [] {
        if (threadIdx().x < 32)
            syncThreads();
    });
    EXPECT_NE(exited.find("deadlock"), std::string::npos) << exited;
    EXPECT_NE(exited.find("thread 0 waits in syncThreads at"), std::string::npos) << exited;
    EXPECT_NE(exited.find("thread 32 has exited"), std::string::npos) << exited;
    const std::string crossed = failureOf(64, 0, [] { barrier(threadIdx().x < 32 ? 1 : 2, 64); });
    EXPECT_NE(crossed.find("deadlock"), std::string::npos) << crossed;
    const std::string divergent = failureOf(32, 0, [] {
        if (laneId() < 4)
            syncThreads();
        else
            syncThreads();
    });
    EXPECT_NE(divergent.find("divergent"), std::string::npos) << divergent;
    EXPECT_NE(failureOf(64, 0, [] { barrier(1, 40); }).find("whole warps"), std::string::npos);
    EXPECT_NE(failureOf(64, 0, [] { barrier(1, threadIdx().x < 32 ? 32 : 64), barrier(1, 64); }), "");
}

TEST(EmulatorFailures, AWarpThatIsNotComplete)
{
    const auto shuffles = [](auto lanes) {
        return failureOf(32, 0, [lanes] {
            if (lanes(laneId()))
                shuffleXor(1, 1);
        });
    };
    EXPECT_NE(shuffles([](unsigned lane) { return lane != 9; }).find("exit"), std::string::npos);
    const std::string kinds = failureOf(32, 0, [] {
        if (laneId() == 9)
            syncWarp();
        else
            warpBallot(true);
    });
    EXPECT_NE(kinds.find("the warp disagrees"), std::string::npos) << kinds;
    const std::string waits = failureOf(64, 0, [] {
        if (threadIdx().x == 40)
            syncThreads();
        shuffle(1, 0);
        syncThreads();
    });
    EXPECT_NE(waits.find("deadlock"), std::string::npos) << waits;
}

TEST(EmulatorFailures, AddressesThatTheHardwareRefuses)
{
    alignas(16) static unsigned char global[64];
    EXPECT_NE(failureOf(32, 64, [] { load16(global + 8); }).find("load: the address"), std::string::npos);
    EXPECT_NE(failureOf(32, 64, [] { store16(global + 4, {}); }).find("store: the address"), std::string::npos);
    EXPECT_NE(failureOf(32, 64, [] { copyAsync16(global, global, true); }).find("shared"), std::string::npos);
    EXPECT_NE(failureOf(32, 64, [] { copyAsync16(sharedMemory<char>() + 52, global, true); }).find("shared"), std::string::npos);
    EXPECT_NE(failureOf(32, 64, [] { copyAsync16(sharedMemory<char>(), global + 4, true); }).find("load: the address"),
              std::string::npos);
    std::uint32_t r[4];
    EXPECT_NE(failureOf(32, 64, [&] { loadMatrix4(r, sharedMemory<char>() + 8); }).find("multiple of 16"), std::string::npos);
}

TEST(EmulatorFailures, CopiesThatNoBarrierHasShown)
{
    alignas(16) static unsigned char global[16];
    enum Barrier { None, OfWarp, OfBlock };
    const auto copies = [](Barrier met, unsigned reader) {
        return failureOf(64, 1024, [=] {
            char *mine = sharedMemory<char>() + 16 * threadIdx().x;
            copyAsync16(mine, global, true);
            copyAsyncCommit();
            copyAsyncWait<0>();
            if (met == OfWarp)
                syncWarp();
            if (met == OfBlock)
                syncThreads();
            EXPECT_EQ(load16(mine).w[0], 0u) << "its own";
            std::uint32_t matrix[2];
            loadMatrix2(matrix, sharedMemory<char>() + 16 * (threadIdx().x ^ reader));
            load16(sharedMemory<char>() + 16 * (threadIdx().x ^ reader));
        });
    };
    EXPECT_NE(copies(None, 1).find("no barrier says"), std::string::npos) << copies(None, 1);
    EXPECT_EQ(copies(OfWarp, 1), "");
    EXPECT_NE(copies(OfWarp, 32).find("no barrier says"), std::string::npos);
    EXPECT_EQ(copies(OfBlock, 32), "");
    EXPECT_NE(failureOf(32, 512, [] { copyAsync16(sharedMemory<char>() + 16 * laneId(), global, true); }).find("waited"),
              std::string::npos);
}

TEST(EmulatorFailures, LaunchesThatTheHardwareRefuses)
{
    EXPECT_NE(failureOf(33, 0, [] {}).find("whole warps"), std::string::npos);
    EXPECT_NE(failureOf(2048, 0, [] {}).find("1024"), std::string::npos);
    EXPECT_NE(failureOf(32, 228 << 10, [] {}).find("shared memory"), std::string::npos);
}

TEST(EmulatorFailures, AnEarlyStartThatWaitsForNothing)
{
    const std::function<void()> waits = [] { waitForPrevious(), allowNext(); }, hurries = [] {};
    EXPECT_EQ(launch(callBody, {}, 32, 0, nullptr, Body{&waits}, Start::Early), 0);
    EXPECT_THROW(launch(callBody, {}, 32, 0, nullptr, Body{&hurries}, Start::Early), emulator::Failure);
}

TEST(EmulatorFailures, LeaveTheEmulatorUsable)
{
    EXPECT_THROW(runKernel({1}, 64, 0,
                           [] {
                               const std::vector<int> unwound(100);
                               syncThreads();
                               if (threadIdx().x == 5)
                                   throw std::logic_error("a kernel's own");
                               syncThreads();
                           }),
                 std::logic_error);
    int ran = 0;
    runKernel({1}, 64, 0, [&] { syncThreads(), ++ran; });
    EXPECT_EQ(ran, 64);
}

#if defined(__SANITIZE_ADDRESS__)
TEST(EmulatorFailures, SharedMemoryEndsWhereItEnds)
{
    EXPECT_DEATH(runKernel({1}, 32, 36, [] { sharedMemory<volatile char>()[threadIdx().x == 3 ? 36 : 0] = 1; }), "overflow");
}
#endif

} // namespace
} // namespace zigzag::gpu
