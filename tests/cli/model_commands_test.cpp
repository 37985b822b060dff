// SPDX-License-Identifier: GPL-3.0-or-later
// info, logits and generate on sound models.
#include "tests/cli/run_program.h"
#include "tests/paths.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

using Json = nlohmann::json;

TEST(ModelCommands, InfoGivesTheKeysOfTheContract)
{
    const auto result = test::runZigzag({"info", "preset:llama-3-8b", "-o", "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const Json json = Json::parse(result.output);
    const Json expected = {{"layers", 32},    {"query_heads", 32},           {"kv_heads", 8},
                           {"head_dim", 128}, {"parameters", 8'030'261'248}, {"kv_bytes_per_token", 131'072}};
    for (const auto &[key, value] : expected.items())
        EXPECT_EQ(json.at(key), value) << key;
    EXPECT_EQ(json.at("weight_bytes"), 16'060'522'496);
    EXPECT_EQ(json.at("kv_bytes").back().at("bytes"), 8192 * 131'072);
    EXPECT_TRUE(json.at("fingerprint").is_null());
}

TEST(ModelCommands, InfoOfAFolderSpeaksOfItsWeightsAndTokenizer)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "tiny");
    const Json json = Json::parse(test::runZigzag({"info", model, "-o", "json"}).output);
    EXPECT_EQ(json.at("name"), "tiny");
    EXPECT_EQ(json.at("dtype"), "f32");
    EXPECT_EQ(json.at("tokenizer_tokens"), 258);
    EXPECT_EQ(json.at("fingerprint").get<std::string>().rfind("sha256:", 0), 0u);
    EXPECT_NE(test::runZigzag({"info", model}).output.find("KV per token"), std::string::npos);
}

TEST(ModelCommands, KeysAndValuesHaveATypeOfTheirOwn)
{
    const auto info = [](const std::vector<std::string> &more) {
        std::vector<std::string> arguments = {"info", "preset:llama-3-8b", "-o", "json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return Json::parse(test::runZigzag(arguments).output);
    };
    EXPECT_EQ(info({}).at("kv_type"), "bf16");
    for (const auto &[type, bytes] : {std::pair("fp8", 1), {"f16", 2}, {"bf16", 2}, {"f32", 4}}) {
        const Json json = info({"--kv-type", type});
        EXPECT_EQ(json.at("kv_type"), type);
        EXPECT_EQ(json.at("dtype"), "bf16");
        EXPECT_EQ(json.at("kv_bytes_per_token"), 65'536 * bytes) << type;
        EXPECT_EQ(json.at("kv_bytes").back().at("bytes"), std::int64_t{8192} * 65'536 * bytes) << type;
        EXPECT_EQ(json.at("weight_bytes"), 16'060'522'496);
    }
    const auto plan = test::runZigzag(
        {"plan", "preset:llama-3-8b", "--map", "full", "--contexts", "1024", "--gpus", "1", "--kv-type", "fp8", "-o", "json"});
    ASSERT_EQ(plan.code, 0) << plan.errors;
    EXPECT_EQ(Json::parse(plan.output).at("kv_type"), "fp8");
    EXPECT_EQ(Json::parse(plan.output).at("records").at(0).at("kv_bytes"), 1024 * 65'536);
    for (const char *command : {"info", "bench", "trace", "eval", "score", "generate", "logits", "predict", "plan", "assign",
                                "calibrate", "pareto", "rank", "report"}) {
        for (const char *type : {"int4", "FP8", "bf16,fp8", ""}) {
            const auto refused = test::runZigzag({command, "preset:llama-3-8b", "--kv-type", type});
            EXPECT_EQ(test::refusalFault(refused, 2), "") << command << ' ' << type;
            EXPECT_NE(refused.errors.find("--kv-type"), std::string::npos) << refused.errors;
        }
    }
}

TEST(ModelCommands, LogitsFollowTheTypeOfKeysAndValues)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "tiny"), tokens = scratch / "tokens", out = scratch / "out.npy";
    test::writeText(tokens, "1 2 3 50 60 70");
    const auto logits = [&](const std::vector<std::string> &more) {
        std::vector<std::string> arguments = {"logits", model, "--tokens", tokens, "--out", out};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto result = test::runZigzag(arguments);
        EXPECT_EQ(result.code, 0) << result.errors;
        return test::readText(out);
    };
    const std::string own = logits({});
    EXPECT_EQ(logits({"--kv-type", "f32"}), own);
    EXPECT_NE(logits({"--kv-type", "fp8"}), own);
    EXPECT_EQ(logits({"--kv-type", "fp8"}).size(), own.size());
}

TEST(ModelCommands, AGgufFileIsAModel)
{
    const std::string file = test::sourceDir() + std::string("/tests/fixtures/gguf/llama-q8_0.gguf");
    const auto result = test::runZigzag({"info", file, "-o", "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const Json json = Json::parse(result.output);
    EXPECT_EQ(json.at("name"), "llama-q8_0");
    EXPECT_EQ(json.at("family"), "llama");
    EXPECT_EQ(json.at("dtype"), "bf16");
    EXPECT_EQ(json.at("rope").at("type"), "llama3");
    EXPECT_EQ(json.at("fingerprint").get<std::string>().rfind("sha256:", 0), 0u);
    EXPECT_EQ(json.at("weight_types"), Json({"q8_0"}));
    EXPECT_LT(json.at("weight_bytes"), json.at("parameters").get<std::int64_t>() * 5 / 4);
    EXPECT_EQ(result.errors.find("decoded"), std::string::npos) << result.errors;
    const test::TempFolder scratch;
    test::writeText(scratch / "tokens.txt", "1 2 3");
    const auto logits = test::runZigzag(
        {"logits", file, "--tokens", (scratch / "tokens.txt").string(), "--out", (scratch / "logits.npy").string()});
    EXPECT_EQ(logits.code, 0) << logits.errors;
    EXPECT_EQ(std::filesystem::file_size(scratch / "logits.npy") % 64, 3 * 40 * sizeof(float) % 64);
    const auto text = test::runZigzag({"generate", file, "--prompt", "a"});
    EXPECT_EQ(text.code, 2);
    EXPECT_NE(text.errors.find("there is no tokenizer in its metadata"), std::string::npos) << text.errors;
}

/// The values of an .npy file that must be float32 [rows, columns].
std::vector<float> readNpy(const std::filesystem::path &file, std::size_t rows, std::size_t columns)
{
    const std::string content = test::readText(file),
                      shape = "'shape': (" + std::to_string(rows) + ", " + std::to_string(columns) + ")";
    EXPECT_EQ(content.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    const std::size_t header = 10 + static_cast<unsigned char>(content[8]) + 256u * static_cast<unsigned char>(content[9]);
    EXPECT_EQ(header % 64, 0u);
    EXPECT_EQ(content[header - 1], '\n');
    EXPECT_NE(content.find("'descr': '<f4', 'fortran_order': False, " + shape), std::string::npos)
        << content.substr(10, header - 10);
    std::vector<float> values(rows * columns);
    EXPECT_EQ(content.size() - header, values.size() * sizeof(float));
    if (content.size() - header == values.size() * sizeof(float))
        std::memcpy(values.data(), content.data() + header, values.size() * sizeof(float));
    return values;
}

TEST(ModelCommands, LogitsAreTheSameWhateverTheChunk)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "tiny"), tokens = scratch / "tokens", out = scratch / "out.npy";
    std::string ids;
    for (int i = 0; i < 40; ++i)
        ids += std::to_string(i * 53 % 258) + (i % 7 ? " " : "\n");
    test::writeText(tokens, ids);
    std::vector<float> whole;
    for (const char *chunk : {"512", "40", "7", "1"}) {
        const auto result = test::runZigzag({"logits", model, "--tokens", tokens, "--map", "streaming", "--sink", "2", "--recent",
                                             "5", "--chunk", chunk, "--out", out});
        ASSERT_EQ(result.code, 0) << result.errors;
        const std::vector<float> logits = readNpy(out, 40, 258);
        if (whole.empty())
            whole = logits;
        const auto less = [](float a, float b) { return std::abs(a) < std::abs(b); };
        const float largest = std::abs(*std::max_element(whole.begin(), whole.end(), less));
        ASSERT_GT(largest, 0.1f);
        for (std::size_t i = 0; i < whole.size(); ++i)
            ASSERT_NEAR(logits[i], whole[i], 1e-5f * largest) << "chunk " << chunk;
    }
    EXPECT_EQ(test::runZigzag({"logits", model, "--tokens", tokens, "--out", out}).code, 0);
    EXPECT_NE(readNpy(out, 40, 258), whole); // full attention sees what streaming forgot
}

TEST(ModelCommands, GenerateFollowsItsSeed)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "tiny");
    const auto generate = [&](const std::vector<std::string> &more) {
        std::vector<std::string> arguments = {"generate", model, "--prompt", "Some text", "--max-new", "24"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto result = test::runZigzag(arguments);
        EXPECT_EQ(result.code, 0) << result.errors;
        return result.output;
    };
    EXPECT_EQ(generate({}), generate({"--seed", "9"})); // greedy
    EXPECT_GT(generate({}).size(), 1u);
    const std::string sampled = generate({"--temperature", "1", "--seed", "1"});
    EXPECT_EQ(sampled, generate({"--temperature", "1", "--seed", "1"}));
    EXPECT_NE(sampled, generate({"--temperature", "1", "--seed", "2"}));
}

TEST(ModelCommands, PromptsComeFromFilesAndIdsAreGiven)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "tiny"), file = (scratch / "prompt.txt").string();
    std::ofstream(file) << "Some text";
    const auto run = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"generate", model, "--max-new", "12"});
        const auto result = test::runZigzag(arguments);
        EXPECT_EQ(result.code, 0) << result.errors;
        return result.output;
    };
    EXPECT_EQ(run({"--prompt", "Some text"}), run({"--prompt-file", file}));
    const auto json = nlohmann::json::parse(run({"--prompt-file", file, "-o", "json"}));
    EXPECT_EQ(json["prompt_ids"].size(), 10u); // the beginning of a text, and its bytes
    EXPECT_EQ(json["prompt_ids"][1], 'S');
    std::string ids;
    for (const int id : json["ids"])
        ids += (ids.empty() ? "" : " ") + std::to_string(id);
    EXPECT_EQ(run({"--prompt", "Some text", "--ids"}), ids + "\n");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"generate", model}), 2), "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"generate", model, "--prompt", "x", "--prompt-file", file}), 2), "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"generate", model, "--prompt", "x", "--chat"}), 2), ""); // it has no template
}

TEST(ModelCommands, GenerateShowsTwoMapsBesideEachOther)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "tiny");
    const auto run = [&](std::vector<std::string> more) {
        more.insert(more.begin(),
                    {"generate", model, "--prompt", "Some text that is longer than a window", "--sink", "1", "--recent", "4"});
        return test::runZigzag(more);
    };
    const auto both = run({"--map", "full", "--map", "streaming", "--max-new", "12", "-o", "json"});
    ASSERT_EQ(both.code, 0) << both.errors;
    const auto json = nlohmann::json::parse(both.output);
    std::array<std::vector<int>, 2> ids;
    for (std::size_t side = 0; side < 2; ++side) {
        const char *name = side == 0 ? "full" : "streaming";
        const auto alone = run({"--map", name, "--max-new", "12", "-o", "json"});
        ASSERT_EQ(alone.code, 0) << alone.errors;
        const auto &answer = json["answers"][side];
        EXPECT_EQ(answer["map"], name);
        for (const auto &token : answer["tokens"]) {
            ids[side].push_back(token["id"]);
            EXPECT_EQ(token["likeliest"].size(), 5u);
            EXPECT_EQ(token["likeliest"][0]["id"], token["id"]);
            EXPECT_TRUE(token["other_probability"].is_number());
        }
        EXPECT_EQ(nlohmann::json(ids[side]), nlohmann::json::parse(alone.output)["ids"]) << name;
    }
    const auto parting = std::mismatch(ids[0].begin(), ids[0].end(), ids[1].begin(), ids[1].end()).first - ids[0].begin();
    ASSERT_LT(parting, std::ssize(ids[0])) << "what streams sees four tokens and its sink";
    EXPECT_EQ(json["parting"], parting);
    const auto text = run({"--map", "full", "--map", "streaming", "--max-new", "12"});
    EXPECT_NE(text.output.find("They part at token " + std::to_string(parting + 1) + ":"), std::string::npos) << text.output;
    EXPECT_NE(run({"--map", "full", "--map", "full", "--max-new", "2"}).output.find("Both say the same"), std::string::npos);
    EXPECT_EQ(test::refusalFault(run({"--map", "full", "--map", "full", "--temperature", "1"}), 2), "");
    EXPECT_EQ(test::refusalFault(run({"--map", "full", "--map", "full", "--ids"}), 2), "");
    EXPECT_EQ(test::refusalFault(run({"--map", "full", "--map", "full", "--map", "full"}), 2), "");
}

TEST(ModelCommands, AttentionTellsWhatAHeadLooksAt)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "tiny");
    const auto asked = nlohmann::json::parse(
        test::runZigzag({"attention", model, "--layer", "1", "--head", "1", "--prompt", "abcabc", "-o", "json"}).output);
    EXPECT_EQ(asked["tokens"], 7); // the beginning of the text among them
    ASSERT_EQ(asked["heads"].size(), 2u);
    EXPECT_EQ(asked["heads"][0]["query_head"], 2);
    const auto &query = asked["heads"][0]["queries"][0];
    EXPECT_EQ(query["query"], 6);
    EXPECT_EQ(query["piece"], "c");
    EXPECT_EQ(query["strongest"].size(), 7u);
    double sum = 0, before = 1;
    for (const auto &key : query["strongest"]) {
        EXPECT_LE(key["weight"].get<double>(), before);
        before = key["weight"].get<double>();
        sum += before;
    }
    EXPECT_NEAR(sum, 1.0, 1e-5);
    EXPECT_NEAR(query["shares"]["window"].get<double>(), 1.0, 1e-5) << "the window holds all of so short a text";
    EXPECT_FALSE(asked.contains("answer_logit")) << "a text has no right answer";
    const std::string csv
        = test::runZigzag({"attention", model, "--layer", "0", "--head", "0", "--prompt", "ab", "-o", "csv"}).output;
    EXPECT_EQ(csv.rfind("query_head,first_query,last_query,first_key,last_key,mean,largest\n0,0,0,0,0,1,1\n", 0), 0u) << csv;
    EXPECT_EQ(test::refusalFault(test::runZigzag({"attention", model, "--layer", "9", "--head", "0", "--prompt", "ab"}), 2), "");
    EXPECT_EQ(test::refusalFault(
                  test::runZigzag({"attention", model, "--layer", "0", "--head", "0", "--prompt", "ab", "--query", "3"}), 2),
              "");
}

TEST(ModelCommands, AttentionTellsWhatAHeadAddsToTheAnswer)
{
    const std::vector<std::string> command
        = {"attention", "bundled:zigzag-tiny", "--layer", "6", "--head", "1", "--context", "512", "--recent",
           "64",        "--backend",           "cpu"};
    auto asJson = command;
    asJson.insert(asJson.end(), {"-o", "json"});
    const auto asked = nlohmann::json::parse(test::runZigzag(asJson).output);
    const double logit = asked.at("answer_logit");
    double given = 0;
    for (const auto &head : asked.at("heads"))
        given += head.at("answer_logit").at("given").get<double>();
    EXPECT_GT(logit, 0);
    EXPECT_GT(given, 0.1 * logit) << "the head that copies the needle";
    const std::string table = test::runZigzag(command).output;
    EXPECT_NE(table.find(fmt::format("to the right answer's logit of {:.3f}; ", logit)), std::string::npos) << table;
}

TEST(ModelCommands, TokenizeShowsIdsAndPieces)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "tiny");
    std::ofstream(scratch / "tiny/chat_template.jinja") << "{{ '<|begin|>' + messages[0].content }}";
    const auto plain = nlohmann::json::parse(test::runZigzag({"tokenize", model, "a\n", "-o", "json"}).output);
    EXPECT_EQ(plain["ids"], (std::vector<int>{256, 'a', '\n'}));
    EXPECT_EQ(plain["pieces"], (std::vector<std::string>{"<|begin|>", "a", "\n"}));
    EXPECT_EQ(plain["count"], 3);
    const auto bare = nlohmann::json::parse(test::runZigzag({"tokenize", model, "a", "--bare", "-o", "json"}).output);
    EXPECT_EQ(bare["ids"], (std::vector<int>{'a'}));
    const auto chat = nlohmann::json::parse(test::runZigzag({"tokenize", model, "a", "--chat", "-o", "json"}).output);
    EXPECT_EQ(chat["ids"], (std::vector<int>{256, 'a'})); // one beginning, the template's
    EXPECT_NE(test::runZigzag({"tokenize", model, "a\n"}).output.find("      10  \"\\n\"\n3 tokens\n"), std::string::npos);
    EXPECT_EQ(test::refusalFault(test::runZigzag({"tokenize", model}), 2), "");
}

} // namespace
} // namespace zigzag
