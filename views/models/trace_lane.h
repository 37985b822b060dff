// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/time_window.h"

#include <QString>
#include <cstdint>
#include <vector>

namespace zigzag {

/// What a lane's item stands for.
enum class TraceItem { Span, Layer, Kernel, Collective };

/// One row of the timeline: items in the order of their beginning, with the sums that answer, for any stretch of time and in
/// logarithmic time, how busy it was, which item was the longest, and whether an emphasised one lies in it.
class TraceLane
{
public:
    struct Entry {
        std::int64_t beginNs = 0, endNs = 0;
        std::int32_t source = 0; ///< index of the span, layer or kernel
        std::uint8_t tone = 0; ///< which colour it has, so that a frame need not look at the source
    };
    /// What lies on the pixels [left, right): one entry that is wide enough to be a box, or several within one column.
    struct Piece {
        float left = 0, right = 0;
        std::int32_t first = 0, last = 0; ///< entries [first, last)
        std::int32_t longest = 0; ///< the entry that stands for them
        float busy = 1; ///< share of the column that is covered, 0 to 1
    };

    TraceLane(QString name, TraceItem item, std::vector<Entry> entries);

    const QString &name() const { return m_name; }
    TraceItem item() const { return m_item; }
    const std::vector<Entry> &entries() const { return m_entries; }

    /// Everything that lies in the window, from left to right: at most two pieces a pixel however many entries there are.
    void piecesIn(const TimeWindow &window, std::vector<Piece> &pieces) const;
    /// The entry at a time, or the nearest within `slackNs`; −1: there is none.
    std::int32_t at(double ns, double slackNs) const;

    /// Which entries stand out; empty = all do. [entries]
    void setEmphasis(const std::vector<bool> &emphasised);
    bool hasEmphasis() const { return !m_emphasised.empty(); }
    /// Number of emphasised entries among [first, last).
    std::int32_t emphasised(std::int32_t first, std::int32_t last) const;

private:
    static constexpr std::int32_t fan = 16; // of the pyramid: a level has a sixteenth of the entries of the one below
    struct Longest {
        std::int64_t ns = -1;
        std::int32_t entry = 0;
    };
    std::int32_t longestOf(std::int32_t first, std::int32_t last) const;
    std::int32_t firstFrom(double ns, std::int32_t from) const;
    std::int64_t length(std::int32_t entry) const;

    QString m_name;
    TraceItem m_item;
    std::vector<Entry> m_entries;
    std::vector<std::int64_t> m_busy; ///< [entries + 1]: nanoseconds of the entries before
    std::vector<std::vector<Longest>> m_longest; ///< per level: the longest entry of each block of 16, 256, …
    std::vector<std::int32_t> m_emphasised; ///< [entries + 1]: emphasised entries before; empty = no emphasis
};

} // namespace zigzag
