// SPDX-License-Identifier: GPL-3.0-or-later
// recommend for engines that drop sinks: what stands in for them is calibrated, fitted, judged, exported.
#include "engine/base/files.h"
#include "engine/model/tensor_values.h"
#include "profiler/carry/granite_swa_folder.h"
#include "profiler/jobs/recommend_files.h"
#include "profiler/jobs/recommend_job.h"
#include "profiler/jobs/recommend_page.h"
#include "profiler/jobs/recommend_record.h"
#include "profiler/jobs/recommend_stand_ins.h"
#include "profiler/jobs/served_job.h"
#include "tests/temp_folder.h"

#include <cmath>
#include <gtest/gtest.h>

namespace zigzag::jobs {
namespace {

/// The weights are BF16, with eight bits of a number.
void expectRounded(const std::vector<float> &stored, const std::vector<float> &made)
{
    ASSERT_EQ(stored.size(), made.size());
    for (std::size_t i = 0; i < made.size(); ++i)
        EXPECT_NEAR(stored[i], made[i], std::abs(made[i]) / 256) << i;
}

/// One count in one window, so that each step takes seconds.
class RecommendStandIns : public testing::Test
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

    /// A request whose progress waits behind the order of the layers, with two fits of two steps planned.
    RecommendRequest begun(const std::filesystem::path &out, int fittedMaps)
    {
        RecommendRequest request;
        request.engine = std::string(carriedFormat); // one way alone
        request.context = 256;
        request.recents = {32};
        request.sink = 4;
        request.seconds = 300; // times of the machine are measured for as long as a share of it
        request.kept = 0.5;
        request.progressFolder = out;
        std::filesystem::create_directories(out);
        RecommendPlan plan;
        plan.promptTokens = request.context;
        plan.windows = {{4, 32}};
        plan.scorePrompts = plan.sweepPrompts = 2;
        plan.counts = 1;
        plan.judgePrompts = 8;
        plan.judgedMaps = 1;
        plan.fittedMaps = fittedMaps;
        plan.fitSteps = fittedMaps > 0 ? 2 : 0;
        const auto ways = servingWays(request.engine, *exported, plan.windows.back());
        EXPECT_TRUE(ways) << ways.error().message;
        RecommendRun run{context(), request, *ways, RecommendState(plan, ways->size())};
        run.state.orders[0].streaming = {{}, {1}};
        run.state.orders[0].prompts = 2;
        EXPECT_TRUE(run.save());
        return request;
    }
    const JobContext &context() { return m_context; }

    static inline std::shared_ptr<DeviceModel> device;
    static inline std::unique_ptr<ExportModel> exported;
    std::atomic<bool> cancel{false};
    test::TempFolder folder;
    KnownMachine m_machine;
    JobContext m_context{device, &m_machine, &cancel, {}};
};

TEST_F(RecommendStandIns, WhatIsJudgedIsFittedToldAndExported)
{
    RecommendRequest asked = begun(folder.path() / "out", 1);
    auto found = recommend(context(), {.request = asked, .model = exported.get()});
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_EQ(found->judged.size(), 1u);
    const auto &standIns = found->judged.front().standIns;
    ASSERT_TRUE(standIns);
    EXPECT_EQ(standIns->steps, 2);
    ASSERT_TRUE(standIns->fitted);
    EXPECT_GT(standIns->seconds.calibration, 0);
    EXPECT_GT(standIns->seconds.fit, 0);
    EXPECT_GT(standIns->quality().windowAlone.kl, standIns->quality().sinksKept.kl);
    EXPECT_EQ(standInFiles(asked).size(), 2u) << "the search's, and the map's: what goes on would not fit again";

    ASSERT_TRUE(found->chosen) << saysOf(*found);
    RecommendPlaces places{"bundled:zigzag-tiny", asked.progressFolder, {}, {}};
    ASSERT_TRUE(writeRecommended(context(), *found, exported.get(), places));
    EXPECT_TRUE(standInFiles(asked).empty()) << "all of it is written";
    // The export has the very values that were judged.
    const auto folderModel = loadModel(places.exported.string());
    ASSERT_TRUE(folderModel) << folderModel.error().message;
    const auto &weights = (*folderModel)->weights.layers[1];
    expectRounded(floatsOf(weights[WeightId::SinkLogits]), standIns->carrier.layers[1].sinkLogits);
    expectRounded(floatsOf(weights[WeightId::OutputBias]), standIns->carrier.layers[1].outputBias);
    const auto run = exportedRun(context(), found->map()->map, places.exported.string());
    ASSERT_TRUE(run) << run.error().message;
    EXPECT_EQ(run->map.streamingHeads(), 0) << "its windows are its own";

    const std::string page = pageOf(*found, places);
    EXPECT_NE(page.find("## What stands in for its sinks"), std::string::npos) << page;
    EXPECT_NE(page.find("The form that was judged, and that the export has: stand-ins "), std::string::npos) << page;
    EXPECT_NE(page.find("s for 2 steps of a fit"), std::string::npos) << page;
    EXPECT_NE(page.find("with the window alone; KL "), std::string::npos) << page;
    EXPECT_NE(checkCommand(*found, places).find("--stand-ins " + places.exported.string()), std::string::npos);
    EXPECT_NE(serveCommand(*found, places).find(places.exported.string()), std::string::npos);

    const auto record = readRecord(*readTextFile(asked.progressFolder / "recommend.json"), device->model->shape(), "it");
    ASSERT_TRUE(record) << record.error().message;
    const auto &kept = record->map()->judged->standIns;
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->isFitted, standIns->isFitted);
    EXPECT_EQ(kept->steps, 2);
    EXPECT_EQ(kept->fitSeconds, standIns->seconds.fit);
    EXPECT_EQ(kept->fit.kl, standIns->fitted->beyond.kl);
    EXPECT_EQ(kept->windowAlone.positions, standIns->calibrated.windowAlone.positions);
}

TEST_F(RecommendStandIns, AFitThatIsStoppedGoesOnToTheSameJudgement)
{
    const RecommendRequest whole = begun(folder.path() / "whole", 1);
    const auto once = recommend(context(), {.request = whole, .model = exported.get()});
    ASSERT_TRUE(once) << once.error().message;
    const RecommendRequest stopped = begun(folder.path() / "stopped", 1);
    for (const char *subject : {"calibration", "fit"}) {
        cancel = false;
        bool isJudging = false;
        m_context.progress = [&](const JobStep &step) {
            cancel = cancel || (isJudging && step.part == JobPart::Carry && step.subject == subject && step.fraction >= 0.7);
        };
        RecommendJob job{.request = stopped, .model = exported.get()};
        job.begins = [&](RecommendStage stage) { isJudging = stage == RecommendStage::Judge; };
        const auto last = recommend(context(), job);
        ASSERT_FALSE(last) << subject;
        EXPECT_TRUE(isCancelled(last.error())) << last.error().message;
    }
    cancel = false;
    std::vector<std::string> made;
    bool isJudging = false;
    m_context.progress = [&](const JobStep &step) {
        if (isJudging && step.part == JobPart::Carry && (made.empty() || made.back() != step.subject))
            made.emplace_back(step.subject);
    };
    RecommendJob job{.request = stopped, .model = exported.get()};
    job.begins = [&](RecommendStage stage) { isJudging = stage == RecommendStage::Judge; };
    const auto last = recommend(context(), job);
    ASSERT_TRUE(last) << last.error().message;
    EXPECT_EQ(made, (std::vector<std::string>{"fit", "measurement"})) << "the calibration is kept, and the first step of the fit";
    ASSERT_EQ(last->judged.size(), once->judged.size());
    EXPECT_EQ(last->judged.front().judgement.mean, once->judged.front().judgement.mean);
    EXPECT_EQ(last->judged.front().standIns->carrier.layers[1].sinkLogits,
              once->judged.front().standIns->carrier.layers[1].sinkLogits);
    EXPECT_EQ(last->judged.front().standIns->quality().beyond.kl, once->judged.front().standIns->quality().beyond.kl);
}

TEST_F(RecommendStandIns, WithoutTimeForAFitTheCalibrationIsJudged)
{
    const RecommendRequest asked = begun(folder.path() / "out", 0);
    const auto found = recommend(context(), {.request = asked, .model = exported.get()});
    ASSERT_TRUE(found) << found.error().message;
    const auto &standIns = found->judged.front().standIns;
    ASSERT_TRUE(standIns);
    EXPECT_FALSE(standIns->isFitted);
    EXPECT_FALSE(standIns->fitted);
    // What an export without a fit has.
    const EngineServing serving{std::string(carriedFormat), withoutSinks, true, "vLLM"};
    const auto served = servedRun(context(), found->tried.front().map, serving);
    ASSERT_TRUE(served) << served.error().message;
    expectRounded(floatsOf(served->context.model().weights.layers[1][WeightId::SinkLogits]),
                  standIns->carrier.layers[1].sinkLogits);
    EXPECT_EQ(formText(found->ways[0], found->model, standIns.get()), "stand-ins calibrated");
}

/// The time that is left to a fit is none of the prompts', unless there is too little of it for any fit.
TEST(RecommendStandInsPlan, TimeDecidesWhetherToFit)
{
    const auto config = loadModelConfig("preset:llama-3-8b");
    ASSERT_TRUE(config) << config.error().message;
    RecommendRequest request;
    request.engine = "vllm";
    request.context = 4096;
    const Pace pace{1e-3, 1e-8};
    request.seconds = 60000;
    const RecommendPlan all = planFor(request, *config, {2, 1}, pace);
    EXPECT_EQ(all.fittedMaps, all.judgedMaps);
    EXPECT_EQ(all.fitSteps, 60);
    EXPECT_LE(all.seconds.all(), request.seconds);
    const auto again = RecommendPlan::fromJson(all.toJson());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->fitSteps, 60);
    EXPECT_DOUBLE_EQ(again->seconds.fitting, all.seconds.fitting);
    EXPECT_EQ(planFor(request, *config, {2, 0}, pace).fittedMaps, 0) << "nothing stands in";
    EXPECT_EQ(planFor(request, *config, {2, 1, false}, pace).fittedMaps, 0) << "no backward pass";
    request.seconds = 60;
    const RecommendPlan none = planFor(request, *config, {2, 1}, pace);
    EXPECT_EQ(none.fittedMaps, 0);
    const auto says = [&](const RecommendPlan &plan) {
        for (const std::string &each : plan.shortened)
            if (each.find("calibrated and not fitted") != std::string::npos)
                return true;
        return false;
    };
    EXPECT_TRUE(says(none));
    EXPECT_FALSE(says(all));
    // A plan of before, which fitted nothing.
    EXPECT_EQ(
        RecommendPlan::fromJson(
            R"({"prompt_tokens":256,"windows":[[4,32]],"greedy":true,"score_prompts":1,"sweep_prompts":1,"judge_prompts":20,)"
            R"("counts":1,"judged_maps":1,"seconds":[1,2,3,4,5],"shortened":[]})")
            ->fittedMaps,
        0);
}

} // namespace
} // namespace zigzag::jobs
