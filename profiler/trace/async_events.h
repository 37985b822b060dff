// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace zigzag {

/// A stretch of time as it stands in a file, in microseconds from whenever its program counts.
struct TimedEvent {
    double beginUs = 0;
    std::int64_t durationNs = 0;
    std::uint32_t name = 0;
    std::uint16_t row = 0;
};

/// Times that are too large for a trace stay too large, so that its check refuses them.
inline std::int64_t nanosecondsOf(double microseconds)
{
    constexpr double mostUs = 1e13;
    return std::llround(1e3 * std::clamp(microseconds, -mostUs, mostUs));
}

/// One of the two ends of a stretch of time.
struct EventEnd {
    bool isBegin = false;
    double atUs = 0;
    std::uint32_t name = 0;
    std::uint32_t lane = 0; ///< a thread's row, or the identity of an asynchronous event
};

/// How many ends have no other one.
struct Unmatched {
    std::int64_t begins = 0, ends = 0;
};

/// Pairs ends within their lane, the innermost first, in the order of their time: files need not be sorted. `take` gets every
/// pair: (begin, end, how many are open around it). Reorders `ends`.
Unmatched pairEnds(std::vector<EventEnd> &ends, const std::function<void(const EventEnd &, const EventEnd &, std::size_t)> &take);

/// Asynchronous events belong to no thread: those of a process and a category lie in rows of their own, each with as many as run
/// beside each other, so that a row's events nest.
class AsyncEvents
{
public:
    /// `identity` tells one event from another (its category and id), `group` names the rows that it lies in.
    void add(bool isBegin, double atUs, std::uint32_t name, const std::string &identity, const std::string &group);

    struct Placed {
        std::vector<TimedEvent> events; ///< rows counted from 0
        std::vector<std::string> rows; ///< names
        Unmatched unmatched;
        std::int64_t tooMany = 0; ///< events beyond the rows that there may be
    };
    Placed place(std::size_t mostRows);
    bool isEmpty() const { return m_ends.empty(); }

private:
    std::vector<EventEnd> m_ends;
    std::unordered_map<std::string, std::uint32_t> m_identities, m_groups;
    std::vector<std::uint32_t> m_groupOf; ///< [identities]
    std::vector<std::string> m_groupNames;
};

} // namespace zigzag
