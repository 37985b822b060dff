// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/key_runs.h"

#include "engine/map/head_pattern.h"

#include <gtest/gtest.h>
#include <map>

namespace zigzag {
namespace {

/// Writes positions one after another as the layout's rule says it, and remembers who is where.
std::map<std::int64_t, std::int64_t> slotsAfter(std::int64_t held, std::int64_t slots, std::int64_t sink)
{
    std::map<std::int64_t, std::int64_t> positionOf; // by slot
    std::int64_t next = sink;
    for (std::int64_t p = 0; p < held; ++p) {
        if (p < std::min(sink, slots)) {
            positionOf[p] = p;
            continue;
        }
        positionOf[next] = p;
        if (++next == slots)
            next = sink;
    }
    return positionOf;
}

void check(const HeadPattern &pattern, std::int64_t context, std::int64_t first, std::int64_t tokens)
{
    const std::int64_t sink = pattern.sink();
    SCOPED_TRACE(testing::Message() << "context " << context << " sink " << sink << " recent " << pattern.recent() << " first "
                                    << first << " tokens " << tokens);
    const std::int64_t slots = pattern.slots(context);
    const bool staged = !pattern.keepsEverything() && tokens > 1;
    const auto positionOf = slotsAfter(staged ? first : first + tokens, slots, pattern.keepsEverything() ? slots : sink);
    std::map<std::int64_t, int> found; // positions in the runs
    std::int64_t last = -1;
    for (const KeyRun &run : keyRuns(slots, staged, sink, first, tokens)) {
        ASSERT_GT(run.begin, last) << "ascending and disjoint";
        ASSERT_GT(run.end, run.begin);
        last = run.end - 1;
        for (std::int64_t p = run.begin; p < run.end; ++p) {
            found[p] = 1;
            const std::int64_t row = run.row + p - run.begin;
            if (run.staged) {
                ASSERT_EQ(row, p - first);
            } else {
                ASSERT_LT(row, slots);
                ASSERT_EQ(positionOf.at(row), p);
                ASSERT_EQ(cacheSlot(p, slots, sink), row);
            }
        }
    }
    for (std::int64_t query = first; query < first + tokens; ++query) {
        const KeyRange range = pattern.visibleKeys(query);
        for (std::int64_t key = 0; key < first + tokens; ++key) {
            const bool seen = key <= query && (key < sink || query - key < pattern.recent());
            ASSERT_EQ(seen, key < range.sinkEnd || (key >= range.windowBegin && key < range.windowEnd));
            ASSERT_TRUE(!seen || found.contains(key)) << "query " << query << " key " << key;
        }
    }
}

TEST(KeyRuns, HoldEveryVisibleKeyOnceInItsPlace)
{
    for (const std::int64_t sink : {0, 1, 3})
        for (const std::int64_t recent : {1, 2, 5})
            for (const std::int64_t context : {1, 2, 4, 7, 8, 30})
                for (std::int64_t first = 0; first < context; ++first)
                    for (const std::int64_t tokens : {1, 2, 3, 9, 20})
                        if (first + tokens <= context) {
                            check(HeadPattern::streaming(sink, recent), context, first, tokens);
                            check(HeadPattern::full(), context, first, tokens);
                        }
}

} // namespace
} // namespace zigzag
