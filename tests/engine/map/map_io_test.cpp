// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/map_io.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

HeadMap sampleMap()
{
    HeadMap map({"tiny \"one\"", 4, 8, 4, 32, "sha256:00ff"}, HeadKind::Retrieval, 64, 256);
    map.setLayer(1, HeadKind::Streaming);
    map.set(2, 1, HeadKind::Streaming);
    map.set(2, 3, HeadKind::Streaming);
    map.setProvenance({"duo", "attention", 0.375, "zigzag 0.1.0"});
    return map;
}

TEST(HeadMapFile, HasALinePerLayer)
{
    EXPECT_EQ(toJson(sampleMap()), R"({"format": "zigzag-head-map", "version": 1,
 "model": {"name": "tiny \"one\"", "layers": 4, "query_heads": 8, "kv_heads": 4, "head_dim": 32, "fingerprint": "sha256:00ff"},
 "sink": 64, "recent": 256,
 "heads": [
  "RRRR",
  "SSSS",
  "RSRS",
  "RRRR"],
 "provenance": {"criterion": "duo", "scores": "attention", "sparsity": 0.375, "tool": "zigzag 0.1.0"}}
)");
}

TEST(HeadMapFile, ComesBackAsItWasWritten)
{
    const test::TempFolder folder;
    ASSERT_TRUE(writeHeadMap(sampleMap(), folder / "map.json"));
    const auto read = readHeadMap(folder / "map.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, sampleMap());
}

HeadMap sampleOfWindows()
{
    HeadMap map = sampleMap();
    map.setLayerWindow(1, 4, 16);
    map.setLayerWindow(3, 0, 1024);
    return map;
}

TEST(HeadMapFile, SaysAWindowPerLayerInVersionTwo)
{
    EXPECT_EQ(toJson(sampleOfWindows()), R"({"format": "zigzag-head-map", "version": 2,
 "model": {"name": "tiny \"one\"", "layers": 4, "query_heads": 8, "kv_heads": 4, "head_dim": 32, "fingerprint": "sha256:00ff"},
 "layers": [
  {"heads": "RRRR", "sink": 64, "recent": 256},
  {"heads": "SSSS", "sink": 4, "recent": 16},
  {"heads": "RSRS", "sink": 64, "recent": 256},
  {"heads": "RRRR", "sink": 0, "recent": 1024}],
 "provenance": {"criterion": "duo", "scores": "attention", "sparsity": 0.375, "tool": "zigzag 0.1.0"}}
)");
}

TEST(HeadMapFile, WindowsComeBackLayerByLayer)
{
    const test::TempFolder folder;
    ASSERT_TRUE(writeHeadMap(sampleOfWindows(), folder / "map.json"));
    const auto read = readHeadMap(folder / "map.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, sampleOfWindows());
    EXPECT_EQ(read->window(3), (StreamingWindow{0, 1024})); // of a layer that does not use it
}

TEST(HeadMapFile, OneWindowIsVersionOneWhateverItWasReadFrom)
{
    std::string text = toJson(sampleOfWindows());
    for (const auto &[from, to] :
         {std::pair<std::string, std::string>{R"("sink": 4, "recent": 16)", R"("sink": 64, "recent": 256)"},
          {R"("sink": 0, "recent": 1024)", R"("sink": 64, "recent": 256)"}})
        text.replace(text.find(from), from.size(), to);
    const auto read = parseHeadMap(text, "here");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, sampleMap());
    EXPECT_EQ(toJson(*read), toJson(sampleMap()));
}

TEST(HeadMapFile, AModelNameThatIsNoUtf8IsWrittenAllTheSame)
{
    const test::TempFolder folder;
    HeadMap map({"\xff\xfe", 1, 1, 1, 0, {}}, HeadKind::Retrieval, 0, 1);
    ASSERT_TRUE(writeHeadMap(map, folder / "map.json"));
    const auto read = readHeadMap(folder / "map.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->kvHeads(), 1);
}

TEST(ResolveHeadMap, FullAndStreamingTakeTheWindowThatIsGiven)
{
    const ModelShape model = sampleMap().model();
    const auto full = resolveHeadMap("full", model, 4, 12), streaming = resolveHeadMap("streaming", model, 4, 12);
    ASSERT_TRUE(full && streaming);
    EXPECT_EQ(full->streamingHeads(), 0);
    EXPECT_EQ(streaming->streamingHeads(), 16);
    EXPECT_EQ(streaming->oneWindow(), (StreamingWindow{4, 12}));
    EXPECT_EQ(streaming->model(), model);
    EXPECT_FALSE(resolveHeadMap("streaming", model, 4, 0));
    EXPECT_FALSE(resolveHeadMap("streaming", model, -1, 12));
    EXPECT_FALSE(resolveHeadMap("no such file", model, 4, 12));
}

TEST(ResolveHeadMap, AFileKeepsItsWindowAndTakesTheModelsShape)
{
    const test::TempFolder folder;
    HeadMap bare({"bare", 4, 0, 4, 0, {}}, HeadKind::Streaming, 1, 2); // heads and head size not known
    ASSERT_TRUE(writeHeadMap(bare, folder / "map.json"));
    const ModelShape model = sampleMap().model();
    const auto map = resolveHeadMap((folder / "map.json").string(), model, 64, 256);
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->model(), model);
    EXPECT_EQ(map->oneWindow(), (StreamingWindow{1, 2}));
}

TEST(CheckFits, RefusesAMapForAnotherModel)
{
    const HeadMap map = sampleMap();
    const ModelShape same = map.model();
    EXPECT_TRUE(checkFits(map, same, "here"));
    ModelShape other = same;
    other.name = "renamed";
    other.fingerprint.clear(); // weights not read
    EXPECT_TRUE(checkFits(map, other, "here"));

    const auto refused = [&](auto change) {
        ModelShape changed = same;
        change(changed);
        const auto result = checkFits(map, changed, "here");
        return !result && result.error().kind == ErrorKind::BadInput && result.error().message.starts_with("here: ");
    };
    EXPECT_TRUE(refused([](ModelShape &model) { model.layers = 5; }));
    EXPECT_TRUE(refused([](ModelShape &model) { model.kvHeads = 8; }));
    EXPECT_TRUE(refused([](ModelShape &model) { model.queryHeads = 16; }));
    EXPECT_TRUE(refused([](ModelShape &model) { model.headDim = 64; }));
}

TEST(CheckFits, OtherWeightsOfTheSameShapeAreANote)
{
    const HeadMap map = sampleMap();
    ModelShape copy = map.model(); // the same model in bf16, or one that was trained further
    EXPECT_EQ(fitNote(map, copy, "here"), "");
    copy.fingerprint = "sha256:0100";
    EXPECT_TRUE(checkFits(map, copy, "here"));
    const std::string note = fitNote(map, copy, "here");
    EXPECT_TRUE(note.starts_with("here: ")) << note;
    EXPECT_NE(note.find("sha256:00ff"), std::string::npos);
    EXPECT_NE(note.find("sha256:0100"), std::string::npos);
    copy.fingerprint.clear(); // weights not read
    EXPECT_EQ(fitNote(map, copy, "here"), "");
}

} // namespace
} // namespace zigzag
