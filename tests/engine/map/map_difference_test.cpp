// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/map_difference.h"
#include "tests/engine/map/score_samples.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

TEST(MapDifference, NamesLayersAndHeadsAndWhatEachSideCosts)
{
    const auto scores = test::scoresOf(3, 2, {0.95f, 0.1f, 0.2f, 0.3f, 0.5f, 0.6f});
    HeadMap a(scores.model, HeadKind::Retrieval, 2, 6), b = a;
    a.setLayer(0, HeadKind::Streaming);
    b.set(0, 1, HeadKind::Streaming);
    b.setLayer(1, HeadKind::Streaming);
    const auto difference = differenceOf(a, b, 100, &scores);
    ASSERT_TRUE(difference) << difference.error().message;
    EXPECT_EQ(difference->heads, 3);
    EXPECT_FALSE(difference->windowsDiffer);
    ASSERT_EQ(difference->layers.size(), 2u); // layer 2 is the same in both
    const LayerDifference &first = difference->layers[0], &second = difference->layers[1];
    EXPECT_EQ(first.layer, 0);
    EXPECT_EQ(first.heads, (std::vector<int>{0}));
    EXPECT_EQ(first.a.streaming, 2);
    EXPECT_EQ(first.b.streaming, 1);
    EXPECT_EQ(first.a.kvSlots, 16);
    EXPECT_EQ(first.b.kvSlots, 108);
    EXPECT_EQ(first.a.lost->demoted, 1);
    EXPECT_EQ(first.b.lost->demoted, 0);
    EXPECT_EQ(second.heads, (std::vector<int>{0, 1}));
    EXPECT_NEAR(second.a.lost->transportCost, 1.5, 1e-6);
    EXPECT_NEAR(second.b.lost->transportCost, 0.5, 1e-6);
    EXPECT_EQ(difference->a.streaming, 2);
    EXPECT_EQ(difference->b.streaming, 3);
    EXPECT_EQ(difference->a.kvSlots, 16 + 200 + 200);
    EXPECT_EQ(difference->b.lost->demoted, 0);
}

TEST(MapDifference, OtherShapesAreRefusedAndScoresAreOptional)
{
    const HeadMap a({"m", 2, 0, 2, 0, {}}, HeadKind::Retrieval, 2, 6), other({"m", 2, 0, 3, 0, {}}, HeadKind::Retrieval, 2, 6);
    EXPECT_FALSE(differenceOf(a, other, 10, nullptr));
    const auto scores = test::randomGates(3, 2, 1);
    EXPECT_FALSE(differenceOf(a, a, 10, &scores));
    HeadMap wider = a;
    wider.setWindow(2, 7);
    const auto same = differenceOf(a, wider, 10, nullptr);
    ASSERT_TRUE(same);
    EXPECT_TRUE(same->layers.empty());
    EXPECT_TRUE(same->windowsDiffer);
    HeadMap one = a;
    one.setLayerWindow(1, 2, 7);
    EXPECT_TRUE(differenceOf(a, one, 10, nullptr)->windowsDiffer);
    EXPECT_FALSE(differenceOf(one, one, 10, nullptr)->windowsDiffer);
    EXPECT_FALSE(same->a.lost);
}

} // namespace
} // namespace zigzag
