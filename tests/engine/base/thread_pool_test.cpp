// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/thread_pool.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace zigzag {
namespace {

TEST(ThreadPool, EveryPartRunsOnceAndIsSeen)
{
    for (const int threads : {1, 2, 3, 7}) {
        ThreadPool pool(threads);
        const ThreadPool::Use use(pool);
        for (int call = 0; call < 2000; ++call) {
            std::vector<int> runs(static_cast<std::size_t>(call % 37)); // plain: the pool orders what the threads write
            parallelParts(std::ssize(runs), [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
            ASSERT_EQ(runs, std::vector<int>(runs.size(), 1)) << threads << " threads, call " << call;
        }
    }
}

TEST(ThreadPool, StretchesCoverTheCount)
{
    ThreadPool pool(3);
    const ThreadPool::Use use(pool);
    for (const std::int64_t count : {0, 1, 9, 10, 11, 1000})
        for (const std::int64_t grain : {0, 1, 3, 10, 2000}) {
            std::vector<int> runs(static_cast<std::size_t>(count));
            parallelFor(count, grain, [&](std::int64_t begin, std::int64_t end) {
                EXPECT_LE(end - begin, std::max<std::int64_t>(1, grain));
                for (std::int64_t i = begin; i < end; ++i)
                    ++runs[static_cast<std::size_t>(i)];
            });
            EXPECT_EQ(runs, std::vector<int>(runs.size(), 1)) << count << " by " << grain;
        }
}

/// Each part waits until all threads have one.
TEST(ThreadPool, ThreadsWorkAtTheSameTimeWithIndicesOfTheirOwn)
{
    constexpr int threads = 4;
    ThreadPool pool(threads);
    const ThreadPool::Use use(pool);
    for (int call = 0; call < 20; ++call) {
        std::atomic<int> arrived{0};
        std::vector<int> indices(threads);
        parallelParts(threads, [&](std::int64_t part) {
            indices[static_cast<std::size_t>(part)] = ThreadPool::threadIndex();
            ++arrived;
            while (arrived < threads)
                std::this_thread::yield();
        });
        EXPECT_EQ(std::set(indices.begin(), indices.end()), (std::set{0, 1, 2, 3}));
        if (call % 5 == 0) // long enough for all to be asleep
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(ThreadPool::threadIndex(), 0);
}

TEST(ThreadPool, AJobWithinAPartRunsOnItsThread)
{
    ThreadPool pool(3);
    const ThreadPool::Use use(pool);
    std::atomic<int> runs{0}, elsewhere{0};
    parallelParts(30, [&](std::int64_t) {
        const int outer = ThreadPool::threadIndex();
        const std::thread::id thread = std::this_thread::get_id();
        const ThreadPool::Use inner(pool); // a thread of the pool has no Use of its own
        parallelParts(10, [&](std::int64_t) {
            ++runs;
            elsewhere += std::this_thread::get_id() != thread || ThreadPool::threadIndex() != outer;
        });
    });
    EXPECT_EQ(runs, 300);
    EXPECT_EQ(elsewhere, 0);
}

TEST(ThreadPool, CallersFromSeveralThreadsAllGetTheirResults)
{
    ThreadPool pool(3);
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    callers.reserve(4);
    for (int caller = 0; caller < 4; ++caller)
        callers.emplace_back([&] {
            const ThreadPool::Use use(pool);
            for (int call = 0; call < 500; ++call) {
                std::vector<int> squares(50);
                parallelParts(50, [&](std::int64_t i) { squares[static_cast<std::size_t>(i)] = static_cast<int>(i * i); });
                wrong += std::accumulate(squares.begin(), squares.end(), 0) != 40425;
            }
        });
    for (std::thread &caller : callers)
        caller.join();
    EXPECT_EQ(wrong, 0);
}

TEST(ThreadPool, AnExceptionReachesTheCallerAfterTheOtherParts)
{
    for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        const ThreadPool::Use use(pool);
        std::atomic<int> runs{0};
        const auto job = [&] {
            parallelParts(20, [&](std::int64_t i) {
                ++runs;
                if (i % 7 == 6)
                    throw std::runtime_error("a part failed");
            });
        };
        EXPECT_THROW(job(), std::runtime_error);
        EXPECT_EQ(runs, threads == 1 ? 7 : 20);
        parallelParts(20, [&](std::int64_t) { ++runs; });
        EXPECT_EQ(runs, threads == 1 ? 27 : 40) << "the pool goes on";
    }
}

TEST(ThreadPool, EndsWhileItsThreadsSpinSleepOrHaveNotStarted)
{
    for (int i = 0; i < 100; ++i) {
        ThreadPool pool(4);
        const ThreadPool::Use use(pool);
        std::atomic<int> runs{0};
        if (i % 3 > 0)
            parallelParts(8, [&](std::int64_t) { ++runs; });
        if (i % 3 > 1)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        EXPECT_EQ(runs, i % 3 > 0 ? 8 : 0);
    }
}

/// A part that is held up holds up its job, but not those parts that others can take.
TEST(ThreadPool, ALateThreadHoldsUpOnlyItsOwnPart)
{
    ThreadPool pool(2);
    const ThreadPool::Use use(pool);
    std::atomic<int> others{0};
    parallelParts(100, [&](std::int64_t part) {
        if (part > 0) {
            ++others;
            return;
        }
        const auto begin = std::chrono::steady_clock::now();
        while (others < 99 && std::chrono::steady_clock::now() - begin < std::chrono::seconds(20))
            std::this_thread::yield();
        EXPECT_EQ(others, 99);
    });
}

/// A thread is woken again after it slept, and so is a caller that slept until the last part ended.
TEST(ThreadPool, SleepersWake)
{
    ThreadPool pool(2);
    const ThreadPool::Use use(pool);
    for (int call = 0; call < 30; ++call) {
        std::atomic<int> arrived{0};
        parallelParts(2, [&](std::int64_t) {
            ++arrived;
            while (arrived < 2)
                std::this_thread::yield();
            if (ThreadPool::threadIndex() != 0)
                std::this_thread::sleep_for(std::chrono::milliseconds(2)); // the caller spins for less
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        EXPECT_EQ(arrived, 2);
    }
}

#if !defined(__SANITIZE_THREAD__) // which cannot follow a process that forks while it has threads
TEST(ThreadPool, AForkedProcessGoesOnAlone)
{
    std::atomic<int> before{0};
    parallelParts(10, [&](std::int64_t) { ++before; }); // the process's pool has its threads now
    const pid_t child = fork();
    if (child == 0) {
        std::atomic<int> runs{0};
        parallelParts(10, [&](std::int64_t) { ++runs; });
        std::_Exit(runs == 10 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

} // namespace
} // namespace zigzag
