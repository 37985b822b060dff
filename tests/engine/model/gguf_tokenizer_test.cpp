// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/gguf/gguf_tokenizer.h"

#include "engine/model/gguf/word_splitting.h"
#include "engine/model/text/utf8.h"
#include "tests/gguf_builder.h"
#include "tests/paths.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using test::GgufBuilder;

const fs::path fixtures = fs::path(test::sourceDir()) / "tests/fixtures/gguf/tokenizers";

/// tests/fixtures/make_gguf.py wrote what the tokenizers and sentencepiece libraries make of each text with the same tokens.
class GgufTokenizerKind : public testing::TestWithParam<const char *>
{ };

TEST_P(GgufTokenizerKind, AgreesWithItsOwnLibrary)
{
    const auto file = GgufFile::open(fixtures / (std::string(GetParam()) + ".gguf"));
    ASSERT_TRUE(file) << file.error().message;
    std::vector<std::string> notes;
    const auto tokenizer = readGgufTokenizer(*file, notes);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_TRUE(notes.empty()) << notes.front();
    const auto cases = nlohmann::json::parse(test::readText(fixtures / (std::string(GetParam()) + ".json")));
    ASSERT_GE(cases.size(), 100u);
    for (const auto &entry : cases) {
        const auto text = entry["text"].get<std::string>();
        const auto ids = entry["ids"].get<std::vector<int>>();
        EXPECT_EQ(tokenizer->encode(text, true), ids) << entry["text"].dump();
        EXPECT_EQ(tokenizer->encode(text, false), entry["plain"].get<std::vector<int>>()) << entry["text"].dump();
        EXPECT_EQ(utf8::valid(tokenizer->decode(ids)), entry["decoded"].get<std::string>()) << entry["text"].dump();
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, GgufTokenizerKind,
                         testing::Values("llama-bpe", "qwen2", "smollm", "gpt-2", "tekken", "default", "llama",
                                         "llama-no-prefix"),
                         [](const auto &kind) {
                             std::string name = kind.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

/// A tokenizer of the pieces a, b, c, ab and bc.
Tokenizer pieces(const fs::path &path, const std::vector<float> &scores, bool addsEnd = false)
{
    GgufBuilder builder;
    builder.text("tokenizer.ggml.model", "llama")
        .texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "a", "b", "c", "ab", "bc"});
    std::string list = GgufBuilder::bytes(6u) + GgufBuilder::bytes(std::uint64_t{8});
    for (const float score : scores)
        list += GgufBuilder::bytes(score);
    builder.raw("tokenizer.ggml.scores", 9, list).flag("tokenizer.ggml.add_space_prefix", false);
    if (addsEnd)
        builder.flag("tokenizer.ggml.add_eos_token", true);
    const auto file = GgufFile::open(builder.write(path));
    EXPECT_TRUE(file) << (file ? "" : file.error().message);
    std::vector<std::string> notes;
    auto tokenizer = readGgufTokenizer(*file, notes);
    EXPECT_TRUE(tokenizer) << (tokenizer ? "" : tokenizer.error().message);
    return std::move(*tokenizer);
}

TEST(GgufTokenizer, ItsChatTemplateComesWithTheTokensThatItMayName)
{
    const test::TempFolder scratch;
    GgufBuilder builder;
    builder.text("tokenizer.ggml.model", "gpt2").texts("tokenizer.ggml.tokens", {"a", "<s>", "</s>"});
    builder.u32("tokenizer.ggml.bos_token_id", 1).u32("tokenizer.ggml.eos_token_id", 9);
    const auto none = readGgufChatTemplate(GgufFile::open(builder.write(scratch / "none.gguf")).value());
    ASSERT_TRUE(none) << none.error().message;
    EXPECT_EQ(none->text, "");
    builder.text("tokenizer.chat_template", "{{ bos_token }}");
    const auto chat = readGgufChatTemplate(GgufFile::open(builder.write(scratch / "chat.gguf")).value());
    ASSERT_TRUE(chat) << chat.error().message;
    EXPECT_EQ(chat->text, "{{ bos_token }}");
    EXPECT_EQ(chat->tokens, (std::vector<std::pair<std::string, std::string>>{{"bos_token", "<s>"}})); // 9 is none
}

TEST(GgufTokenizer, TheBestScoreMergesFirstAndTheLeftmostOfEqualOnes)
{
    const test::TempFolder scratch;
    const fs::path file = scratch / "a.gguf";
    using Ids = std::vector<int>;
    EXPECT_EQ(pieces(file, {0, 0, 0, -9, -9, -9, -1, -2}).encode("abc", false), (Ids{6, 5}));
    EXPECT_EQ(pieces(file, {0, 0, 0, -9, -9, -9, -2, -1}).encode("abc", false), (Ids{3, 7}));
    EXPECT_EQ(pieces(file, {0, 0, 0, -9, -9, -9, -1, -1}).encode("abc", false), (Ids{6, 5}));
    const Tokenizer whole = pieces(file, {0, 0, 0, -9, -9, -9, -1, -2}, true);
    EXPECT_EQ(whole.encode("abc", true), (Ids{1, 6, 5, 2})); // the ids that sentencepiece gives where a file names none
    EXPECT_EQ(whole.encode("a</s>b", false), (Ids{3, 2, 4})); // as files of 2023 are, without token_type
    EXPECT_EQ(whole.decode(Ids{1, 6, 5, 2}), "abc");
}

TEST(GgufTokenizer, WhatIsNotSupportedIsNamed)
{
    const test::TempFolder scratch;
    const auto messageOf = [&](const GgufBuilder &builder) {
        const auto file = GgufFile::open(builder.write(scratch / "a.gguf"));
        std::vector<std::string> notes;
        const auto tokenizer = readGgufTokenizer(*file, notes);
        return tokenizer ? std::string("read") : tokenizer.error().message;
    };
    const auto base = [](const char *model) {
        GgufBuilder builder;
        builder.text("tokenizer.ggml.model", model).texts("tokenizer.ggml.tokens", {"a", "b", "ab"});
        return builder;
    };
    EXPECT_NE(messageOf(GgufBuilder()).find("there is no tokenizer in its metadata"), std::string::npos);
    EXPECT_NE(messageOf(base("t5")).find("tokenizer.ggml.model \"t5\" is not supported"), std::string::npos);
    EXPECT_NE(messageOf(base("llama")).find("no tokenizer.ggml.scores"), std::string::npos);
    EXPECT_NE(messageOf(base("gpt2")).find("no tokenizer.ggml.merges"), std::string::npos);
    EXPECT_NE(messageOf(base("gpt2").text("tokenizer.ggml.pre", "klingon")).find("\"klingon\" is not known"), std::string::npos);
    EXPECT_NE(messageOf(base("gpt2").texts("tokenizer.ggml.merges", {"a x"})).find("merge 0 (\"ax\")"), std::string::npos);
    EXPECT_NE(messageOf(base("gpt2").texts("tokenizer.ggml.merges", {"ab"})).find("merge 0 is not a pair"), std::string::npos);
    EXPECT_NE(messageOf(base("gpt2").texts("tokenizer.ggml.token_type", {"a"})).find("must have 3 entries"), std::string::npos);
}

TEST(GgufTokenizer, EndsAreThoseNamedAndThoseThatLlamaCppKnows)
{
    const test::TempFolder scratch;
    GgufBuilder builder;
    builder.text("tokenizer.ggml.model", "gpt2");
    builder.texts("tokenizer.ggml.tokens", {"a", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "end"});
    std::string kinds = GgufBuilder::bytes(5u) + GgufBuilder::bytes(std::uint64_t{5});
    for (const int kind : {1, 3, 1, 3, 3}) // what is no control token ends nothing
        kinds += GgufBuilder::bytes(kind);
    builder.raw("tokenizer.ggml.token_type", 9, kinds).u32("tokenizer.ggml.eos_token_id", 4);
    const auto file = GgufFile::open(builder.write(scratch / "a.gguf"));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(ggufEndTokens(*file).value(), (std::vector<int>{1, 3, 4}));
}

TEST(GgufTokenizer, EveryNameOfASplittingStandsForOne)
{
    EXPECT_NE(findWordSplitting("llama-bpe"), nullptr);
    EXPECT_EQ(findWordSplitting("bert"), nullptr);
    EXPECT_NE(wordSplittingNames().find("qwen2"), std::string::npos);
}

} // namespace
} // namespace zigzag
