// SPDX-License-Identifier: GPL-3.0-or-later
// eval --task ruler and questions, as a script uses them.
#include "engine/base/files.h"
#include "profiler/evaluate/answers_file.h"
#include "tests/cli/run_program.h"
#include "tests/temp_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::json;

class QuestionCommands : public testing::Test
{
protected:
    std::string file(const char *name) const { return (m_folder.path() / name).string(); }
    std::string written(const char *name, std::string_view text) const
    {
        EXPECT_TRUE(writeFileAtomically(file(name), text));
        return file(name);
    }

    test::TempFolder m_folder;
};

constexpr const char *model = "bundled:zigzag-tiny";

TEST_F(QuestionCommands, RulersTasksAreAskedOfEveryMapAndKept)
{
    const auto result = test::runZigzag({"eval",       model,
                                         "--map",      "streaming",
                                         "--map",      "full",
                                         "--sink",     "4",
                                         "--recent",   "32",
                                         "--task",     "ruler",
                                         "--tasks",    "niah_single_1,niah_multikey_1",
                                         "--contexts", "768,1024",
                                         "--trials",   "2",
                                         "--out",      file("answers.json"),
                                         "-o",         "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const Json json = Json::parse(result.output);
    EXPECT_EQ(json.at("questions").size(), 8u);
    ASSERT_EQ(json.at("maps").size(), 3u);
    EXPECT_EQ(json.at("maps")[0].at("map"), "full attention");
    EXPECT_EQ(json.at("maps")[1].at("sparsity"), 1.0);
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(json.at("maps")[0].at("answers")[i].at("text"), json.at("maps")[2].at("answers")[i].at("text"))
            << "full is full";
        EXPECT_LT(json.at("maps")[0].at("answers")[i].at("prompt_tokens").get<int>(), i % 4 < 2 ? 768 : 1024);
    }
    ASSERT_EQ(json.at("summary").size(), 2u * (4 + 1)); // two tasks, two lengths, and all
    const Json &last = json.at("summary").back();
    EXPECT_EQ(last.at("task"), "all");
    EXPECT_EQ(last.at("difference"), 0.0);
    const auto kept = readAnswersFile(file("answers.json"));
    ASSERT_TRUE(kept) << kept.error().message;
    EXPECT_EQ(kept->asked, "ruler");
    EXPECT_EQ(kept->answered(), 8u);

    const auto compared = test::runZigzag({"compare", file("answers.json"), file("answers.json"), "-o", "json"});
    ASSERT_EQ(compared.code, 0) << compared.errors;
    const Json pairs = Json::parse(compared.output).at("pairs");
    ASSERT_EQ(pairs.size(), 3u);
    for (const Json &pair : pairs) {
        EXPECT_EQ(pair.at("summary").back().at("questions"), 8);
        EXPECT_EQ(pair.at("summary").back().at("difference"), 0.0) << "with itself";
    }
    EXPECT_EQ(test::runZigzag({"compare", file("answers.json"), model}).code, 2) << "not two of a kind";
}

TEST_F(QuestionCommands, APersonsQuestionsSayWhatBroke)
{
    const std::string prompts = written("mine.jsonl",
                                        "{\"prompt\": \"The grass is green. The sky is blue.\", \"answer\": \"zebra\"}\n"
                                        "{\"prompt\": \"One two three.\", \"answer\": \"\\u00fc\"}\n");
    const auto result = test::runZigzag(
        {"eval", model, "--map", "streaming", "--task", "questions", "--prompts", prompts, "--show-broken", "3"});
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_NE(result.output.find("no difference seen with n = 2"), std::string::npos) << result.output;
    EXPECT_NE(result.output.find("0 of 2 questions were answered worse"), std::string::npos) << result.output;
    const auto csv = test::runZigzag(
        {"eval", model, "--map", "streaming", "--task", "jsonl", "--prompts", prompts, "--limit", "1", "-o", "csv"});
    ASSERT_EQ(csv.code, 0) << csv.errors;
    EXPECT_EQ(csv.output.find("map,as_engine,sparsity,task,tokens,questions"), 0u) << csv.output;
    EXPECT_NE(csv.output.find(",1,"), std::string::npos);
}

TEST_F(QuestionCommands, WhatCannotBeAskedIsOneLine)
{
    const auto fails = [](std::vector<std::string> more) {
        std::vector<std::string> command{"eval", model, "--map", "full"};
        command.insert(command.end(), more.begin(), more.end());
        const auto result = test::runZigzag(command);
        EXPECT_EQ(result.code, 2) << result.output << result.errors;
        return result.errors;
    };
    EXPECT_NE(fails({"--task", "questions"}).find("--prompts FILE"), std::string::npos);
    EXPECT_NE(fails({"--task", "questions", "--prompts", file("absent.jsonl")}).find("absent.jsonl"), std::string::npos);
    EXPECT_NE(fails({"--task", "ruler", "--tasks", "niah_single_9"}).find("niah_single_9"), std::string::npos);
    EXPECT_NE(fails({"--task", "ruler", "--as", "chat", "--contexts", "512"}).find("template"), std::string::npos);
    EXPECT_NE(fails({"--task", "needle", "--map", "streaming"}).find("asks one map"), std::string::npos);
    EXPECT_NE(fails({"--task", "needle", "-o", "csv"}).find("CSV"), std::string::npos);
}

} // namespace
} // namespace zigzag
