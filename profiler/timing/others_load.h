// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>

namespace zigzag {

/// How much of this machine's processors other programs take: the system's own count, over those that this process may run on.
class OthersLoad
{
public:
    OthersLoad();
    /// Since the last look, or since it was made: the share of all processors' time, 0 to 1. 0 where the system does not say.
    double look();

private:
    struct Spent {
        double busy = 0; ///< seconds of all processors, by whomever
        double own = 0; ///< by this process
        int processors = 0; ///< 0: the system does not say
        std::chrono::steady_clock::time_point at;
    };
    static Spent spentNow();

    Spent m_last;
};

} // namespace zigzag
