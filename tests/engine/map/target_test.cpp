// SPDX-License-Identifier: GPL-3.0-or-later
// What a target asks for, against every map that there is.
#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/kv_layout.h"
#include "engine/map/selection.h"
#include "tests/engine/map/score_samples.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <iostream>
#include <limits>
#include <optional>

namespace zigzag {
namespace {

constexpr int sink = 2, recent = 6, context = 40;

/// A model of ten units with locked layers, and the request that it is asked with.
struct Case {
    HeadScores scores;
    HeadMap base;
    const Criterion *criterion = nullptr;
    AssignRequest request;
    std::vector<std::size_t> freeUnits;
    std::vector<Penalty> penalties; // of all units
};

Case randomCase(unsigned seed)
{
    std::mt19937 random(seed);
    Case one;
    one.criterion = &criteria()[seed % criteria().size()];
    const bool byHead = one.criterion->unit == Unit::Head;
    const int layers = byHead ? 5 : 10, kvHeads = byHead ? 2 : 1 << random() % 3;
    one.scores = test::randomGates(layers, kvHeads, seed);
    if (seed % 3 == 0) { // some layers are local by the model's own file
        std::mt19937 windows(seed);
        for (int layer = 0; layer < layers; ++layer)
            one.scores.model.fileWindows.push_back(windows() % 4 == 0 ? 1 + windows() % 50 : 0);
    }
    one.base = HeadMap(one.scores.model, HeadKind::Retrieval, sink, recent);
    one.request
        = {std::string(one.criterion->name), {}, sink, recent, std::vector<bool>(static_cast<std::size_t>(layers)), nullptr};
    for (int layer = 0; layer < layers; ++layer) {
        one.request.locked[static_cast<std::size_t>(layer)] = random() % 4 == 0;
        for (int head = 0; head < kvHeads; ++head)
            one.base.set(layer, head, random() % 2 == 0 ? HeadKind::Retrieval : HeadKind::Streaming);
    }
    if (seed % 2 == 1) { // a window for each layer, some wider than the context
        for (int layer = 0; layer < layers; ++layer)
            one.base.setLayerWindow(layer, static_cast<int>(random() % 5), static_cast<int>(1 + random() % 50));
        one.request.windows = one.base.windows();
    }
    one.penalties = one.criterion->penalties(one.scores);
    for (std::size_t unit = 0; unit < one.penalties.size(); ++unit)
        if (!one.request.locked[byHead ? unit / 2 : unit] && !one.base.isLocal(static_cast<int>(byHead ? unit / 2 : unit)))
            one.freeUnits.push_back(unit);
    return one;
}

/// Milliseconds that are whole numbers per head, so that doubles add them up without rounding. Some layers gain nothing.
TimeBudget randomTimes(const HeadScores &scores, std::mt19937 &random)
{
    TimeBudget budget;
    budget.context = context;
    budget.outsideMs = random() % 5;
    const bool alike = random() % 3 == 0; // as a cost model has them
    const double retrieval = 4.0 * (random() % 50), streaming = 4.0 * (random() % 20);
    for (int layer = 0; layer < scores.model.layers; ++layer)
        budget.layers.push_back(alike ? LayerTime{retrieval, streaming}
                                      : LayerTime{4.0 * (random() % 50), 4.0 * (random() % 20)});
    return budget;
}

double timeOf(const HeadMap &map, const TimeBudget &budget)
{
    double ms = budget.outsideMs;
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head) {
            const LayerTime &time = budget.layers[static_cast<std::size_t>(layer)];
            ms += (map.at(layer, head) == HeadKind::Streaming ? time.streamingMs : time.retrievalMs) / map.kvHeads();
        }
    return ms;
}

/// The least penalty of all maps that `isMet` accepts, by trying every one of them.
template <class IsMet> std::optional<Penalty> exhaustive(const Case &one, IsMet isMet)
{
    std::optional<Penalty> best;
    for (unsigned subset = 0; subset < 1u << one.freeUnits.size(); ++subset) {
        HeadMap map = one.base.withEvery(HeadKind::Retrieval);
        for (int layer = 0; layer < map.layers(); ++layer)
            for (int head = 0; one.request.locked[static_cast<std::size_t>(layer)] && head < map.kvHeads(); ++head)
                map.set(layer, head, one.base.at(layer, head));
        Penalty penalty = 0;
        for (std::size_t i = 0; i < one.freeUnits.size(); ++i)
            if (subset >> i & 1u) {
                const int unit = static_cast<int>(one.freeUnits[i]);
                penalty += one.penalties[one.freeUnits[i]];
                if (one.criterion->unit == Unit::Layer)
                    map.setLayer(unit, HeadKind::Streaming);
                else
                    map.set(unit / 2, unit % 2, HeadKind::Streaming);
            }
        if (isMet(map) && (!best || penalty < *best))
            best = penalty;
    }
    return best;
}

Penalty paidBy(const Case &one, const HeadMap &map)
{
    Penalty paid = 0;
    for (const std::size_t unit : one.freeUnits) {
        const int index = static_cast<int>(unit);
        const bool streams = one.criterion->unit == Unit::Layer ? map.layerKind(index) == LayerKind::Streaming
                                                                : map.at(index / 2, index % 2) == HeadKind::Streaming;
        paid += streams ? one.penalties[unit] : 0;
    }
    return paid;
}

/// One target on one model: the same reachability and the same penalty as the search over all maps, locked layers untouched.
template <class IsMet> bool agrees(Case &one, const Target &target, IsMet isMet)
{
    one.request.target = target;
    one.request.base = &one.base;
    const auto ours = assignHeads(one.scores, one.request);
    const auto best = exhaustive(one, isMet);
    EXPECT_EQ(ours.has_value(), best.has_value()) << (ours ? "" : ours.error().message);
    if (!ours || !best)
        return false;
    EXPECT_TRUE(isMet(ours->map));
    EXPECT_EQ(ours->map.windows(), one.base.windows());
    EXPECT_TRUE(paidBy(one, ours->map) == *best) << toDouble(paidBy(one, ours->map)) << " against " << toDouble(*best);
    for (int layer = 0; layer < one.base.layers(); ++layer)
        for (int head = 0; one.request.locked[static_cast<std::size_t>(layer)] && head < one.base.kvHeads(); ++head)
            EXPECT_EQ(ours->map.at(layer, head), one.base.at(layer, head));
    return true;
}

TEST(Targets, AreMetAtTheLeastPenaltyOfAllMaps)
{
    constexpr unsigned models = 1000;
    int reached = 0, outOfReach = 0;
    for (unsigned seed = 0; seed < models; ++seed) {
        SCOPED_TRACE(fmt::format("model {}", seed));
        Case one = randomCase(seed);
        std::mt19937 random(seed + models);
        const std::int64_t whole = kvBytes(HeadMap(one.scores.model, HeadKind::Retrieval, sink, recent), context, DType::BF16);
        const KvBudget kv{static_cast<std::int64_t>(static_cast<std::uint64_t>(random()) % static_cast<std::uint64_t>(whole)),
                          context, DType::BF16};
        TimeBudget time = randomTimes(one.scores, random);
        time.ms
            = random() % static_cast<unsigned>(1 + timeOf(HeadMap(one.scores.model, HeadKind::Retrieval, sink, recent), time));
        const bool kvReached
            = agrees(one, kv, [&](const HeadMap &map) { return kvBytes(map, context, DType::BF16) <= kv.bytes; });
        const bool timeReached = agrees(one, time, [&](const HeadMap &map) { return timeOf(map, time) <= time.ms; });
        reached += kvReached + timeReached;
        outOfReach += !kvReached + !timeReached;
        if (HasFailure())
            return;
    }
    std::cout << models << " models of ten units with locks, a KV and a TPOT budget each: " << reached << " reached, "
              << outOfReach << " out of reach, each as exhaustive search has it\n";
    EXPECT_GT(reached, 200);
    EXPECT_GT(outOfReach, 200);
}

TEST(Targets, ALayerCountIsMetExactlyAtTheLeastPenalty)
{
    int reached = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
        SCOPED_TRACE(fmt::format("model {}", seed));
        Case one = randomCase(seed);
        // A locked layer that is mixed counts as the share of it that streams.
        for (int layer = 0; layer < one.base.layers(); ++layer)
            one.base.setLayer(layer, one.base.at(layer, 0));
        const int layers = static_cast<int>(seed) % (one.base.layers() + 1);
        reached += agrees(one, LayerTarget{layers},
                          [&](const HeadMap &map) { return map.streamingHeads() == layers * map.kvHeads(); });
    }
    EXPECT_GT(reached, 100);
}

TEST(Targets, ASparsityIsMetAsNearlyAsLocksAllow)
{
    const auto scores = test::scoresOf(4, 2, {0.1f, 0.1f, 0.2f, 0.2f, 0.3f, 0.3f, 0.4f, 0.4f});
    HeadMap base(scores.model, HeadKind::Retrieval, sink, recent);
    base.setLayer(3, HeadKind::Streaming);
    AssignRequest request{"zigzag", SparsityTarget{0.5}, sink, recent, {true, false, false, true}, &base};
    auto half = assignHeads(scores, request);
    ASSERT_TRUE(half) << half.error().message;
    EXPECT_EQ(half->map.layerKind(1), LayerKind::Streaming); // the best free layer beside the locked one
    EXPECT_EQ(half->map.streamingHeads(), 4);
    EXPECT_EQ(half->map.provenance().criterion, "zigzag with locked layers");
    request.target = SparsityTarget{1.0};
    const auto most = assignHeads(scores, request);
    ASSERT_TRUE(most);
    EXPECT_EQ(most->map.streamingHeads(), 6);
    EXPECT_DOUBLE_EQ(most->map.provenance().sparsity, 0.75); // what it is, not what was asked for
    request.target = SparsityTarget{0.0};
    EXPECT_EQ(assignHeads(scores, request)->map.streamingHeads(), 2);
}

TEST(Targets, OutOfReachSaysHowFar)
{
    const auto scores = test::randomGates(4, 2, 3); // head size 64, so a slot of a head takes 256 bytes in BF16
    HeadMap base(scores.model, HeadKind::Retrieval, sink, recent);
    AssignRequest request{"zigzag", KvBudget{20000, context, DType::BF16}, sink, recent, {true, false, false, false}, &base};
    const auto kv = assignHeads(scores, request);
    ASSERT_FALSE(kv);
    const std::int64_t least = 256 * (2 * context + 6 * (sink + recent));
    EXPECT_NE(kv.error().message.find(fmt::format("the best map takes {} bytes, {} more", least, least - 20000)),
              std::string::npos)
        << kv.error().message;
    request.target = KvBudget{least, context, DType::BF16};
    EXPECT_TRUE(assignHeads(scores, request));

    TimeBudget time{10, 1, {{9, 3}, {9, 3}, {9, 3}, {9, 3}}, context};
    request.target = time;
    const auto tpot = assignHeads(scores, request);
    ASSERT_FALSE(tpot);
    EXPECT_NE(tpot.error().message.find("the best map takes 19 ms, 9 ms more"), std::string::npos) << tpot.error().message;
    time.ms = 19;
    request.target = time;
    EXPECT_TRUE(assignHeads(scores, request));

    request.target = LayerTarget{4};
    const auto layers = assignHeads(scores, request);
    ASSERT_FALSE(layers);
    EXPECT_NE(layers.error().message.find("3 at most can stream, 1 too few"), std::string::npos) << layers.error().message;
    base.setLayer(0, HeadKind::Streaming);
    request.target = LayerTarget{0};
    EXPECT_FALSE(assignHeads(scores, request));
}

TEST(Targets, BadOnesAreRefused)
{
    auto scores = test::randomGates(4, 2, 3);
    const double noNumber = std::numeric_limits<double>::quiet_NaN();
    const std::vector<LayerTime> times(4, {2, 1});
    for (const Target &target :
         {Target{LayerTarget{-1}}, Target{LayerTarget{5}}, Target{KvBudget{-1, 10, DType::BF16}},
          Target{KvBudget{10, 0, DType::BF16}}, Target{KvBudget{10, INT64_MAX, DType::BF16}},
          Target{TimeBudget{noNumber, 0, times, 10}}, Target{TimeBudget{-1, 0, times, 10}}, Target{TimeBudget{1, 0, {}, 10}},
          Target{TimeBudget{1, 0, std::vector<LayerTime>(4, {noNumber, 1}), 10}}}) {
        const auto result = assignHeads(scores, {"zigzag", target, sink, recent, {}, nullptr});
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().kind, ErrorKind::BadInput);
    }
    scores.model.headDim = 0;
    const auto unknown = assignHeads(scores, {"zigzag", KvBudget{10, 10, DType::BF16}, sink, recent, {}, nullptr});
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("give the model"), std::string::npos);
}

/// Large models with a saving of its own for each layer, or each head: the search stays short.
TEST(Targets, LargeModelsAreSolvedAtOnce)
{
    const auto begin = std::chrono::steady_clock::now();
    for (const auto &[layers, kvHeads, criterion] :
         {std::tuple{1024, 8, "zigzag"}, {126, 8, "zigzag-strong"}, {32, 32, "duo"}, {126, 8, "duo"}}) {
        std::mt19937 random(7);
        const auto scores = test::randomGates(layers, kvHeads, 7);
        TimeBudget time{0, 1, {}, context};
        for (int layer = 0; layer < layers; ++layer) {
            const double streaming = 0.1 + 1e-6 * (random() % 100000);
            time.layers.push_back({streaming + 1e-6 * (random() % 1000000), streaming});
            time.ms += streaming + 0.4 * (time.layers.back().retrievalMs - streaming);
        }
        const auto result = assignHeads(scores, {criterion, time, sink, recent, {}, nullptr});
        ASSERT_TRUE(result) << result.error().message;
        EXPECT_LE(timeOf(result->map, time), time.ms + 1e-6);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::cout << "four large models in " << seconds << " s\n";
    EXPECT_LT(seconds, 30);
}

TEST(Selection, EqualUnitsAreCountedAndTheLowerIsChosen)
{
    // Two units of each of two classes are wanted: {1, 4, 5} save 10 for 1, {0, 2, 3} save 7 for 1.
    const std::vector<Penalty> penalties(6, 1);
    const auto result = leastPenaltySaving(penalties, {7, 10, 7, 7, 10, 10}, 20);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->chosen, (std::vector<std::size_t>{1, 4}));
    EXPECT_EQ(result->ties, 2);
    const auto more = leastPenaltySaving(penalties, {7, 10, 7, 7, 10, 10}, 31);
    ASSERT_TRUE(more);
    EXPECT_EQ(more->chosen, (std::vector<std::size_t>{0, 1, 4, 5}));
    EXPECT_EQ(more->ties, 2);
    EXPECT_TRUE(leastPenaltySaving(penalties, {0, 0, 0, 0, 0, 0}, 0)->chosen.empty());
}

} // namespace
} // namespace zigzag
