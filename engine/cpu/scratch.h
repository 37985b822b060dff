// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <omp.h>
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

/// One Scratch a thread; `mine` is called inside a parallel region.
class ThreadScratch
{
public:
    ThreadScratch()
        : m_scratch(static_cast<std::size_t>(omp_get_max_threads()))
    { }
    Scratch &mine() { return m_scratch[static_cast<std::size_t>(omp_get_thread_num())]; }

private:
    std::vector<Scratch> m_scratch;
};

} // namespace zigzag
