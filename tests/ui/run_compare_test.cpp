// SPDX-License-Identifier: GPL-3.0-or-later
// The list of runs and the comparison of two, without a window.
#include "trace_samples.h"
#include "views/models/run_compare.h"

#include <QSignalSpy>
#include <cmath>
#include <gtest/gtest.h>

namespace zigzag::test {

namespace {

BenchRecord record(const std::string &map, Phase phase, double ms, double spread)
{
    BenchRecord record;
    record.map = map;
    record.phase = phase;
    record.context = 2048;
    record.samplesMs = {ms};
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

TEST(RunList, RecordsOfOneMeasurementAreUpdatedInPlaceAndFailuresAreLeftOut)
{
    RunListModel runs;
    BenchRecord failed = record("full", Phase::Prefill, 0, 0);
    failed.samplesMs.clear();
    failed.failure = "out of memory";
    runs.setRecords(1, "tiny", {record("full", Phase::Decode, 2, 0.1), failed});
    ASSERT_EQ(runs.rowCount(), 1);
    QSignalSpy inserted(&runs, &QAbstractItemModel::rowsInserted);
    runs.setRecords(1, "tiny", {record("full", Phase::Decode, 3, 0.2), record("zigzag", Phase::Decode, 1, 0.1)});
    EXPECT_EQ(runs.rowCount(), 2);
    EXPECT_EQ(inserted.count(), 1);
    EXPECT_EQ(runs.entry(0).ms, 3);
    runs.setRecords(2, "tiny", {record("full", Phase::Decode, 4, 0.2)});
    EXPECT_EQ(runs.rowCount(), 3) << "another measurement is another run";
    EXPECT_EQ(runs.entry(0).ms, 3);
    for (int column = 0; column < runs.columnCount(); ++column) {
        EXPECT_FALSE(runs.headerData(column, Qt::Horizontal).toString().isEmpty());
        EXPECT_FALSE(runs.index(0, column).data().toString().isEmpty());
    }
}

TEST(RunCompare, SaysWhatGrewPerOpAndLayerAndWhatIsWithinTheSpread)
{
    const auto base = sampleTrace(6000, 8);
    const RunEntry a = entryOf(base, "trace"), b = entryOf(slower(*base, 5, 20), "trace");
    EXPECT_GT(a.ms, 0);
    EXPECT_GT(a.spreadMs, 0);
    for (const GroupBy by : {GroupBy::Op, GroupBy::Layer, GroupBy::OpAndLayer}) {
        const std::vector<ComparedRow> same = compareRuns(a, a, by);
        for (const ComparedRow &row : same) {
            EXPECT_EQ(row.difference(), 0);
            EXPECT_TRUE(row.isWithinSpread().value_or(false));
        }
        const std::vector<ComparedRow> rows = compareRuns(a, b, by);
        EXPECT_EQ(rows.size(), same.size());
        EXPECT_FALSE(rows.front().op || rows.front().layer) << "the whole comes first";
        for (std::size_t index = 1; index < rows.size(); ++index) {
            const ComparedRow &row = rows[index];
            const bool touched = (!row.op || row.op == Op::Attention) && (!row.layer || row.layer == 5);
            if (touched) {
                EXPECT_GT(row.difference(), 0);
                EXPECT_FALSE(*row.isWithinSpread());
            } else if (row.op != Op::Pass && row.layer != -1) {
                EXPECT_NEAR(row.difference(), 0, 1e-9);
            }
        }
    }
    RunCompareModel model;
    model.show(compareRuns(a, b, GroupBy::Layer));
    int grew = 0;
    for (int row = 1; row < model.rowCount(); ++row)
        if (model.index(row, RunCompareModel::Verdict).data().toString().contains("grew")) {
            EXPECT_EQ(model.index(row, 0).data(RunCompareModel::LayerRole).toInt(), 5);
            ++grew;
        }
    EXPECT_EQ(grew, 1);
}

TEST(RunCompare, OwnTimesOfTheGroupsAddUpToTheWholeOfAPrefill)
{
    auto prefill = std::make_shared<Trace>(*sampleTrace(2000, 8));
    prefill->info.phase = Phase::Prefill;
    const RunEntry entry = entryOf(prefill, "trace");
    for (const GroupBy by : {GroupBy::Op, GroupBy::Layer, GroupBy::OpAndLayer}) {
        const std::vector<ComparedRow> rows = compareRuns(entry, entry, by);
        double sum = 0;
        for (std::size_t index = 1; index < rows.size(); ++index)
            sum += rows[index].a;
        EXPECT_NEAR(sum, rows.front().a, 1e-6);
        EXPECT_FALSE(rows.front().isWithinSpread()) << "one prefill has no spread: nothing is claimed";
    }
}

TEST(RunCompare, RunsWithoutATraceCompareAsAWhole)
{
    RunListModel runs;
    runs.setRecords(1, "tiny", {record("full", Phase::Decode, 2, 0.1), record("zigzag", Phase::Decode, 1.5, 0.1)});
    const auto rows = compareRuns(runs.entry(0), runs.entry(1), GroupBy::Op);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_FALSE(*rows[0].isWithinSpread());
    EXPECT_NEAR(rows[0].difference(), -0.5, 1e-12);
    RunCompareModel model;
    model.show(rows);
    EXPECT_EQ(model.index(0, RunCompareModel::Change).data().toString(), "−25 %");
    EXPECT_TRUE(model.index(0, RunCompareModel::Verdict).data().toString().contains("shrank"));
}

} // namespace zigzag::test
