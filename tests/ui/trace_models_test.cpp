// SPDX-License-Identifier: GPL-3.0-or-later
// Timeline, op table and exports, without a window.
#include "trace_samples.h"
#include "views/models/csv.h"
#include "views/models/layer_times.h"
#include "views/models/op_colors.h"
#include "views/models/op_table_model.h"
#include "views/models/trace_model.h"

#include <QSortFilterProxyModel>
#include <cmath>
#include <gtest/gtest.h>
#include <set>

namespace zigzag::test {

TEST(TimeWindow, ZoomKeepsTheTimeUnderTheCursorAndPanStopsAtTheEnds)
{
    TimeWindow window;
    window.setWidth(1000);
    window.setWhole(0, 1e9);
    EXPECT_TRUE(window.isWhole());
    const double under = window.toNs(300);
    window.zoom(8, 300);
    EXPECT_NEAR(window.toNs(300), under, 1e-3);
    EXPECT_NEAR(window.spanNs(), 1e9 / 8, 1e-3);
    EXPECT_NEAR(window.toX(window.toNs(123.5)), 123.5, 1e-6);
    window.pan(-1e9);
    EXPECT_EQ(window.beginNs(), 0);
    window.pan(1e9);
    EXPECT_EQ(window.endNs(), 1e9);
    window.zoom(1e-9, 500);
    EXPECT_TRUE(window.isWhole()) << "never more than everything";
    window.zoom(1e30, 500);
    EXPECT_GT(window.spanNs(), 0);
    EXPECT_TRUE(std::isfinite(window.pixelsPerNs()));
    window.setWhole(5, 5);
    EXPECT_GT(window.spanNs(), 0) << "a trace without a duration divides by nothing";
}

TEST(TimeWindow, TicksAreRoundApartAndInAUnitThatReads)
{
    TimeWindow window;
    window.setWidth(1000);
    window.setWhole(0, 60e9);
    for (double span : {60e9, 1e9, 3e6, 7e4, 900.0, 20.0}) {
        window.show(12.3456789e9, 12.3456789e9 + span);
        const TimeTicks ticks = timeTicks(window, 100);
        ASSERT_GE(ticks.ticks.size(), 2u) << span;
        EXPECT_LE(ticks.ticks.size(), 11u) << span;
        for (const TimeTick &tick : ticks.ticks) {
            EXPECT_GE(tick.ns, window.beginNs() - 1e-3);
            EXPECT_LE(tick.ns, window.endNs() + 1e-3);
            EXPECT_LE(tick.text.size(), 12) << tick.text.toStdString();
        }
        EXPECT_GE(ticks.stepNs * window.pixelsPerNs(), 99.9);
    }
    window.show(0, 10e6);
    EXPECT_EQ(timeTicks(window, 100).ticks[1].text, "1 ms");
    window.show(12.3456789e9, 12.3456789e9 + 900);
    EXPECT_FALSE(timeTicks(window, 100).anchorText.isEmpty()) << "twelve digits are nobody's label";
}

TEST(TraceLane, PiecesCoverWhatTheWindowShowsWhateverTheZoom)
{
    const auto trace = sampleTrace(3000, 8);
    std::vector<TraceLane::Entry> entries;
    for (std::size_t index = 0; index < trace->spans.size(); ++index)
        if (trace->spans[index].depth == 1)
            entries.push_back({trace->spans[index].beginNs, trace->spans[index].endNs(), static_cast<std::int32_t>(index)});
    const TraceLane lane(QStringLiteral("op"), TraceItem::Span, entries);
    TimeWindow window;
    window.setWidth(200);
    window.setWhole(static_cast<double>(trace->beginNs()), static_cast<double>(trace->endNs()));
    for (int step = 0; step < 60; ++step) {
        std::vector<TraceLane::Piece> pieces;
        lane.piecesIn(window, pieces);
        EXPECT_LE(pieces.size(), 2u * 200 + 2);
        std::set<std::int32_t> shown;
        std::int32_t previous = -1;
        for (const TraceLane::Piece &piece : pieces) {
            ASSERT_LT(piece.first, piece.last);
            ASSERT_GE(piece.first, previous) << "from left to right, nothing twice";
            previous = piece.last;
            std::int64_t longest = 0;
            for (std::int32_t index = piece.first; index < piece.last; ++index) {
                const auto &entry = entries[static_cast<std::size_t>(index)];
                longest = std::max(longest, entry.endNs - entry.beginNs);
                shown.insert(index);
            }
            const auto &chosen = entries[static_cast<std::size_t>(piece.longest)];
            EXPECT_EQ(chosen.endNs - chosen.beginNs, longest);
            EXPECT_GT(piece.busy, 0);
            EXPECT_LE(piece.busy, 1);
        }
        std::size_t expected = 0;
        for (std::size_t index = 0; index < entries.size(); ++index)
            if (static_cast<double>(entries[index].endNs) > window.beginNs()
                && static_cast<double>(entries[index].beginNs) < window.endNs()) {
                ++expected;
                EXPECT_TRUE(shown.contains(static_cast<std::int32_t>(index))) << "step " << step;
            }
        EXPECT_EQ(shown.size(), expected);
        window.zoom(1.3, 70);
    }
}

TEST(TraceLane, FindsTheEntryAtATimeAndTheNearestWithinTheSlack)
{
    const TraceLane lane(QStringLiteral("x"), TraceItem::Span, {{0, 10, 0}, {20, 30, 1}, {100, 101, 2}});
    EXPECT_EQ(lane.at(5, 0), 0);
    EXPECT_EQ(lane.at(25, 0), 1);
    EXPECT_EQ(lane.at(14, 2), -1);
    EXPECT_EQ(lane.at(17, 4), 1);
    EXPECT_EQ(lane.at(12, 4), 0);
    EXPECT_EQ(lane.at(1000, 10), -1);
    EXPECT_EQ(TraceLane(QStringLiteral("x"), TraceItem::Span, {}).at(0, 100), -1);
}

TEST(TraceModel, LaysSpansByNestingOrByOpAndKernelsBelow)
{
    TraceModel model;
    const auto trace = sampleTrace(2000, 8, true);
    model.show(trace);
    QStringList names;
    std::size_t entries = 0;
    for (const TraceLane &lane : model.lanes()) {
        names << lane.name();
        if (lane.item() != TraceItem::Layer)
            entries += lane.entries().size();
    }
    EXPECT_EQ(names, (QStringList{"pass", "layer", "op", "GPU stream 7"}));
    EXPECT_EQ(entries, trace->spans.size() + trace->kernels.size()) << "nothing is lost";
    const TraceModel::Item layer{1, 3};
    EXPECT_EQ(model.layerOf(layer), 3);
    EXPECT_EQ(model.kindOf(layer), LayerKind::Streaming);
    EXPECT_EQ(model.label(layer), "layer 3");
    const TraceModel::Item kernel{3, 3};
    EXPECT_EQ(model.opOf(kernel), Op::Attention);
    EXPECT_TRUE(model.describe(kernel).contains("launched by attention")) << model.describe(kernel).toStdString();
    const QString attention = model.describe({2, 3});
    for (const char *part : {"attention", "layer 0, retrieval", "1.00 MiB", "floor", "50 %"})
        EXPECT_TRUE(attention.contains(part)) << attention.toStdString();

    model.setOrder(LaneOrder::ByOp);
    EXPECT_EQ(model.lanes().size(), 1 + 1 + 9 + 1u);
    EXPECT_EQ(model.lanes()[5].name(), "attention");
    model.show(nullptr);
    EXPECT_TRUE(model.lanes().empty());
}

TEST(TraceModel, SearchAndSelectionEmphasiseAndMatchesAreVisitedInTheOrderOfTime)
{
    TraceModel model;
    const auto trace = sampleTrace(2000, 8, true);
    model.show(trace);
    model.setSearch(QStringLiteral("Attention layer 3"));
    std::size_t expected = 0;
    for (const TraceSpan &span : trace->spans)
        expected += span.op == Op::Attention && span.layer == 3;
    expected *= 2; // and the kernels that they launched
    EXPECT_EQ(static_cast<std::size_t>(model.matches()), expected);
    TraceModel::Item item;
    std::size_t visited = 0;
    std::int64_t last = -1;
    for (item = model.nextMatch({}, false); item.isValid(); item = model.nextMatch(item, false)) {
        EXPECT_EQ(model.layerOf(item), 3);
        EXPECT_EQ(model.opOf(item), Op::Attention);
        EXPECT_GT(model.entry(item).beginNs, last);
        last = model.entry(item).beginNs;
        ++visited;
    }
    EXPECT_EQ(visited, expected);
    EXPECT_EQ(model.entry(model.nextMatch({}, true)).beginNs, last) << "the last one, backwards";
    visited = 0;
    for (item = model.nextMatch({}, true); item.isValid(); item = model.nextMatch(item, true))
        ++visited;
    EXPECT_EQ(visited, expected);

    model.setSearch(QStringLiteral("streaming qkv"));
    EXPECT_EQ(model.layerOf(model.nextMatch({}, false)), 3);
    model.setSearch(QStringLiteral("matmul_kernel"));
    EXPECT_EQ(static_cast<std::size_t>(model.matches()), trace->kernels.size() * 8 / 9);
    model.setSearch(QStringLiteral("nothing of the kind"));
    EXPECT_EQ(model.matches(), 0);
    EXPECT_FALSE(model.nextMatch({}, false).isValid());
    model.setSearch({});
    EXPECT_FALSE(model.hasEmphasis());
    model.setLayers({2});
    EXPECT_TRUE(model.hasEmphasis());
    EXPECT_EQ(model.lanes()[2].emphasised(0, 9), 0) << "the first nine ops are layer 0";
    EXPECT_EQ(model.lanes()[2].emphasised(18, 27), 9);
}

TEST(TraceModel, EveryRankHasLanesAndOneInWhichItWaits)
{
    const auto trace = sampleRanks(400);
    ASSERT_EQ(traceFault(*trace), "");
    TraceModel model;
    model.show(trace);
    QStringList names;
    for (const TraceLane &lane : model.lanes())
        names << lane.name();
    EXPECT_EQ(names,
              (QStringList{"rank 0: pass", "rank 0: layer", "rank 0: op", "rank 0: between ranks", "rank 1: pass",
                           "rank 1: layer", "rank 1: op", "rank 1: between ranks"}));
    EXPECT_EQ(model.lanes()[0].entries().size(), model.lanes()[4].entries().size());
    EXPECT_EQ(model.lanes()[1].entries().size(), model.lanes()[5].entries().size()) << "layers are each rank's own";
    // The first rank waits and exchanges, the second comes last and only exchanges.
    const auto &early = model.lanes()[3].entries(), &late = model.lanes()[7].entries();
    EXPECT_EQ(early.size(), 2 * late.size());
    EXPECT_EQ(early[0].tone, waitingTone);
    EXPECT_EQ(early[1].tone, exchangeTone);
    EXPECT_EQ(early[0].endNs, early[1].beginNs);
    EXPECT_EQ(late[0].tone, exchangeTone);
    EXPECT_EQ(model.label({3, 0}), "waiting");
    EXPECT_EQ(model.label({3, 1}), "all-reduce");
    EXPECT_EQ(model.layerOf({3, 0}), 0);
    EXPECT_EQ(model.opOf({3, 0}), Op::OutputProjection);
    EXPECT_TRUE(model.describe({3, 0}).contains("until the last rank has come")) << model.describe({3, 0}).toStdString();
    EXPECT_TRUE(model.describe({3, 1}).contains("4.00 KiB")) << model.describe({3, 1}).toStdString();
    model.setSearch("waiting");
    EXPECT_EQ(model.matches(), static_cast<int>(late.size())) << "what is called so, and nothing else";
    model.setSearch({});
    model.setOrder(LaneOrder::ByOp);
    EXPECT_GT(model.lanes().size(), 18u);
    EXPECT_EQ(model.lanes().back().name(), "rank 1: between ranks");

    OpTableModel table;
    table.show(opTable(*trace, GroupBy::OpAndRank));
    EXPECT_TRUE(table.isOfRanks());
    QStringList rows;
    for (int row = 0; row < table.rowCount(); ++row)
        rows << table.index(row, OpTableModel::Name).data().toString();
    EXPECT_TRUE(rows.contains("output projection · rank 0")) << rows.join(", ").toStdString();
    EXPECT_TRUE(csvOf(table).startsWith("Op,Count,Total ns,Self ns")) << csvOf(table).toStdString();
    EXPECT_TRUE(csvOf(table).section('\n', 0, 0).contains("Waiting ns,Exchange ns"));
    const QStringList lines = csvOf(*trace, TimeRange()).split('\n');
    EXPECT_TRUE(lines[0].endsWith(",floor ns,rank")) << lines[0].toStdString();
    EXPECT_EQ(lines.filter("waiting,").size(), static_cast<int>(late.size()));
    EXPECT_EQ(lines.filter("all-reduce,").size(), 2 * static_cast<int>(late.size()));
    table.show(opTable(*sampleTrace(400, 8), GroupBy::Op));
    EXPECT_FALSE(table.isOfRanks());
    EXPECT_FALSE(csvOf(table).contains("Waiting"));
}

TEST(OpTableModel, SortsByTheNumberBehindTheTextAndWritesCsvWithAllDigits)
{
    const auto trace = sampleTrace(2000, 8);
    OpTableModel model;
    model.show(opTable(*trace, GroupBy::OpAndLayer));
    QSortFilterProxyModel sorted;
    sorted.setSourceModel(&model);
    sorted.setSortRole(OpTableModel::SortRole);
    for (int column = 0; column < OpTableModel::ColumnCount; ++column) {
        sorted.sort(column, Qt::DescendingOrder);
        for (int row = 1; row < sorted.rowCount(); ++row)
            EXPECT_GE(sorted.index(row - 1, column).data(OpTableModel::SortRole).toDouble(),
                      sorted.index(row, column).data(OpTableModel::SortRole).toDouble());
        EXPECT_FALSE(model.headerData(column, Qt::Horizontal).toString().isEmpty());
    }
    sorted.sort(OpTableModel::Name, Qt::AscendingOrder);
    const QStringList lines = csvOf(sorted).split('\n');
    EXPECT_EQ(lines.size(), model.rowCount() + 2);
    EXPECT_TRUE(lines[0].startsWith("Op,Count,Total")) << lines[0].toStdString();
    double share = 0;
    for (int row = 0; row < model.rowCount(); ++row)
        share += model.index(row, OpTableModel::Share).data().toString().section(' ', 0, 0).toDouble();
    EXPECT_NEAR(share, 100, 0.06 * model.rowCount());
}

TEST(Csv, QuotesWhatNeedsIt)
{
    EXPECT_EQ(csvLine({"a", "b,c", "say \"x\"", ""}), "a,\"b,c\",\"say \"\"x\"\"\",\n");
    EXPECT_EQ(csvNumber(0.1), "0.1");
    EXPECT_EQ(csvNumber(1e300).toDouble(), 1e300);
}

TEST(LayerTimes, AreTheMedianOfTheStepsAndCountNothingTwice)
{
    auto trace = std::make_shared<Trace>(*sampleTrace(700, 8));
    const LayerTimes times = layerTimes(*trace);
    ASSERT_EQ(times.ms.size(), 8u);
    const auto attention
        = static_cast<std::size_t>(std::find(barGroups.begin(), barGroups.end(), OpGroup::Attention) - barGroups.begin());
    std::vector<double> ofLayer2;
    std::int64_t passes = 0;
    for (const TraceSpan &span : trace->spans) {
        passes += span.op == Op::Pass;
        if (span.layer == 2 && span.op == Op::Attention)
            ofLayer2.push_back(static_cast<double>(span.durationNs) * 1e-6);
    }
    ASSERT_EQ(static_cast<std::size_t>(passes), ofLayer2.size());
    EXPECT_DOUBLE_EQ(times.ms[2][attention], quantile(ofLayer2, 0.5));
    for (TraceSpan &span : trace->spans)
        if (span.layer == 2 && span.op == Op::Attention) {
            span.durationNs *= 1000; // interrupted once
            break;
        }
    EXPECT_LT(layerTimes(*trace).ms[2][attention], times.ms[2][attention] * 3);
    trace = std::make_shared<Trace>(*sampleTrace(700, 8));

    TraceSpan inside; // a part of the first attention: same family, same sum
    inside.op = Op::Commit;
    inside.parent = 4;
    inside.layer = trace->spans[4].layer;
    inside.beginNs = trace->spans[4].beginNs;
    inside.durationNs = trace->spans[4].durationNs / 2;
    inside.depth = 2;
    trace->spans.push_back(inside);
    EXPECT_NEAR(layerTimes(*trace).layerMs(0), times.layerMs(0), 1e-9);
    EXPECT_TRUE(layerTimes(Trace()).isEmpty());
}

TEST(OpColors, EveryGroupStandsApartFromItsNeighboursInLightnessOrHue)
{
    std::set<QRgb> colors;
    for (std::size_t op = 0; op < opNames.size(); ++op)
        colors.insert(opColor(static_cast<Op>(op)).rgb());
    EXPECT_GE(colors.size(), 10u);
    for (const OpGroup group : barGroups)
        for (const OpGroup other : barGroups)
            if (group != other) {
                EXPECT_NE(groupColor(group), groupColor(other));
            }
}

} // namespace zigzag::test
