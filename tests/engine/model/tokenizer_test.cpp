// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/tokenizer.h"

#include "engine/model/text/nfc.h"
#include "engine/model/text/utf8.h"
#include "tests/paths.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

const std::filesystem::path fixtures = std::filesystem::path(test::sourceDir()) / "tests/fixtures/tokenizers";

/// tests/fixtures/make_tokenizers.py wrote what Hugging Face's library makes of each text.
class TokenizerKind : public testing::TestWithParam<const char *>
{ };

TEST_P(TokenizerKind, AgreesWithTheTokenizersLibrary)
{
    const auto folder = fixtures / GetParam();
    const auto tokenizer = Tokenizer::load(folder / "tokenizer.json");
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    const auto cases = nlohmann::json::parse(test::readText(folder / "expected.json"));
    ASSERT_GE(cases.size(), 60u);
    for (const auto &entry : cases) {
        const auto text = entry["text"].get<std::string>();
        const auto ids = entry["ids"].get<std::vector<int>>();
        EXPECT_EQ(tokenizer->encode(text, true), ids) << entry["text"].dump();
        EXPECT_EQ(tokenizer->encode(text, false), entry["plain"].get<std::vector<int>>()) << entry["text"].dump();
        // The library replaces bytes that are no UTF-8; ours are given as they are.
        EXPECT_EQ(utf8::valid(tokenizer->decode(ids)), entry["decoded"].get<std::string>()) << entry["text"].dump();
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, TokenizerKind,
                         testing::Values("llama3", "qwen", "gpt2", "llama2", "mistral", "metaspace", "no-bytes", "some-bytes",
                                         "bytes"),
                         [](const auto &kind) {
                             std::string name = kind.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(Tokenizer, BytesOfTheBundledKindAreTheirIds)
{
    const auto tokenizer = Tokenizer::load(fixtures / "bytes/tokenizer.json");
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    EXPECT_EQ(tokenizer->vocabulary(), 258);
    EXPECT_EQ(tokenizer->encode("A\n \xc3\xa9", true), (std::vector<int>{256, 65, 10, 32, 0xc3, 0xa9}));
    EXPECT_EQ(tokenizer->decode(std::vector<int>{256, 0xc3, 0xa9, 0, 255, 257, 258, -1}), std::string("\xc3\xa9\0\xff", 4));
}

TEST(Tokenizer, InvalidUtf8BecomesReplacementCharacters)
{
    EXPECT_EQ(utf8::valid("a\xff"
                          "b\xc3"),
              "a\ufffdb\ufffd");
    EXPECT_EQ(utf8::valid("\xed\xa0\x80"), "\ufffd\ufffd\ufffd"); // a surrogate
    EXPECT_EQ(utf8::valid("\xc0\xaf"), "\ufffd\ufffd"); // an overlong slash
    EXPECT_EQ(utf8::valid("\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf"); // the last code point
}

TEST(Tokenizer, NfcFollowsTheStandardsExamples)
{
    EXPECT_EQ(composed("\u0044\u0307\u0323"), "\u1e0c\u0307"); // UAX 15, figure 6
    EXPECT_EQ(composed("\u1e9b\u0323"), "\u1e9b\u0323");
    EXPECT_EQ(composed("\u212b\u2126"), "\u00c5\u03a9"); // singletons
    EXPECT_EQ(composed("\u0958"), "\u0915\u093c"); // excluded from composition
    EXPECT_EQ(composed("\u1112\u1161\u11ab"), "\ud55c");
    EXPECT_EQ(composed("plain caf\u00e9"), "plain caf\u00e9");
}

} // namespace
} // namespace zigzag
