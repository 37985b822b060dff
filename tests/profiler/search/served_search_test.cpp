// SPDX-License-Identifier: GPL-3.0-or-later
// Searches for the engine that will serve the map: a window alone, or stand-ins for sinks.
#include "engine/base/files.h"
#include "engine/map/assign.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "profiler/carry/engine_serving.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/search/search.h"
#include "tests/profiler/loaded_model.h"

#include <cmath>
#include <random>

namespace zigzag {
namespace {

/// A model of four layers whose contexts are long enough for the texts of a calibration, and prompts four times its window.
class ServedSearch : public test::LoadedModel
{
protected:
    void SetUp() override
    {
        load({.layers = 4, .seed = 5}); // whose layers lose their sinks in another order than their far keys
        std::mt19937 random(3);
        for (int i = 0; i < 300; ++i)
            text.push_back(static_cast<int>(random() % 250));
    }

    static constexpr StreamingWindow window{4, 16};
    static TaskPlan tasks() { return {.kinds = {TaskKind::Passkey}, .contexts = {200}, .depths = {0.2, 0.8}, .trials = 2}; }
    HeadMap layersStream(std::vector<int> layers) const { return mapWith(model->shape(), Unit::Layer, window, layers); }
    std::vector<std::vector<int>> texts() const { return {text}; }

    /// The model with stand-ins in every layer, on our backend.
    std::shared_ptr<DeviceModel> standIns() const
    {
        const HeadMap all(model->shape(), HeadKind::Streaming, window.sink, window.recent);
        const auto carrier = calibrateEveryLayer(device, window, texts());
        EXPECT_TRUE(carrier) << carrier.error().message;
        return *uploadModel(*carriedModel(*model, all, *carrier), backend);
    }
    MapMeter meter(ServedBy served) const
    {
        return *MapMeter::create(device, *makeTaskPrompts(*model, tasks()), std::move(served));
    }
    SearchPlan greedy(ServedBy served) const
    {
        SearchPlan plan;
        plan.method = SearchMethod::Greedy;
        plan.window = window;
        plan.tasks = tasks();
        plan.served = std::move(served);
        return plan;
    }
    SearchResult found(const SearchPlan &plan) const
    {
        auto result = Search::create(device, plan)->run({}, nullptr);
        EXPECT_TRUE(result) << result.error().message;
        return *result;
    }
    /// The last hidden states at the answers of a prompt.
    static std::vector<float> lastStates(const std::shared_ptr<DeviceModel> &of, const HeadMap &map, const TaskPrompt &prompt)
    {
        const std::int64_t tokens = std::ssize(prompt.tokens);
        auto pass = *LayerPass::create(of, tokens, false);
        auto states = *pass->states();
        EXPECT_TRUE(pass->embed(prompt.tokens, *states));
        for (int layer = 0; layer < map.layers(); ++layer)
            pass->run(layer, map.patterns(layer), tokens, *states, *states);
        std::vector<std::int64_t> rows;
        for (const AnswerSpan &answer : prompt.answers)
            for (std::int64_t at = answer.begin; at < answer.end; ++at)
                rows.push_back(at - 1);
        return *pass->lastStates(rows, *states);
    }

    std::vector<int> text;
};

TEST_F(ServedSearch, AWindowAloneIsTheMapWithoutItsSinks)
{
    MapMeter served = meter({"vllm", withoutSinks, {}}), ours = meter({});
    const std::vector<HeadMap> maps = {layersStream({1, 3}), layersStream({}), layersStream({0})};
    std::vector<HeadMap> bare;
    for (const HeadMap &map : maps)
        bare.push_back(withoutSinks(map));
    EXPECT_EQ(*served.measure(1, maps, nullptr), *ours.measure(1, bare, nullptr)) << "to the last bit";
    EXPECT_NE(*served.measure(1, maps, nullptr), *ours.measure(1, maps, nullptr));
    EXPECT_EQ((*served.measure(1, maps, nullptr))[1].loss, 0) << "full attention is itself";
}

TEST_F(ServedSearch, StandInsOfOneLayerAreThoseOfItsOwnCalibration)
{
    // What a layer reads is full attention's where no layer below it streams: one pass for all layers is then exact.
    MapMeter served = meter({"granite-swa", withoutSinks, standIns()});
    for (const int layer : {0, 2}) {
        const HeadMap map = layersStream({layer});
        const auto carrier = calibrateSinks(device, map, texts());
        ASSERT_TRUE(carrier);
        const auto carried = *uploadModel(*carriedModel(*model, map, *carrier), backend);
        const TaskPrompt &prompt = served.prompts().front();
        const auto full = lastStates(device, layersStream({}), prompt), got = lastStates(carried, withoutSinks(map), prompt);
        double loss = 0;
        for (std::size_t i = 0; i < full.size(); ++i)
            loss += std::pow(static_cast<double>(full[i]) - static_cast<double>(got[i]), 2) / static_cast<double>(full.size());
        const auto measured = served.measure(0, std::vector{map}, nullptr);
        ASSERT_TRUE(measured);
        EXPECT_GT(loss, 0);
        EXPECT_NEAR(measured->front().loss, loss, 1e-5 * loss);
    }
}

TEST_F(ServedSearch, TheChoiceForAnEngineIsTheBestThere)
{
    const std::shared_ptr<DeviceModel> carried = standIns();
    const std::vector<ServedBy> engines = {{}, {"vllm", withoutSinks, {}}, {"granite-swa", withoutSinks, carried}};
    std::vector<SearchResult> results;
    for (const ServedBy &engine : engines) {
        results.push_back(found(greedy(engine)));
        EXPECT_EQ(results.back().scores.engine, engine.engine);
    }
    for (std::size_t mine = 0; mine < engines.size(); ++mine)
        for (std::size_t other = 0; other < engines.size(); ++other) {
            // The first layer is the best of all; what another engine's search took for it costs no less here.
            const HeadMap theirs = layersStream(results[other].path[1].streaming);
            MapMeter here = meter(engines[mine]);
            double loss = 0;
            for (int prompt = 0; prompt < here.promptCount(); ++prompt)
                loss += here.measure(prompt, std::vector{theirs}, nullptr)->front().loss / here.promptCount();
            EXPECT_LE(results[mine].path[1].loss, loss * (1 + 1e-12)) << mine << " " << other;
            if (mine == other) {
                EXPECT_NEAR(results[mine].path[1].loss, loss, 1e-9 * loss);
            }
        }
    const auto paths = [&](std::size_t which) {
        std::vector<std::vector<int>> sets;
        for (const GreedyStep &step : results[which].path)
            sets.push_back(step.streaming);
        return sets;
    };
    EXPECT_NE(paths(0), paths(1)) << "of this model, a window alone wants other layers than sinks do";
}

TEST_F(ServedSearch, AnUnfinishedSearchOfOneEngineIsNotGoneOnWithAsAnothers)
{
    const test::TempFolder folder;
    const auto file = folder / "p.progress";
    std::atomic<bool> cancel = false;
    const SearchPlan vllm = greedy({"vllm", withoutSinks, {}});
    ASSERT_TRUE(Search::create(device, vllm)->run(file, &cancel, [&](int done, int) { cancel = done >= 3; }));
    for (const ServedBy &other : {ServedBy{}, ServedBy{"sglang", withoutSinks, {}}}) {
        const auto refused = Search::create(device, greedy(other), file, Begin::GoOn);
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message.find("another search"), std::string::npos);
    }
    const auto same = Search::create(device, vllm, file, Begin::GoOn);
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ(same->alreadyDone(), 3);
}

TEST_F(ServedSearch, TheEngineGoesFromScoresToMapsAndTheirFiles)
{
    const test::TempFolder folder;
    SearchPlan plan = greedy({"vllm", withoutSinks, {}});
    const SearchResult result = found(plan);
    ASSERT_TRUE(writeHeadScores(result.scores, folder / "scores.json"));
    const auto scores = readHeadScores(folder / "scores.json");
    ASSERT_TRUE(scores) << scores.error().message;
    EXPECT_EQ(scores->engine, "vllm");
    auto assigned = assignHeads(*scores, "zigzag", 0.5, window.sink, window.recent);
    ASSERT_TRUE(assigned);
    EXPECT_EQ(assigned->map.provenance().engine, "vllm");
    EXPECT_EQ(assigned->map.window(0), window) << "sinks stay in the map, for whoever keeps them";
    ASSERT_TRUE(writeHeadMap(assigned->map, folder / "map.json"));
    EXPECT_EQ(*readHeadMap(folder / "map.json"), assigned->map);
    plan.served = {};
    ASSERT_TRUE(writeHeadScores(found(plan).scores, folder / "ours.json"));
    EXPECT_EQ(readTextFile(folder / "ours.json")->find("engine"), std::string::npos) << "files of before are as they were";
}

TEST_F(ServedSearch, WhatHasNoMeaningIsRefused)
{
    SearchPlan plan = greedy({"vllm", withoutSinks, {}});
    plan.method = SearchMethod::Attention;
    EXPECT_FALSE(Search::create(device, plan));
    plan.method = SearchMethod::Gates;
    plan.steps = 2;
    EXPECT_TRUE(Search::create(device, plan)) << "gates know a window alone";
    plan.served.standIns = standIns();
    const auto gates = Search::create(device, plan);
    ASSERT_FALSE(gates);
    EXPECT_NE(gates.error().message.find("greedy"), std::string::npos);
}

TEST(EngineServing, AsksTheEngineForItsVerdict)
{
    const test::TempFolder folder;
    const auto exported = loadExportModel(test::writeTinyModel(folder / "model", {.layers = 3}).string());
    ASSERT_TRUE(exported);
    const auto vllm = engineServing("vllm", *exported, {4, 16}, false);
    ASSERT_TRUE(vllm) << vllm.error().message;
    EXPECT_FALSE(vllm->standsIn);
    const HeadMap all(exported->config.shape(), HeadKind::Streaming, 4, 16);
    EXPECT_EQ(vllm->asRun(all).window(0), (StreamingWindow{0, 16}));
    const auto granite = engineServing("granite-swa", *exported, {4, 16}, false);
    ASSERT_TRUE(granite) << granite.error().message;
    EXPECT_TRUE(granite->standsIn);
    for (const char *engine : {"vllm", "granite-swa"}) {
        const auto heads = engineServing(engine, *exported, {4, 16}, true);
        ASSERT_FALSE(heads);
        EXPECT_NE(heads.error().message.find("--unit layer"), std::string::npos);
    }
    EXPECT_TRUE(engineServing("duo-attention", *exported, {4, 16}, true)) << "it knows heads";
    EXPECT_FALSE(engineServing("tensorrt-llm", *exported, {4, 16}, false));
    EXPECT_FALSE(engineServing("nobody", *exported, {4, 16}, false));
}

} // namespace
} // namespace zigzag
