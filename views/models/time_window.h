// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <cstdint>
#include <vector>

namespace zigzag {

/// A stretch of time on so many pixels: the arithmetic of panning and zooming, without a widget. Times are nanoseconds; as
/// double they are exact up to 104 days.
class TimeWindow
{
public:
    /// All that there is to see; the window shows all of it.
    void setWhole(double beginNs, double endNs);
    void setWidth(int pixels);
    int width() const { return m_width; }
    double beginNs() const { return m_begin; }
    double endNs() const { return m_end; }
    double spanNs() const { return m_end - m_begin; }
    bool isWhole() const { return m_begin <= m_wholeBegin && m_end >= m_wholeEnd; }

    double toX(double ns) const { return (ns - m_begin) * pixelsPerNs(); }
    double toNs(double x) const { return m_begin + x / pixelsPerNs(); }
    double pixelsPerNs() const { return m_width / (m_end - m_begin); }

    /// Shows [begin, end], as far as there is something to see and a pixel stays longer than a picosecond.
    void show(double beginNs, double endNs);
    void showWhole() { show(m_wholeBegin, m_wholeEnd); }
    /// `factor` > 1 comes closer; the time at pixel x stays where it is.
    void zoom(double factor, double x);
    /// By so many pixels; positive goes to later times. Stops at the ends.
    void pan(double pixels);

private:
    double m_wholeBegin = 0, m_wholeEnd = 1;
    double m_begin = 0, m_end = 1;
    int m_width = 1;
};

struct TimeTick {
    double ns = 0;
    QString text;
};
/// Ticks at round times, at least `leastPixels` apart. Where the numbers would grow long, the texts count from `anchor`, a
/// round time at or before the window's begin, and `anchorText` says which.
struct TimeTicks {
    std::vector<TimeTick> ticks;
    double stepNs = 0;
    QString anchorText; ///< empty: the texts count from zero
};
TimeTicks timeTicks(const TimeWindow &window, int leastPixels);

/// 85 ns, 3.21 µs, 12.3 ms, 1.52 s.
QString durationText(double ns);

} // namespace zigzag
