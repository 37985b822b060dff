// SPDX-License-Identifier: GPL-3.0-or-later
// Layers that the model's own file makes local: nobody's to map, and counted nowhere.
#include "engine/map/assign.h"
#include "engine/map/criterion.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/kv_layout.h"
#include "engine/map/map_difference.h"
#include "engine/map/map_io.h"
#include "engine/map/run_alike.h"
#include "tests/engine/map/score_samples.h"
#include "tests/temp_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

/// Five layers of two KV heads; layers 1 and 3 have windows of their own.
ModelShape localShape()
{
    return {"own", 5, 4, 2, 8, {}, {0, 12, 0, 20, 0}};
}

HeadMap everywhere(HeadKind kind)
{
    return HeadMap(localShape(), kind, 4, 16);
}

/// The local layers have the lowest gates: whoever counted them would let them stream first.
HeadScores localScores()
{
    HeadScores scores = test::scoresOf(5, 2, {0.9f, 0.8f, 0.0f, 0.0f, 0.2f, 0.3f, 0.0f, 0.0f, 0.5f, 0.6f});
    scores.model = localShape();
    return scores;
}

std::string streamingLayers(const HeadMap &map)
{
    std::string layers;
    for (int layer = 0; layer < map.layers(); ++layer)
        if (map.layerKind(layer) == LayerKind::Streaming)
            layers += std::to_string(layer);
    return layers;
}

TEST(LocalLayers, KeepTheirWindowAndAreNotCounted)
{
    HeadMap map = everywhere(HeadKind::Streaming);
    EXPECT_EQ(map.streamingHeads(), 6);
    EXPECT_DOUBLE_EQ(map.sparsity(), 1.0) << "all that a map decides";
    EXPECT_EQ(map.model().mappableLayers(), 3);
    EXPECT_EQ(map.model().mappableHeads(), 6);
    map.set(1, 0, HeadKind::Streaming);
    map.setLayer(3, HeadKind::Streaming);
    map.setLayerWindow(3, 1, 2);
    map.setWindow(4, 16);
    EXPECT_EQ(map, everywhere(HeadKind::Streaming)) << "what is asked of a local layer has no effect";
    EXPECT_EQ(map.pattern(1, 0), HeadPattern::ofFile(12));
    EXPECT_EQ(map.pattern(3, 1), HeadPattern::ofFile(20));
    EXPECT_EQ(map.layerKind(1), LayerKind::Local);
    EXPECT_EQ(map.letters(1), "LL");
    EXPECT_TRUE(map.isExclusive());
    EXPECT_EQ(map.oneWindow(), (StreamingWindow{4, 16})) << "of the layers that have one of the map's";
    EXPECT_EQ(map.oneStreamingWindow(), (StreamingWindow{4, 16}));
    EXPECT_EQ(map.withEvery(HeadKind::Retrieval), everywhere(HeadKind::Retrieval));
    EXPECT_DOUBLE_EQ(everywhere(HeadKind::Retrieval).sparsity(), 0.0);
    map.set(0, 0, HeadKind::Retrieval);
    EXPECT_DOUBLE_EQ(map.sparsity(), 5.0 / 6);
    EXPECT_EQ(map.mixedLayers(), 1);
    const HeadMap none({"all local", 2, 2, 2, 8, {}, {4, 4}}, HeadKind::Streaming, 1, 2);
    EXPECT_DOUBLE_EQ(none.sparsity(), 0.0);
    EXPECT_EQ(none.streamingHeads(), 0);
}

TEST(LocalLayers, ComeWithTheModel)
{
    ModelShape bare = localShape();
    bare.fileWindows.clear();
    HeadMap map(bare, HeadKind::Streaming, 4, 16);
    EXPECT_EQ(map.streamingHeads(), 10);
    const std::string before = fingerprintOf(map);
    map.setModel(localShape());
    EXPECT_EQ(map, everywhere(HeadKind::Streaming));
    EXPECT_NE(fingerprintOf(map), before);
    ModelShape wider = localShape();
    wider.fileWindows[3] = 21;
    HeadMap other = map;
    other.setModel(wider);
    EXPECT_FALSE(runAlike(map, other));
    EXPECT_NE(fingerprintOf(map), fingerprintOf(other));
}

TEST(LocalLayers, PatternInIsTheOneRule)
{
    const std::vector<std::int64_t> windows{0, 12, unknownWindow};
    const HeadPattern asked = HeadPattern::streaming(4, 16);
    EXPECT_EQ(patternIn({}, 1, asked), asked);
    EXPECT_EQ(patternIn(windows, 0, asked), asked);
    EXPECT_EQ(patternIn(windows, 1, asked), HeadPattern::ofFile(12));
    EXPECT_TRUE(patternIn(windows, 2, asked).isOfFile());
    EXPECT_EQ(patternIn(windows, 2, asked).slots(1000), 1000) << "at most everything";
}

TEST(LocalLayers, EveryTargetSpeaksOfTheOthers)
{
    const HeadScores scores = localScores();
    const auto assigned = [&](std::string criterion, Target target) {
        return assignHeads(scores, {std::move(criterion), std::move(target), 4, 16, {}, nullptr});
    };
    for (const Criterion &criterion : criteria()) {
        SCOPED_TRACE(criterion.name);
        const auto all = assigned(std::string(criterion.name), SparsityTarget{1.0});
        ASSERT_TRUE(all) << all.error().message;
        EXPECT_EQ(all->map.streamingHeads(), 6);
        EXPECT_DOUBLE_EQ(all->map.provenance().sparsity, 1.0);
        EXPECT_EQ(all->ties, 0);
        const auto third = assigned(std::string(criterion.name), SparsityTarget{1.0 / 3});
        ASSERT_TRUE(third);
        EXPECT_EQ(streamingLayers(third->map), "2");
        const auto two = assigned(std::string(criterion.name), LayerTarget{2});
        ASSERT_TRUE(two) << two.error().message;
        EXPECT_EQ(two->map.streamingHeads(), 4);
        EXPECT_EQ(two->map.layerKind(1), LayerKind::Local);
    }
    const auto tooMany = assigned("zigzag", LayerTarget{4});
    ASSERT_FALSE(tooMany);
    EXPECT_NE(tooMany.error().message.find("4 streaming layers of 3 that a map decides"), std::string::npos)
        << tooMany.error().message;
}

TEST(LocalLayers, BudgetsCountWhatTheyTake)
{
    const HeadScores scores = localScores();
    constexpr std::int64_t context = 100;
    const HeadMap least = everywhere(HeadKind::Streaming);
    const std::int64_t bytes = kvBytes(least, context, DType::BF16);
    EXPECT_EQ(bytes, 2 * 8 * 2 * 2 * (3 * 20 + 12 + 20)); // keys and values, head size, bytes, heads, slots
    AssignRequest request{"zigzag", KvBudget{bytes, context, DType::BF16}, 4, 16, {}, nullptr};
    const auto met = assignHeads(scores, request);
    ASSERT_TRUE(met) << met.error().message;
    EXPECT_EQ(streamingLayers(met->map), "024");
    request.target = KvBudget{bytes - 1, context, DType::BF16};
    const auto missed = assignHeads(scores, request);
    ASSERT_FALSE(missed);
    EXPECT_NE(missed.error().message.find(fmt::format("the best map takes {} bytes, 1 more", bytes)), std::string::npos)
        << missed.error().message;

    // Local layers take 4 ms whatever is chosen; two of the others have to stream.
    request.target = TimeBudget{24, 1, {{9, 3}, {4, 4}, {9, 3}, {4, 4}, {9, 3}}, context};
    const auto timed = assignHeads(scores, request);
    ASSERT_TRUE(timed) << timed.error().message;
    EXPECT_EQ(streamingLayers(timed->map), "24"); // 1 + 8 + 9 + 2 · 3 is 24
}

TEST(LocalLayers, LockedOnesAreNoMoreThanLocal)
{
    const HeadScores scores = localScores();
    HeadMap base = everywhere(HeadKind::Retrieval);
    base.setLayer(0, HeadKind::Streaming);
    AssignRequest request{"zigzag", LayerTarget{2}, 4, 16, {true, true, false, false, false}, &base};
    const auto two = assignHeads(scores, request);
    ASSERT_TRUE(two) << two.error().message;
    EXPECT_EQ(streamingLayers(two->map), "02");
    base.setLayer(0, HeadKind::Retrieval);
    request.target = LayerTarget{3};
    const auto three = assignHeads(scores, request);
    ASSERT_FALSE(three);
    EXPECT_NE(three.error().message.find("with 1 locked layers 2 at most can stream"), std::string::npos)
        << three.error().message;
}

TEST(LocalLayers, GiveUpNothing)
{
    const HeadScores scores = localScores();
    const HeadMap map = assignHeads(scores, "zigzag", 1.0 / 3, 4, 16)->map; // layer 2, as duo would have it
    const SacrificeReport report = sacrificed(map, scores);
    EXPECT_EQ(report.total.flipped, 0) << "duo has no local heads to choose either";
    EXPECT_EQ(report.layers[1].transportCost, 0.0);
    EXPECT_NEAR(report.total.transportCost, 0.1 + 0.2 + 0.2 + 0.3 + 0.5 + 0.4, 1e-6);
}

TEST(LocalLayers, DoNotDiffer)
{
    ModelShape bare = localShape();
    bare.fileWindows.clear();
    // Of a file that knows nothing of local layers, and of one that does.
    const HeadMap old(bare, HeadKind::Streaming, 4, 16), ours = everywhere(HeadKind::Streaming);
    for (const auto &[a, b] : {std::pair(&old, &ours), {&ours, &old}}) {
        const auto difference = differenceOf(*a, *b, 100, nullptr);
        ASSERT_TRUE(difference);
        EXPECT_EQ(difference->heads, 0);
        EXPECT_FALSE(difference->windowsDiffer);
        EXPECT_EQ(difference->a.streaming, 6);
        EXPECT_EQ(difference->a.kvSlots, 2 * (3 * 20 + 12 + 20));
        EXPECT_EQ(difference->b.kvSlots, difference->a.kvSlots);
    }
}

TEST(LocalLayers, AreWrittenAsL)
{
    HeadMap map = everywhere(HeadKind::Retrieval);
    map.setLayer(2, HeadKind::Streaming);
    EXPECT_EQ(toJson(map), R"({"format": "zigzag-head-map", "version": 2,
 "model": {"name": "own", "layers": 5, "query_heads": 4, "kv_heads": 2, "head_dim": 8, "fingerprint": "", "file_windows": [0, 12, 0, 20, 0]},
 "layers": [
  {"heads": "RR", "sink": 4, "recent": 16},
  {"heads": "L"},
  {"heads": "SS", "sink": 4, "recent": 16},
  {"heads": "L"},
  {"heads": "RR", "sink": 4, "recent": 16}],
 "provenance": {"criterion": "", "scores": "", "sparsity": 0, "tool": ""}}
)");
    const auto read = parseHeadMap(toJson(map), "here");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, map);
}

std::string replaced(std::string text, const std::string &from, const std::string &to)
{
    const std::size_t place = text.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    return text.replace(place, from.size(), to);
}

TEST(LocalLayers, AFileMayLeaveTheirWidthToTheModel)
{
    const std::string text = replaced(toJson(everywhere(HeadKind::Streaming)), ", \"file_windows\": [0, 12, 0, 20, 0]", "");
    const auto read = parseHeadMap(text, "here");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->isLocal(1) && !read->isLocal(2));
    EXPECT_EQ(read->streamingHeads(), 6);
    EXPECT_EQ(toJson(*read), text) << "what is not known is not made up";
    const test::TempFolder folder;
    ASSERT_TRUE(writeHeadMap(*read, folder / "map.json"));
    std::string note;
    const auto map = resolveHeadMap((folder / "map.json").string(), localShape(), 1, 1, &note);
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(*map, everywhere(HeadKind::Streaming));
    EXPECT_EQ(note, "");
}

TEST(LocalLayers, AFileThatContradictsTheModelOrItselfIsRefused)
{
    const HeadMap map = everywhere(HeadKind::Streaming);
    const auto refusal = [](const auto &result) { return result ? std::string("accepted") : result.error().message; };
    ModelShape full = localShape(), wider = full;
    full.fileWindows.clear();
    wider.fileWindows[3] = 21;
    EXPECT_TRUE(checkFits(map, localShape(), "here"));
    EXPECT_EQ(refusal(checkFits(map, full, "here")),
              "here: layer 1 is \"L\", local by the model's own file, and in own it is not; give a map for this model");
    EXPECT_EQ(refusal(checkFits(map, wider, "here")),
              "here: layer 3 has a window of 20 tokens in the model it was made for, and 21 in own; give a map for this model");
    const std::string text = toJson(map);
    const auto parsed
        = [&](const std::string &from, const std::string &to) { return refusal(parseHeadMap(replaced(text, from, to), "here")); };
    EXPECT_NE(parsed("[0, 12, 0, 20, 0]", "[0, 12, 0, 0, 0]")
                  .find("layer 3 of \"layers\" is \"L\", but \"file_windows\" gives it "
                        "no window"),
              std::string::npos);
    EXPECT_NE(parsed("[0, 12, 0, 20, 0]", "[0, 12, 0, 20]").find("4 entries for 5 layers"), std::string::npos);
    EXPECT_NE(parsed("[0, 12, 0, 20, 0]", "[0, -1, 0, 20, 0]"), "accepted");
    EXPECT_NE(parsed("[0, 12, 0, 20, 0]", "[0, 1073741825, 0, 20, 0]"), "accepted");
    EXPECT_NE(parsed("{\"heads\": \"L\"}", "{\"heads\": \"LL\"}").find("or \"L\" alone for a local layer"), std::string::npos);
    EXPECT_NE(parsed("{\"heads\": \"L\"}", "{\"heads\": \"-\"}"), "accepted") << "no model here has recurrent layers";
}

TEST(LocalLayers, LettersOfOlderFilesAreReadAndTheModelHasItsWay)
{
    ModelShape bare = localShape();
    bare.fileWindows.clear();
    const test::TempFolder folder;
    ASSERT_TRUE(writeHeadMap(HeadMap(bare, HeadKind::Streaming, 4, 16), folder / "one.json")); // version 1
    std::string note;
    const std::string name = (folder / "one.json").string();
    const auto map = resolveHeadMap(name, localShape(), 1, 1, &note);
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(*map, everywhere(HeadKind::Streaming));
    EXPECT_EQ(note, name + ": 2 of 5 layers keep the window of the model's own file, whatever the map says of them");
    note.clear();
    ASSERT_TRUE(resolveHeadMap("streaming", localShape(), 4, 16, &note));
    EXPECT_EQ(note, "") << "a name says nothing of layers";
}

TEST(LocalLayers, ScoreFilesKnowThem)
{
    const test::TempFolder folder;
    ASSERT_TRUE(writeHeadScores(localScores(), folder / "scores.json"));
    const auto read = readHeadScores(folder / "scores.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->model, localShape());
    ModelShape full = localShape();
    full.fileWindows.clear();
    EXPECT_FALSE(readHeadScores(folder / "scores.json", full)) << "of another model";
}

} // namespace
} // namespace zigzag
