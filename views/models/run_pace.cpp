// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/run_pace.h"

#include "views/models/text.h"

#include <algorithm>
#include <cmath>

namespace zigzag {

void RunPace::begin(double now, double expected)
{
    *this = {};
    m_begin = m_reachedAt = now;
    m_expected = expected;
}

void RunPace::expect(double now, double seconds)
{
    const double at = m_reached;
    begin(now, seconds);
    m_first = m_reached = at;
}

void RunPace::reach(double fraction, double now)
{
    fraction = std::clamp(fraction, 0.0, 1.0);
    if (!m_first) {
        m_first = m_reached = fraction;
        m_begin = m_reachedAt = now;
        return;
    }
    if (fraction <= m_reached)
        return; // the text has changed
    m_step = fraction - m_reached;
    m_reached = fraction;
    m_reachedAt = now;
}

std::optional<double> RunPace::fraction(double now) const
{
    const double first = m_first.value_or(0.0), elapsed = now - m_begin;
    constexpr double nearlyThere = 0.95; // an expectation never ends a run
    if (m_reached > first) {
        const double pace = (m_reached - first) / std::max(1e-9, m_reachedAt - m_begin);
        return std::min({1.0, m_reached + nearlyThere * m_step, m_reached + pace * (now - m_reachedAt)});
    }
    if (m_expected <= 0)
        return {};
    return first + (1 - first) * std::min(nearlyThere, elapsed / m_expected);
}

std::optional<double> RunPace::secondsLeft(double now) const
{
    const double first = m_first.value_or(0.0), elapsed = now - m_begin;
    if (m_reached > first) {
        const double at = *fraction(now);
        return (1 - at) * elapsed / std::max(1e-9, at - first);
    }
    if (m_expected <= 0 || elapsed > m_expected)
        return {}; // the expectation was wrong, and there is nothing better
    return m_expected - elapsed;
}

QString timeLeftText(double seconds)
{
    constexpr double minute = 60, hour = 3600, moment = 1.5;
    if (seconds < moment)
        return tr("a moment left");
    if (seconds < 2 * minute) {
        const double coarse = seconds < 10 ? 1 : 5; // no more digits than are known
        return tr("%1 s left").arg(std::round(seconds / coarse) * coarse);
    }
    return seconds < 2 * hour ? tr("%1 min left").arg(std::round(seconds / minute))
                              : tr("%1 h left").arg(std::round(seconds / hour));
}

} // namespace zigzag
