// SPDX-License-Identifier: GPL-3.0-or-later
// Searches for the layers that can stream, on small random models and on the bundled one.
#include "engine/base/files.h"
#include "engine/map/assign.h"
#include "engine/run/device_model.h"
#include "profiler/search/exhaustive.h"
#include "profiler/search/quality_sweep.h"
#include "profiler/search/search.h"
#include "profiler/search/search_progress.h"
#include "tests/engine/run/failing_backend.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace zigzag {
namespace {

class Searches : public test::LoadedModel
{
protected:
    void SetUp() override { load({.layers = 4}); }

    static constexpr StreamingWindow window{4, 16};
    static TaskPlan tasks() { return {.kinds = {TaskKind::Passkey}, .contexts = {200}, .depths = {0.2, 0.8}, .trials = 2}; }
    MapMeter meter()
    {
        auto made = MapMeter::create(device, *makeTaskPrompts(*model, tasks()));
        EXPECT_TRUE(made) << made.error().message;
        return std::move(*made);
    }
    SearchPlan plan(SearchMethod method) const
    {
        SearchPlan search;
        search.method = method;
        search.window = window;
        search.tasks = tasks();
        search.steps = 12;
        return search;
    }
    HeadMap layersStream(std::vector<int> layers) const { return mapWith(model->shape(), Unit::Layer, window, layers); }
};

TEST_F(Searches, SharedLayersGiveTheSameNumbersAsRunningEverything)
{
    MapMeter shared = meter(), plain = meter();
    std::vector<HeadMap> maps = {layersStream({1, 3}), layersStream({}), layersStream({3}), layersStream({0}), layersStream({1})};
    maps.push_back(maps.front());
    maps.back().setWindow(8, 24);
    maps.push_back(mapWith(model->shape(), Unit::Head, window, std::vector<int>{2}));
    for (int prompt = 0; prompt < shared.promptCount(); ++prompt) {
        auto a = shared.measure(prompt, maps, nullptr), b = plain.measure(prompt, maps, nullptr, false);
        ASSERT_TRUE(a && b);
        EXPECT_EQ(*a, *b); // to the last bit
        EXPECT_EQ((*a)[1].loss, 0.0);
        EXPECT_EQ((*a)[1].kl, 0.0);
        EXPECT_GT((*a)[0].loss, 0.0);
        EXPECT_GT((*a)[0].kl, 0.0);
        EXPECT_NE((*a)[0].loss, (*a)[5].loss); // another window
    }
    // What full attention answers is the full map's own pass; without sharing it is one more.
    EXPECT_EQ(shared.layerRuns(), shared.promptCount() * MapMeter::sharedLayerRuns(maps));
    EXPECT_EQ(plain.layerRuns(), plain.promptCount() * (4 + MapMeter::plainLayerRuns(maps)));
    EXPECT_LT(shared.layerRuns(), plain.layerRuns());
}

TEST_F(Searches, AllMapsTakeOneRunForEachBeginningOfLayers)
{
    std::vector<HeadMap> maps;
    for (unsigned mask = 0; mask < 16; ++mask) {
        std::vector<int> layers;
        for (int layer = 0; layer < 4; ++layer)
            if (mask >> layer & 1u)
                layers.push_back(layer);
        maps.push_back(layersStream(layers));
    }
    EXPECT_EQ(MapMeter::sharedLayerRuns(maps), 2 + 4 + 8 + 16);
    EXPECT_EQ(MapMeter::plainLayerRuns(maps), 64);
}

TEST_F(Searches, AblationTurnsEachLayerAloneAndCanBeTakenUpAgain)
{
    MapMeter one = meter();
    const AblationPlan ablation{Unit::Layer, window};
    auto whole = runAblation(one, ablation);
    ASSERT_TRUE(whole);
    EXPECT_EQ(one.layerRuns(), one.promptCount() * ablationLayerRuns(model->shape(), ablation));
    const std::vector<AblationEffect> effects = effectsOf(*whole);
    ASSERT_EQ(effects.size(), 4u);
    double first = 0.0;
    for (int prompt = 0; prompt < one.promptCount(); ++prompt)
        first += one.measure(prompt, std::vector{layersStream({2})}, nullptr)->front().loss / one.promptCount();
    EXPECT_NEAR(effects[2].loss, first, 1e-12);

    std::atomic<bool> cancel = false;
    MapMeter two = meter();
    auto half = runAblation(two, ablation, {}, &cancel, [&](const AblationState &state) { cancel = state.prompts.size() == 2; });
    ASSERT_TRUE(half);
    EXPECT_EQ(half->prompts.size(), 2u);
    EXPECT_EQ(effectsOf(*half).size(), 4u); // partial results are results
    auto read = AblationState::fromJson(half->toJson(), two.shape(), two.prompts().size(), ablation);
    ASSERT_TRUE(read) << read.error().message;
    auto finished = runAblation(two, ablation, *read);
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->prompts, whole->prompts);

    const HeadScores scores = ablationScores(*whole, model->shape(), ablation);
    EXPECT_EQ(scores.scores.size(), 8u);
    EXPECT_EQ(*std::max_element(scores.scores.begin(), scores.scores.end()), 1.0f);
    EXPECT_EQ(scores.at(1, 0), scores.at(1, 1)); // a layer's score repeats
}

TEST_F(Searches, GreedyTakesTheBestOfWhatIsLeftAndKeepsItsPath)
{
    MapMeter one = meter();
    const GreedyPlan greedy{Unit::Layer, window};
    auto found = runGreedy(one, greedy);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->path.size(), 5u);
    const std::vector<MapOutcome> all = outcomesOf(*measureEveryMap(one, window));
    unsigned before = 0;
    for (std::size_t count = 1; count < found->path.size(); ++count) {
        unsigned mask = 0;
        for (const int layer : found->path[count].streaming)
            mask |= 1u << layer;
        EXPECT_EQ(mask & before, before); // nested
        EXPECT_NEAR(found->path[count].loss, all[mask].loss, 1e-12);
        for (unsigned layer = 0; layer < 4; ++layer)
            if (!(before >> layer & 1u)) {
                EXPECT_GE(all[before | 1u << layer].loss, all[mask].loss);
            }
        before = mask;
    }
    // Ranking the scores gives the path back.
    const HeadScores scores = greedyScores(*found, model->shape(), greedy);
    for (std::size_t count = 0; count <= 4; ++count) {
        auto assigned = assignHeads(scores, "zigzag", static_cast<double>(count) / 4, window.sink, window.recent);
        ASSERT_TRUE(assigned);
        HeadMap expected = layersStream(found->path[count].streaming);
        expected.setProvenance(assigned->map.provenance());
        EXPECT_EQ(assigned->map, expected) << count;
    }
    auto rank = rankOf(layersStream(found->path[1].streaming), all);
    ASSERT_TRUE(rank);
    EXPECT_EQ(rank->byLoss, 1);
    EXPECT_EQ(rank->of, 4);
    // A beam as wide as there are maps finds the best of every count.
    auto wide = runGreedy(one, {Unit::Layer, window, 16});
    ASSERT_TRUE(wide);
    for (const GreedyStep &step : wide->path)
        EXPECT_EQ(rankOf(layersStream(step.streaming), all)->byLoss, 1);
    EXPECT_FALSE(rankOf(mapWith(model->shape(), Unit::Head, window, std::vector<int>{0}), all)); // mixed
}

TEST_F(Searches, AGreedySearchThatIsTakenUpAgainEndsTheSame)
{
    for (const int stopAfter : {1, 5, 9, 14}) {
        MapMeter one = meter(), two = meter();
        const GreedyPlan greedy{Unit::Layer, window, 2};
        auto whole = runGreedy(one, greedy);
        std::atomic<bool> cancel = false;
        int heard = 0;
        auto part = runGreedy(two, greedy, {}, &cancel, [&](const GreedyState &) { cancel = ++heard == stopAfter; });
        ASSERT_TRUE(whole && part);
        EXPECT_LT(part->path.size(), whole->path.size());
        auto read = GreedyState::fromJson(part->toJson(), two.shape(), two.prompts().size(), greedy);
        ASSERT_TRUE(read) << read.error().message;
        MapMeter three = meter(); // another process
        auto finished = runGreedy(three, greedy, *read);
        ASSERT_TRUE(finished);
        EXPECT_EQ(finished->path, whole->path) << stopAfter;
        EXPECT_EQ(finished->beam, whole->beam);
    }
}

TEST_F(Searches, GateGradientsAreThoseOfTheLoss)
{
    for (const Unit unit : {Unit::Layer, Unit::Head}) {
        GatePlan gates{.unit = unit, .window = window};
        auto training = GateTraining::create(device, *makeTaskPrompts(*model, tasks()), gates);
        ASSERT_TRUE(training) << training.error().message;
        std::vector<double> alpha(static_cast<std::size_t>(unitCount(model->shape(), unit)), 0.4), gradient, ignored;
        ASSERT_TRUE(training->lossAndGradient(1, alpha, gradient));
        double difference = 0.0, size = 0.0;
        for (std::size_t i = 0; i < alpha.size(); ++i) {
            const auto slope = [&](double step) {
                const double kept = alpha[i];
                alpha[i] = kept + step;
                const double up = *training->lossAndGradient(1, alpha, ignored);
                alpha[i] = kept - step;
                const double down = *training->lossAndGradient(1, alpha, ignored);
                alpha[i] = kept;
                return (up - down) / (2 * step);
            };
            difference += std::pow((4 * slope(0.04) - slope(0.08)) / 3 - gradient[i], 2);
            size += gradient[i] * gradient[i];
        }
        EXPECT_LE(std::sqrt(difference / size), 1e-3) << nameOf(unit);
    }
}

TEST_F(Searches, GatesFollowTheirLossAndLambda)
{
    const auto trained = [&](double lambda, int steps) {
        GatePlan gates{.unit = Unit::Layer, .window = window, .steps = steps, .rate = 0.1, .lambda = lambda};
        auto training = GateTraining::create(device, *makeTaskPrompts(*model, tasks()), gates);
        return *training->run();
    };
    for (const double gate : trained(1e6, 30).gates)
        EXPECT_EQ(gate, 0.0); // nothing but the price of keeping keys
    const GateState kept = trained(0.0, 5);
    for (const double gate : kept.gates)
        EXPECT_EQ(gate, 1.0); // full attention has no loss, and nothing pulls
    EXPECT_EQ(kept.losses.size(), 5u);
    EXPECT_LT(kept.losses.back(), 1e-9);
}

TEST_F(Searches, GatesTakenUpAgainEndTheSame)
{
    const GatePlan gates{.unit = Unit::Head, .window = window, .steps = 9, .seed = 3};
    auto whole = GateTraining::create(device, *makeTaskPrompts(*model, tasks()), gates)->run();
    std::atomic<bool> cancel = false;
    auto part
        = GateTraining::create(device, *makeTaskPrompts(*model, tasks()), gates)->run({}, &cancel, [&](const GateState &state) {
              cancel = state.step == 4;
          });
    ASSERT_TRUE(whole && part);
    EXPECT_EQ(part->step, 4);
    auto read = GateState::fromJson(part->toJson(), model->shape(), gates);
    ASSERT_TRUE(read) << read.error().message;
    auto finished = GateTraining::create(device, *makeTaskPrompts(*model, tasks()), gates)->run(*read);
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->gates, whole->gates);
    EXPECT_EQ(finished->losses, whole->losses);
    EXPECT_EQ(finished->squares, whole->squares);
}

TEST_F(Searches, ASearchWaitsInItsFileAndEndsTheSame)
{
    const test::TempFolder folder;
    const auto file = folder / "scores.json.progress";
    for (const SearchMethod method : {SearchMethod::Ablation, SearchMethod::Greedy, SearchMethod::Gates}) {
        auto whole = Search::create(device, plan(method));
        ASSERT_TRUE(whole) << whole.error().message;
        auto expected = whole->run({}, nullptr);
        ASSERT_TRUE(expected);
        EXPECT_TRUE(expected->complete);
        EXPECT_GT(expected->layerRuns, 0);

        std::atomic<bool> cancel = false;
        auto first = Search::create(device, plan(method));
        auto part = first->run(file, &cancel, [&](int done, int) { cancel = done >= 3; });
        ASSERT_TRUE(part) << part.error().message;
        EXPECT_FALSE(part->complete);
        EXPECT_EQ(part->done, 3);
        ASSERT_TRUE(std::filesystem::exists(file));

        auto second = Search::create(device, plan(method));
        ASSERT_TRUE(second->resumeFrom(file));
        EXPECT_EQ(second->alreadyDone(), 3);
        auto estimate = second->estimateSeconds();
        ASSERT_TRUE(estimate);
        EXPECT_GT(*estimate, 0.0);
        const std::atomic<bool> stopped = true;
        const auto none = Search::create(device, plan(method))->estimateSeconds(&stopped);
        ASSERT_FALSE(none) << "the passes that are timed take long on a large model";
        EXPECT_TRUE(isCancelled(none.error()));
        auto finished = second->run(file, nullptr);
        ASSERT_TRUE(finished);
        EXPECT_TRUE(finished->complete);
        EXPECT_EQ(finished->scores.scores, expected->scores.scores) << nameOf(method);
        EXPECT_EQ(finished->scores.spread, expected->scores.spread);
        // Random weights answer nothing: the scores carry the mark, and wait, should somebody want them all the same.
        EXPECT_FALSE(finished->answered);
        EXPECT_TRUE(finished->scores.unanswered);
        EXPECT_TRUE(std::filesystem::exists(file));
        auto again = Search::create(device, plan(method), file, Begin::GoOn);
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(again->alreadyDone(), again->all());
        auto same = again->run(file, nullptr);
        ASSERT_TRUE(same) << same.error().message;
        EXPECT_EQ(same->scores.scores, expected->scores.scores);
        EXPECT_EQ(Search::create(device, plan(method), file, Begin::Anew)->alreadyDone(), 0);
        std::filesystem::remove(file);
    }
}

TEST_F(Searches, ProgressOfAnotherSearchAndBrokenProgressAreRefused)
{
    const test::TempFolder folder;
    const auto file = folder / "p.progress";
    std::atomic<bool> cancel = false;
    auto search = Search::create(device, plan(SearchMethod::Greedy));
    ASSERT_TRUE(search->run(file, &cancel, [&](int done, int) { cancel = done >= 3; }));
    const std::string sound = *readTextFile(file);

    SearchPlan other = plan(SearchMethod::Greedy);
    other.tasks.seed = 2;
    auto refused = Search::create(device, other)->resumeFrom(file);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::BadInput);
    EXPECT_NE(refused.error().message.find("another search"), std::string::npos);
    EXPECT_FALSE(Search::create(device, plan(SearchMethod::Ablation))->resumeFrom(file));
    EXPECT_FALSE(Search::create(device, other, file, Begin::GoOn)) << "what waits is not thrown away unasked";
    EXPECT_EQ(*readTextFile(file), sound);
    EXPECT_TRUE(Search::create(device, other, file, Begin::Anew));

    const auto broken = [&](std::string_view from, std::string_view to) {
        std::string text = sound;
        const std::size_t at = text.find(from);
        EXPECT_NE(at, text.npos) << from;
        text.replace(at, from.size(), to);
        EXPECT_TRUE(writeFileAtomically(file, text));
        auto read = Search::create(device, plan(SearchMethod::Greedy))->resumeFrom(file);
        return !read && read.error().kind == ErrorKind::BadInput;
    };
    EXPECT_TRUE(broken("\"version\": 1", "\"version\": 2"));
    EXPECT_TRUE(broken("\"beam\":[[]]", "\"beam\":[[0,1]]"));
    EXPECT_TRUE(broken("\"streaming\":[]", "\"streaming\":[99]"));
    EXPECT_TRUE(broken("\"measured\":[", "\"measured\":[[],"));
    EXPECT_TRUE(broken("\"path\":[",
                       "\"path\":["
                       "7,"));
    EXPECT_TRUE(broken("{", ""));
}

TEST_F(Searches, AMeasurementThatTheDeviceFailedIsMadeAgainWhole)
{
    const auto failing = std::make_shared<test::FailingBackend>(*createBackend("cpu"));
    device = *uploadModel(model, failing);
    const std::vector maps = {layersStream({1}), layersStream({0, 2})};
    auto undisturbed = meter();
    const auto expected = *undisturbed.measure(0, maps, nullptr);
    for (const int op : {0, 20, 40, 60}) { // while full attention is run, its states and logits are taken, and behind
        auto disturbed = meter();
        failing->opsUntilFailure = op;
        EXPECT_FALSE(disturbed.measure(0, maps, nullptr)) << op;
        const auto again = disturbed.measure(0, maps, nullptr);
        ASSERT_TRUE(again) << op;
        for (std::size_t i = 0; i < maps.size(); ++i) {
            EXPECT_EQ((*again)[i].loss, expected[i].loss) << op;
            EXPECT_EQ((*again)[i].kl, expected[i].kl) << op;
        }
    }
    auto disturbed = meter();
    failing->downloadFails = true; // of the last hidden states of full attention
    EXPECT_FALSE(disturbed.measure(0, maps, nullptr));
    const auto again = disturbed.measure(0, maps, nullptr);
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)[0].loss, expected[0].loss);
}

TEST_F(Searches, ASweepTellsItsPointsAfterEveryPromptAndKeepsThemWhenStopped)
{
    const std::vector<HeadMap> maps = {layersStream({}), layersStream({1}), layersStream({0, 1, 2, 3})};
    MapMeter measured = meter();
    std::atomic<bool> cancel = false;
    std::vector<SweepPoint> last;
    std::vector<int> prompts;
    double furthest = 0;
    const auto points = sweepQuality(
        measured, maps, &cancel,
        [&](double done, int all) {
            EXPECT_EQ(all, 4);
            EXPECT_GE(done, furthest);
            furthest = done;
        },
        [&](std::vector<SweepPoint> now) {
            prompts.push_back(now.front().quality.prompts);
            last = std::move(now);
            cancel = prompts.size() == 2;
        });
    ASSERT_TRUE(points) << points.error().message;
    EXPECT_EQ(prompts, (std::vector<int>{1, 2}));
    ASSERT_EQ(points->size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ((*points)[i].map, maps[i]);
        EXPECT_EQ((*points)[i].quality.prompts, 2);
        EXPECT_EQ((*points)[i].quality.loss.mean, last[i].quality.loss.mean);
        EXPECT_GE((*points)[i].quality.kl.low, 0.0); // Student's t alone would reach below
        EXPECT_EQ((*points)[i].quality.kl.count, 2);
    }
    cancel = true;
    MapMeter fresh = meter();
    const auto none = sweepQuality(fresh, maps, &cancel, {});
    ASSERT_FALSE(none);
    EXPECT_TRUE(isCancelled(none.error()));
}

/// The bundled model, whose answers mean something.
TEST(BundledSearch, ScoringByAttentionGoesOnToTheSameLastBit)
{
    auto model = *loadModel("bundled:zigzag-tiny");
    auto device = *uploadModel(model, *createBackend("cpu"));
    const test::TempFolder folder;
    const auto file = folder / "scores.json.progress";
    SearchPlan plan;
    plan.method = SearchMethod::Attention;
    plan.tasks = {.contexts = {256, 700}, .depths = {0.2, 0.8}, .trials = 1, .seed = 6};
    auto whole = *Search::create(device, plan);
    EXPECT_GT(*whole.estimateSeconds(), 0.0);
    bool inside = false; // 700 tokens are more than a pass of 512: progress inside a prompt
    const auto expected = whole.run({}, nullptr, [&](double done, int all) {
        EXPECT_EQ(all, 4);
        inside = inside || done != std::floor(done);
    });
    ASSERT_TRUE(expected) << expected.error().message;
    EXPECT_TRUE(inside);
    EXPECT_TRUE(expected->complete && expected->answered);
    EXPECT_EQ(expected->attention.answered, 4);
    EXPECT_FALSE(expected->scores.unanswered);

    std::atomic<bool> cancel = false;
    auto first = *Search::create(device, plan);
    const auto part = first.run(file, &cancel, [&](double done, int) { cancel = done >= 3; });
    ASSERT_TRUE(part) << part.error().message;
    EXPECT_EQ(part->done, 3);
    auto second = Search::create(device, plan, file, Begin::GoOn);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->alreadyDone(), 3);
    const auto finished = second->run(file, nullptr);
    ASSERT_TRUE(finished) << finished.error().message;
    EXPECT_EQ(finished->scores.scores, expected->scores.scores);
    EXPECT_EQ(finished->scores.spread, expected->scores.spread);
    EXPECT_EQ(finished->attention.mean, expected->attention.mean);
    EXPECT_EQ(finished->attention.deviation, expected->attention.deviation);
    EXPECT_FALSE(std::filesystem::exists(file)); // done: nothing waits
}

TEST(BundledSearch, OnePassTellsWhatGreedyDecodingSays)
{
    auto model = *loadModel("bundled:zigzag-tiny");
    auto device = *uploadModel(model, *createBackend("cpu"));
    const TaskPlan tasks{.kinds = {TaskKind::Passkey, TaskKind::Passkeys}, .contexts = {384}, .depths = {0.1, 0.9}, .seed = 4};
    auto prompts = *makeTaskPrompts(*model, tasks);
    auto meter = *MapMeter::create(device, prompts);
    const HeadMap full(model->shape(), HeadKind::Retrieval, 16, 112), streaming(model->shape(), HeadKind::Streaming, 16, 112);
    double rightWhenFull = 0.0;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const auto measures = *meter.measure(static_cast<int>(i), std::vector{full, streaming}, nullptr);
        rightWhenFull += measures[0].right;
        for (std::size_t m = 0; m < 2; ++m) {
            auto session = *Session::create(device, m == 0 ? full : streaming, {.maxContext = 400});
            double right = 0.0;
            for (const AnswerSpan &answer : prompts[i].answers) { // the prompt up to the answer, and then greedily
                session->reset();
                const std::span<const int> tokens(prompts[i].tokens);
                std::vector<float> logits = *session->run(tokens.first(static_cast<std::size_t>(answer.begin)));
                bool same = true;
                for (std::int64_t at = answer.begin; same && at < answer.end; ++at) {
                    const int token = static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
                    same = token == tokens[static_cast<std::size_t>(at)];
                    logits = *session->run(std::span<const int>(&token, 1));
                }
                right += same ? 1.0 / static_cast<double>(prompts[i].answers.size()) : 0.0;
            }
            EXPECT_NEAR(measures[m].right, right, 1e-9) << "prompt " << i << ", map " << m;
        }
    }
    EXPECT_EQ(rightWhenFull, 4.0); // the model finds every key
}

} // namespace
} // namespace zigzag
