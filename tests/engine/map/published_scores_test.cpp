// SPDX-License-Identifier: GPL-3.0-or-later
// The gates that DuoAttention published, where they lie beside the sources; the repository ships none of them.
#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "tests/paths.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <iostream>

namespace zigzag {
namespace {

struct Published {
    const char *folder;
    int kvHeads;
    int exactlyOne;
    int mixedByDuo, flipped, demoted; ///< at 50 % sparsity
};

constexpr Published published[] = {
    {"Llama-2-7B-32K-Instruct", 32, 145, 32, 374, 100},
    {"Llama-3-8B-Instruct-Gradient-1048k", 8, 82, 31, 106, 60},
    {"Mistral-7B-Instruct-v0.2", 8, 110, 32, 92, 91},
};

TEST(PublishedScores, ExclusivityCostsWhatIsKnown)
{
    const std::filesystem::path folder = test::sourceDir() + "/../shared/data/head_scores";
    if (!std::filesystem::is_directory(folder)) {
        std::cout << "passed over: the published scores are not at " << folder << '\n';
        return;
    }
    for (const Published &model : published) {
        const auto scores = readHeadScores(folder / model.folder);
        ASSERT_TRUE(scores) << scores.error().message;
        EXPECT_EQ(scores->model.name, model.folder);
        EXPECT_EQ(scores->model.layers, 32);
        EXPECT_EQ(scores->model.kvHeads, model.kvHeads);
        EXPECT_EQ(std::count(scores->scores.begin(), scores->scores.end(), 1.0f), model.exactlyOne);

        const auto duo = assignHeads(*scores, "duo", 0.5, 64, 256), zigzag = assignHeads(*scores, "zigzag", 0.5, 64, 256);
        ASSERT_TRUE(duo && zigzag);
        const Sacrifice sacrifice = sacrificed(zigzag->map, *scores).total;
        const int heads = 32 * model.kvHeads;
        std::cout << model.folder << ": duo mixes " << duo->map.mixedLayers() << " of 32 layers (" << duo->ties
                  << " ties); zigzag flips " << sacrifice.flipped << " of " << heads << " heads ("
                  << 100.0 * sacrifice.flipped / heads << " %), demotes " << sacrifice.demoted << ", transport cost "
                  << sacrifice.transportCost << " against " << sacrificed(duo->map, *scores).total.transportCost << '\n';
        EXPECT_EQ(duo->map.streamingHeads(), heads / 2);
        EXPECT_EQ(duo->map.mixedLayers(), model.mixedByDuo);
        EXPECT_TRUE(zigzag->map.isExclusive());
        EXPECT_EQ(zigzag->map.streamingHeads(), heads / 2);
        EXPECT_EQ(sacrifice.flipped, model.flipped);
        EXPECT_EQ(sacrifice.demoted, model.demoted);
    }
}

} // namespace
} // namespace zigzag
