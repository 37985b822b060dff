// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <optional>

namespace zigzag {

/// How far a run has come and how long it will still take: from its own pace, and before it has one from what it is expected to
/// take. Times are seconds of any one clock.
class RunPace
{
public:
    /// A run begins. `expected`: seconds that it should take; 0 = nobody knows.
    void begin(double now, double expected = 0);
    /// What the rest should take, as the run itself estimates it.
    void expect(double now, double seconds);
    /// The run says how far it is. What it says first is where and when it began: a search that goes on was
    /// not that fast.
    void reach(double fraction, double now);

    /// Between what the run said, it moves on at its pace. Empty while nobody can know.
    std::optional<double> fraction(double now) const;
    std::optional<double> secondsLeft(double now) const;

private:
    double m_begin = 0; ///< when, and …
    std::optional<double> m_first; ///< … at which fraction
    double m_reached = 0, m_reachedAt = 0;
    double m_step = 0; ///< the last stride: nobody is further than one stride on
    double m_expected = 0;
};

/// "a moment left", "12 s left", "3 min left", "2 h left".
QString timeLeftText(double seconds);

} // namespace zigzag
