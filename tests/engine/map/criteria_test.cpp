// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "tests/engine/map/score_samples.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace zigzag {
namespace {

Assignment assign(const HeadScores &scores, std::string_view criterion, double sparsity)
{
    auto result = assignHeads(scores, criterion, sparsity, 4, 16);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : Assignment{};
}

std::string letters(const HeadMap &map)
{
    std::string text;
    for (int layer = 0; layer < map.layers(); ++layer) {
        for (int head = 0; head < map.kvHeads(); ++head)
            text += map.at(layer, head) == HeadKind::Retrieval ? 'R' : 'S';
        text += layer + 1 < map.layers() ? " " : "";
    }
    return text;
}

double costOf(const HeadMap &map, const HeadScores &scores)
{
    double cost = 0;
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head) {
            const double gate = scores.at(layer, head);
            cost += map.at(layer, head) == HeadKind::Streaming ? gate : 1.0 - gate;
        }
    return cost;
}

TEST(Duo, StreamsTheHeadsWithTheLowestGates)
{
    const auto scores = test::scoresOf(3, 2, {0.9f, 0.1f, 0.2f, 0.8f, 0.3f, 0.7f});
    EXPECT_EQ(letters(assign(scores, "duo", 0.0).map), "RR RR RR");
    EXPECT_EQ(letters(assign(scores, "duo", 0.5).map), "RS SR SR");
    EXPECT_EQ(letters(assign(scores, "duo", 1.0).map), "SS SS SS");
    EXPECT_EQ(assign(scores, "duo", 0.25).map.streamingHeads(), 2); // 1.5 rounds away from zero
    EXPECT_EQ(assign(scores, "duo", 0.24).map.streamingHeads(), 1);
}

TEST(Duo, TiesGoToTheLowerLayerThenTheLowerHead)
{
    const auto scores = test::scoresOf(2, 3, {1.0f, 0.5f, 0.5f, 0.5f, 0.5f, 0.0f});
    const auto half = assign(scores, "duo", 0.5);
    EXPECT_EQ(letters(half.map), "RSS RRS");
    EXPECT_EQ(half.ties, 3); // four heads at 0.5, of which the rule took two
    EXPECT_EQ(half.layerTies, (std::vector<int>{2, 2}));
    const auto whole = assign(scores, "duo", 5.0 / 6.0);
    EXPECT_EQ(letters(whole.map), "RSS SSS");
    EXPECT_EQ(whole.ties, 0); // every head at 0.5 streams: the rule decided nothing
}

/// DuoAttention cuts at numpy.quantile(gates, sparsity), linear interpolation; gates at or above it keep the whole cache.
std::vector<bool> streamsByQuantile(const std::vector<float> &gates, double sparsity)
{
    std::vector<double> sorted(gates.begin(), gates.end());
    std::sort(sorted.begin(), sorted.end());
    const double position = sparsity * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(position));
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double threshold = sorted[below] + (position - std::floor(position)) * (sorted[above] - sorted[below]);
    std::vector<bool> streams;
    for (const float gate : gates)
        streams.push_back(static_cast<double>(gate) < threshold);
    return streams;
}

TEST(Duo, AgreesWithTheQuantileRuleExceptInTies)
{
    for (unsigned seed = 0; seed < 50; ++seed) {
        const auto scores = test::randomGates(8, 8, seed);
        for (const double sparsity : {0.125, 0.25, 0.5, 0.75, 0.875}) {
            const auto ours = assign(scores, "duo", sparsity);
            const auto theirs = streamsByQuantile(scores.scores, sparsity);
            std::vector<float> sorted = scores.scores;
            std::sort(sorted.begin(), sorted.end());
            const float atCut = sorted[static_cast<std::size_t>(ours.map.streamingHeads()) - 1];
            int different = 0;
            for (std::size_t i = 0; i < theirs.size(); ++i) {
                const bool streams = ours.map.at(static_cast<int>(i) / 8, static_cast<int>(i) % 8) == HeadKind::Streaming;
                if (streams == theirs[i])
                    continue;
                ++different;
                EXPECT_EQ(scores.scores[i], atCut) << "seed " << seed << ", sparsity " << sparsity;
            }
            if (ours.ties == 0) {
                EXPECT_EQ(different, 0) << "seed " << seed << ", sparsity " << sparsity;
            }
        }
    }
}

TEST(Zigzag, IsTheCheapestOfAllLayerSubsets)
{
    constexpr int layers = 8;
    for (unsigned seed = 0; seed < 40; ++seed) {
        const auto scores = test::randomGates(layers, 3, seed);
        for (int streaming = 0; streaming <= layers; ++streaming) {
            const auto ours = assign(scores, "zigzag", static_cast<double>(streaming) / layers).map;
            ASSERT_TRUE(ours.isExclusive());
            ASSERT_EQ(ours.streamingHeads(), 3 * streaming);
            double cheapest = std::numeric_limits<double>::infinity();
            for (unsigned subset = 0; subset < 1u << layers; ++subset) {
                HeadMap map(scores.model, HeadKind::Retrieval, 4, 16);
                int chosen = 0;
                for (int layer = 0; layer < layers; ++layer)
                    if (subset >> layer & 1u) {
                        map.setLayer(layer, HeadKind::Streaming);
                        ++chosen;
                    }
                if (chosen == streaming)
                    cheapest = std::min(cheapest, costOf(map, scores));
            }
            EXPECT_NEAR(costOf(ours, scores), cheapest, 1e-12) << "seed " << seed << ", " << streaming << " layers";
        }
    }
}

TEST(Zigzag, EqualMeansAreTiesInWhateverOrderTheGatesStand)
{
    // Sums of these in double depend on the order.
    const float large = 0.3f, small = 24e-11f, tiny = 1e-11f;
    ASSERT_NE((static_cast<double>(large) + small) + tiny, (static_cast<double>(tiny) + small) + large);
    const auto scores = test::scoresOf(4, 3, {tiny, small, large, large, small, tiny, small, large, tiny, 1.0f, 1.0f, 1.0f});
    const auto result = assign(scores, "zigzag", 0.5);
    EXPECT_EQ(letters(result.map), "SSS SSS RRR RRR");
    EXPECT_EQ(result.ties, 2);
    EXPECT_EQ(result.layerTies, (std::vector<int>{1, 1, 1, 0}));
}

TEST(ZigzagMax, StreamsTheLayersWhoseStrongestHeadIsWeakest)
{
    const auto scores = test::scoresOf(3, 2, {0.0f, 1.0f, 0.6f, 0.6f, 0.7f, 0.7f});
    EXPECT_EQ(letters(assign(scores, "zigzag", 1.0 / 3).map), "SS RR RR");
    EXPECT_EQ(letters(assign(scores, "zigzag-max", 1.0 / 3).map), "RR SS RR");
    EXPECT_EQ(letters(assign(scores, "zigzag-max", 2.0 / 3).map), "RR SS SS");
    EXPECT_EQ(assign(test::scoresOf(3, 1, {1.0f, 1.0f, 1.0f}), "zigzag-max", 1.0 / 3).ties, 2);
}

TEST(ZigzagStrong, DemotesTheFewestHeadsOfAllLayerSubsetsThenCostsLeast)
{
    constexpr int layers = 8;
    bool everBetter = false;
    for (unsigned seed = 0; seed < 40; ++seed) {
        const auto scores = test::randomGates(layers, 3, seed);
        for (int streaming = 0; streaming <= layers; ++streaming) {
            const double sparsity = static_cast<double>(streaming) / layers;
            const auto ours = assign(scores, "zigzag-strong", sparsity).map;
            ASSERT_TRUE(ours.isExclusive());
            std::pair<int, double> fewest{layers * 3 + 1, 0.0};
            for (unsigned subset = 0; subset < 1u << layers; ++subset) {
                if (std::popcount(subset) != streaming)
                    continue;
                HeadMap map(scores.model, HeadKind::Retrieval, 4, 16);
                for (int layer = 0; layer < layers; ++layer)
                    if (subset >> layer & 1u)
                        map.setLayer(layer, HeadKind::Streaming);
                fewest = std::min(fewest, {sacrificed(map, scores).total.demoted, costOf(map, scores)});
            }
            EXPECT_EQ(sacrificed(ours, scores).total.demoted, fewest.first) << "seed " << seed << ", " << streaming << " layers";
            EXPECT_NEAR(costOf(ours, scores), fewest.second, 1e-12) << "seed " << seed << ", " << streaming << " layers";
            everBetter |= sacrificed(assign(scores, "zigzag", sparsity).map, scores).total.demoted > fewest.first;
        }
    }
    EXPECT_TRUE(everBetter); // or it would be zigzag under another name
}

TEST(ZigzagConvex, AStrongHeadIsNotOutvotedByWeakNeighbours)
{
    // Means 0.25 and 0.3; cubes 1 and 0.108.
    const auto scores = test::scoresOf(2, 4, {1.0f, 0.0f, 0.0f, 0.0f, 0.3f, 0.3f, 0.3f, 0.3f});
    EXPECT_EQ(letters(assign(scores, "zigzag", 0.5).map), "SSSS RRRR");
    EXPECT_EQ(letters(assign(scores, "zigzag-convex", 0.5).map), "RRRR SSSS");
    EXPECT_EQ(letters(assign(scores, "zigzag-strong", 0.5).map), "RRRR SSSS");
    // The maximum sees one head alone: 0.6 against 0.5; cubes 0.216 and 0.5.
    const auto even = test::scoresOf(2, 4, {0.6f, 0.0f, 0.0f, 0.0f, 0.5f, 0.5f, 0.5f, 0.5f});
    EXPECT_EQ(letters(assign(even, "zigzag-max", 0.5).map), "RRRR SSSS");
    EXPECT_EQ(letters(assign(even, "zigzag-convex", 0.5).map), "SSSS RRRR");
}

TEST(Criteria, EachIsListedOnceAndFillsTheProvenance)
{
    std::vector<std::string_view> names;
    for (const Criterion &criterion : criteria()) {
        EXPECT_EQ(std::count(names.begin(), names.end(), criterion.name), 0);
        names.push_back(criterion.name);
        EXPECT_FALSE(criterion.description.empty());
        const auto map = assign(test::randomGates(4, 4, 1), criterion.name, 0.5).map;
        EXPECT_EQ(map.provenance(), (Provenance{std::string(criterion.name), "gates", 0.5, "zigzag " ZIGZAG_VERSION}));
        EXPECT_EQ(map.streamingHeads(), 8);
        EXPECT_EQ(map.oneWindow(), (StreamingWindow{4, 16}));
    }
    EXPECT_EQ(names, (std::vector<std::string_view>{"duo", "zigzag", "zigzag-max", "zigzag-strong", "zigzag-convex"}));
}

TEST(Criteria, BadInputIsRefused)
{
    const auto good = test::randomGates(4, 4, 1);
    auto nan = good, ragged = good, large = good;
    nan.scores[5] = std::numeric_limits<float>::quiet_NaN();
    ragged.scores.pop_back();
    large.scores[5] = 1.5f;
    const double noNumber = std::numeric_limits<double>::quiet_NaN();
    const std::vector<Result<Assignment>> refused
        = {assignHeads(good, "best", 0.5, 4, 16), assignHeads(good, "duo", -0.1, 4, 16),
           assignHeads(good, "duo", 1.1, 4, 16),  assignHeads(good, "duo", noNumber, 4, 16),
           assignHeads(good, "duo", 0.5, -1, 16), assignHeads(good, "duo", 0.5, 4, 0),
           assignHeads(nan, "duo", 0.5, 4, 16),   assignHeads(ragged, "duo", 0.5, 4, 16),
           assignHeads(large, "duo", 0.5, 4, 16), assignHeads(HeadScores{}, "duo", 0.5, 4, 16)};
    for (const auto &result : refused) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().kind, ErrorKind::BadInput);
    }
    EXPECT_NE(refused[0].error().message.find("duo, zigzag, zigzag-max, zigzag-strong, zigzag-convex"), std::string::npos);
}

TEST(Sacrifice, IsCountedPerLayerAndInTotal)
{
    const auto scores = test::scoresOf(2, 4, {0.0f, 0.95f, 0.1f, 0.2f, 0.9f, 1.0f, 0.05f, 0.8f});
    const auto map = assign(scores, "zigzag", 0.5).map;
    ASSERT_EQ(letters(map), "SSSS RRRR");
    // duo at four streaming heads: SRSS RRSR
    const auto report = sacrificed(map, scores);
    ASSERT_EQ(report.layers.size(), 2u);
    EXPECT_EQ(report.layers[0].streaming, 4);
    EXPECT_EQ(report.layers[0].flipped, 1);
    EXPECT_EQ(report.layers[0].demoted, 1);
    EXPECT_NEAR(report.layers[0].transportCost, 1.25, 1e-6);
    EXPECT_EQ(report.layers[1].flipped, 1);
    EXPECT_EQ(report.layers[1].demoted, 0);
    EXPECT_NEAR(report.layers[1].transportCost, 1.25, 1e-6);
    EXPECT_EQ(report.total.streaming, 4);
    EXPECT_EQ(report.total.flipped, 2);
    EXPECT_EQ(report.total.demoted, 1);
    EXPECT_NEAR(report.total.transportCost, 2.5, 1e-6);

    HeadMap everything(scores.model, HeadKind::Streaming, 4, 16);
    EXPECT_EQ(sacrificed(everything, scores).total.demoted, 3); // 0.9 itself counts
    EXPECT_EQ(sacrificed(everything, scores).total.flipped, 0);
    EXPECT_EQ(sacrificed(assign(scores, "duo", 0.5).map, scores).total.flipped, 0);
}

} // namespace
} // namespace zigzag
