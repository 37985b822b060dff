// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/file_content.h"

#include "engine/base/files.h"
#include "engine/base/printable.h"
#include "tests/model_surgery.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

using namespace std::string_literals;

TEST(FileContent, FilesThatPeopleHaveAreKnownByTheirContent)
{
    struct Known {
        std::string text;
        FileContent content;
    };
    const std::vector<Known> files = {
        {"", FileContent::Empty},
        {" \n\t", FileContent::Empty},
        {R"({"format": "zigzag-head-map", "version": 1})", FileContent::HeadMap},
        {R"({"version": 1, "model": {"format": "x"}, "format": "zigzag-head-scores"})", FileContent::HeadScores},
        {R"({"format": "zigzag-trace", "spans": [)", FileContent::ZigzagTrace},
        {R"({"format": "zigzag-bench")", FileContent::Bench},
        {R"({"format": "zigzag-prediction"})", FileContent::Prediction},
        {R"({"format": "zigzag-machine-profile"})", FileContent::MachineProfile},
        {R"({"format": "zigzag-answers", "version": 1})", FileContent::Answers},
        {R"({"format": "zigzag-search-progress"})", FileContent::OtherZigzag},
        {R"({"format": "something"})", FileContent::OtherJson},
        {R"({"0-0": [0.5], "0-1": [1]})", FileContent::RetrievalHead},
        {R"({"displayTimeUnit": "ms", "args": {"ph": 1}, "traceEvents": [)", FileContent::ChromeTrace},
        {R"([{"args": {"a": [1, {"b": 2}]}, "ph": "X")", FileContent::ChromeTrace},
        {"\xef\xbb\xbf[{\"ph\": \"X\"}]", FileContent::ChromeTrace},
        {R"([{"name": "x"}, {"ph": "X"}])", FileContent::OtherJson},
        {"[1, 2]", FileContent::OtherJson},
        {R"({"architectures": ["LlamaForCausalLM"]})", FileContent::ModelConfig},
        {R"({"bos_token_id": 1, "model_type": "llama"})", FileContent::ModelConfig},
        {R"({"bos_token_id": 1, "eos_token_id": 2})", FileContent::GenerationConfig},
        {R"({"version": "1.0", "truncation": null, "added_tokens": []})", FileContent::Tokenizer},
        {R"({"add_bos_token": true})", FileContent::TokenizerConfig},
        {R"({"metadata": {"total_size": 5}, "weight_map": {}})", FileContent::WeightIndex},
        {"0.5\t1\n0\t0.25\n", FileContent::Gates},
        {"nan\t0.5\n", FileContent::Gates},
        {"The quick brown fox\n", FileContent::Text},
        {"Größe: 5\n", FileContent::Text},
        {"Gr\xf6\xdf"s + "e\n", FileContent::Binary},
        {"\xff\xfeh\0i\0"s, FileContent::Utf16},
        {"\x1f\x8b\x08\0\0"s, FileContent::Gzip},
        {"PK\x03\x04rest", FileContent::Zip},
        {"GGUF\x03\0\0\0"s, FileContent::Gguf},
        {"\x10\0\0\0\0\0\0\0{\"weight\":"s, FileContent::Safetensors},
        {"\x7f"s + "ELF\x02", FileContent::Program},
        {"\x89PNG\r\n", FileContent::Picture},
        {std::string(100, '\0'), FileContent::Binary},
    };
    for (const Known &file : files) {
        EXPECT_EQ(contentOf(file.text), file.content) << printable(file.text);
        const Error error = wrongContent("file", {file.content, false}, "a trace").value();
        EXPECT_EQ(error.kind, ErrorKind::BadInput);
        EXPECT_NE(error.message.find("file: this is "), std::string::npos);
        EXPECT_NE(error.message.find(nameOf(file.content)), std::string::npos);
        EXPECT_NE(error.message.find(", not a trace; "), std::string::npos) << error.message;
    }
    EXPECT_EQ(contentOf(std::string(1 << 20, '[')), FileContent::OtherJson) << "no stack is lost on brackets";
}

TEST(FileContent, AdviceFitsWhatTheFileIs)
{
    EXPECT_EQ(wrongContent("config.json", {FileContent::ModelConfig, false}, "head scores").value().message,
              "config.json: this is a model's config.json, not head scores; the folder that it lies in is the model: give that "
              "where a model is asked for");
    EXPECT_EQ(wrongContent("a", {FileContent::Text, true}, "a trace").value().message,
              "a: this is plain text, gzip-compressed, not a trace; give a trace");
}

TEST(FileContent, WhatIsTextIsReadable)
{
    EXPECT_TRUE(isReadable(contentOf("Once upon a time")));
    EXPECT_TRUE(isReadable(contentOf("{\"a\": 1}")));
    EXPECT_TRUE(isReadable(contentOf("1\t2")));
    for (const std::string &bytes : {""s, "\x1f\x8b\x08"s, "\xff\xfeh\0"s, "PK\x03\x04"s, "\x01\x02"s, "%PDF-1.4"s})
        EXPECT_FALSE(isReadable(contentOf(bytes))) << printable(bytes);
}

TEST(FileContent, OfAFileOnlyTheBeginningIsRead)
{
    const test::TempFolder folder;
    test::writeText(folder / "trace.json", R"({"traceEvents": [)" + std::string(1 << 20, ' ') + "broken");
    const auto kind = kindOfFile(folder / "trace.json");
    ASSERT_TRUE(kind);
    EXPECT_EQ(kind->content, FileContent::ChromeTrace);
    EXPECT_EQ(readBeginning(folder / "trace.json", 5).value(), "{\"tra");
    EXPECT_FALSE(kindOfFile(folder.path()));
    EXPECT_FALSE(kindOfFile(folder / "none"));
}

TEST(Printable, NothingThatATerminalObeysAndNoHalfCharacter)
{
    EXPECT_EQ(printable("a\x1b[31m\nb\x7f"), "a [31m b ");
    EXPECT_EQ(printable("Größe"), "Größe");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              " 31m")
        << "U+009B begins a terminal's command too";
    EXPECT_EQ(printable("a\xff\xfe"
                        "b\xc3"),
              "a??b?");
    EXPECT_EQ(printable("\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf"), "?????????") << "no half of a pair, nothing beyond Unicode";
    EXPECT_EQ(printable("ääää", 5), "ää...");
    std::string kept(80, 'x');
    kept.append("...");
    EXPECT_EQ(printable(std::string(100, 'x')), kept);
}

} // namespace
} // namespace zigzag
