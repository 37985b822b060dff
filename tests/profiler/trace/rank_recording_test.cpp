// SPDX-License-Identifier: GPL-3.0-or-later
// Several ranks recorded at once: a lane each, what they wait for each other, and files that keep it.
#include "engine/base/files.h"
#include "engine/run/dealing.h"
#include "engine/run/rank_group.h"
#include "profiler/trace/chrome_writer.h"
#include "profiler/trace/op_table.h"
#include "profiler/trace/rank_waits.h"
#include "profiler/trace/trace_file.h"
#include "profiler/trace/trace_run.h"
#include "tests/profiler/loaded_model.h"
#include "tests/profiler/trace/event_format.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace zigzag {
namespace {

class RankRecordings : public test::LoadedModel
{
protected:
    Trace recorded(int ranks, Phase phase, std::size_t mostSpans = 1 << 20)
    {
        auto group = createRankGroup("cpu", ranks);
        EXPECT_TRUE(group) << group.error().message;
        auto dealing = Dealing::create(model->config, ranks);
        EXPECT_TRUE(dealing) << dealing.error().message;
        auto dealt = uploadDealt(model, *group, *dealing);
        EXPECT_TRUE(dealt) << dealt.error().message;
        TracePlan plan;
        plan.model = "tiny";
        plan.map = {"mixed.json", mixedMap()};
        plan.phase = phase;
        plan.context = 60;
        plan.steps = steps;
        plan.mostSpans = mostSpans;
        MachineProfile machine;
        machine.readBytesPerSecond = 1e9;
        machine.matrixFlopsF32 = 1e10;
        auto trace = recordTrace(*dealt, model->config, machine, plan);
        EXPECT_TRUE(trace) << trace.error().message;
        return trace ? *trace : Trace{};
    }

    static constexpr int steps = 5;
    test::TempFolder files;
};

TEST(RankWaits, AreFromARanksArrivalToTheLastOnes)
{
    const auto at = [](std::int64_t begin, std::int64_t lasts) {
        CollectiveSpan each;
        each.beginNs = begin;
        each.durationNs = lasts;
        return each;
    };
    std::vector<std::vector<CollectiveSpan>> ranks{
        {at(10, 30), at(100, 5)}, {at(35, 6), at(90, 20)}, {at(20, 19), at(103, 4), at(200, 9)}};
    setWaits(ranks);
    EXPECT_EQ(ranks[0][0].waitNs, 25);
    EXPECT_EQ(ranks[1][0].waitNs, 0) << "the last one waits for nobody";
    EXPECT_EQ(ranks[2][0].waitNs, 15);
    EXPECT_EQ(ranks[0][1].waitNs, 3);
    EXPECT_EQ(ranks[1][1].waitNs, 13);
    EXPECT_EQ(ranks[2][1].waitNs, 0);
    EXPECT_EQ(ranks[2][2].waitNs, 0) << "nobody else was in it";
    std::vector<std::vector<CollectiveSpan>> none;
    setWaits(none);
}

TEST_F(RankRecordings, EveryRankHasALaneAndItsCollectives)
{
    for (const int ranks : {2, 3})
        for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
            SCOPED_TRACE(fmt::format("{} of {} ranks", nameOf(phase), ranks));
            const Trace trace = recorded(ranks, phase);
            EXPECT_EQ(traceFault(trace), "");
            EXPECT_EQ(trace.info.gpus, ranks);
            EXPECT_EQ(trace.dropped, 0);
            ASSERT_EQ(std::ssize(trace.rows), ranks);
            EXPECT_EQ(trace.rows[1], "rank 1");
            std::map<int, std::size_t> spans, sums, gathers;
            for (const TraceSpan &span : trace.spans)
                spans[span.row] += span.op != Op::Commit; // which only a rank with streaming heads has
            std::vector<std::vector<CollectiveSpan>> ofRank(static_cast<std::size_t>(ranks));
            for (const CollectiveSpan &each : trace.collectives) {
                ++(each.kind == CollectiveKind::Sum ? sums : gathers)[each.row];
                ofRank[each.row].push_back(each);
                ASSERT_GE(each.span, 0);
                const Op around = trace.spans[static_cast<std::size_t>(each.span)].op;
                EXPECT_TRUE(each.kind == CollectiveKind::Gather ? around == Op::Logits
                                                                : around == Op::OutputProjection || around == Op::Down)
                    << nameOf(around);
                EXPECT_GT(each.bytes, 0);
            }
            std::int64_t logitFlops = 0; // of all ranks: each has some rows of the head
            for (const TraceSpan &span : trace.spans)
                logitFlops += span.op == Op::Logits ? span.flops : 0;
            EXPECT_NEAR(static_cast<double>(logitFlops),
                        2.0 * model->config.vocabulary * model->config.hiddenSize * (phase == Phase::Decode ? steps : 1), 100);
            const auto layers = static_cast<std::size_t>(model->config.layers);
            for (int rank = 0; rank < ranks; ++rank) {
                EXPECT_EQ(spans[rank], spans[0]);
                EXPECT_GT(spans[rank], 9 * layers);
                EXPECT_EQ(sums[rank], 2 * layers * (phase == Phase::Decode ? steps : 1));
                EXPECT_EQ(gathers[rank], phase == Phase::Decode ? std::size_t{steps} : 1u);
            }
            // All wait until the same moment, and whoever came last does not wait.
            for (std::size_t i = 0; i < ofRank[0].size(); ++i) {
                std::set<std::int64_t> met;
                std::int64_t least = ofRank[0][i].waitNs;
                for (const auto &all : ofRank) {
                    met.insert(all[i].beginNs + all[i].waitNs);
                    least = std::min(least, all[i].waitNs);
                }
                EXPECT_EQ(met.size(), 1u) << i;
                EXPECT_EQ(least, 0) << i;
            }
        }
}

TEST_F(RankRecordings, BothFormsReadBackExactly)
{
    for (const Phase phase : {Phase::Prefill, Phase::Decode}) {
        const Trace trace = recorded(3, phase);
        ASSERT_FALSE(trace.collectives.empty());
        for (const bool chrome : {false, true}) {
            const auto file = files / "ranks.json";
            ASSERT_TRUE(chrome ? writeChromeTrace(trace, file) : writeTrace(trace, file));
            const auto back = readTrace(file);
            ASSERT_TRUE(back) << back.error().message;
            EXPECT_EQ(back->spans, trace.spans) << (chrome ? "chrome" : "zigzag");
            EXPECT_EQ(back->collectives, trace.collectives) << (chrome ? "chrome" : "zigzag");
            EXPECT_EQ(back->rows, trace.rows);
            EXPECT_EQ(back->info.gpus, 3);
            EXPECT_TRUE(back->kernels.empty());
        }
    }
}

TEST_F(RankRecordings, APerfettoProcessForEachRankWithWaitsInsideTheirOps)
{
    const Trace trace = recorded(2, Phase::Decode);
    const auto file = files / "ranks.json";
    ASSERT_TRUE(writeChromeTrace(trace, file));
    const auto document = nlohmann::json::parse(*readTextFile(file));
    EXPECT_EQ(test::formatFault(document), "") << "types, names, and events that lie in one another";
    std::map<int, std::string> processes;
    std::map<std::pair<int, int>, std::string> threads;
    std::map<int, int> collectives;
    std::size_t waits = 0;
    for (const auto &event : document["traceEvents"]) {
        const int process = event["pid"], thread = event["tid"];
        if (event["ph"] == "M") {
            (event["name"] == "process_name" ? processes[process] : threads[{process, thread}]) = event["args"]["name"];
            continue;
        }
        EXPECT_TRUE(threads.count({process, thread})) << "a thread without a name: " << event.dump();
        collectives[process] += event["cat"] == "collective";
        waits += event["cat"] == "waiting";
        if (event["cat"] == "collective") {
            EXPECT_TRUE(event["name"] == "all-reduce" || event["name"] == "all-gather") << event.dump();
        }
    }
    ASSERT_EQ(processes.size(), 2u);
    EXPECT_EQ(processes[1].rfind("rank 0: tiny, mixed.json, decode at 60", 0), 0u) << processes[1];
    EXPECT_EQ(processes[2].rfind("rank 1: ", 0), 0u) << processes[2];
    EXPECT_EQ(threads.size(), 2u);
    EXPECT_EQ(collectives[1], collectives[2]);
    EXPECT_EQ(collectives[1] + collectives[2], static_cast<int>(trace.collectives.size()));
    std::size_t waited = 0;
    for (const CollectiveSpan &each : trace.collectives)
        waited += each.waitNs > 0;
    EXPECT_EQ(waits, waited);
    EXPECT_GT(waits, 0u);
}

TEST_F(RankRecordings, TheOpTableIsByRankToo)
{
    const Trace trace = recorded(2, Phase::Decode);
    std::int64_t waits = 0, exchanges = 0;
    for (const CollectiveSpan &each : trace.collectives) {
        waits += each.waitNs;
        exchanges += each.durationNs - each.waitNs;
    }
    for (const GroupBy by : {GroupBy::Op, GroupBy::Layer, GroupBy::Rank, GroupBy::OpAndRank}) {
        std::int64_t waited = 0, exchanged = 0;
        for (const OpRow &row : opTable(trace, by)) {
            waited += row.waitNs;
            exchanged += row.exchangeNs;
            EXPECT_LE(row.waitNs + row.exchangeNs, row.selfNs) << row.label();
            EXPECT_EQ(row.rank.has_value(), by == GroupBy::Rank || by == GroupBy::OpAndRank);
        }
        EXPECT_EQ(waited, waits);
        EXPECT_EQ(exchanged, exchanges);
    }
    const auto ranks = opTable(trace, GroupBy::Rank);
    ASSERT_EQ(ranks.size(), 2u);
    EXPECT_EQ(ranks[0].label(), fmt::format("rank {}", *ranks[0].rank));
    std::int64_t passes = 0;
    for (const TraceSpan &span : trace.spans)
        passes += span.op == Op::Pass ? span.durationNs : 0;
    EXPECT_EQ(ranks[0].totalNs + ranks[1].totalNs, passes);
    for (const OpRow &row : opTable(trace, GroupBy::OpAndRank))
        EXPECT_EQ(row.label(), fmt::format("{} · rank {}", nameOf(*row.op), *row.rank));
}

TEST_F(RankRecordings, WhatDoesNotFitIsCountedAndTheRestIsWhole)
{
    const Trace trace = recorded(2, Phase::Decode, 40);
    EXPECT_EQ(traceFault(trace), "");
    EXPECT_GT(trace.dropped, 0);
    EXPECT_LE(trace.spans.size(), 40u);
}

TEST_F(RankRecordings, HostileCollectivesAreRefused)
{
    const Trace good = recorded(2, Phase::Decode);
    const auto fault = [&](const auto &change) {
        Trace bad = good;
        change(bad.collectives.at(3));
        const auto read = traceFrom(traceText(bad), "bad.json");
        return read ? std::string() : read.error().message;
    };
    EXPECT_EQ(fault([](CollectiveSpan &) {}), "");
    Trace more = good;
    more.info.gpus = 5;
    EXPECT_FALSE(traceFrom(traceText(more), "bad.json")) << "ranks without a row";
    EXPECT_NE(fault([](CollectiveSpan &each) { each.waitNs = each.durationNs + 1; }), "");
    EXPECT_NE(fault([](CollectiveSpan &each) { each.waitNs = -1; }), "");
    EXPECT_NE(fault([](CollectiveSpan &each) { each.span = 1 << 30; }), "");
    EXPECT_NE(fault([](CollectiveSpan &each) { each.row = 2; }), "");
    EXPECT_NE(fault([](CollectiveSpan &each) { each.row = 1; }), "") << "not that of the span around it";
    EXPECT_NE(fault([](CollectiveSpan &each) { each.beginNs += std::int64_t{1} << 40; }), "");
    EXPECT_NE(fault([](CollectiveSpan &each) { each.bytes = -5; }), "");
    EXPECT_NE(fault([](CollectiveSpan &each) { each.kind = static_cast<CollectiveKind>(7); }), "");
}

} // namespace
} // namespace zigzag
