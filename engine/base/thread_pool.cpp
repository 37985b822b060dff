// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/thread_pool.h"

#include <cassert>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a thread looks for more work before it sleeps: longer than what lies between two ops. Waking a thread whose
/// processor has been halted costs more than that.
constexpr std::chrono::microseconds spinForWork(100);
/// How long the caller looks for the last parts to end: about the length of a part.
constexpr std::chrono::microseconds spinForEnd(100);

thread_local int ownIndex = 0;
thread_local bool isInPart = false;
thread_local ThreadPool *usedPool = nullptr;

void relax()
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// True as soon as done() is, false when it was not for that long.
template <class Done> bool spin(std::chrono::microseconds longest, const Done &done)
{
    constexpr int looks = 32; // between two looks at the clock
    const auto begin = Clock::now();
    do {
        for (int i = 0; i < looks; ++i) {
            if (done())
                return true;
            relax();
        }
    } while (Clock::now() - begin < longest);
    return false;
}

// std::atomic::wait yields the processor several times before it sleeps, and yields cost a thread its turn on a busy machine.
static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

/// Sleeps until woken unless `word` is no longer `expected`; may wake without a reason.
void sleepOn(std::atomic<std::uint32_t> &word, std::uint32_t expected)
{
    syscall(SYS_futex, reinterpret_cast<std::uint32_t *>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void wake(std::atomic<std::uint32_t> &word, int threads)
{
    syscall(SYS_futex, reinterpret_cast<std::uint32_t *>(&word), FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0);
}

/// As libgomp counts them.
int threadsOfProcess()
{
    constexpr long most = 1024;
    if (const char *text = std::getenv("OMP_NUM_THREADS")) {
        const long asked = std::strtol(text, nullptr, 10);
        if (asked > 0)
            return static_cast<int>(std::min(asked, most));
    }
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return std::max(1, CPU_COUNT(&set));
    return static_cast<int>(std::clamp<long>(std::thread::hardware_concurrency(), 1, most)); // more processors than the set holds
}

} // namespace

ThreadPool::ThreadPool(int threads)
    : m_threads(std::max(1, threads))
{ }

ThreadPool::~ThreadPool()
{
    m_ends = true;
    ++m_jobs;
    wake(m_jobs, INT_MAX);
    for (std::thread &worker : m_workers)
        worker.join();
}

ThreadPool &ThreadPool::current()
{
    static ThreadPool &ofProcess = *new ThreadPool(threadsOfProcess());
    return usedPool ? *usedPool : ofProcess;
}

ThreadPool::Use::Use(ThreadPool &pool)
    : m_before(std::exchange(usedPool, &pool))
{ }

ThreadPool::Use::~Use()
{
    usedPool = m_before;
}

int ThreadPool::threadIndex()
{
    return ownIndex;
}

void ThreadPool::run(std::int64_t parts, Part part, const void *body)
{
    assert(parts <= UINT32_MAX);
    if (parts <= 1 || m_threads == 1 || isInPart || m_taken.exchange(true, std::memory_order_acquire))
        return runAlone(parts, part, body);
    if (m_workers.empty())
        startThreads();
    m_part = part;
    m_body = body;
    m_parts = static_cast<std::uint32_t>(parts);
    m_unfinished.store(m_parts, std::memory_order_relaxed);
    publish(m_parts);
    finish(takeParts());
    waitUntilFinished();
    const std::exception_ptr failure = m_failed ? std::exchange(m_failure, nullptr) : nullptr;
    m_failed = false;
    m_taken.store(false, std::memory_order_release);
    if (failure)
        std::rethrow_exception(failure);
}

void ThreadPool::runAlone(std::int64_t parts, Part part, const void *body)
{
    for (std::int64_t i = 0; i < parts; ++i)
        part(body, i);
}

void ThreadPool::publish(std::uint64_t parts)
{
    const std::uint32_t job = m_jobs.load(std::memory_order_relaxed) + 1;
    m_untaken.store(std::uint64_t{job} << 32 | parts, std::memory_order_release);
    // Before a thread sleeps, it counts itself and then looks at the number of jobs: one of the two is seen.
    m_jobs.store(job, std::memory_order_seq_cst);
    if (m_sleepers.load(std::memory_order_seq_cst) > 0)
        wake(m_jobs, static_cast<int>(std::min<std::uint64_t>(parts - 1, INT_MAX)));
}

/// Takes and runs parts until none is left; returns how many these were.
std::uint32_t ThreadPool::takeParts()
{
    std::uint32_t taken = 0;
    std::uint64_t untaken = m_untaken.load(std::memory_order_acquire);
    isInPart = true;
    while ((untaken & UINT32_MAX) != 0) {
        if (!m_untaken.compare_exchange_weak(untaken, untaken - 1, std::memory_order_acquire))
            continue;
        ++taken;
        try {
            m_part(m_body, static_cast<std::int64_t>(m_parts - (untaken & UINT32_MAX)));
        } catch (...) {
            if (!m_failed.exchange(true))
                m_failure = std::current_exception();
        }
        untaken = m_untaken.load(std::memory_order_acquire);
    }
    isInPart = false;
    return taken;
}

void ThreadPool::finish(std::uint32_t parts)
{
    if (parts > 0 && m_unfinished.fetch_sub(parts, std::memory_order_seq_cst) == parts
        && m_callerSleeps.load(std::memory_order_seq_cst) != 0)
        wake(m_unfinished, 1);
}

void ThreadPool::waitUntilFinished()
{
    const auto isFinished = [this] { return m_unfinished.load(std::memory_order_acquire) == 0; };
    if (isFinished() || spin(spinForEnd, isFinished))
        return;
    m_callerSleeps.store(1, std::memory_order_seq_cst);
    for (std::uint32_t left; (left = m_unfinished.load(std::memory_order_seq_cst)) != 0;)
        sleepOn(m_unfinished, left);
    m_callerSleeps.store(0, std::memory_order_relaxed);
}

/// Returns when a job has come since `seen`, or false at the end.
bool ThreadPool::waitForWork(std::uint32_t &seen)
{
    const auto hasCome = [&] { return m_jobs.load(std::memory_order_acquire) != seen; };
    if (!spin(spinForWork, hasCome)) {
        m_sleepers.fetch_add(1, std::memory_order_seq_cst);
        while (m_jobs.load(std::memory_order_seq_cst) == seen)
            sleepOn(m_jobs, seen);
        m_sleepers.fetch_sub(1, std::memory_order_relaxed);
    }
    seen = m_jobs.load(std::memory_order_acquire);
    return !m_ends.load(std::memory_order_acquire);
}

void ThreadPool::work(int index)
{
    ownIndex = index;
    for (std::uint32_t seen = 0; waitForWork(seen);)
        finish(takeParts());
}

/// Fewer than asked for, where the system allows no more.
void ThreadPool::startThreads()
{
    try {
        for (int index = 1; index < m_threads; ++index)
            m_workers.emplace_back(&ThreadPool::work, this, index);
    } catch (const std::system_error &) { }
}

} // namespace zigzag
