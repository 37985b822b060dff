// SPDX-License-Identifier: GPL-3.0-or-later
// recommend: what it plans, chooses, judges and refuses, on the bundled model.
#include "engine/base/files.h"
#include "engine/map/run_alike.h"
#include "profiler/jobs/recommend_files.h"
#include "profiler/jobs/recommend_job.h"
#include "profiler/jobs/recommend_page.h"
#include "profiler/jobs/recommend_record.h"
#include "profiler/search/exhaustive.h"
#include "profiler/session/session_parts.h"
#include "tests/paths.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

namespace zigzag::jobs {
namespace {

class Recommend : public testing::Test
{
protected:
    static void SetUpTestSuite()
    {
        auto loaded = loadModel("bundled:zigzag-tiny");
        ASSERT_TRUE(loaded) << loaded.error().message;
        device = *uploadModel(*loaded, *createBackend("cpu"));
        exported = std::make_unique<ExportModel>(*loadExportModel("bundled:zigzag-tiny"));
    }
    static void TearDownTestSuite()
    {
        device.reset();
        exported.reset();
    }

    /// Short prompts and little time, so that every stage takes seconds.
    static RecommendRequest request(const std::string &engine = "ours")
    {
        RecommendRequest request;
        request.engine = engine;
        request.context = 256;
        request.recents = {32};
        request.sink = 4;
        request.seconds = 120;
        request.kept = 0.6;
        return request;
    }
    /// What lies there in the place of a plan: the least of everything, whatever the machine's pace.
    static void plan(const RecommendRequest &request, const JobContext &context, int counts = 4)
    {
        RecommendPlan plan;
        plan.promptTokens = request.context;
        plan.windows = windowsFor(request, context.config(), request.context);
        plan.greedy = true;
        plan.scorePrompts = plan.sweepPrompts = 4;
        plan.counts = counts;
        plan.judgePrompts = 20;
        plan.judgedMaps = 2;
        const auto ways = servingWays(request.engine, *exported, plan.windows.back());
        ASSERT_TRUE(ways) << ways.error().message;
        RecommendRun run{context, request, *ways, RecommendState(plan, ways->size())};
        ASSERT_TRUE(run.save());
    }
    JobContext context() { return {device, &m_machine, &cancel, {}}; }

    static inline std::shared_ptr<DeviceModel> device;
    static inline std::unique_ptr<ExportModel> exported;
    std::atomic<bool> cancel{false};
    test::TempFolder folder;

private:
    KnownMachine m_machine;
};

/// Every one of the 256 maps, on the prompts that chose: what is recommended is among the best with as many layers.
TEST_F(Recommend, FindsAMapAsGoodAsTheBestOfAll)
{
    RecommendRequest asked = request();
    asked.progressFolder = folder.path();
    const JobContext job = context();
    plan(asked, job, 8);
    const auto found = recommend(job, {.request = asked, .model = exported.get()});
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_FALSE(found->tried.empty());
    const TaskPlan tasks = needleTasks(4, asked.context, asked.seed);
    auto meter = MapMeter::create(device, *makeTaskPrompts(*device->model, tasks));
    ASSERT_TRUE(meter) << meter.error().message;
    const auto truth = measureEveryMap(*meter, {4, 32});
    ASSERT_TRUE(truth) << truth.error().message;
    const auto outcomes = outcomesOf(*truth, SearchLoss::Answer);
    ASSERT_TRUE(found->chosen) << saysOf(*found);
    const MapRank rank = *rankOf(found->map()->map, outcomes);
    EXPECT_TRUE(rank.isAmongBest() || rank.outcome.loss <= rank.best.loss + 0.02)
        << rank.streaming << " layers stream: place " << rank.byLoss << " of " << rank.of;
    EXPECT_EQ(found->judged[*found->chosen].judgement.verdict, Kept::Yes);
    EXPECT_GT(found->judged[*found->chosen].judgement.full, 0.9) << "the bundled model finds its needles";
    EXPECT_GE(found->map()->streaming, 2) << "no more than half of its layers retrieve";
    EXPECT_LT(found->map()->cost.memory.bytes, found->full.memory.bytes);
    const std::string page = pageOf(*found, {"bundled:zigzag-tiny", folder.path(), {}, {}});
    EXPECT_NE(page.find("zigzag serve bundled:zigzag-tiny --map"), std::string::npos) << page;
    EXPECT_NE(page.find("zigzag check --server"), std::string::npos);
}

/// The record, the session and the steps say the same as what was found.
TEST_F(Recommend, WhatWasFoundIsReadBack)
{
    RecommendRequest asked = request();
    asked.progressFolder = folder.path();
    const JobContext job = context();
    plan(asked, job);
    std::vector<RecommendStage> stages;
    std::vector<std::array<std::size_t, 3>> growth; // scores, tried, judged
    RecommendJob recommending{.request = asked, .model = exported.get()};
    recommending.begins = [&](RecommendStage stage) { stages.push_back(stage); };
    recommending.grown = [&](const Recommendation &soFar) {
        growth.push_back({soFar.scores.front() ? 1u : 0u, soFar.tried.size(), soFar.judged.size()});
        EXPECT_FALSE(soFar.chosen);
    };
    auto found = recommend(job, recommending);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(stages,
              (std::vector{RecommendStage::Plan, RecommendStage::Times, RecommendStage::Order, RecommendStage::Try,
                           RecommendStage::Judge}));
    ASSERT_GE(growth.size(), 3u);
    EXPECT_EQ(growth.front(), (std::array<std::size_t, 3>{1, 0, 0}));
    EXPECT_EQ(growth.back(), (std::array<std::size_t, 3>{1, found->tried.size(), found->judged.size()}));

    RecommendPlaces places{"bundled:zigzag-tiny", folder.path(), {}, {}};
    ASSERT_TRUE(writeRecommended(job, *found, exported.get(), places));
    EXPECT_FALSE(std::filesystem::exists(progressFile(asked))) << "all of it is in the files";
    const ModelShape shape = device->model->shape();
    const auto record = readRecord(*readTextFile(folder.path() / "recommend.json"), shape, "it");
    ASSERT_TRUE(record) << record.error().message;
    ASSERT_EQ(record->tried.size(), found->tried.size());
    for (std::size_t i = 0; i < found->tried.size(); ++i) {
        HeadMap map = record->tried[i].map;
        map.setProvenance(found->tried[i].map.provenance());
        EXPECT_EQ(map, found->tried[i].map);
        EXPECT_EQ(record->tried[i].cost.kvBytes, found->tried[i].cost.memory.bytes);
        EXPECT_DOUBLE_EQ(record->tried[i].rise, found->tried[i].loss);
    }
    ASSERT_TRUE(found->chosen) << saysOf(*found);
    ASSERT_TRUE(record->map());
    EXPECT_EQ(*record->chosen, found->judged[*found->chosen].tried);
    EXPECT_DOUBLE_EQ(record->map()->judged->keptLow, found->judged[*found->chosen].judgement.keptLow);
    EXPECT_EQ(record->serve, serveCommand(*found, places));

    const auto session = recommendSession(*found, places);
    ASSERT_TRUE(session) << session.error().message;
    ASSERT_TRUE(writeSession(*session, folder.path() / "it.zigzag"));
    const auto read = readSession(folder.path() / "it.zigzag");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->notes.empty());
    const SavedSession &kept = read->session;
    EXPECT_EQ(kept.asked, "bundled:zigzag-tiny");
    EXPECT_EQ(kept.model.fingerprint, shape.fingerprint);
    ASSERT_EQ(kept.all(PartKind::Variant).size(), found->judged.size());
    const SessionPart *current = kept.find(PartKind::Variant, kept.current);
    ASSERT_TRUE(current) << kept.current;
    EXPECT_EQ(mapOf(*current)->model().fingerprint, shape.fingerprint);
    EXPECT_EQ(fingerprintOf(*mapOf(*current)), fingerprintOf(found->map()->map));
    ASSERT_EQ(kept.all(PartKind::Scores).size(), 1u);
    EXPECT_EQ(current->details.at("scores"), kept.all(PartKind::Scores).front()->name);
    EXPECT_EQ(scoresOf(*kept.all(PartKind::Scores).front())->scores, found->scores.front()->scores);
    ASSERT_EQ(kept.all(PartKind::Recommendation).size(), 1u);
    EXPECT_TRUE(readRecord(*kept.all(PartKind::Recommendation).front()->content, kept.model, "it"));
    EXPECT_EQ(kept.all(PartKind::Report).size(), 1u);
}

TEST_F(Recommend, ARecordIsHostileUntilRead)
{
    const std::string text
        = *readTextFile(std::filesystem::path(test::sourceDir()) / "resources/kept/zigzag-tiny/recommend.json");
    const ModelShape shape = device->model->shape();
    ASSERT_TRUE(readRecord(text, shape, "it")) << readRecord(text, shape, "it").error().message;
    const auto refuses = [&](const std::string &from, const std::string &to) {
        std::string changed = text;
        ASSERT_NE(changed.find(from), std::string::npos) << from;
        for (std::size_t at = 0; (at = changed.find(from, at)) != std::string::npos; at += to.size())
            changed.replace(at, from.size(), to);
        EXPECT_FALSE(readRecord(changed, shape, "it")) << to;
    };
    refuses("\"version\": 1", "\"version\": 2");
    refuses("\"model\": \"zigzag-tiny\"", "\"model\": \"another\"");
    refuses(shape.fingerprint, "0123");
    refuses("\"place\": ", "\"place\": 9999");
    refuses("\"verdict\": \"", "\"verdict\": \"un");
    refuses("\"kv_bytes\": ", "\"kv_bytes\": -");
    refuses("\"streaming\": [", "\"streaming\": [99,");
    refuses("\"recent\": ", "\"recent\": -");
    for (std::size_t length = 0; length < text.size(); length += 997)
        EXPECT_FALSE(readRecord(text.substr(0, length), shape, "it"));
}

TEST_F(Recommend, WhatIsStoppedGoesOnToTheSameResult)
{
    RecommendRequest asked = request();
    asked.progressFolder = folder.path() / "whole";
    std::filesystem::create_directory(asked.progressFolder);
    JobContext job = context();
    plan(asked, job);
    const auto whole = recommend(job, {.request = asked});
    ASSERT_TRUE(whole) << whole.error().message;

    asked.progressFolder = folder.path() / "stopped";
    std::filesystem::create_directory(asked.progressFolder);
    plan(asked, job);
    Result<Recommendation> last = failed("not run");
    int stops = 0;
    for (const JobPart at : {JobPart::Search, JobPart::Sweep, JobPart::Distill}) {
        cancel = false;
        job.progress = [&](const JobStep &step) { cancel = cancel || (step.part == at && step.done >= 2); };
        last = recommend(job, {.request = asked});
        stops += !last && isCancelled(last.error());
        EXPECT_TRUE(std::filesystem::exists(progressFile(asked)));
    }
    EXPECT_EQ(stops, 3);
    cancel = false;
    std::vector<JobPart> parts;
    job.progress = [&](const JobStep &step) { parts.push_back(step.part); };
    last = recommend(job, {.request = asked});
    ASSERT_TRUE(last) << last.error().message;
    EXPECT_EQ(std::count(parts.begin(), parts.end(), JobPart::Search), 0) << "the order was known";
    ASSERT_EQ(last->tried.size(), whole->tried.size());
    for (std::size_t i = 0; i < whole->tried.size(); ++i) {
        EXPECT_EQ(last->tried[i].map, whole->tried[i].map);
        EXPECT_EQ(last->tried[i].loss, whole->tried[i].loss);
    }
    ASSERT_EQ(last->judged.size(), whole->judged.size());
    for (std::size_t i = 0; i < whole->judged.size(); ++i)
        EXPECT_EQ(last->judged[i].judgement.test.difference, whole->judged[i].judgement.test.difference);
    EXPECT_EQ(last->chosen, whole->chosen);
    EXPECT_TRUE(last->scores.front()) << "they lie beside the progress";
}

/// On a machine that is slower than it was when the plan was made: what was tried by then is judged, and the rest is told.
TEST_F(Recommend, AWindowThatTheTimeDidNotReachIsLeftOut)
{
    const RecommendRequest asked = request();
    JobContext job = context();
    job.progress = [](const JobStep &) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }; // a slow machine
    const auto ways = servingWays(asked.engine, *exported, {4, 64});
    ASSERT_TRUE(ways) << ways.error().message;
    RecommendPlan plan;
    plan.promptTokens = asked.context;
    plan.windows = {{4, 32}};
    plan.sweepPrompts = 2;
    plan.counts = 2;
    RecommendRun whole{job, asked, *ways, RecommendState(plan, 1)};
    whole.state.orders[0].streaming = {{}, {1}, {1, 2}};
    ASSERT_TRUE(tryCounts(whole, 600));
    EXPECT_TRUE(whole.notes.empty());

    plan.windows.push_back({4, 64});
    RecommendRun brief{job, asked, *ways, RecommendState(plan, 1)};
    brief.state.orders = whole.state.orders;
    const auto nothing = tryCounts(brief, 1e-6);
    ASSERT_FALSE(nothing);
    EXPECT_NE(nothing.error().message.find("--time"), std::string::npos) << nothing.error().message;

    brief.notes.clear();
    brief.state.triedIn(0, 0) = whole.state.triedIn(0, 0);
    ASSERT_TRUE(tryCounts(brief, 1e-6));
    ASSERT_EQ(brief.notes.size(), 1u);
    EXPECT_NE(brief.notes[0].find("window of 64"), std::string::npos) << brief.notes[0];
    EXPECT_EQ(triedMaps(brief).size(), 2u);
}

/// Under a budget what loses least of what keeps it; sizes are those of the layout.
TEST_F(Recommend, ABudgetOfMemoryIsKept)
{
    RecommendRequest asked = request();
    const ModelShape shape = device->model->shape();
    const HeadMap full(shape, HeadKind::Retrieval, 4, 32);
    const JobContext job = context();
    const ServingWay ours;
    const std::int64_t all = servedMemory(ours, job.config(), full, asked.context)->bytes;
    asked.memory = all * 6 / 10;
    asked.progressFolder = folder.path();
    plan(asked, job);
    const auto found = recommend(job, {.request = asked});
    ASSERT_TRUE(found) << found.error().message;
    for (const TriedMap &tried : found->tried)
        EXPECT_LE(tried.cost.memory.bytes, *asked.memory);
    const auto fewest = std::min_element(found->tried.begin(), found->tried.end(),
                                         [](const TriedMap &a, const TriedMap &b) { return a.streaming < b.streaming; });
    HeadMap one = fewest->map; // one layer fewer would not keep it
    for (int layer = 0; layer < shape.layers; ++layer)
        if (one.hasStreaming(layer)) {
            one.setLayer(layer, HeadKind::Retrieval);
            break;
        }
    EXPECT_GT(servedMemory(ours, job.config(), one, asked.context)->bytes, *asked.memory);

    asked.progressFolder.clear();
    asked.memory = all;
    const auto needless = recommend(job, {.request = asked});
    ASSERT_FALSE(needless);
    EXPECT_NE(needless.error().message.find("nothing has to stream"), std::string::npos) << needless.error().message;
    asked.memory = 1000;
    const auto hopeless = recommend(job, {.request = asked});
    ASSERT_FALSE(hopeless);
    EXPECT_NE(hopeless.error().message.find("with every layer streaming"), std::string::npos) << hopeless.error().message;
}

TEST_F(Recommend, ABudgetOfTimeIsOfPredictions)
{
    RecommendRequest asked = request();
    asked.tpotMs = 1e-6;
    const auto hopeless = recommend(context(), {.request = asked});
    ASSERT_FALSE(hopeless);
    EXPECT_NE(hopeless.error().message.find("a token still takes"), std::string::npos) << hopeless.error().message;
    asked.tpotMs = 1e6;
    const auto needless = recommend(context(), {.request = asked});
    ASSERT_FALSE(needless);
    EXPECT_NE(needless.error().message.find("nothing has to stream"), std::string::npos) << needless.error().message;
}

/// vLLM keeps no sinks: maps for it have none, or what stands in for them, and memory is as vLLM counts it.
TEST_F(Recommend, AnEnginesWaysAreTriedAsItRunsThem)
{
    const auto ways = servingWays("vllm", *exported, {4, 32});
    ASSERT_TRUE(ways) << ways.error().message;
    ASSERT_EQ(ways->size(), 2u);
    EXPECT_EQ((*ways)[0].name, "granite-swa");
    EXPECT_TRUE((*ways)[0].standsIn());
    EXPECT_EQ((*ways)[1].name, "vllm");
    const JobContext job = context();
    RecommendPlan plan;
    plan.promptTokens = 256;
    plan.windows = {{4, 32}};
    const RecommendRequest asked = request("vllm");
    const RecommendRun run{job, asked, *ways, RecommendState(plan, 2)};
    EXPECT_EQ(run.windowOf(0, 0), (StreamingWindow{4, 32}));
    EXPECT_EQ(run.windowOf(1, 0), (StreamingWindow{0, 32}));
    const HeadMap half = [&] {
        HeadMap map(device->model->shape(), HeadKind::Retrieval, 0, 32);
        for (int layer = 0; layer < 8; layer += 2)
            map.setLayer(layer, HeadKind::Streaming);
        return map;
    }();
    EXPECT_EQ(run.costOf((*ways)[1], half).memory.engine.substr(0, 5), "vLLM ");
    EXPECT_EQ(servingWays("llama.cpp", *exported, {4, 32}).has_value(), false) << "a folder is no GGUF file";
}

TEST_F(Recommend, WhatCannotBeAskedIsOneLine)
{
    const auto refusal = [&](const RecommendRequest &asked) {
        const auto found = recommend(context(), {.request = asked, .model = exported.get()});
        EXPECT_FALSE(found);
        return found ? std::string() : found.error().message;
    };
    EXPECT_NE(refusal(request("tensorrt-llm")).find("choose one of ours, vllm"), std::string::npos);
    RecommendRequest asked = request();
    asked.recents = {256};
    EXPECT_NE(refusal(asked).find("leaves out nothing"), std::string::npos);
    asked = request();
    asked.memory = 1;
    asked.tpotMs = 1;
    EXPECT_NE(refusal(asked).find("--memory or --tpot"), std::string::npos);
    asked = request();
    asked.kept = 1;
    EXPECT_NE(refusal(asked).find("50 to 99"), std::string::npos);
    asked = request();
    asked.questions = std::make_shared<const std::vector<Question>>(3);
    EXPECT_NE(refusal(asked).find("4 or more"), std::string::npos);
}

TEST_F(Recommend, ProgressOfAnotherRequestIsNobodysToThrowAway)
{
    RecommendRequest asked = request();
    asked.progressFolder = folder.path();
    const JobContext job = context();
    plan(asked, job);
    asked.seed = 7;
    const auto other = recommend(job, {.request = asked});
    ASSERT_FALSE(other);
    EXPECT_NE(other.error().message.find("--restart"), std::string::npos) << other.error().message;
}

/// The less time there is, the less is planned, and the plan says so.
TEST(RecommendPlan, TimeDecidesHowMuch)
{
    const auto config = loadModelConfig("preset:llama-3-8b");
    ASSERT_TRUE(config) << config.error().message;
    RecommendRequest request;
    request.context = 4096;
    std::int64_t tokens = 0;
    for (const double seconds : {60.0, 600.0, 6000.0, 60000.0}) {
        request.seconds = seconds;
        const RecommendPlan plan = planFor(request, *config, {2, 1}, {1e-3, 1e-8});
        EXPECT_GE(plan.promptTokens, tokens);
        EXPECT_EQ(plan.shortened.empty(),
                  plan.promptTokens == std::min<std::int64_t>(4096, config->maxContext) && plan.judgePrompts == 80);
        if (plan.promptTokens > 256) {
            EXPECT_LE(plan.seconds.all(), seconds);
        }
        // So many that a map which loses none of them is seen to keep what is asked for, where 7 of 10 are answered.
        std::vector<double> answered(static_cast<std::size_t>(plan.judgePrompts), 1.0);
        std::fill(answered.begin(), answered.begin() + plan.judgePrompts * 3 / 10, 0.0);
        EXPECT_EQ(judged(answered, answered, request.kept).verdict, Kept::Yes) << plan.judgePrompts;
        const auto again = RecommendPlan::fromJson(plan.toJson());
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(*again, plan);
        tokens = plan.promptTokens;
    }
}

TEST(RecommendPlan, HalvesHaveNothingInCommonAndLeaveNothingOut)
{
    std::vector<Question> questions;
    for (int i = 0; i < 11; ++i) {
        Question question;
        question.task = std::string(1, static_cast<char>('a' + i % 3));
        question.id = std::to_string(i);
        questions.push_back(std::move(question));
    }
    const auto choosing = halfOf(questions, false), judging = halfOf(questions, true);
    EXPECT_EQ(choosing.size(), 6u);
    EXPECT_EQ(judging.size(), 5u);
    for (const Question &a : choosing)
        for (const Question &b : judging)
            EXPECT_NE(a.id, b.id);
}

/// A share is kept only where the interval says so: few prompts show nothing.
TEST(RecommendJudge, FewPromptsShowNothing)
{
    const std::vector<double> few(8, 1.0), many(80, 1.0);
    EXPECT_EQ(judged(few, few, 0.9).verdict, Kept::Undecided);
    EXPECT_EQ(judged(many, many, 0.9).verdict, Kept::Yes);
    std::vector<double> worse(80, 1.0);
    std::fill(worse.begin(), worse.begin() + 20, 0.0);
    const Judgement lost = judged(many, worse, 0.9);
    EXPECT_EQ(lost.verdict, Kept::No);
    EXPECT_DOUBLE_EQ(lost.kept, 0.75);
    EXPECT_LT(lost.keptLow, 0.75);
}

/// The cheapest that kept its answers comes first, then a surer one, then the cheaper one.
TEST(RecommendJudge, TheCheapestThatHeldIsJudgedFirst)
{
    std::vector<TriedMap> tried(5);
    for (std::size_t i = 0; i < tried.size(); ++i) {
        tried[i].cost.memory.bytes = 100 - static_cast<std::int64_t>(i); // the last is the cheapest
        tried[i].right = i < 3 ? 1.0 : 0.5;
        tried[i].rightFull = 1.0;
        tried[i].inSet = true;
    }
    RecommendRequest request;
    EXPECT_EQ(mapsToJudge(tried, request, 3), (std::vector<std::size_t>{2, 1, 3}));
    tried[2].inSet = false;
    EXPECT_EQ(mapsToJudge(tried, request, 1), (std::vector<std::size_t>{1}));
    request.memory = 1000;
    EXPECT_EQ(mapsToJudge(tried, request, 2), (std::vector<std::size_t>{0, 1}));
}

/// An engine in which no map takes less memory than full attention: the fastest is the cheapest.
TEST(RecommendJudge, WhereNoMapSavesMemoryTimeCompares)
{
    std::vector<TriedMap> tried(3);
    for (std::size_t i = 0; i < tried.size(); ++i) {
        tried[i].cost.memory.bytes = 100 - static_cast<std::int64_t>(i);
        tried[i].cost.ms = 1.0 + static_cast<double>(i);
        tried[i].right = tried[i].rightFull = 1.0;
        tried[i].inSet = true;
    }
    EXPECT_EQ(mapsToJudge(tried, {}, 1), (std::vector<std::size_t>{2})) << "by bytes";
    for (TriedMap &map : tried)
        map.byTime = true;
    EXPECT_EQ(mapsToJudge(tried, {}, 1), (std::vector<std::size_t>{0}));
    EXPECT_EQ(tried[1].compared(), 2.0);
}

} // namespace
} // namespace zigzag::jobs
