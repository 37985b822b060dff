// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/resource.h>

namespace zigzag {

/// How often the system took a processor away from one of this process's threads, so far. A sample during which that happened
/// says something of the other programs on the machine: it is taken again, a few times at most.
inline long interruptions()
{
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

/// Calls `sample` (a Result with milliseconds) until one was not interrupted, at most `tries` times; the quickest counts.
/// `wasInterrupted` tells whether all were.
template <class Sample> auto leastDisturbed(Sample &&sample, int tries, bool *wasInterrupted = nullptr) -> decltype(sample())
{
    decltype(sample()) best = 0.0;
    for (int i = 0; i < tries; ++i) {
        const long before = interruptions();
        auto now = sample();
        if (!now)
            return now;
        const bool interrupted = interruptions() != before;
        if (i == 0 || *now < *best || !interrupted)
            best = now;
        if (wasInterrupted)
            *wasInterrupted = interrupted;
        constexpr double longMs = 100; // so long a sample is interrupted whenever the machine is busy at all
        if (!interrupted || *now > longMs)
            break;
    }
    return best;
}

} // namespace zigzag
