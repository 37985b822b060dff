// SPDX-License-Identifier: GPL-3.0-or-later
// What both programs ask for, on a small random model.
#include "profiler/jobs/bench_job.h"
#include "profiler/jobs/calibration_job.h"
#include "profiler/jobs/evaluate_job.h"
#include "profiler/jobs/predict_job.h"
#include "profiler/jobs/search_job.h"
#include "profiler/jobs/sweep_job.h"
#include "profiler/jobs/trace_job.h"
#include "tests/profiler/loaded_model.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <string>
#include <vector>

namespace zigzag {
namespace {

class Jobs : public test::LoadedModel
{
protected:
    /// A machine that nobody measures: its numbers are made up.
    static MachineProfile someMachine()
    {
        MachineProfile machine;
        machine.readBytesPerSecond = 1;
        machine.lastLevelCacheBytes = 1 << 20;
        return machine;
    }
    JobContext context()
    {
        return {device, &known, &cancel, [this](const JobStep &step) {
                    EXPECT_GE(step.fraction, 0);
                    EXPECT_LE(step.fraction, 1);
                    if (parts.empty() || parts.back() != step.part)
                        parts.push_back(step.part);
                    if (subjects.empty() || subjects.back() != step.subject)
                        subjects.emplace_back(step.subject);
                }};
    }
    static TaskPlan tasks() { return {.kinds = {TaskKind::Passkey}, .contexts = {200}, .depths = {0.2, 0.8}, .trials = 1}; }
    BenchPlan benchPlan() const
    {
        BenchPlan plan;
        plan.maps = {{"full", map(HeadKind::Retrieval)}, {"streaming", map(HeadKind::Streaming)}};
        plan.contexts = {32};
        plan.phases = {Phase::Decode};
        plan.repeats = 2;
        return plan;
    }

    KnownMachine known{someMachine()};
    std::atomic<bool> cancel = false;
    std::vector<JobPart> parts; ///< as they were told, each once in a row
    std::vector<std::string> subjects;
};

TEST_F(Jobs, TheMachineIsMeasuredOnceAndNotKeptWhereThatWasCutShort)
{
    known = {};
    cancel = true;
    context().machine();
    EXPECT_EQ(parts, std::vector{JobPart::Machine});
    context().machine();
    known.endJob();
    cancel = false;
    const double first = context().machine().readBytesPerSecond;
    EXPECT_GT(first, 0) << "measured anew";
    known.endJob();
    EXPECT_EQ(context().machine().readBytesPerSecond, first) << "and kept";
}

TEST_F(Jobs, ABenchRaisesTheCeilingsOfTheMachineAndOfItsRecords)
{
    std::size_t told = 0;
    const auto records = jobs::bench(context(), benchPlan(), [&](const std::vector<BenchRecord> &so) { told = so.size(); });
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_EQ(records->size(), 2u);
    EXPECT_EQ(told, 2u);
    EXPECT_EQ(parts, std::vector{JobPart::Bench});
    EXPECT_GT(context().machine().readBytesPerSecond, 1) << "of one byte a second nobody would have measured so much";
    for (const BenchRecord &record : *records)
        EXPECT_LT(record.floorMs, 1e6);
}

TEST_F(Jobs, PredictionsAreHeldAgainstWhatIsMeasuredOfThem)
{
    ModelSamples samples;
    samples.config = model->config;
    samples.layers = model->config.layers;
    for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
        const PassPoint point{.phase = phase, .pass = {.tokens = 1, .firstPosition = 63, .batch = 1}};
        samples.ops.push_back({point, Op::Logits, 4000});
        samples.passes.push_back({point, 4});
    }
    const CostModel cost({someMachine(), {samples}}, model->config);
    const jobs::PredictPlan plan{benchPlan().maps, {16, 32}, {Phase::Prefill, Phase::Decode}, {1, 2}, 1};
    std::vector<jobs::Prediction> points = jobs::predict(cost, plan);
    ASSERT_EQ(points.size(), 16u);
    EXPECT_EQ(points[1].predicted.map, "streaming");
    EXPECT_EQ(points[1].predicted.context, 16);
    EXPECT_EQ(points.back().predicted.batch, 2);
    EXPECT_EQ(points.back().predicted.medianMs, points.back().estimate.ms);
    const auto measured = jobs::measure(context(), points, cost, plan, 1, 0);
    ASSERT_TRUE(measured) << measured.error().message;
    for (const jobs::Prediction &point : points) {
        ASSERT_TRUE(point.measured);
        EXPECT_EQ(point.measured->map, point.predicted.map);
        EXPECT_EQ(point.measured->kvBytesAllocated, point.predicted.kvBytes);
        EXPECT_EQ(point.held().measuredMs, point.measured->medianMs);
    }
    EXPECT_EQ(context().machine().readBytesPerSecond, 1) << "the model's machine, which predictions are made for, stays";
}

TEST_F(Jobs, NeedlesAreAskedOfEachMapUnderItsName)
{
    const HeadMap mine = mixedMap();
    EXPECT_EQ(jobs::fullLike(mine).streamingHeads(), 0);
    EXPECT_EQ(jobs::fullLike(mine).windows(), mine.windows());
    std::vector<std::string> asked;
    const NeedlePlan plan{.contexts = {200}, .depths = {0, 1}, .trials = 1};
    const auto results = jobs::askNeedles(context(), {{"mine", mine}, {"full", jobs::fullLike(mine)}}, plan,
                                          [&](const NamedMap &map, const NeedleResult &) { asked.push_back(map.name); });
    ASSERT_TRUE(results) << results.error().message;
    ASSERT_EQ(results->size(), 2u);
    EXPECT_TRUE(results->back().isComplete());
    EXPECT_EQ(asked, (std::vector<std::string>{"mine", "mine", "full", "full"}));
    EXPECT_EQ(parts, std::vector{JobPart::Needle});
    EXPECT_EQ(subjects, (std::vector<std::string>{"mine", "full"}));
}

TEST_F(Jobs, ASearchSaysWhatItTakesBeforeItRunsAndGoesOnWhereItWasStopped)
{
    const test::TempFolder folder;
    jobs::SearchJob job;
    job.plan.window = {4, 16};
    job.plan.tasks = tasks();
    job.progressFile = folder / "search.progress";
    std::vector<std::string> said;
    job.opened = [&](const Search &search) { said.push_back("opened at " + std::to_string(search.alreadyDone())); };
    job.begun = [&](const Search &, double seconds) {
        EXPECT_GT(seconds, 0);
        said.emplace_back("begun");
    };
    job.soFar = [&](const Search &search) {
        EXPECT_GE(search.soFar().done, 1);
        cancel = true;
    };
    const auto part = jobs::search(context(), job);
    ASSERT_TRUE(part) << part.error().message;
    EXPECT_FALSE(part->complete);
    EXPECT_EQ(parts, (std::vector{JobPart::TimePass, JobPart::Search}));
    cancel = false;
    job.soFar = {};
    const auto whole = jobs::search(context(), job);
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_TRUE(whole->complete);
    EXPECT_EQ(said, (std::vector<std::string>{"opened at 0", "begun", "opened at 1", "begun"}));
}

TEST_F(Jobs, ASweepEndsWhereWhatElseItNeedsFails)
{
    jobs::SweepJob job;
    job.maps = {map(HeadKind::Retrieval), mixedMap(), map(HeadKind::Streaming)};
    job.tasks = tasks();
    job.opened = []() -> Result<void> { return failed("no times"); };
    const auto none = jobs::sweep(context(), job);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().message, "no times");
    EXPECT_TRUE(parts.empty()) << "nothing was run";
    job.opened = {};
    int prompts = 0;
    job.begun = [&](int all, double) { prompts = all; };
    std::size_t soFar = 0;
    job.soFar = [&](const std::vector<SweepPoint> &points) { soFar = points.size(); };
    const auto swept = jobs::sweep(context(), job);
    ASSERT_TRUE(swept) << swept.error().message;
    EXPECT_EQ(swept->points.size(), 3u);
    EXPECT_EQ(soFar, 3u);
    EXPECT_EQ(swept->prompts, prompts);
    EXPECT_EQ(swept->points.front().quality.loss.mean, 0) << "full attention loses nothing";
    EXPECT_EQ(parts, (std::vector{JobPart::TimePass, JobPart::Sweep}));
}

TEST_F(Jobs, ACancelledCalibrationIsNone)
{
    cancel = true;
    const auto samples = jobs::sampleModel(context(), shortCalibration(64));
    ASSERT_FALSE(samples);
    EXPECT_TRUE(isCancelled(samples.error()));
}

TEST_F(Jobs, ATraceIsOfTheMapThatWasAsked)
{
    TracePlan plan;
    plan.map = {"mine", mixedMap()};
    plan.context = 32;
    plan.steps = 2;
    const auto trace = jobs::trace(context(), plan);
    ASSERT_TRUE(trace) << trace.error().message;
    EXPECT_EQ(trace->info.map, "mine");
    EXPECT_FALSE(trace->spans.empty());
    EXPECT_EQ(parts, std::vector{JobPart::Trace});
}

} // namespace
} // namespace zigzag
