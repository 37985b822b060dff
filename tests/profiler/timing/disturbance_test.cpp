// SPDX-License-Identifier: GPL-3.0-or-later
// What was disturbed is said by everything that shows a number of it; a floor ratio above 100 % is shown by nothing.
#include "app/cli/report_text.h"
#include "app/cli/run_output.h"
#include "engine/map/assign.h"
#include "profiler/base/job_time.h"
#include "profiler/timing/disturbance.h"
#include "tests/temp_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <thread>

namespace zigzag {
namespace {

BenchRecord record(const char *map, Phase phase, int disturbed, double floorRatio)
{
    BenchRecord made;
    made.map = map;
    made.phase = phase;
    made.context = 512;
    made.samplesMs = {2, 2.1, 2.2, 2.3, 2.4};
    made.medianMs = 2.2;
    made.spreadMs = 0.2;
    made.disturbed = disturbed;
    made.floorRatio = floorRatio;
    made.floorMs = floorRatio * made.medianMs;
    made.ceiling = "cache read bandwidth";
    made.ceilingPerSecond = 1e10;
    return made;
}

/// Two calm points, one that was disturbed, one whose ceiling moved, one that was cut short, and one that was not measured.
std::vector<BenchRecord> someDisturbed()
{
    std::vector<BenchRecord> records = {record("full", Phase::Prefill, 0, 0.5),     record("full", Phase::Decode, 1, 0.25),
                                        record("zigzag", Phase::Prefill, 4, 0.125), record("zigzag", Phase::Decode, 0, 1.14),
                                        record("duo", Phase::Decode, 1, 0.75),      record("duo", Phase::Prefill, 0, 0)};
    records[4].samplesMs = {2.2};
    records[5].samplesMs.clear();
    records[5].failure = "out of memory";
    return records;
}

constexpr int repeats = 5;
const std::string slowed = "Other programs slowed the machine during 6 of 21 samples", cut = "1 of 5 points have fewer samples",
                  moved = "1 of 5 points have no floor ratio";

bool contains(const std::string &text, const std::string &part)
{
    return text.find(part) != text.npos;
}

TEST(Disturbance, IsCountedAndSaidInPlainSentences)
{
    const Disturbance all = disturbanceOf(someDisturbed(), repeats);
    EXPECT_EQ(all.samples, 21);
    EXPECT_EQ(all.disturbed, 6);
    EXPECT_EQ(all.points, 5);
    EXPECT_EQ(all.shortened, 1);
    EXPECT_EQ(all.ceilingsMoved, 1);
    for (const std::string &part : {slowed, cut, moved})
        EXPECT_TRUE(contains(textOf(all), part)) << textOf(all);
    EXPECT_EQ(textOf(disturbanceOf({record("full", Phase::Decode, 0, 1)}, repeats)), "") << "at the floor is a result";
}

TEST(Disturbance, AFloorRatioAboveOneIsNoResult)
{
    const BenchRecord above = record("full", Phase::Decode, 0, 1.14);
    EXPECT_TRUE(above.ceilingMoved());
    EXPECT_EQ(above.floorShare(), std::nullopt);
    EXPECT_EQ(floorText(above), "-");
    const BenchRecord below = record("full", Phase::Decode, 0, 0.873);
    EXPECT_FALSE(below.ceilingMoved());
    EXPECT_EQ(floorText(below), "87.3 %");
}

TEST(Disturbance, TablesSayIt)
{
    const std::string table = benchTable(someDisturbed(), repeats);
    for (const std::string &part : {slowed, cut, moved, std::string("50.0 %"), std::string("  disturbed\n")})
        EXPECT_TRUE(contains(table, part)) << table;
    EXPECT_FALSE(contains(table, "114")) << table;
    const std::string csv = benchCsv({}, someDisturbed());
    EXPECT_TRUE(contains(csv, "floor_ratio,ceiling,ceiling_moved,samples,disturbed,")) << csv;
    EXPECT_TRUE(contains(csv, ",0.125,cache read bandwidth,0,5,4,")) << csv;
    EXPECT_TRUE(contains(csv, ",,cache read bandwidth,1,5,0,")) << "no ratio where the ceiling moved\n" << csv;
    EXPECT_FALSE(contains(csv, "1.14")) << csv;
}

TEST(Disturbance, JsonSaysItAndReadsBack)
{
    BenchPlan plan;
    plan.repeats = repeats;
    test::TempFolder folder;
    ASSERT_TRUE(writeBenchFile(folder / "bench.json", "tiny", {}, plan, someDisturbed()));
    const auto json = benchJson("tiny", {}, plan, someDisturbed());
    EXPECT_EQ(json["samples"], 21);
    EXPECT_EQ(json["disturbed"], 6);
    EXPECT_TRUE(contains(json["note"], slowed));
    EXPECT_EQ(json["records"][0]["floor_ratio"], 0.5);
    EXPECT_EQ(json["records"][0]["ceiling_moved"], false);
    EXPECT_TRUE(json["records"][3]["floor_ratio"].is_null());
    EXPECT_EQ(json["records"][3]["ceiling_moved"], true);
    const auto back = readBenchFile(folder / "bench.json");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->records[2].disturbed, 4);
    EXPECT_EQ(back->records[0].floorShare(), 0.5);
    EXPECT_TRUE(back->records[3].ceilingMoved()) << "told by the two times";
    EXPECT_EQ(textOf(disturbanceOf(back->records, repeats)), textOf(disturbanceOf(someDisturbed(), repeats)));
}

TEST(Disturbance, ReportsSayIt)
{
    Report report;
    report.modelName = "tiny";
    report.config.layers = 2;
    report.config.kvHeads = 2;
    report.config.queryHeads = 2;
    report.config.headDim = 8;
    report.scores.model = {"tiny", 2, 2, 2, 8, {}};
    report.scores.scores = {0.1, 0.9, 0.2, 0.3};
    report.duo = *assignHeads(report.scores, "duo", 0.5, 4, 16);
    report.zigzag = *assignHeads(report.scores, "zigzag", 0.5, 4, 16);
    report.benchPlan.repeats = repeats;
    report.benchPlan.contexts = {512};
    report.records = someDisturbed();
    report.needlePlan.trials = 1;
    report.trialsAsked = 4;
    const std::string markdown = reportMarkdown(report), summary = reportSummary(report), json = reportJson(report);
    for (const std::string *text : {&markdown, &summary, &json}) {
        for (const std::string &part : {slowed, cut, moved, std::string("asked 1 of 4 questions a cell")})
            EXPECT_TRUE(contains(*text, part)) << *text;
        EXPECT_FALSE(contains(*text, "114.0")) << *text;
    }
    EXPECT_TRUE(contains(markdown, "| 4 of 5 |")) << markdown;
    EXPECT_TRUE(contains(summary, "2.200 ms ± 0.200 !")) << summary;
    report.needlePlan.trials = report.trialsAsked;
    report.records = {record("full", Phase::Decode, 0, 0.5), record("zigzag", Phase::Decode, 0, 0.5)};
    EXPECT_FALSE(contains(reportMarkdown(report), "Disturbed:"));
    EXPECT_FALSE(contains(reportSummary(report), "slowed"));
}

TEST(JobTime, IsOneClockForAllSteps)
{
    EXPECT_FALSE(JobTime().hasEnd());
    EXPECT_FALSE(JobTime(0).hasEnd()) << "0: no limit";
    EXPECT_FALSE(JobTime().isUsedUp());
    const JobTime over(1e-9);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(over.isUsedUp());
    EXPECT_EQ(over.left(), 0);
    const JobTime hour(3600);
    EXPECT_GT(hour.left(), 3500);
    EXPECT_LE(hour.left(), 3600);
    EXPECT_TRUE(JobTime::first(hour, over).isUsedUp());
    EXPECT_TRUE(JobTime::first(over, JobTime()).isUsedUp());
    EXPECT_FALSE(JobTime::first(JobTime(), hour).isUsedUp());
    EXPECT_TRUE(JobTime::first(JobTime(), hour).hasEnd());
}

} // namespace
} // namespace zigzag
