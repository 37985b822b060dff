// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace zigzag {

/// Threads that share the parts of one job after another. Whoever is running takes the next part, the caller too, so that a
/// thread which has no processor just now holds up nobody unless it sits on a part: parts of a tenth of a millisecond or so
/// are best. Who waits spins for a moment, then sleeps. What a part computes must not depend on who runs it.
class ThreadPool // NOLINT(clang-analyzer-optin.performance.Padding): counters of several threads lie a cache line apart
{
public:
    /// `threads` in all, of which the caller is one; the others start with the first job that can use them.
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool &) = delete;
    ThreadPool &operator=(const ThreadPool &) = delete;

    /// The pool that the calling thread's jobs go to: the process's own, with a thread for each processor that the process
    /// may use (sched_getaffinity) or as many as OMP_NUM_THREADS says, as long as no Use is in force. It is never destroyed, so
    /// that a process may end, or a forked one go on alone, whatever its threads are doing.
    static ThreadPool &current();
    /// Sends the jobs of the thread that makes it to another pool while it lives; for tests.
    class Use
    {
    public:
        explicit Use(ThreadPool &pool);
        ~Use();

    private:
        ThreadPool *m_before;
    };

    int threads() const { return m_threads; }
    /// Which of the pool's threads runs this: 0 for the caller of a job and outside of jobs, below threads().
    static int threadIndex();

    using Part = void (*)(const void *body, std::int64_t part);
    /// Calls part(body, i) once for each i in [0, parts), about in ascending order, and returns when all have returned; what
    /// they wrote is seen by the caller. Jobs from inside a part, and those of a second thread while the pool is at work, run
    /// on the thread that asks, alone. An exception reaches the caller after the other parts.
    void run(std::int64_t parts, Part part, const void *body);

private:
    void runAlone(std::int64_t parts, Part part, const void *body);
    void publish(std::uint64_t parts);
    std::uint32_t takeParts();
    void finish(std::uint32_t parts);
    void waitUntilFinished();
    bool waitForWork(std::uint32_t &seen);
    void work(int index);
    void startThreads();

    const int m_threads;
    std::vector<std::thread> m_workers;
    std::atomic<bool> m_taken{false}; ///< a job is running
    // The job: written while nothing of it can be taken, read after a part was taken.
    Part m_part = nullptr;
    const void *m_body = nullptr;
    std::uint32_t m_parts = 0;
    std::exception_ptr m_failure;
    std::atomic<bool> m_failed{false};
    /// Number of the job (upper half) and its parts that nobody has taken (lower half): whoever takes one while the number
    /// stands takes it of that job, which cannot end before.
    alignas(64) std::atomic<std::uint64_t> m_untaken{0};
    alignas(64) std::atomic<std::uint32_t> m_unfinished{0};
    std::atomic<std::uint32_t> m_callerSleeps{0};
    alignas(64) std::atomic<std::uint32_t> m_jobs{0}; ///< counts jobs; idle threads sleep on it
    std::atomic<std::uint32_t> m_sleepers{0};
    std::atomic<bool> m_ends{false};
};

/// Calls body(i) for each i in [0, parts) on the threads of the current pool.
template <class Body> void parallelParts(std::int64_t parts, const Body &body)
{
    ThreadPool::current().run(
        parts, [](const void *of, std::int64_t part) { (*static_cast<const Body *>(of))(part); }, &body);
}

/// Calls body(begin, end) for stretches of [0, count), each of `grain` items but the last.
template <class Body> void parallelFor(std::int64_t count, std::int64_t grain, const Body &body)
{
    grain = std::max<std::int64_t>(1, grain);
    parallelParts((count + grain - 1) / grain,
                  [&](std::int64_t part) { body(part * grain, std::min(count, (part + 1) * grain)); });
}

} // namespace zigzag
