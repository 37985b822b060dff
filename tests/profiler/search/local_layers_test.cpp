// SPDX-License-Identifier: GPL-3.0-or-later
// Searches on a model whose own file makes the middle one of three layers local.
#include "engine/map/assign.h"
#include "engine/map/head_scores_io.h"
#include "engine/run/device_model.h"
#include "profiler/evaluate/map_meter.h"
#include "profiler/search/ablation.h"
#include "profiler/search/attention_score.h"
#include "profiler/search/exhaustive.h"
#include "profiler/search/gate_training.h"
#include "profiler/search/greedy.h"
#include "profiler/search/quality_sweep.h"
#include "tests/paths.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <random>

namespace zigzag {
namespace {

constexpr StreamingWindow window{2, 6};
constexpr int local = 1;

class LocalSearches : public testing::Test
{
protected:
    void SetUp() override
    {
        const auto folder = std::filesystem::path(test::sourceDir()) / "tests/fixtures/goldens/granite-swa";
        auto loaded = loadModel(folder.string());
        ASSERT_TRUE(loaded) << loaded.error().message;
        auto backend = createBackend("cpu");
        ASSERT_TRUE(backend) << backend.error().message;
        auto device = uploadModel(*loaded, std::move(*backend));
        ASSERT_TRUE(device) << device.error().message;
        m_shape = (*loaded)->shape();
        ASSERT_TRUE(m_shape.isLocal(local));
        std::mt19937_64 random(7);
        std::vector<TaskPrompt> prompts;
        for (const double depth : {0.1, 0.6}) {
            auto prompt = tokenPrompt(TaskKind::Passkey, (*loaded)->config.vocabulary, 60, depth, 1, random);
            ASSERT_TRUE(prompt) << prompt.error().message;
            prompts.push_back(std::move(*prompt));
        }
        auto meter = MapMeter::create(*device, std::move(prompts));
        ASSERT_TRUE(meter) << meter.error().message;
        m_meter.emplace(std::move(*meter));
    }

    ModelShape m_shape;
    std::optional<MapMeter> m_meter;
};

TEST_F(LocalSearches, AblationSpendsNothingOnThem)
{
    for (const Unit unit : {Unit::Layer, Unit::Head}) {
        const AblationPlan plan{unit, window};
        const auto state = runAblation(*m_meter, plan);
        ASSERT_TRUE(state) << state.error().message;
        const std::vector<AblationEffect> effects = effectsOf(*state);
        for (int which = 0; which < unitCount(m_shape, unit); ++which)
            EXPECT_EQ(effects[static_cast<std::size_t>(which)].loss > 0.0, isMappable(m_shape, unit, which)) << which;
        const HeadScores scores = ablationScores(*state, m_shape, plan);
        EXPECT_EQ(scores.at(local, 0), 0.0f);
        EXPECT_EQ(scores.model.fileWindows, m_shape.fileWindows);
    }
    // Full attention, layer 0 alone with all above it, and layer 2 alone: the local one is full attention once more.
    EXPECT_EQ(ablationLayerRuns(m_shape, {Unit::Layer, window}), 3 + 3 + 1);
}

TEST_F(LocalSearches, GreedyAndBeamTryTheOthersAlone)
{
    for (const int beam : {1, 2}) {
        const GreedyPlan plan{Unit::Layer, window, beam, 0};
        const auto found = runGreedy(*m_meter, plan);
        ASSERT_TRUE(found) << found.error().message;
        ASSERT_EQ(found->path.size(), 3u) << "none, one and two layers";
        EXPECT_EQ(greedyRounds(m_shape, plan), 2);
        EXPECT_EQ(found->path.back().streaming, (std::vector<int>{0, 2}));
        EXPECT_NE(found->path[1].streaming.front(), local);
        const HeadScores scores = greedyScores(*found, m_shape, plan);
        EXPECT_EQ(scores.at(local, 1), 0.0f);
        for (int count = 0; count <= 2 && beam == 1; ++count) { // ranking the scores gives the path back
            const auto assigned = assignHeads(scores, "zigzag", count / 2.0, window.sink, window.recent);
            ASSERT_TRUE(assigned);
            HeadMap expected = mapWith(m_shape, Unit::Layer, window, found->path[static_cast<std::size_t>(count)].streaming);
            expected.setProvenance(assigned->map.provenance());
            EXPECT_EQ(assigned->map, expected) << count;
        }
        const auto again = GreedyState::fromJson(found->toJson(), m_shape, 2, plan);
        EXPECT_TRUE(again) << again.error().message;
    }
    // A file of progress in which the local layer streams is none of ours.
    const std::string text = R"({"path": [{"streaming": [], "loss": 0, "error": 0, "right": 0},
        {"streaming": [1], "loss": 1, "error": 0, "right": 0}], "beam": [[1]], "measured": []})";
    const auto refused = GreedyState::fromJson(text, m_shape, 2, {Unit::Layer, window, 1, 0});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("lets local layers stream"), std::string::npos) << refused.error().message;
}

TEST_F(LocalSearches, RanksAreAmongTheMapsThatThereAre)
{
    const auto state = measureEveryMap(*m_meter, window);
    ASSERT_TRUE(state) << state.error().message;
    const std::vector<MapOutcome> outcomes = outcomesOf(*state);
    ASSERT_EQ(outcomes.size(), 8u);
    EXPECT_EQ(outcomes[0b010].loss, 0.0);
    EXPECT_EQ(outcomes[0b111].loss, outcomes[0b101].loss);
    for (const std::vector<int> &streaming : {std::vector{0}, {2}}) {
        const auto rank = rankOf(mapWith(m_shape, Unit::Layer, window, streaming), outcomes);
        ASSERT_TRUE(rank) << rank.error().message;
        EXPECT_EQ(rank->of, 2) << "layer 0 alone and layer 2 alone";
        EXPECT_NE(rank->best.layers, 0b010u);
    }
}

TEST_F(LocalSearches, ASweepGoesOverTheLayersThatCanBeMapped)
{
    HeadScores scores;
    scores.model = m_shape;
    scores.scores = {0.9f, 0.9f, 0.0f, 0.0f, 0.4f, 0.4f};
    const std::vector<StreamingWindow> windows{window};
    const auto maps = sweepMaps(scores, "zigzag", windows);
    ASSERT_TRUE(maps) << maps.error().message;
    ASSERT_EQ(maps->size(), 3u);
    EXPECT_DOUBLE_EQ((*maps)[1].sparsity(), 0.5);
    EXPECT_EQ((*maps)[1].layerKind(2), LayerKind::Streaming);
    EXPECT_DOUBLE_EQ((*maps)[2].sparsity(), 1.0);
    const auto points = sweepQuality(*m_meter, *maps, nullptr, {}, {});
    ASSERT_TRUE(points) << points.error().message;
    EXPECT_EQ(points->front().quality.loss.mean, 0.0) << "full attention is the model as it stands, its own window included";
    EXPECT_GT(points->back().quality.loss.mean, 0.0);
}

TEST_F(LocalSearches, GatesAndAttentionGiveThemNoScore)
{
    GateState gates;
    gates.gates.assign(6, 0.75);
    gates.sums = gates.squares = std::vector<double>(6);
    const HeadScores trained = gateScores(gates, m_shape, {Unit::Head, window});
    EXPECT_EQ(trained.scores, (std::vector<float>{0.75f, 0.75f, 0, 0, 0.75f, 0.75f}));
    AttentionMeasure measure;
    measure.mean = measure.deviation = std::vector<float>(12, 0.5f);
    measure.groupMean = measure.groupDeviation = std::vector<float>(6, 0.25f);
    for (const auto &[fold, score] : {std::pair(Fold::Max, 0.5f), {Fold::Mean, 0.25f}}) {
        const HeadScores folded = foldAttention(m_shape, measure, fold);
        EXPECT_EQ(folded.scores, (std::vector<float>{score, score, 0, 0, score, score}));
        EXPECT_EQ(folded.spread, folded.scores);
    }
}

} // namespace
} // namespace zigzag
