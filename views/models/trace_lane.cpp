// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/trace_lane.h"

#include <algorithm>
#include <cmath>

namespace zigzag {

namespace {

constexpr float leastBox = 2.0f; // pixels; what is narrower is drawn by the column

} // namespace

TraceLane::TraceLane(QString name, TraceItem item, std::vector<Entry> entries)
    : m_name(std::move(name))
    , m_item(item)
    , m_entries(std::move(entries))
{
    m_busy.reserve(m_entries.size() + 1);
    m_busy.push_back(0);
    for (const Entry &entry : m_entries)
        m_busy.push_back(m_busy.back() + (entry.endNs - entry.beginNs));
    auto count = static_cast<std::int32_t>(m_entries.size());
    while (count > fan) {
        const std::vector<Longest> *below = m_longest.empty() ? nullptr : &m_longest.back();
        std::vector<Longest> level;
        level.reserve(static_cast<std::size_t>((count + fan - 1) / fan));
        for (std::int32_t begin = 0; begin < count; begin += fan) {
            Longest best;
            for (std::int32_t index = begin; index < std::min(count, begin + fan); ++index) {
                const Longest candidate = below ? (*below)[static_cast<std::size_t>(index)] : Longest{length(index), index};
                if (candidate.ns > best.ns)
                    best = candidate;
            }
            level.push_back(best);
        }
        count = static_cast<std::int32_t>(level.size());
        m_longest.push_back(std::move(level));
    }
}

std::int64_t TraceLane::length(std::int32_t entry) const
{
    const Entry &found = m_entries[static_cast<std::size_t>(entry)];
    return found.endNs - found.beginNs;
}

std::int32_t TraceLane::longestOf(std::int32_t first, std::int32_t last) const
{
    // Up the pyramid: on each level the loose ends, then whole blocks on the level above.
    Longest best;
    const std::vector<Longest> *level = nullptr;
    const auto take = [&](std::int32_t index) {
        const Longest candidate = level ? (*level)[static_cast<std::size_t>(index)] : Longest{length(index), index};
        if (candidate.ns > best.ns)
            best = candidate;
    };
    for (std::size_t height = 0;; ++height) {
        if (height >= m_longest.size() || last - first <= fan) {
            for (std::int32_t index = first; index < last; ++index)
                take(index);
            return best.entry;
        }
        for (; first % fan != 0; ++first)
            take(first);
        for (; last % fan != 0; --last)
            take(last - 1);
        first /= fan;
        last /= fan;
        level = &m_longest[height];
    }
}

std::int32_t TraceLane::firstFrom(double ns, std::int32_t from) const
{
    // The answer is usually near: gallop, then halve.
    const auto count = static_cast<std::int32_t>(m_entries.size());
    const auto before
        = [&](std::int32_t index) { return static_cast<double>(m_entries[static_cast<std::size_t>(index)].beginNs) < ns; };
    std::int32_t low = from, step = 1;
    while (low + step < count && before(low + step)) {
        low += step;
        step *= 2;
    }
    std::int32_t high = std::min(count, low + step);
    while (low < high) {
        const std::int32_t middle = low + (high - low) / 2;
        if (before(middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void TraceLane::piecesIn(const TimeWindow &window, std::vector<Piece> &pieces) const
{
    pieces.clear();
    const auto count = static_cast<std::int32_t>(m_entries.size());
    const double begin = window.beginNs(), end = window.endNs();
    const double scale = window.pixelsPerNs();
    const auto x = [&](std::int64_t ns) { return static_cast<float>((static_cast<double>(ns) - begin) * scale); };
    const auto isBox = [&](std::int32_t index) { return static_cast<double>(length(index)) * scale >= leastBox; };
    std::int32_t index = std::max(0, firstFrom(begin, 0) - 1); // the one before may reach into the window
    for (; index < count && static_cast<double>(m_entries[static_cast<std::size_t>(index)].endNs) <= begin; ++index) { }
    while (index < count && static_cast<double>(m_entries[static_cast<std::size_t>(index)].beginNs) < end) {
        const Entry &entry = m_entries[static_cast<std::size_t>(index)];
        if (isBox(index)) {
            pieces.push_back({std::max(0.0f, x(entry.beginNs)), std::min(static_cast<float>(window.width()), x(entry.endNs)),
                              index, index + 1, index, 1.0f});
            ++index;
            continue;
        }
        const float column = std::max(0.0f, std::floor(x(entry.beginNs)));
        const double columnEnd = window.toNs(static_cast<double>(column) + 1.0);
        std::int32_t last = std::max(index + 1, firstFrom(columnEnd, index));
        if (last - 1 > index && isBox(last - 1))
            --last; // reaches out of this column
        const std::int64_t busy = m_busy[static_cast<std::size_t>(last)] - m_busy[static_cast<std::size_t>(index)];
        const float share = std::min(1.0f, static_cast<float>(static_cast<double>(busy) * scale));
        pieces.push_back({column, column + 1.0f, index, last, longestOf(index, last), share});
        index = last;
    }
}

std::int32_t TraceLane::at(double ns, double slackNs) const
{
    const auto count = static_cast<std::int32_t>(m_entries.size());
    std::int32_t found = -1;
    double nearest = slackNs;
    const std::int32_t next = firstFrom(ns, 0);
    for (std::int32_t index = std::max(0, next - 1); index < std::min(count, next + 1); ++index) {
        const Entry &entry = m_entries[static_cast<std::size_t>(index)];
        const double away = std::max({static_cast<double>(entry.beginNs) - ns, ns - static_cast<double>(entry.endNs), 0.0});
        if (away <= nearest) {
            nearest = away;
            found = index;
        }
    }
    return found;
}

void TraceLane::setEmphasis(const std::vector<bool> &emphasised)
{
    m_emphasised.clear();
    if (emphasised.empty())
        return;
    m_emphasised.reserve(emphasised.size() + 1);
    m_emphasised.push_back(0);
    for (const bool each : emphasised)
        m_emphasised.push_back(m_emphasised.back() + (each ? 1 : 0));
}

std::int32_t TraceLane::emphasised(std::int32_t first, std::int32_t last) const
{
    if (m_emphasised.empty())
        return last - first;
    return m_emphasised[static_cast<std::size_t>(last)] - m_emphasised[static_cast<std::size_t>(first)];
}

} // namespace zigzag
