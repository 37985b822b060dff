// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/time_window.h"

#include "views/models/text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace zigzag {

namespace {

constexpr double leastNsPerPixel = 1e-3;

struct Unit {
    double ns;
    const char *name;
};
constexpr std::array units = {Unit{1, "ns"}, Unit{1e3, "µs"}, Unit{1e6, "ms"}, Unit{1e9, "s"}};

/// The unit in which a step of ticks is a short number.
const Unit &unitOf(double stepNs)
{
    const Unit *found = &units.front();
    for (const Unit &unit : units)
        if (stepNs >= unit.ns * 0.999)
            found = &unit;
    return *found;
}

/// 1, 2 or 5 times a power of ten, no less than `least`.
double roundStep(double least)
{
    const double power = std::pow(10.0, std::floor(std::log10(least)));
    for (const double digit : {1.0, 2.0, 5.0})
        if (digit * power >= least * 0.9999)
            return digit * power;
    return 10.0 * power;
}

} // namespace

void TimeWindow::setWhole(double beginNs, double endNs)
{
    m_wholeBegin = beginNs;
    m_wholeEnd = std::max(endNs, beginNs + 1.0);
    showWhole();
}

void TimeWindow::setWidth(int pixels)
{
    m_width = std::max(1, pixels);
}

void TimeWindow::show(double beginNs, double endNs)
{
    const double whole = m_wholeEnd - m_wholeBegin;
    const double span = std::clamp(endNs - beginNs, std::min(whole, leastNsPerPixel * m_width), whole);
    const double middle = (beginNs + endNs) / 2.0;
    m_begin = std::clamp(middle - span / 2.0, m_wholeBegin, m_wholeEnd - span);
    m_end = m_begin + span;
}

void TimeWindow::zoom(double factor, double x)
{
    const double whole = m_wholeEnd - m_wholeBegin;
    const double span = std::clamp(spanNs() / factor, std::min(whole, leastNsPerPixel * m_width), whole);
    const double begin = toNs(x) - span * (x / m_width);
    m_begin = std::clamp(begin, m_wholeBegin, m_wholeEnd - span);
    m_end = m_begin + span;
}

void TimeWindow::pan(double pixels)
{
    const double span = spanNs();
    m_begin = std::clamp(m_begin + pixels / pixelsPerNs(), m_wholeBegin, m_wholeEnd - span);
    m_end = m_begin + span;
}

TimeTicks timeTicks(const TimeWindow &window, int leastPixels)
{
    TimeTicks found;
    found.stepNs = roundStep(std::max(leastPixels / window.pixelsPerNs(), 1e-3));
    const Unit &unit = unitOf(found.stepNs);
    constexpr double longest = 99'999; // of a number before its unit
    double anchor = 0.0;
    if (window.endNs() / unit.ns > longest) {
        const double round = std::max(1000.0 * unit.ns, roundStep(window.spanNs()));
        anchor = std::floor(window.beginNs() / round) * round;
        const Unit &large = unitOf(std::max(round, 1.0));
        found.anchorText = QStringLiteral("%1 %2").arg(QString::number(anchor / large.ns, 'f', 0), QString::fromUtf8(large.name));
    }
    const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(found.stepNs / unit.ns) - 1e-6)));
    const auto first = static_cast<std::int64_t>(std::ceil((window.beginNs() - anchor) / found.stepNs - 1e-9));
    for (std::int64_t index = first; anchor + static_cast<double>(index) * found.stepNs <= window.endNs(); ++index) {
        const double offset = static_cast<double>(index) * found.stepNs;
        const QString number = QString::number(offset / unit.ns, 'f', decimals);
        found.ticks.push_back({anchor + offset,
                               QStringLiteral("%1%2 %3").arg(found.anchorText.isEmpty() ? QString() : QStringLiteral("+"), number,
                                                             QString::fromUtf8(unit.name))});
    }
    return found;
}

QString durationText(double ns)
{
    return ns < 1000.0 ? QStringLiteral("%1 ns").arg(std::llround(ns)) : timeText(ns * 1e-6);
}

} // namespace zigzag
