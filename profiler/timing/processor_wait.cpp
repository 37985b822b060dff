// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/timing/processor_wait.h"

#include <filesystem>
#include <fstream>

namespace zigzag {
namespace {

/// Nanoseconds that this process's threads were ready to run and had no processor, so far; 0 where the system does not say.
std::int64_t waitedForProcessor()
{
    std::int64_t sum = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end; it.increment(error)) {
        std::ifstream file(it->path() / "schedstat"); // time on a processor, time waiting for one, turns
        std::int64_t ran = 0, waited = 0;
        if (file >> ran >> waited)
            sum += waited;
    }
    return sum;
}

} // namespace

ProcessorWait::ProcessorWait()
    : m_waitedNs(waitedForProcessor())
    , m_begin(std::chrono::steady_clock::now())
{ }

bool ProcessorWait::isInterrupted() const
{
    constexpr double mostWaited = 0.01;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count();
    return 1e-9 * static_cast<double>(waitedForProcessor() - m_waitedNs) > mostWaited * seconds;
}

} // namespace zigzag
