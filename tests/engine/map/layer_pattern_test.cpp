// SPDX-License-Identifier: GPL-3.0-or-later
// Layers that are chosen by their place.
#include "engine/map/layer_pattern.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

ModelShape plain(int layers)
{
    return {"plain", layers, 4, 2, 8, {}, {}};
}

/// A letter for each layer: R, S, M, or L where the model's own file has its way.
std::string kinds(const HeadMap &map)
{
    std::string letters;
    for (int layer = 0; layer < map.layers(); ++layer)
        letters += "RSML"[static_cast<std::size_t>(map.layerKind(layer))];
    return letters;
}

std::string assigned(const ModelShape &model, const std::string &text)
{
    const auto pattern = parseLayerPattern(text);
    if (!pattern)
        return pattern.error().message;
    const auto map = assignByPattern(model, {.pattern = *pattern, .windows = {}});
    return map ? kinds(*map) : map.error().message;
}

TEST(LayerPattern, KeepsWhatItNamesAndLetsTheRestStream)
{
    EXPECT_EQ(assigned(plain(8), "every:4"), "SSSRSSSR") << "the last of each four";
    EXPECT_EQ(assigned(plain(8), "first:2,last:1"), "RRSSSSSR");
    EXPECT_EQ(assigned(plain(8), "every:3,first:1"), "RSRSSRSS");
    EXPECT_EQ(assigned(plain(3), "every:1"), "RRR");
    EXPECT_EQ(assigned(plain(3), "first:2,last:2"), "RRR") << "ends may meet";
}

TEST(LayerPattern, CountsTheLayersThatAMapDecides)
{
    const ModelShape local{"own", 6, 4, 2, 8, {}, {0, 12, 0, 12, 0, 0}};
    EXPECT_EQ(assigned(local, "every:2"), "SLRLSR");
    EXPECT_EQ(assigned(local, "first:1"), "RLSLSS");
    EXPECT_NE(assigned(local, "first:5").find("4 layers that a map decides"), std::string::npos);
}

TEST(LayerPattern, ReadsItsOwnTextAgainAndRefusesOthers)
{
    for (const char *text : {"every:4", "first:2,last:2", "every:4,first:1,last:1"})
        EXPECT_EQ(nameOf(*parseLayerPattern(text)), text);
    EXPECT_EQ(nameOf(*parseLayerPattern("last:1,every:2")), "every:2,last:1");
    for (const char *text : {"", "every", "every:", "every:0", "every:-1", "every:2x", "every: 2", "every:2,", ",every:2",
                             "odd:2", "every:2,every:3", "every:99999999999"}) {
        const auto refused = parseLayerPattern(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_NE(refused.error().message.find("every:N"), std::string::npos) << "the way out: " << refused.error().message;
    }
}

TEST(LayerPattern, LockedLayersAndWindowsStayAndTheMapSaysWhereItComesFrom)
{
    HeadMap base(plain(4), HeadKind::Retrieval, 4, 16);
    base.set(0, 1, HeadKind::Streaming);
    base.setLayerWindow(2, 1, 7);
    const auto map
        = assignByPattern(base.model(), {*parseLayerPattern("last:1"), base.windows(), {true, false, false, false}, &base});
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(kinds(*map), "MSSR");
    EXPECT_EQ(map->windows(), base.windows());
    EXPECT_EQ(map->provenance().criterion, "pattern last:1 with locked layers");
    EXPECT_EQ(map->provenance().scores, "");
    EXPECT_DOUBLE_EQ(map->provenance().sparsity, map->sparsity());
    EXPECT_FALSE(assignByPattern(base.model(), {})) << "a pattern that names nothing";
}

} // namespace
} // namespace zigzag
