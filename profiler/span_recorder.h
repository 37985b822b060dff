// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/trace_sink.h"

#include <array>
#include <chrono>

namespace zigzag {

/// Wall-clock time per op, summed over layers and calls. On a backend that returns before it has finished, the time is that
/// of the launch; the CPU finishes each op before it returns.
class SpanRecorder : public TraceSink
{
public:
    void begin(Op, int) override { m_begin = Clock::now(); }
    void end(Op op, int) override
    {
        m_us[static_cast<std::size_t>(op)] += std::chrono::duration<double, std::micro>(Clock::now() - m_begin).count();
    }
    void clear() { m_us = {}; }
    double us(Op op) const { return m_us[static_cast<std::size_t>(op)]; }
    double totalUs() const
    {
        double sum = 0.0;
        for (const double us : m_us)
            sum += us;
        return sum;
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point m_begin; // ops do not nest
    std::array<double, opNames.size()> m_us{};
};

} // namespace zigzag
