// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/machine_profile.h"

#include "profiler/matrix_rate.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <omp.h>
#include <sys/mman.h>

namespace zigzag {
namespace {

using Clock = std::chrono::steady_clock;
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

struct Free {
    void operator()(std::byte *data) const { std::free(data); }
};

/// Bytes per second of all threads reading `bytes` again and again, each its own part: the best of many short windows of
/// time. No barrier between them, so a thread that a busy machine interrupts does not hold up the others.
double readRate(std::int64_t bytes, int threads, const std::atomic<bool> *cancel)
{
    constexpr int windows = 64;
    constexpr std::chrono::milliseconds window(5);
    const std::int64_t part = std::max<std::int64_t>(1, bytes / threads / blockBytes) * blockBytes;
    const std::int64_t piece = std::min<std::int64_t>(part, 64 * blockBytes);
    constexpr std::int64_t hugePage = 2 << 20; // fewer address translations, so that none of them is the ceiling
    const auto whole = static_cast<std::size_t>((part * threads + hugePage - 1) / hugePage * hugePage);
    const std::unique_ptr<std::byte[], Free> buffer(static_cast<std::byte *>(std::aligned_alloc(hugePage, whole)));
    if (!buffer)
        return 0.0; // not measured
    madvise(buffer.get(), whole, MADV_HUGEPAGE);
    const auto sum = fastestSum();
    std::array<std::atomic<std::int64_t>, windows> read{}; // bytes, by the window in which they came in
    std::atomic<std::uint64_t> total{0};
    Clock::time_point begin;
#pragma omp parallel num_threads(threads)
    {
        std::byte *mine = buffer.get() + part * omp_get_thread_num();
        std::memset(mine, 0x5a, static_cast<std::size_t>(part)); // pages are placed near the thread that touches them first
#pragma omp barrier
#pragma omp single
        begin = Clock::now();
        std::uint64_t own = 0;
        for (std::int64_t at = 0; !(cancel && *cancel);) {
            own += sum(mine + at, piece);
            const auto now = static_cast<std::size_t>((Clock::now() - begin) / window);
            if (now >= windows)
                break;
            read[now] += piece;
            at = at + 2 * piece <= part ? at + piece : 0;
        }
        total += own;
    }
    const std::int64_t best = *std::max_element(read.begin(), read.end());
    // Using the total keeps the reads from being optimised away.
    return total.load() == 0 ? 0.0 : static_cast<double>(best) / std::chrono::duration<double>(window).count();
}

} // namespace

MachineProfile measureMachine(Backend &backend, const ModelConfig &config, const std::atomic<bool> *cancel)
{
    const DeviceInfo device = backend.device();
    MachineProfile machine;
    machine.device = device.name;
    machine.threads = std::max(1, device.threads);
    machine.backend = backend.name();
    machine.build = ZIGZAG_BUILD;
    machine.lastLevelCacheBytes = device.lastLevelCacheBytes > 0 ? device.lastLevelCacheBytes : std::int64_t{32} << 20;
    // Eight times the cache where memory allows, a quarter of the cache for reads that stay in it.
    std::int64_t large = std::max<std::int64_t>(8 * machine.lastLevelCacheBytes, std::int64_t{256} << 20);
    if (device.memoryBytes > 0)
        large = std::min(large, std::max<std::int64_t>(device.memoryBytes / 4, std::int64_t{16} << 20));
    machine.readBytesPerSecond = readRate(large, machine.threads, cancel);
    machine.cachedReadBytesPerSecond = readRate(machine.lastLevelCacheBytes / 4, machine.threads, cancel);
    machine.matrixFlopsF32 = measureMatrixRate(config, DType::F32, machine.threads, cancel);
    machine.matrixFlopsBf16 = measureMatrixRate(config, DType::BF16, machine.threads, cancel);
    return machine;
}

void raiseCeilings(MachineProfile &machine, const MachineProfile &again)
{
    for (double MachineProfile::*rate : {&MachineProfile::readBytesPerSecond, &MachineProfile::cachedReadBytesPerSecond,
                                         &MachineProfile::matrixFlopsF32, &MachineProfile::matrixFlopsBf16})
        machine.*rate = std::max(machine.*rate, again.*rate);
}

} // namespace zigzag
