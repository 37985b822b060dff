// SPDX-License-Identifier: GPL-3.0-or-later
// How sure a choice of layers is of the prompts that it was made from, on measures made up for it.
#include "profiler/evaluate/statistics.h"
#include "profiler/search/ablation.h"
#include "profiler/search/cut_confidence.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

namespace zigzag {
namespace {

const ModelShape four{"m", 4, 4, 2, 8, "sha256:00"};

/// An ablation of four layers in which layer l costs `losses[prompt][l]`.
AblationState ablationOf(const std::vector<std::vector<double>> &losses)
{
    AblationState state;
    for (const std::vector<double> &prompt : losses) {
        std::vector<PromptMeasure> &row = state.prompts.emplace_back();
        row.push_back({0, 0, 1, 0.5, 0});
        for (const double loss : prompt)
            row.push_back({loss, loss, 1, 0.5 + loss, loss});
    }
    return state;
}

AblationPlan planOf(int count, SearchLoss loss = SearchLoss::Answer)
{
    return {.unit = Unit::Layer, .window = {4, 16}, .loss = loss, .count = count};
}

TEST(Bootstrap, ASeedGivesTheSameResamplesAndEachDrawsAsManyAsThereAre)
{
    Bootstrap one(7, 5), two(7, 5), other(7, 6);
    bool differs = false;
    std::vector<int> drawn(7);
    constexpr int resamples = 2000;
    for (int i = 0; i < resamples; ++i) {
        const auto a = one.next(), b = two.next(), c = other.next();
        EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
        EXPECT_EQ(std::accumulate(a.begin(), a.end(), 0), 7);
        differs = differs || !std::equal(a.begin(), a.end(), c.begin());
        for (std::size_t at = 0; at < drawn.size(); ++at)
            drawn[at] += a[at];
    }
    EXPECT_TRUE(differs);
    for (const int each : drawn)
        EXPECT_NEAR(each, resamples, 0.1 * resamples) << "each value is drawn once a resample, in the mean";
}

TEST(CutConfidence, WhatAllPromptsSayIsSettled)
{
    const AblationState clear = ablationOf(std::vector<std::vector<double>>(12, {0.9, 0.1, 0.8, 0.2}));
    const auto found = confidenceOf(clear, four, planOf(2));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->streaming, (std::vector<int>{1, 3}));
    EXPECT_EQ(found->same, 1.0);
    EXPECT_EQ(found->side, std::vector<double>(4, 1.0));
    EXPECT_TRUE(found->isSettled());
    EXPECT_TRUE(found->undecided().empty());
    const AblationState few = ablationOf(std::vector<std::vector<double>>(settledPrompts - 1, {0.9, 0.1, 0.8, 0.2}));
    EXPECT_FALSE(confidenceOf(few, four, planOf(2))->isSettled()) << "few prompts are no proof, whatever they say";
    EXPECT_FALSE(confidenceOf(ablationOf({{0.9, 0.1, 0.8, 0.2}}), four, planOf(2))) << "of one there is no resample";
    EXPECT_FALSE(confidenceOf(clear, four, planOf(0))) << "nobody asked";
}

TEST(CutConfidence, WhatPromptsDisputeIsNamed)
{
    // Layers 1 and 2 lie around the cut and take turns; 0 always streams and 3 never does.
    std::vector<std::vector<double>> losses;
    for (int prompt = 0; prompt < 20; ++prompt)
        losses.push_back({0.1, prompt % 2 ? 0.4 : 0.6, prompt % 2 ? 0.61 : 0.41, 0.9});
    const AblationState state = ablationOf(losses);
    const auto found = confidenceOf(state, four, planOf(2));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->streaming, (std::vector<int>{0, 1}));
    EXPECT_FALSE(found->isSettled());
    EXPECT_GT(found->same, 0.4);
    EXPECT_LT(found->same, 0.8);
    EXPECT_EQ(found->side[0], 1.0);
    EXPECT_EQ(found->side[3], 1.0);
    EXPECT_EQ(found->side[1], found->same) << "where they swap, the set changes";
    EXPECT_EQ(found->side[2], found->same);
    EXPECT_EQ(found->undecided(), (std::vector<int>{1, 2}));
    EXPECT_EQ(*confidenceOf(state, four, planOf(2)), *found) << "a look changes nothing";
    EXPECT_TRUE(confidenceOf(state, four, planOf(1))->isSettled()) << "another cut, no dispute";
    AblationPlan otherSeed = planOf(2);
    otherSeed.seed = 2;
    EXPECT_NE(confidenceOf(state, four, otherSeed)->same, found->same);
    EXPECT_NEAR(confidenceOf(state, four, otherSeed)->same, found->same, 0.06);
}

TEST(CutConfidence, LocalLayersAreNoPartOfIt)
{
    ModelShape shape = four;
    shape.fileWindows = {64, 0, 0, 0};
    const AblationState state = ablationOf(std::vector<std::vector<double>>(9, {0.0, 0.3, 0.2, 0.1}));
    const auto found = confidenceOf(state, shape, planOf(1));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->streaming, std::vector<int>{3});
    EXPECT_EQ(found->side[0], 1.0);
    EXPECT_EQ(*cutCount(shape, Unit::Layer, 0), 1);
    EXPECT_EQ(*cutCount(shape, Unit::Layer, 2), 2);
    for (const int none : {-1, 3, 4}) {
        const auto refused = cutCount(shape, Unit::Layer, none);
        ASSERT_FALSE(refused) << none;
        EXPECT_NE(refused.error().message.find("from 1 to 2"), std::string::npos) << refused.error().message;
    }
}

TEST(AnswerLossScores, KeepTheOrderOfRisesAndFalls)
{
    // Prompts differ, so that there is a spread; means are 0.4, −0.1, 0.2 and 0.
    const AblationState state = ablationOf({{0.5, -0.2, 0.2, 0.0}, {0.3, 0.0, 0.2, 0.0}});
    const HeadScores scores = ablationScores(state, four, planOf(2));
    EXPECT_EQ(scores.method, "answer-loss");
    const double expected[] = {1.0, 0.0, 0.6, 0.2}; // (rise + 0.1) / 0.5
    for (int layer = 0; layer < 4; ++layer)
        EXPECT_NEAR(static_cast<double>(scores.at(layer, 1)), expected[layer], 1e-6) << layer;
    EXPECT_NEAR(static_cast<double>(scores.spreadAt(0, 0)), 0.1 / 0.5, 1e-6); // standard error of 0.5 and 0.3
    EXPECT_EQ(scores.spreadAt(2, 0), 0.0f);

    const AblationState rises = ablationOf({{0.5, 0.1, 0.2, 0.25}});
    EXPECT_NEAR(static_cast<double>(ablationScores(rises, four, planOf(2)).at(1, 0)), 0.2, 1e-6) << "a share of the largest";
    EXPECT_EQ(ablationScores(rises, four, planOf(2, SearchLoss::Kl)).method, "ablation-kl");
    EXPECT_EQ(ablationScores(rises, four, planOf(2, SearchLoss::Distillation)).method, "ablation");
    const AblationState nothing = ablationOf({{0, 0, 0, 0}});
    EXPECT_EQ(ablationScores(nothing, four, planOf(2)).at(0, 0), 0.0f);
}

} // namespace
} // namespace zigzag
