// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/side_files.h"

#include "engine/model/model.h"
#include "tests/model_surgery.h"
#include "tests/paths.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

using test::Json;
namespace fs = std::filesystem;

/// tests/fixtures/make_side_files.py wrote what two versions of transformers make of the same files.
Json fixture(int version)
{
    return Json::parse(test::readText(fs::path(test::sourceDir()) / "tests/fixtures/side_files"
                                      / ("transformers-" + std::to_string(version) + ".json")));
}

bool asks(const Json &settings, const char *key)
{
    return settings.contains(key) && settings.at(key) == true;
}

TEST(SideFiles, TextsBeginAndEndAsInTransformers)
{
    const Json four = fixture(4), five = fixture(5);
    const test::TempFolder scratch;
    const fs::path bytes = fs::path(test::sourceDir()) / "tests/fixtures/tokenizers/bytes/tokenizer.json",
                   file = scratch / "tokenizer.json";
    int followedFour = 0, conflicts = 0;
    for (std::size_t i = 0; i < four.at("texts").size(); ++i) {
        const Json &row = four.at("texts")[i], &newer = five.at("texts")[i];
        const Json &settings = row.at("tokenizer_config");
        ASSERT_EQ(settings, newer.at("tokenizer_config"));
        SCOPED_TRACE(row.dump());
        Json document = Json::parse(test::readText(bytes));
        document["post_processor"] = four.at("post_processors").at(row.at("post_processor").get<std::string>());
        test::writeText(file, document.dump());
        auto tokenizer = Tokenizer::load(file);
        ASSERT_TRUE(tokenizer) << tokenizer.error().message;
        const auto config = parseTokenizerConfig(settings.dump(), "tokenizer_config.json");
        ASSERT_TRUE(config) << config.error().message;
        const Family *family = findFamily(row.at("family").get<std::string>());
        std::vector<std::string> notes;
        applyTokenizerConfig(*tokenizer, *config, *family, notes, "tokenizer_config.json");
        // Where the file asks for a token and tokenizer.json has no template, only version 4 is what the model was made with.
        const bool asked = asks(settings, "add_bos_token") || asks(settings, "add_eos_token");
        const bool old = asked && row.at("post_processor") != "template";
        EXPECT_EQ(tokenizer->encode("Ab", true), (old ? row : newer).at("ids").get<std::vector<int>>());
        EXPECT_EQ(tokenizer->encode("Ab", false), (std::vector<int>{65, 98}));
        const bool flags = settings.contains("add_bos_token") || settings.contains("add_eos_token");
        if (flags && row.at("ids") != newer.at("ids")) {
            EXPECT_FALSE(notes.empty());
            ++(old ? followedFour : conflicts);
        } else {
            EXPECT_TRUE(notes.empty()) << notes.front();
        }
    }
    EXPECT_GT(followedFour, 10);
    EXPECT_GT(conflicts, 10);
}

TEST(SideFiles, EndTokensComeFromTheGenerationConfigAsInTransformers)
{
    const Json table = fixture(5);
    EXPECT_EQ(table.at("ends"), fixture(4).at("ends"));
    const test::TempFolder scratch;
    for (const Json &row : table.at("ends")) {
        SCOPED_TRACE(row.dump());
        const fs::path folder = test::writeTinyModel(scratch / "model");
        test::patchJson(folder / "config.json", R"({"eos_token_id": null})");
        Json config = Json::parse(test::readText(folder / "config.json"));
        config.update(row.at("config"));
        test::writeText(folder / "config.json", config.dump());
        if (!row.at("generation_config").is_null())
            test::writeText(folder / "generation_config.json", row.at("generation_config").dump());
        const auto loaded = loadModelConfig(folder);
        ASSERT_TRUE(loaded) << loaded.error().message;
        EXPECT_EQ(loaded->endTokens, row.at("ends").get<std::vector<int>>());
        EXPECT_EQ((*loadModel(folder))->config.endTokens, loaded->endTokens);
        // A folder whose end tokens are set aside is told so.
        const auto own = parseGenerationConfig(row.at("config").dump(), "config.json");
        EXPECT_EQ(loaded->notes.size(), !own->empty() && loaded->endTokens.empty() ? 1u : 0u);
        fs::remove_all(folder);
    }
}

TEST(SideFiles, ATokenThatTheTokenizerLacksIsSaid)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    test::patchJson(folder / "tokenizer.json", R"({"post_processor": null})");
    test::writeText(folder / "tokenizer_config.json",
                    R"({"tokenizer_class": "LlamaTokenizer", "add_bos_token": true, "bos_token": "<none>"})");
    const auto model = loadModel(folder);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ((*model)->tokenizer->encode("A", true), std::vector<int>{65});
    ASSERT_EQ((*model)->config.notes.size(), 1u);
    EXPECT_NE((*model)->config.notes.front().find("<none>"), std::string::npos);
    // As an object, which is how transformers writes tokens with properties.
    test::writeText(folder / "tokenizer_config.json",
                    R"({"tokenizer_class": "LlamaTokenizer", "add_bos_token": true, "bos_token": {"content": "<|begin|>"}})");
    EXPECT_EQ((*loadModel(folder))->tokenizer->encode("A", true), (std::vector<int>{256, 65}));
}

TEST(SideFiles, BrokenSideFilesAreSaidAndNotUsed)
{
    const test::TempFolder scratch;
    const std::vector<std::string> broken = {"",
                                             "{",
                                             "[]",
                                             "7",
                                             "\xff",
                                             R"({"eos_token_id": "</s>", "add_bos_token": 1})",
                                             R"({"eos_token_id": [-1], "bos_token": 5})",
                                             std::string(100'000, '[')};
    for (const std::string &text : broken)
        for (const char *name : {"generation_config.json", "tokenizer_config.json"}) {
            SCOPED_TRACE(std::string(name) + ": " + text.substr(0, 60));
            const fs::path folder = test::writeTinyModel(scratch / "model");
            test::writeText(folder / name, text);
            const auto model = loadModel(folder);
            ASSERT_TRUE(model) << model.error().message;
            ASSERT_EQ((*model)->config.notes.size(), 1u);
            EXPECT_NE((*model)->config.notes.front().find(name), std::string::npos) << (*model)->config.notes.front();
            EXPECT_EQ((*model)->config.endTokens, std::vector<int>{257});
            EXPECT_EQ((*model)->tokenizer->encode("A", true), (std::vector<int>{256, 65}));
            fs::remove_all(folder);
        }
}

} // namespace
} // namespace zigzag
