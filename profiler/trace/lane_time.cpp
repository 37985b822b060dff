// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/lane_time.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace zigzag {
namespace {

/// Goes through one row in the order of time.
class Sweep
{
public:
    Sweep(const Trace &trace, const TimeRange &range, LaneTimes &times)
        : m_trace(trace)
        , m_range(range)
        , m_times(times)
    { }

    void begin(std::size_t index)
    {
        const KernelSpan &kernel = m_trace.kernels[index];
        advance(clipped(kernel.beginNs));
        m_times.depth[index] = static_cast<std::uint8_t>(std::min<std::size_t>(m_open.size(), 255));
        const std::int64_t end = clipped(kernel.endNs());
        std::int64_t &known = m_endOfName.try_emplace(kernel.name, std::numeric_limits<std::int64_t>::min()).first->second;
        m_times.outerNs[index] = std::max<std::int64_t>(0, end - std::max(known, clipped(kernel.beginNs)));
        known = std::max(known, end);
        m_open.push_back(index);
    }
    void end()
    {
        advance(std::numeric_limits<std::int64_t>::max());
        m_now = std::numeric_limits<std::int64_t>::min();
        m_endOfName.clear();
    }

private:
    std::int64_t clipped(std::int64_t ns) const
    {
        return std::clamp(ns, m_range.beginNs, std::max(m_range.beginNs, m_range.endNs));
    }

    /// Gives the time up to `until` to the latest begun of those that run.
    void advance(std::int64_t until)
    {
        while (!m_open.empty()) {
            const std::size_t latest = m_open.back();
            const std::int64_t end = clipped(m_trace.kernels[latest].endNs());
            const std::int64_t to = std::min(end, until);
            if (to > m_now) {
                m_times.selfNs[latest] += to - std::max(m_now, clipped(m_trace.kernels[latest].beginNs));
                m_now = to;
            }
            if (end > until)
                break;
            m_open.pop_back();
        }
        m_now = std::max(m_now, until);
    }

    const Trace &m_trace;
    const TimeRange &m_range;
    LaneTimes &m_times;
    std::vector<std::size_t> m_open; ///< in the order of their beginning; those below the last may have ended
    std::unordered_map<std::uint32_t, std::int64_t> m_endOfName; ///< of those that began, the latest
    std::int64_t m_now = std::numeric_limits<std::int64_t>::min();
};

} // namespace

LaneTimes laneTimes(const Trace &trace, const TimeRange &range)
{
    const std::size_t count = trace.kernels.size();
    LaneTimes times{std::vector<std::int64_t>(count), std::vector<std::uint8_t>(count), std::vector<std::int64_t>(count)};
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const KernelSpan &x = trace.kernels[a], &y = trace.kernels[b];
        return x.row != y.row ? x.row < y.row : x.beginNs != y.beginNs ? x.beginNs < y.beginNs : x.durationNs > y.durationNs;
    });
    Sweep sweep(trace, range, times);
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0 && trace.kernels[order[i]].row != trace.kernels[order[i - 1]].row)
            sweep.end();
        sweep.begin(order[i]);
    }
    sweep.end();
    return times;
}

} // namespace zigzag
