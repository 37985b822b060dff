// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/op_table.h"

namespace zigzag {

/// How the events of another program lie over each other within their rows, where calls contain calls. [kernels]
struct LaneTimes {
    /// The time in which an event was the latest begun of its row that still ran: what lies inside it does not count, and the
    /// events of a row add up to the time in which anything ran there, however they nest or overlap.
    std::vector<std::int64_t> selfNs;
    std::vector<std::uint8_t> depth; ///< events around it, at most 255
    /// The time in which no earlier event of its own name and row ran: a call that calls itself is not counted twice.
    std::vector<std::int64_t> outerNs;
};

/// Of the parts of the kernels that lie in the range.
LaneTimes laneTimes(const Trace &trace, const TimeRange &range = {});

} // namespace zigzag
