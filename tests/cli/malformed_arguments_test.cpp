// SPDX-License-Identifier: GPL-3.0-or-later
// Hostile arguments of info, logits and generate.
#include "tests/cli/run_program.h"
#include "tests/model_surgery.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

TEST(MalformedArguments, ModelsThatAreNone)
{
    const test::TempFolder scratch;
    test::writeText(scratch / "file", "text");
    for (const fs::path &model :
         {fs::path(), scratch / "none", scratch / "file", scratch.path() / "file/inside", fs::path("/dev/null"),
          fs::path("preset:"), fs::path("preset:none"), fs::path("preset:../presets/llama-2-7b"), fs::path("bundled:none"),
          fs::path("bundled:"), fs::path("bundled:../../etc"), fs::path(std::string(5000, 'x'))})
        EXPECT_EQ(test::refusalFault(test::runZigzag({"info", model}), 2), "") << model;
}

TEST(MalformedArguments, TokensThatAreNone)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "model"), tokens = scratch / "tokens", out = scratch / "out.npy";
    fs::create_directory(scratch / "folder");
    for (const std::string &content : {std::string(), std::string(" \n"), std::string("1 2 three"), std::string("1 -2"),
                                       std::string("1 258"), std::string("1.5"), std::string("99999999999999999999"),
                                       std::string("1,2"), std::string("1\0002", 3), std::string("0x10")}) {
        test::writeText(tokens, content);
        EXPECT_EQ(test::refusalFault(test::runZigzag({"logits", model, "--tokens", tokens, "--out", out}), 2), "") << content;
        EXPECT_FALSE(fs::exists(out));
    }
    for (const fs::path &file : {scratch / "folder", scratch / "none"})
        EXPECT_EQ(test::refusalFault(test::runZigzag({"logits", model, "--tokens", file, "--out", out}), 2), "") << file;
    EXPECT_FALSE(fs::exists(out));
}

TEST(MalformedArguments, OutputsThatCannotBeWritten)
{
    const test::TempFolder scratch;
    const fs::path model = test::writeTinyModel(scratch / "model"), tokens = scratch / "tokens";
    test::writeText(tokens, "1 2 3");
    fs::create_directory(scratch / "folder");
    fs::permissions(scratch.path(), fs::perms(0755));
    for (const fs::path &out :
         {scratch / "folder", scratch / "none/out.npy", scratch / "tokens/out.npy", fs::path("/dev/full"), fs::path()})
        EXPECT_EQ(test::refusalFault(test::runZigzag({"logits", model, "--tokens", tokens, "--out", out}), 2), "") << out;
    const auto denied
        = test::runZigzag({"logits", model, "--tokens", tokens, "--out", scratch / "folder/out.npy"}, {.asNobody = true});
    EXPECT_EQ(test::refusalFault(denied, 2), "");
    EXPECT_TRUE(fs::is_empty(scratch / "folder"));
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(MalformedArguments, AMapOfAnotherModelLeavesNothing)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "model"), tokens = scratch / "tokens", out = scratch / "out.npy";
    test::writeText(tokens, "1 2 3");
    test::writeText(scratch / "map.json",
                    R"({"format": "zigzag-head-map", "version": 1, "model": {"name": "other", "layers": 1, "query_heads": 4,
        "kv_heads": 2, "head_dim": 8, "fingerprint": ""}, "sink": 1, "recent": 4, "heads": ["RS"]})");
    EXPECT_EQ(test::refusalFault(
                  test::runZigzag({"logits", model, "--tokens", tokens, "--map", scratch / "map.json", "--out", out}), 2),
              "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"logits", model, "--tokens", tokens, "--backend", "abacus", "--out", out}), 2),
              "");
    EXPECT_FALSE(fs::exists(out));
}

TEST(MalformedArguments, AModelThatDoesNotFitIsRefusedBeforeAllocation)
{
    const test::TempFolder scratch;
    fs::create_directories(scratch / "resources/presets");
    // About 10^15 parameters, and one that fits anywhere.
    const std::string shape
        = R"("num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 1000, "max_position_embeddings": 128)";
    test::writeText(
        scratch / "resources/presets/huge.json",
        R"({"model_type": "llama", "hidden_size": 131072, "intermediate_size": 1048576, "num_hidden_layers": 1024, "head_dim": 1024, )"
            + shape + "}");
    test::writeText(scratch / "resources/presets/small.json",
                    R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, )" + shape
                        + "}");
    test::writeText(scratch / "tokens", "1 2 3");
    const test::ProgramOptions options{.environment = {"ZIGZAG_RESOURCES=" + (scratch / "resources").string()}};
    const auto result
        = test::runZigzag({"logits", "preset:huge", "--tokens", scratch / "tokens", "--out", scratch / "out.npy"}, options);
    EXPECT_EQ(test::refusalFault(result, 2), "");
    EXPECT_NE(result.errors.find("preset:small would fit"), std::string::npos) << result.errors;
    EXPECT_FALSE(fs::exists(scratch / "out.npy"));
    EXPECT_EQ(test::runZigzag({"info", "preset:huge"}, options).code, 0); // its shape is still shown
}

TEST(MalformedArguments, NumbersOutOfRangeAreNamedInPlainDigits)
{
    struct Wrong {
        std::vector<std::string> arguments;
        std::string says;
    };
    const std::vector<std::string> plan = {"plan", "bundled:zigzag-tiny", "--map", "streaming"},
                                   bench = {"bench", "bundled:zigzag-tiny", "--map", "full"},
                                   predict = {"predict", "preset:llama-3-8b", "--map", "full", "--contexts", "8"};
    const auto with = [](std::vector<std::string> command, const std::string &option, const std::string &value) {
        command.push_back(option);
        command.push_back(value);
        return command;
    };
    for (const Wrong &wrong : {
             Wrong{with(plan, "--recent", "0"), "--recent: must be at least 1, not 0;"},
             Wrong{with(plan, "--sink", "-1"), "--sink: must be at least 0, not -1;"},
             Wrong{with(plan, "--sink", "2147483648"), "--sink: 2147483648 is not in 0 to 2147483647;"},
             Wrong{with(plan, "--sink", "99999999999999999999"), "--sink: 99999999999999999999 is not in 0 to 2147483647;"},
             Wrong{with(plan, "--contexts", "0"), "--contexts: must be at least 1, not 0;"},
             Wrong{with(plan, "--contexts", "8,x"), "--contexts: 'x' is no whole number;"},
             Wrong{with(plan, "--bandwidth", "0"), "--bandwidth: must be more than 0, not 0;"},
             Wrong{with(plan, "--bandwidth", "nan"), "--bandwidth: 'nan' is no finite number;"},
             Wrong{with(bench, "--batch", "65"), "--batch: 65 is not in 1 to 64;"},
             Wrong{with(bench, "--repeats", "1.5"), "--repeats: '1.5' is no whole number;"},
             Wrong{with(bench, "--spread", "1.5"), "--spread: 1.5 is not in 0 to 1;"},
             Wrong{with(bench, "--spread", "nan"), "--spread: 'nan' is no number;"},
             Wrong{with(bench, "--budget", "inf"), "--budget: 'inf' is no finite number;"},
             Wrong{with(bench, "--budget", "-2"), "--budget: must be at least 0, not -2;"},
             Wrong{with(bench, "--patience", "1e7"), "--patience: 1e7 is not in 0 to 1000000;"},
             Wrong{with(predict, "--gpus", "9"), "--gpus: 9 is not in 1 to 8;"},
             Wrong{with(predict, "--link-us", "-1"), "--link-us: must be at least 0, not -1;"},
             Wrong{with(predict, "--link-gbps", "nan"), "--link-gbps: 'nan' is no finite number;"},
         }) {
        const auto result = test::runZigzag(wrong.arguments);
        EXPECT_EQ(test::refusalFault(result, 2), "") << wrong.says;
        EXPECT_NE(result.errors.find("error: " + wrong.says), std::string::npos) << result.errors;
    }
}

TEST(MalformedArguments, GenerateRefusesWhatItCannotContinue)
{
    const test::TempFolder scratch;
    test::TinyModel shape;
    shape.tokenizer = false;
    const std::string silent = test::writeTinyModel(scratch / "silent", shape), model = test::writeTinyModel(scratch / "model");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"generate", silent, "--prompt", "x"}), 2), "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"generate", model, "--prompt", "x", "--max-new", "0"}), 2), "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"generate", model, "--prompt", "x", "--temperature", "nan"}), 2), "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"generate", model}), 2), "");
}

} // namespace
} // namespace zigzag
