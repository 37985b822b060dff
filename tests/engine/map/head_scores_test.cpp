// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "tests/engine/map/score_samples.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

const ModelShape grouped{"grouped", 2, 4, 2, 8, "sha256:aa"};

class HeadScoresFile : public testing::Test
{
protected:
    Result<HeadScores> read(const std::string &content, const std::optional<ModelShape> &model = {}, Fold fold = Fold::Max)
    {
        std::ofstream(m_folder / "scores.any", std::ios::binary) << content;
        return readHeadScores(m_folder / "scores.any", model, fold);
    }
    /// The message of a refusal, or a complaint that there was none.
    std::string refusal(const std::string &content, const std::optional<ModelShape> &model = {})
    {
        const auto result = read(content, model);
        return result ? "it was accepted" : result.error().message;
    }
    static bool has(const std::vector<std::string> &notes, std::string_view text)
    {
        return std::any_of(notes.begin(), notes.end(),
                           [&](const std::string &note) { return note.find(text) != std::string::npos; });
    }

    test::TempFolder m_folder;
};

TEST_F(HeadScoresFile, ComesBackAsItWasWritten)
{
    HeadScores scores = test::randomGates(3, 2, 7);
    scores.scores[1] = 0.1f; // no short binary fraction
    for (const bool withSpread : {false, true}) {
        if (withSpread)
            scores.spread = {0.0f, 0.25f, 1.0f / 3, 1e-30f, 0.5f, 1.0f};
        ASSERT_TRUE(writeHeadScores(scores, m_folder / "s.json"));
        const auto read = readHeadScores(m_folder / "s.json");
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->model, scores.model);
        EXPECT_EQ(read->method, "gates");
        EXPECT_EQ(read->scores, scores.scores);
        EXPECT_EQ(read->spread, scores.spread);
        EXPECT_TRUE(read->notes.empty());
    }
    scores.scores[0] = 2.0f;
    EXPECT_FALSE(writeHeadScores(scores, m_folder / "s.json"));
}

TEST_F(HeadScoresFile, TsvIsClippedAndSaysSo)
{
    const auto scores = read("5.0e-01\t-1e-3\t1.5\r\n0\t1\t0.25\r\n");
    ASSERT_TRUE(scores) << scores.error().message;
    EXPECT_EQ(scores->scores, (std::vector<float>{0.5f, 0.0f, 1.0f, 0.0f, 1.0f, 0.25f}));
    EXPECT_EQ(scores->model, (ModelShape{"scores", 2, 0, 3, 0, {}}));
    EXPECT_TRUE(has(scores->notes, "2 of 6 scores were clipped"));
    EXPECT_EQ(scores->method, "duo-attention");
}

TEST_F(HeadScoresFile, DuoAttentionFolderIsReadWhole)
{
    std::filesystem::create_directory(m_folder / "Llama");
    EXPECT_FALSE(readHeadScores(m_folder / "Llama"));
    std::ofstream(m_folder / "Llama/full_attention_heads.tsv") << "1\t0\n0\t1";
    std::ofstream(m_folder / "Llama/config.json") << R"({"sink_size": 128, "recent_size": 256})";
    for (const std::string path : {"Llama", "Llama/"}) {
        const auto scores = readHeadScores(m_folder / path);
        ASSERT_TRUE(scores) << scores.error().message;
        EXPECT_EQ(scores->model.name, "Llama");
        EXPECT_EQ(scores->scores, (std::vector<float>{1, 0, 0, 1}));
        EXPECT_TRUE(has(scores->notes, "sink 128 and recent 256"));
    }
    const auto known = readHeadScores(m_folder / "Llama", grouped);
    ASSERT_TRUE(known) << known.error().message;
    EXPECT_EQ(known->model, grouped);
}

TEST_F(HeadScoresFile, TsvRefusalsNameLineAndColumn)
{
    EXPECT_NE(refusal("1\t0\n0\tx\n").find("line 2, column 2: 'x' is not a number"), std::string::npos);
    EXPECT_NE(refusal("1\t0\n\n0\tnan\n").find("line 3, column 2: 'nan' is not finite"), std::string::npos);
    EXPECT_NE(refusal("inf\t0\n").find("line 1, column 1: 'inf' is not finite"), std::string::npos);
    EXPECT_NE(refusal("1\t0\n1\n").find("line 2 has 1 columns"), std::string::npos);
    EXPECT_NE(refusal("1\t0\n1\t0\t0\n").find("line 2 has 3 columns"), std::string::npos);
    EXPECT_NE(refusal("1\t\n").find("line 1, column 2"), std::string::npos);
    EXPECT_NE(refusal("").find("empty"), std::string::npos);
    EXPECT_NE(refusal("\n\n").find("empty"), std::string::npos);
    EXPECT_NE(refusal("1\t0\t1\n0\t0\t0\n", ModelShape{"m", 3, 4, 2, 8, {}}).find("transposed"), std::string::npos);
    EXPECT_NE(refusal("1\t0\n", grouped).find("1 layers x 2 heads, but the model has 2 x 2 KV heads"), std::string::npos);
    std::string tooMany;
    for (int line = 0; line < 5000; ++line)
        tooMany += "1\n";
    EXPECT_NE(refusal(tooMany).find("more than 4096 layers"), std::string::npos);
}

constexpr const char *retrievalHeads = R"({"0-0": [0.25, 0.75], "0-1": [0], "0-2": [1.0], "0-3": [0.2, 0.4],
    "1-3": [1.5], "1-2": [0.5], "1-1": [0.125], "1-0": [0.0]})";

TEST_F(HeadScoresFile, RetrievalHeadsFoldToTheirKvHead)
{
    const auto max = read(retrievalHeads, grouped);
    ASSERT_TRUE(max) << max.error().message;
    EXPECT_EQ(max->scores, (std::vector<float>{0.5f, 1.0f, 0.125f, 1.0f}));
    EXPECT_EQ(max->model, grouped);
    EXPECT_TRUE(has(max->notes, "4 query heads were folded to 2 KV heads by max"));
    EXPECT_TRUE(has(max->notes, "1 of 4 scores were clipped"));

    const auto mean = read(retrievalHeads, grouped, Fold::Mean);
    ASSERT_TRUE(mean) << mean.error().message;
    EXPECT_EQ(mean->scores, (std::vector<float>{0.25f, 0.65f, 0.0625f, 1.0f}));

    const auto bare = read(retrievalHeads);
    ASSERT_TRUE(bare) << bare.error().message;
    EXPECT_EQ(bare->model, (ModelShape{"scores", 2, 4, 4, 0, {}}));
    EXPECT_EQ(bare->scores[2], 1.0f);
    EXPECT_TRUE(has(bare->notes, "every query head counts as a KV head"));
}

TEST_F(HeadScoresFile, RetrievalHeadRefusals)
{
    EXPECT_NE(refusal(R"({"0-0": [1], "1-1": [1]})").find("head 0-1 is missing from 2 layers x 2"), std::string::npos);
    EXPECT_NE(refusal(R"({"0-0": [1], "0-1": [1], "1-0": [1]})").find("head 1-1 is missing"), std::string::npos);
    EXPECT_NE(refusal(R"({"0-0": [1], "4095-4095": [1]})").find("missing"), std::string::npos); // no memory for 2^24 heads
    for (const char *list : {"[]", "1", "[\"1\"]", "[null]", "{}", "[1e308, 1e308]"})
        EXPECT_NE(refusal("{\"0-0\": " + std::string(list) + "}").find("head 0-0 has no list of finite scores"),
                  std::string::npos)
            << list;
    for (const char *key :
         {"", "0", "0-", "-0", "0-0-0", "00-0", "-1-0", "0--1", "a-b", "4096-0", "0-4096", "99999999999-0", " 0-0"})
        EXPECT_NE(refusal("{\"" + std::string(key) + "\": [1]}").find("is no \"layer-head\" key"), std::string::npos) << key;
    EXPECT_NE(refusal(retrievalHeads, ModelShape{"m", 4, 2, 2, 8, {}}).find("transposed"), std::string::npos);
    EXPECT_NE(refusal(retrievalHeads, ModelShape{"m", 2, 8, 2, 8, {}}).find("the model has 2 x 8 query heads"),
              std::string::npos);
}

TEST_F(HeadScoresFile, OtherFilesAreToldWhatTheyAre)
{
    for (const auto &[text, says] : {std::pair("{\"model_type\": \"llama\"}", "this is a model's config.json, not head scores"),
                                     std::pair("Dear reader,\n", "this is plain text, not head scores"),
                                     std::pair("\x01\xff", "this is binary data, not head scores"),
                                     std::pair("{\"format\": \"zigzag-head-map\"}", "this is a head map, not head scores"),
                                     std::pair("{\"name\": \"x\"}", "and there is no \"format\": give scores of zigzag score")})
        EXPECT_NE(refusal(text).find(says), std::string::npos) << refusal(text);
    // Beyond the part that is looked at to tell text from binary data.
    const std::string far = refusal("0.5\t" + std::string(5000, '0') + "\n\xff\xfe\t1\n");
    EXPECT_NE(far.find("line 2, column 1: '"
                       "??"
                       "' is not a number"),
              std::string::npos)
        << far;
}

TEST_F(HeadScoresFile, OwnFormatIsCheckedAgainstTheModel)
{
    HeadScores scores = test::scoresOf(2, 2, {0, 1, 0, 1});
    scores.model = grouped;
    ASSERT_TRUE(writeHeadScores(scores, m_folder / "s.json"));
    ModelShape model = grouped;
    model.fingerprint.clear();
    const auto known = readHeadScores(m_folder / "s.json", model);
    ASSERT_TRUE(known) << known.error().message;
    EXPECT_EQ(known->model, grouped); // the file's fingerprint is kept where only the config was read
    model.fingerprint = "sha256:bb";
    const auto other = readHeadScores(m_folder / "s.json", model);
    ASSERT_TRUE(other) << other.error().message;
    EXPECT_EQ(other->notes.size(), known->notes.size() + 1) << "other weights are a note";
    EXPECT_EQ(other->model.fingerprint, "sha256:bb");
    model.layers = 3;
    EXPECT_FALSE(readHeadScores(m_folder / "s.json", model));
}

} // namespace
} // namespace zigzag
