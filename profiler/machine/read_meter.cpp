// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/machine/read_meter.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstring>
#include <numeric>
#include <sys/mman.h>
#include <thread>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds window(5);
constexpr std::int64_t blockBytes = 4096;

// One cache line at a time in vectors of the width the processor has; the sum keeps the reads from being optimised away.
using Line = std::uint64_t __attribute__((vector_size(64), may_alias));

__attribute__((always_inline)) inline std::uint64_t sumLines(const std::byte *data, std::int64_t bytes)
{
    const auto *lines = reinterpret_cast<const Line *>(data);
    Line a{}, b{}, c{}, d{};
    for (std::int64_t i = 0; i < bytes / 64; i += 4) { // bytes are whole blocks
        a += lines[i];
        b += lines[i + 1];
        c += lines[i + 2];
        d += lines[i + 3];
    }
    a += b + c + d;
    return a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) std::uint64_t sumAvx512(const std::byte *data, std::int64_t bytes)
{
    return sumLines(data, bytes);
}
__attribute__((target("avx2"))) std::uint64_t sumAvx2(const std::byte *data, std::int64_t bytes)
{
    return sumLines(data, bytes);
}
#endif

std::uint64_t sumPlain(const std::byte *data, std::int64_t bytes)
{
    return sumLines(data, bytes);
}

auto fastestSum()
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return &sumAvx512;
    if (__builtin_cpu_supports("avx2"))
        return &sumAvx2;
#endif
    return &sumPlain;
}

/// Calls work(thread) on as many threads, of which this is the first.
template <class Work> void onThreads(int threads, const Work &work)
{
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread)
        others.emplace_back(work, thread);
    work(0);
    for (std::thread &other : others)
        other.join();
}

} // namespace

ReadMeter::ReadMeter(std::int64_t bytes, int threads)
    : m_threads(threads)
    , m_part(std::max<std::int64_t>(1, bytes / threads / blockBytes) * blockBytes)
{
    constexpr std::int64_t hugePage = 2 << 20; // fewer address translations, so that none of them is the ceiling
    const auto whole = static_cast<std::size_t>((m_part * threads + hugePage - 1) / hugePage * hugePage);
    m_buffer.reset(static_cast<std::byte *>(std::aligned_alloc(hugePage, whole)));
    if (!m_buffer)
        return;
    madvise(m_buffer.get(), whole, MADV_HUGEPAGE);
    onThreads(m_threads, [this](int thread) { // pages are placed near the thread that touches them first
        std::memset(m_buffer.get() + m_part * thread, 0x5a, static_cast<std::size_t>(m_part));
    });
}

std::vector<std::int64_t> ReadMeter::read(std::size_t windows, const std::atomic<bool> *cancel) const
{
    std::vector<std::atomic<std::int64_t>> read(windows);
    if (!m_buffer)
        return std::vector<std::int64_t>(windows);
    const auto sum = fastestSum();
    const std::int64_t piece = std::min<std::int64_t>(m_part, 64 * blockBytes);
    std::atomic<std::uint64_t> total{0};
    Clock::time_point begin;
    std::barrier start(m_threads, [&begin]() noexcept { begin = Clock::now(); });
    // No barrier between the windows, so a thread that a busy machine interrupts does not hold up the others.
    onThreads(m_threads, [&](int thread) {
        const std::byte *mine = m_buffer.get() + m_part * thread;
        start.arrive_and_wait();
        std::uint64_t own = 0;
        for (std::int64_t at = 0; !(cancel && *cancel);) {
            own += sum(mine + at, piece);
            const auto now = static_cast<std::size_t>((Clock::now() - begin) / window);
            if (now >= windows)
                break;
            read[now] += piece;
            at = at + 2 * piece <= m_part ? at + piece : 0;
        }
        total += own;
    });
    // Using the total keeps the reads from being optimised away.
    if (total.load() == 0)
        return std::vector<std::int64_t>(windows);
    return {read.begin(), read.end()};
}

double ReadMeter::best(const std::atomic<bool> *cancel) const
{
    const std::vector<std::int64_t> windows = read(64, cancel);
    return static_cast<double>(*std::max_element(windows.begin(), windows.end())) / std::chrono::duration<double>(window).count();
}

double ReadMeter::now(const std::atomic<bool> *cancel) const
{
    const std::vector<std::int64_t> windows = read(6, cancel);
    const auto bytes = std::accumulate(windows.begin(), windows.end(), std::int64_t{0});
    return static_cast<double>(bytes) / (static_cast<double>(windows.size()) * std::chrono::duration<double>(window).count());
}

std::int64_t uncachedBytes(std::int64_t lastLevelCacheBytes, std::int64_t memoryBytes)
{
    const std::int64_t wanted = std::max<std::int64_t>(8 * lastLevelCacheBytes, std::int64_t{256} << 20);
    return memoryBytes > 0 ? std::min(wanted, std::max<std::int64_t>(memoryBytes / 4, std::int64_t{16} << 20)) : wanted;
}

} // namespace zigzag
