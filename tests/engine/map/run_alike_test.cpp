// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/run_alike.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

HeadMap mapOf(int layers, int kvHeads, int sink, int recent)
{
    return HeadMap({"sample", layers, kvHeads * 4, kvHeads, 64, {}}, HeadKind::Retrieval, sink, recent);
}

/// What the three say of a pair, which must be one answer.
bool alike(const HeadMap &a, const HeadMap &b)
{
    const bool answer = runAlike(a, b);
    EXPECT_EQ(runAlike(b, a), answer);
    EXPECT_EQ(fingerprintOf(a) == fingerprintOf(b), answer);
    bool equalLayers = a.layers() == b.layers() && a.kvHeads() == b.kvHeads();
    for (int layer = 0; equalLayers && layer < a.layers(); ++layer) {
        equalLayers = compareLayer(a, b, layer) == 0;
        EXPECT_EQ(compareLayer(b, a, layer) == 0, compareLayer(a, b, layer) == 0);
    }
    EXPECT_EQ(equalLayers, answer);
    return answer;
}

TEST(RunAlike, AWindowCountsWhereAHeadStreams)
{
    const HeadMap full = mapOf(2, 2, 4, 60);
    EXPECT_TRUE(alike(full, mapOf(2, 2, 8, 8))) << "no head streams";
    HeadMap mixed = full;
    mixed.set(0, 1, HeadKind::Streaming);
    EXPECT_FALSE(alike(full, mixed));
    const auto with = [&](int sink, int recent) {
        HeadMap other = mixed;
        other.setWindow(sink, recent);
        return other;
    };
    EXPECT_TRUE(alike(mixed, with(4, 60)));
    EXPECT_FALSE(alike(mixed, with(4, 59))) << "recent alone";
    EXPECT_FALSE(alike(mixed, with(5, 60))) << "sink alone";
    EXPECT_FALSE(alike(mixed, with(60, 4)));
    EXPECT_EQ(compareLayer(mixed, with(5, 59), 1), std::strong_ordering::equal) << "the second layer streams nothing";
}

TEST(RunAlike, AWindowCountsInItsLayerAlone)
{
    HeadMap map = mapOf(3, 2, 4, 60);
    map.setLayer(0, HeadKind::Streaming);
    map.set(2, 1, HeadKind::Streaming);
    HeadMap other = map;
    other.setLayerWindow(1, 1, 2);
    EXPECT_TRUE(alike(map, other)) << "nothing streams in layer 1";
    other.setLayerWindow(2, 4, 61);
    EXPECT_FALSE(alike(map, other));
    EXPECT_EQ(compareLayer(map, other, 0), std::strong_ordering::equal);
    HeadMap swapped = map;
    swapped.setLayerWindow(0, 4, 61);
    EXPECT_FALSE(alike(other, swapped)) << "the same windows in other layers";
    HeadMap again = other;
    again.setLayerWindow(1, 7, 7);
    EXPECT_TRUE(alike(other, again));
}

TEST(RunAlike, KindsCountHeadByHeadAndNamesDoNot)
{
    HeadMap a = mapOf(2, 2, 4, 60), b = a;
    a.set(1, 0, HeadKind::Streaming);
    b.set(1, 1, HeadKind::Streaming);
    EXPECT_FALSE(alike(a, b)) << "as many, elsewhere";
    b = a;
    b.setProvenance({"zigzag", "scores.json", 0.25, "tool"});
    ModelShape renamed = b.model();
    renamed.name = "another name";
    b.setModel(renamed);
    EXPECT_TRUE(alike(a, b));
    EXPECT_FALSE(alike(mapOf(2, 2, 4, 60), mapOf(2, 3, 4, 60)));
    EXPECT_FALSE(alike(mapOf(2, 2, 4, 60), mapOf(3, 2, 4, 60)));
    EXPECT_FALSE(alike(mapOf(1, 4, 4, 60), mapOf(2, 2, 4, 60))) << "as many heads in other layers";
}

TEST(RunAlike, LayersHaveOneOrder)
{
    HeadMap full = mapOf(1, 2, 4, 60), first = full, second = full, all = full;
    first.set(0, 0, HeadKind::Streaming);
    second.set(0, 1, HeadKind::Streaming);
    all.setLayer(0, HeadKind::Streaming);
    HeadMap wider = all;
    wider.setWindow(4, 61);
    const HeadMap *rising[] = {&full, &second, &first, &all, &wider};
    for (std::size_t i = 0; i < std::size(rising); ++i)
        for (std::size_t k = 0; k < std::size(rising); ++k)
            EXPECT_EQ(compareLayer(*rising[i], *rising[k], 0), i <=> k) << i << " " << k;
}

} // namespace
} // namespace zigzag
