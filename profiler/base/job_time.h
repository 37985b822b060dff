// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <chrono>
#include <limits>

namespace zigzag {

/// The time of a whole job, handed down to each of its steps: one clock for all. On a machine that others slow, what is measured
/// once it has run out is neither waited for nor repeated; on one that is left alone it changes nothing.
class JobTime
{
public:
    /// Without an end.
    JobTime() = default;
    /// Begins now. 0 or less: without an end, as options have it.
    explicit JobTime(double seconds)
    {
        if (seconds > 0)
            m_end = Clock::now()
                + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, most)));
    }

    bool hasEnd() const { return m_end != Clock::time_point::max(); }
    bool isUsedUp() const { return hasEnd() && Clock::now() >= m_end; }
    /// Seconds; infinity without an end, 0 once it has run out.
    double left() const
    {
        return hasEnd() ? std::max(0.0, std::chrono::duration<double>(m_end - Clock::now()).count())
                        : std::numeric_limits<double>::infinity();
    }
    /// The one that ends first.
    static JobTime first(const JobTime &a, const JobTime &b) { return a.m_end <= b.m_end ? a : b; }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr double most = 1e8; ///< seconds

    Clock::time_point m_end = Clock::time_point::max();
};

} // namespace zigzag
