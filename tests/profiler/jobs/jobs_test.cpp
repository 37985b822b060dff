// SPDX-License-Identifier: GPL-3.0-or-later
// What both programs ask for, on a small random model.
#include "profiler/jobs/bench_job.h"
#include "profiler/jobs/calibration_job.h"
#include "profiler/jobs/evaluate_job.h"
#include "profiler/jobs/kept_answers.h"
#include "profiler/jobs/predict_job.h"
#include "profiler/jobs/search_job.h"
#include "profiler/jobs/sweep_job.h"
#include "profiler/jobs/trace_job.h"
#include "tests/profiler/loaded_model.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
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
    job.begun = [&](int all, int, double) { prompts = all; };
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

TEST_F(Jobs, ASweepGoesOnFromWhereverItWasStopped)
{
    const test::TempFolder folder;
    jobs::SweepJob job;
    job.maps = {map(HeadKind::Retrieval), mixedMap(), map(HeadKind::Streaming)};
    job.tasks = tasks();
    const auto whole = jobs::sweep(context(), job);
    ASSERT_TRUE(whole) << whole.error().message;
    job.progressFile = folder / "sweep.progress";
    for (const int stopAt : {1, 2}) {
        std::vector<int> heard;
        job.soFar = [&](const std::vector<SweepPoint> &points) {
            heard.push_back(points.front().quality.prompts);
            cancel = heard.back() == stopAt;
        };
        const auto part = jobs::sweep(context(), job);
        ASSERT_TRUE(part) << part.error().message;
        EXPECT_EQ(part->points.front().quality.prompts, stopAt) << "the first prompt was not measured again";
        EXPECT_EQ(heard, std::vector{stopAt});
        cancel = false;
    }
    EXPECT_FALSE(std::filesystem::exists(job.progressFile)) << "all two prompts are done";
    job.soFar = [&](const std::vector<SweepPoint> &) { cancel = true; };
    ASSERT_TRUE(jobs::sweep(context(), job));
    cancel = false;
    EXPECT_TRUE(std::filesystem::exists(job.progressFile));
    int done = -1;
    job.begun = [&](int, int before, double) { done = before; };
    job.soFar = {};
    const auto ended = jobs::sweep(context(), job);
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_EQ(done, 1);
    ASSERT_EQ(ended->points.size(), whole->points.size());
    for (std::size_t i = 0; i < whole->points.size(); ++i) {
        EXPECT_EQ(ended->points[i].quality.loss.mean, whole->points[i].quality.loss.mean);
        EXPECT_EQ(ended->points[i].quality.kl.mean, whole->points[i].quality.kl.mean);
        EXPECT_EQ(ended->points[i].quality.right.mean, whole->points[i].quality.right.mean);
    }
    // Other maps are another sweep, whose progress is not thrown away unasked.
    job.soFar = [&](const std::vector<SweepPoint> &) { cancel = true; };
    ASSERT_TRUE(jobs::sweep(context(), job));
    cancel = false;
    job.soFar = {};
    job.maps.pop_back();
    EXPECT_FALSE(jobs::sweep(context(), job));
    job.begin = Begin::Anew;
    EXPECT_TRUE(jobs::sweep(context(), job));
}

TEST_F(Jobs, NeedlesGoOnWithinACell)
{
    const NeedlePlan plan{.contexts = {150, 200}, .depths = {0, 1}, .trials = 3};
    const std::vector<NamedMap> maps{{"mine", mixedMap()}};
    const auto whole = jobs::askNeedles(context(), maps, plan);
    ASSERT_TRUE(whole) << whole.error().message;
    for (int stopAt = 1; stopAt < 12; ++stopAt) {
        NeedleResult kept;
        int asked = 0;
        const auto keep = [&](const NamedMap &, const NeedleResult &soFar) {
            kept = soFar;
            cancel = ++asked == stopAt;
        };
        EXPECT_FALSE(jobs::askNeedles(context(), maps, plan, keep));
        cancel = false;
        int trials = 0;
        for (const NeedleCell &cell : kept.grid)
            trials += cell.trials;
        EXPECT_EQ(trials, stopAt);
        EXPECT_FALSE(kept.isComplete());
        NeedlePlan rest = plan;
        rest.known = kept.grid;
        const auto ended = jobs::askNeedles(context(), maps, rest);
        ASSERT_TRUE(ended) << ended.error().message;
        ASSERT_EQ(ended->front().grid.size(), 4u);
        EXPECT_TRUE(ended->front().isComplete());
        for (std::size_t i = 0; i < 4; ++i) {
            EXPECT_EQ(ended->front().grid[i].trials, 3);
            EXPECT_EQ(ended->front().grid[i].found, whole->front().grid[i].found);
        }
    }
}

TEST_F(Jobs, HeadsAreScoredOnFromWhereTheyWereStopped)
{
    const AttentionScorePlan plan{.contexts = {150, 200}, .depths = {0.2, 0.8}, .trials = 1};
    const auto whole = jobs::scoreHeads(context(), plan);
    ASSERT_TRUE(whole) << whole.error().message;
    for (int stopAt = 1; stopAt < 4; ++stopAt) {
        jobs::ScoredSoFar soFar;
        soFar.told = [&](const HeadScores &, int done, int all) {
            EXPECT_EQ(all, 4);
            cancel = done == stopAt;
        };
        ASSERT_TRUE(jobs::scoreHeads(context(), plan, &soFar));
        EXPECT_EQ(soFar.state.done, stopAt);
        cancel = false;
        std::vector<int> heard;
        soFar.told = [&](const HeadScores &, int done, int) { heard.push_back(done); };
        const auto ended = jobs::scoreHeads(context(), plan, &soFar);
        ASSERT_TRUE(ended) << ended.error().message;
        EXPECT_EQ(static_cast<int>(heard.size()), 4 - stopAt);
        EXPECT_EQ(ended->scores, whole->scores);
        EXPECT_EQ(ended->spread, whole->spread);
    }
}

/// Files are UTF-8, and random weights say bytes that are not.
std::string inFile(const std::string &text)
{
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

TEST_F(Jobs, QuestionsAreAskedOnFromAFileOfTheirAnswers)
{
    std::vector<Question> questions;
    for (int i = 0; i < 20; ++i) {
        Question &question = questions.emplace_back();
        question.source = "own";
        question.task = "words";
        question.id = std::to_string(i);
        question.prompt = "What comes behind " + std::string(static_cast<std::size_t>(1 + i % 7), 'a') + "?";
        question.references = {"b"};
        question.answerTokens = 3 + i % 5;
    }
    const NamedMap mine{"mine", mixedMap()};
    const auto whole = jobs::ask(context(), mine, questions, {});
    ASSERT_TRUE(whole) << whole.error().message;
    const test::TempFolder folder;
    for (const std::size_t stopAt : {1u, 5u, 13u, 19u}) {
        const auto file = folder / ("answers-" + std::to_string(stopAt));
        auto kept = jobs::KeptAnswers::open(file, context(), questions, AskAs::Auto, Begin::GoOn);
        ASSERT_TRUE(kept) << kept.error().message;
        const auto keep = [&](std::size_t question, const QuestionAnswer &answer) {
            kept->take(mine.map, {}, questions.size(), question, answer);
            cancel = static_cast<std::size_t>(kept->count()) >= stopAt;
        };
        (void)jobs::ask(context(), mine, questions, {}, keep);
        cancel = false;
        ASSERT_TRUE(kept->save());
        auto read = jobs::KeptAnswers::open(file, context(), questions, AskAs::Auto, Begin::GoOn);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(static_cast<std::size_t>(read->count()), static_cast<std::size_t>(kept->count()));
        EXPECT_GE(static_cast<std::size_t>(read->count()), stopAt);
        EXPECT_TRUE(read->of(map(HeadKind::Streaming), {}, questions.size()).empty()) << "of another map";
        EXPECT_TRUE(read->of(mine.map, "vllm", questions.size()).empty()) << "as another engine runs it";
        std::size_t more = 0;
        const AskPlan rest{.known = read->of(mine.map, {}, questions.size())};
        const auto ended = jobs::ask(context(), mine, questions, rest, [&](std::size_t, const QuestionAnswer &) { ++more; });
        ASSERT_TRUE(ended) << ended.error().message;
        EXPECT_EQ(more + static_cast<std::size_t>(read->count()), questions.size());
        ASSERT_EQ(ended->size(), whole->size());
        for (std::size_t i = 0; i < whole->size(); ++i) {
            EXPECT_EQ(inFile((*ended)[i].text), inFile((*whole)[i].text));
            EXPECT_EQ((*ended)[i].score, (*whole)[i].score);
            EXPECT_EQ((*ended)[i].promptTokens, (*whole)[i].promptTokens);
        }
        questions.back().prompt += "!";
        EXPECT_FALSE(jobs::KeptAnswers::open(file, context(), questions, AskAs::Auto, Begin::GoOn)) << "other questions";
        questions.back().prompt.pop_back();
    }
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
