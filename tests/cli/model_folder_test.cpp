// SPDX-License-Identifier: GPL-3.0-or-later
// What a model's folder holds beside what the engine runs: used as transformers uses it, or said.
#include "tests/cli/run_program.h"
#include "tests/model_surgery.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>
#include <string_view>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using test::Json;

/// Notes on standard error, among which a slow machine may say how far it is.
int notesIn(const std::string &errors)
{
    const std::string_view word = "note: ";
    int count = 0;
    for (std::size_t at = errors.find(word); at != std::string::npos; at = errors.find(word, at + 1))
        ++count;
    return count;
}

TEST(ModelFolder, ConfigAloneIsEnoughForShapesPlansAndVerdicts)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    fs::remove(folder / "model.safetensors");
    fs::remove(folder / "tokenizer.json");
    const auto info = test::runZigzag({"info", folder, "-o", "json"});
    ASSERT_EQ(info.code, 0) << info.errors;
    const Json json = Json::parse(info.output);
    EXPECT_EQ(json.at("layers"), 2);
    EXPECT_TRUE(json.at("fingerprint").is_null());
    EXPECT_EQ(json.at("notes"), Json::array());
    EXPECT_NE(test::runZigzag({"info", folder}).output.find("no weights"), std::string::npos);
    for (const std::vector<std::string> &command :
         {std::vector<std::string>{"plan", folder, "--map", "streaming", "--sink", "4", "--recent", "16", "--contexts", "256",
                                   "--gpus", "1"},
          {"export", "full", "--verdicts", "--model", folder}}) {
        const auto result = test::runZigzag(command);
        EXPECT_EQ(result.code, 0) << command.front() << ": " << result.errors;
        EXPECT_FALSE(result.output.empty());
        EXPECT_EQ(result.errors, "");
    }
}

TEST(ModelFolder, NotesAreSaidOnceByEveryCommand)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    test::patchJson(folder / "config.json", R"({"sparkle_factor": 3})");
    test::writeText(scratch / "tokens", "1 2 3");
    for (const std::vector<std::string> &command :
         {std::vector<std::string>{"info", folder},
          {"logits", folder, "--tokens", scratch / "tokens", "--out", scratch / "out.npy"},
          {"generate", folder, "--prompt", "a", "--max-new", "2"},
          {"plan", folder, "--map", "full", "--contexts", "256", "--gpus", "1"},
          {"export", "full", "--verdicts", "--model", folder}}) {
        const auto result = test::runZigzag(command);
        EXPECT_EQ(result.code, 0) << result.errors;
        EXPECT_EQ(notesIn(result.errors), 1) << command.front() << ": " << result.errors;
        EXPECT_NE(result.errors.find("sparkle_factor"), std::string::npos) << result.errors;
    }
}

TEST(ModelFolder, OfTheBundledModelThereIsNothingToSay)
{
    const auto info = test::runZigzag({"info", "bundled:zigzag-tiny"});
    EXPECT_EQ(info.code, 0);
    EXPECT_EQ(info.errors, "");
}

TEST(ModelFolder, TensorsThatNobodyUsesAreSaid)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    test::editHeader(folder / "model.safetensors", [](Json &header) {
        header["model.layers.0.self_attn.q_proj.bias"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
    });
    const auto info = test::runZigzag({"info", folder});
    EXPECT_EQ(info.code, 0) << info.errors;
    EXPECT_NE(info.errors.find("q_proj.bias"), std::string::npos) << info.errors;
}

/// Case: what ends a text stands in generation_config.json alone, and there may be several.
TEST(ModelFolder, GenerateStopsAtEveryEndToken)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    const auto generated = [&] {
        const auto result = test::runZigzag({"generate", folder, "--prompt", "Some text", "--max-new", "24"});
        EXPECT_EQ(result.code, 0) << result.errors;
        return result.output;
    };
    test::patchJson(folder / "config.json", R"({"eos_token_id": null})");
    const std::string free = generated();
    ASSERT_GT(free.size(), 3u);
    // The second byte of the answer that is not its first ends it, wherever the file puts its number.
    const auto first = static_cast<unsigned char>(free[0]);
    std::size_t at = 1;
    while (at + 1 < free.size() && static_cast<unsigned char>(free[at]) == first)
        ++at;
    ASSERT_LT(at + 1, free.size()) << "the answer repeats one byte";
    const Json ends = {999, static_cast<unsigned char>(free[at])};
    test::writeText(folder / "generation_config.json", Json{{"eos_token_id", ends}}.dump());
    EXPECT_EQ(generated(), free.substr(0, at) + "\n");
    fs::remove(folder / "generation_config.json");
    test::patchJson(folder / "config.json", Json{{"eos_token_id", ends}}.dump());
    EXPECT_EQ(generated(), free.substr(0, at) + "\n");
}

/// Case: tokenizer.json has no template and tokenizer_config.json asks for a beginning of text.
TEST(ModelFolder, TextsBeginAsTheTokenizerConfigAsks)
{
    const test::TempFolder scratch;
    const fs::path folder = test::writeTinyModel(scratch / "model");
    test::writeText(scratch / "text", "A bridge followed every broken book, and the pass key is 48213.");
    const auto judged = [&] {
        return test::runZigzag(
            {"eval", folder, "--map", "full", "--task", "perplexity", "--text", scratch / "text", "--contexts", "32"});
    };
    const auto sound = judged();
    ASSERT_EQ(sound.code, 0) << sound.errors;
    test::patchJson(folder / "tokenizer.json", R"({"post_processor": null})");
    const auto without = judged();
    EXPECT_NE(without.output, sound.output);
    test::writeText(
        folder / "tokenizer_config.json",
        R"({"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": true, "bos_token": "<|begin|>", "eos_token": "<|end|>"})");
    const auto asked = judged();
    EXPECT_EQ(asked.output, sound.output);
    EXPECT_NE(asked.errors.find("add_bos_token"), std::string::npos) << asked.errors;
}

} // namespace
} // namespace zigzag
