// SPDX-License-Identifier: GPL-3.0-or-later
// The list of runs and the comparison of two, without a window.
#include "profiler/measure/bench_file.h"
#include "samples.h"
#include "trace_samples.h"
#include "views/models/run_compare.h"

#include <QFont>
#include <QSignalSpy>
#include <gtest/gtest.h>

namespace zigzag::test {

namespace {

BenchRecord record(const std::string &map, Phase phase, double ms, double spread)
{
    BenchRecord record;
    record.map = map;
    record.phase = phase;
    record.context = 2048;
    record.samplesMs = {ms, ms};
    record.medianMs = ms;
    record.spreadMs = spread;
    return record;
}

/// The same trace with the attention of one layer so many times as long.
std::shared_ptr<const Trace> slower(const Trace &trace, int layer, double factor)
{
    auto changed = std::make_shared<Trace>(trace);
    for (TraceSpan &span : changed->spans)
        if (span.layer == layer && span.op == Op::Attention)
            span.durationNs = static_cast<std::int64_t>(static_cast<double>(span.durationNs) * factor);
    return changed;
}

} // namespace

TEST(RunList, RecordsOfOneMeasurementAreUpdatedInPlaceAndFailuresAreResults)
{
    RunListModel runs;
    BenchRecord failed = record("full", Phase::Prefill, 0, 0), waiting = record("zigzag", Phase::Prefill, 0, 0);
    failed.samplesMs.clear();
    failed.failure = "needs 8 GiB and 4 are free";
    waiting.samplesMs.clear();
    runs.setRecords(1, "tiny", {}, {record("full", Phase::Decode, 2, 0.1), failed, waiting});
    ASSERT_EQ(runs.rowCount(), 2) << "what waits for its first sample is no result yet";
    EXPECT_EQ(runs.index(1, RunListModel::Median).data().toString(), "failed");
    EXPECT_FALSE(runs.index(0, RunListModel::Spread).data().toString().contains("disturbed"));
    EXPECT_TRUE(runs.index(1, RunListModel::Median).data(Qt::ToolTipRole).toString().contains("needs 8 GiB"));
    QSignalSpy inserted(&runs, &QAbstractItemModel::rowsInserted);
    BenchRecord batched = record("full", Phase::Decode, 5, 0.1);
    batched.batch = 8;
    runs.setRecords(1, "tiny", {{"zigzag", fullMap(2, 2)}},
                    {record("full", Phase::Decode, 3, 0.2), record("zigzag", Phase::Decode, 1, 0.1), batched});
    EXPECT_EQ(runs.rowCount(), 4) << "another batch is another point";
    EXPECT_EQ(inserted.count(), 1);
    EXPECT_EQ(runs.entry(0).record.medianMs, 3);
    EXPECT_FALSE(runs.entry(0).map);
    EXPECT_TRUE(runs.entry(2).map);
    EXPECT_EQ(nameOf(runs.entry(3)), "full, TPOT at 2K × 8");
    runs.setRecords(2, "tiny", {}, {record("full", Phase::Decode, 4, 0.2)});
    EXPECT_EQ(runs.rowCount(), 5) << "another measurement is another run";
    EXPECT_EQ(runs.entry(0).record.medianMs, 3);
    for (int column = 0; column < runs.columnCount(); ++column) {
        EXPECT_FALSE(runs.headerData(column, Qt::Horizontal).toString().isEmpty());
        EXPECT_FALSE(runs.index(0, column).data().toString().isEmpty());
    }
}

TEST(RunCompare, SaysWhatGrewPerOpAndLayerAndWhatIsWithinTheSpread)
{
    const auto base = sampleTrace(6000, 8);
    const RunEntry a = entryOf(base, "trace", {}), b = entryOf(slower(*base, 5, 20), "trace", {});
    EXPECT_GT(a.record.medianMs, 0);
    EXPECT_GT(a.record.spreadMs, 0);
    for (const GroupBy by : {GroupBy::Op, GroupBy::Layer, GroupBy::OpAndLayer}) {
        const std::vector<Difference> same = compareRuns({a}, {a}, by);
        for (const Difference &row : same)
            EXPECT_EQ(row.verdict(), Verdict::Within) << row.name;
        const std::vector<Difference> rows = compareRuns({a}, {b}, by);
        EXPECT_EQ(rows.size(), same.size());
        EXPECT_FALSE(rows.front().op || rows.front().layer) << "the whole comes first";
        for (std::size_t index = 1; index < rows.size(); ++index) {
            const Difference &row = rows[index];
            const bool touched = (!row.op || row.op == Op::Attention) && (!row.layer || row.layer == 5);
            if (touched) {
                EXPECT_EQ(row.verdict(), Verdict::Grew) << row.name;
            } else if (row.op != Op::Pass && row.layer != -1) {
                EXPECT_NEAR(row.absolute(), 0, 1e-9);
            }
        }
    }
    RunCompareModel model;
    model.show(compareRuns({a}, {b}, GroupBy::Layer), false, false);
    int grew = 0;
    for (int row = 1; row < model.rowCount(); ++row)
        if (model.index(row, RunCompareModel::Says).data().toString().contains("grew")) {
            EXPECT_EQ(model.index(row, 0).data(RunCompareModel::LayerRole).toInt(), 5);
            ++grew;
        }
    EXPECT_EQ(grew, 1);
}

TEST(RunCompare, OwnTimesOfTheGroupsAddUpToTheWholeOfAPrefill)
{
    auto prefill = std::make_shared<Trace>(*sampleTrace(2000, 8));
    prefill->info.phase = Phase::Prefill;
    const RunEntry entry = entryOf(prefill, "trace", {});
    EXPECT_EQ(entry.record.samplesMs.size(), 1u);
    for (const GroupBy by : {GroupBy::Op, GroupBy::Layer, GroupBy::OpAndLayer}) {
        const std::vector<Difference> rows = compareRuns({entry}, {entry}, by);
        double sum = 0;
        for (std::size_t index = 1; index < rows.size(); ++index)
            sum += rows[index].a;
        EXPECT_NEAR(sum, rows.front().a, 1e-6);
        EXPECT_EQ(rows.front().verdict(), Verdict::Single) << "one prefill has no spread: nothing is claimed";
    }
}

TEST(RunCompare, RunsWithoutATraceCompareAsAWholeAndManyPointByPoint)
{
    RunListModel runs;
    runs.setRecords(1, "tiny", {}, {record("full", Phase::Decode, 2, 0.1), record("zigzag", Phase::Decode, 1.5, 0.1)});
    const auto rows = compareRuns({runs.entry(0)}, {runs.entry(1)}, GroupBy::Op);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_NEAR(rows[0].absolute(), -0.5, 1e-12);
    RunCompareModel model;
    model.show(rows, false, false);
    EXPECT_EQ(model.index(0, RunCompareModel::Relative).data().toString(), "−25 %");
    EXPECT_TRUE(model.index(0, RunCompareModel::Says).data().toString().contains("shrank"));

    BenchFile file;
    file.model = "tiny";
    file.records = {record("zigzag", Phase::Decode, 3, 0.1), record("full", Phase::Decode, 2.02, 0.1)};
    const int first = runs.addFile("sweep.json", {}, file);
    const auto points = compareRuns({runs.entry(0), runs.entry(1)}, {runs.entry(first), runs.entry(first + 1)}, GroupBy::Op);
    ASSERT_EQ(points.size(), 2u);
    EXPECT_EQ(points[0].name, "full, decode at 2048");
    EXPECT_EQ(points[0].verdict(), Verdict::Within);
    EXPECT_EQ(points[1].verdict(), Verdict::Grew);
}

TEST(RunCompare, AMeasuredSideAndAPredictedOneDoNotLookAlike)
{
    RunCompareModel model;
    BenchRecord predicted = record("full", Phase::Decode, 2.5, 0);
    predicted.samplesMs.clear();
    model.show({compareRecord(record("full", Phase::Decode, 2, 0.1), predicted)}, false, true);
    EXPECT_EQ(model.index(0, RunCompareModel::A).data().toString(), "2.00 ms");
    EXPECT_EQ(model.index(0, RunCompareModel::B).data().toString(), "~2.50 ms");
    EXPECT_TRUE(model.index(0, RunCompareModel::B).data(Qt::FontRole).value<QFont>().italic());
    EXPECT_EQ(model.index(0, RunCompareModel::Says).data().toString(), "▲ predicted more");
    EXPECT_TRUE(model.headerData(RunCompareModel::B, Qt::Horizontal).toString().contains("predicted"));
    RunListModel runs;
    BenchFile file;
    file.predicted = true;
    file.records = {predicted};
    runs.addFile("prediction.json", {}, file);
    EXPECT_EQ(runs.index(0, RunListModel::Median).data().toString(), "~2.50 ms");
    EXPECT_TRUE(runs.index(0, 0).data(Qt::FontRole).value<QFont>().italic());
}

} // namespace zigzag::test
