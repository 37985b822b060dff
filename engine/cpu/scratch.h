// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/thread_pool.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace zigzag {

/// Memory that grows to the largest request and stays, so that no op allocates once it has run.
class Scratch
{
public:
    /// At least `count` elements, aligned to 64 bytes; what it held before is lost.
    template <class T> T *get(std::size_t count)
    {
        const std::size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
        if (bytes > m_bytes) {
            m_memory.reset(std::aligned_alloc(64, bytes));
            if (!m_memory)
                throw std::bad_alloc();
            m_bytes = bytes;
        }
        return static_cast<T *>(m_memory.get());
    }

private:
    struct Free {
        void operator()(void *memory) const { std::free(memory); }
    };
    std::unique_ptr<void, Free> m_memory;
    std::size_t m_bytes = 0;
};

/// Rows of `width` numbers in one part of an op that passes over them once: some microseconds of work, beside which taking
/// the part is nothing.
inline std::int64_t rowsPerPart(std::int64_t width)
{
    return std::max<std::int64_t>(1, 16384 / width);
}

/// One T for each thread of the pool; `mine` is called inside a part.
template <class T> class PerThread
{
public:
    PerThread()
        : m_all(static_cast<std::size_t>(ThreadPool::current().threads()))
    { }
    T &mine() { return m_all.at(static_cast<std::size_t>(ThreadPool::threadIndex())); }

private:
    std::vector<T> m_all;
};

using ThreadScratch = PerThread<Scratch>;

} // namespace zigzag
