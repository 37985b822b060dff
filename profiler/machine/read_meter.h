// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace zigzag {

/// Measures read bandwidth: all threads read a buffer again and again, each its own part. Keeps the buffer, so that a ceiling
/// can be taken beside every sample that is held against it.
class ReadMeter
{
public:
    ReadMeter(std::int64_t bytes, int threads);

    /// Bytes per second in the best of many short windows of time: what the machine can do when it is left alone. 0 when
    /// there was no memory for the buffer, or cancelled at once.
    double best(const std::atomic<bool> *cancel = nullptr) const;
    /// Bytes per second over a few hundredths of a second: what the machine can do just now.
    double now(const std::atomic<bool> *cancel = nullptr) const;

private:
    /// Bytes read in each of `windows` windows of time.
    std::vector<std::int64_t> read(std::size_t windows, const std::atomic<bool> *cancel) const;

    struct Free {
        void operator()(std::byte *data) const { std::free(data); }
    };
    int m_threads;
    std::int64_t m_part; ///< bytes of each thread
    std::unique_ptr<std::byte[], Free> m_buffer;
};

/// The size of a buffer that no cache holds, on a machine with this cache and this much free memory (0 = not known).
std::int64_t uncachedBytes(std::int64_t lastLevelCacheBytes, std::int64_t memoryBytes);

} // namespace zigzag
