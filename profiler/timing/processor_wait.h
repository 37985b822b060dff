// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>

namespace zigzag {

/// Whether this process's threads had to wait for a processor, which had been given to another program, since this was made.
class ProcessorWait
{
public:
    ProcessorWait();
    /// For more than a hundredth of the time: something always interrupts a long run for a moment, and that changes its time
    /// little. False where the system does not say.
    bool isInterrupted() const;

private:
    std::int64_t m_waitedNs;
    std::chrono::steady_clock::time_point m_begin;
};

} // namespace zigzag
