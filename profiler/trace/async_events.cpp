// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/trace/async_events.h"

#include <algorithm>
#include <fmt/format.h>
#include <queue>

namespace zigzag {
namespace {

/// An outermost event of one identity with those inside it.
struct Tree {
    std::uint32_t group = 0;
    double beginUs = 0, endUs = 0;
    std::size_t first = 0, last = 0; ///< its events
};

/// The rows of one group: which is free again when.
struct Rows {
    using Free = std::pair<double, std::uint16_t>; // end of its last event, row
    std::priority_queue<Free, std::vector<Free>, std::greater<>> ends;
};

} // namespace

Unmatched pairEnds(std::vector<EventEnd> &ends, const std::function<void(const EventEnd &, const EventEnd &, std::size_t)> &take)
{
    std::stable_sort(ends.begin(), ends.end(),
                     [](const EventEnd &a, const EventEnd &b) { return a.lane != b.lane ? a.lane < b.lane : a.atUs < b.atUs; });
    Unmatched unmatched;
    std::vector<EventEnd> open;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        if (i > 0 && ends[i].lane != ends[i - 1].lane) {
            unmatched.begins += std::ssize(open);
            open.clear();
        }
        if (ends[i].isBegin) {
            open.push_back(ends[i]);
        } else if (open.empty()) {
            ++unmatched.ends;
        } else {
            const EventEnd begin = open.back();
            open.pop_back();
            take(begin, ends[i], open.size());
        }
    }
    unmatched.begins += std::ssize(open);
    return unmatched;
}

void AsyncEvents::add(bool isBegin, double atUs, std::uint32_t name, const std::string &identity, const std::string &group)
{
    const auto [id, isNewId] = m_identities.try_emplace(identity, static_cast<std::uint32_t>(m_identities.size()));
    if (isNewId) {
        const auto [known, isNewGroup] = m_groups.try_emplace(group, static_cast<std::uint32_t>(m_groups.size()));
        if (isNewGroup)
            m_groupNames.push_back(group);
        m_groupOf.push_back(known->second);
    }
    m_ends.push_back({isBegin, atUs, name, id->second});
}

AsyncEvents::Placed AsyncEvents::place(std::size_t mostRows)
{
    Placed placed;
    std::vector<Tree> trees;
    std::vector<TimedEvent> events;
    Tree tree; // Its innermost events come first and the outermost, as long as all of it, last: if that one ends at all.
    std::uint32_t lane = 0;
    const auto finish = [&] {
        tree.last = events.size();
        if (tree.first < tree.last)
            trees.push_back(tree);
        tree = {.first = events.size()};
    };
    placed.unmatched = pairEnds(m_ends, [&](const EventEnd &begin, const EventEnd &end, std::size_t around) {
        if (begin.lane != lane)
            finish();
        lane = begin.lane;
        const bool isFirst = tree.first == events.size();
        events.push_back({begin.atUs, nanosecondsOf(end.atUs - begin.atUs), begin.name, 0});
        tree.group = m_groupOf[begin.lane];
        tree.beginUs = isFirst ? begin.atUs : std::min(tree.beginUs, begin.atUs);
        tree.endUs = isFirst ? end.atUs : std::max(tree.endUs, end.atUs);
        if (around == 0)
            finish();
    });
    finish();
    std::stable_sort(trees.begin(), trees.end(), [](const Tree &a, const Tree &b) { return a.beginUs < b.beginUs; });
    std::vector<Rows> rows(m_groupNames.size());
    std::vector<std::size_t> rowsOfGroup(m_groupNames.size());
    for (const Tree &each : trees) {
        auto &ends = rows[each.group].ends;
        std::uint16_t row = 0;
        if (!ends.empty() && ends.top().first <= each.beginUs) {
            row = ends.top().second;
            ends.pop();
        } else if (placed.rows.size() < mostRows) {
            row = static_cast<std::uint16_t>(placed.rows.size());
            const std::size_t number = ++rowsOfGroup[each.group];
            placed.rows.push_back(number == 1 ? m_groupNames[each.group]
                                              : fmt::format("{} ({})", m_groupNames[each.group], number));
        } else {
            placed.tooMany += static_cast<std::int64_t>(each.last - each.first);
            continue;
        }
        ends.emplace(each.endUs, row);
        for (std::size_t i = each.first; i < each.last; ++i) {
            events[i].row = row;
            placed.events.push_back(events[i]);
        }
    }
    return placed;
}

} // namespace zigzag
