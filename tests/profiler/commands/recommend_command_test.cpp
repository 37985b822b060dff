// SPDX-License-Identifier: GPL-3.0-or-later
// recommend, as a script uses it.
#include "engine/base/files.h"
#include "profiler/session/session_file.h"
#include "tests/cli/run_program.h"
#include "tests/temp_folder.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::json;

class RecommendCommand : public testing::Test
{
protected:
    std::string out() const { return (m_folder.path() / "out").string(); }
    std::filesystem::path file(const char *name) const { return m_folder.path() / "out" / name; }

    test::TempFolder m_folder;
};

constexpr const char *model = "bundled:zigzag-tiny";

TEST_F(RecommendCommand, OneCommandLeavesMapScoresAndPage)
{
    const auto result
        = test::runZigzag({"recommend", model, "--context", "256", "--recent", "32", "--sink", "4", "--time", "90s", "--quality",
                           "50", "--out", out(), "--session", (m_folder.path() / "it.zigzag").string(), "-o", "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const Json json = Json::parse(result.output);
    ASSERT_TRUE(json.at("recommended").is_object()) << result.output;
    EXPECT_GE(json.at("recommended").at("judged").at("kept_low").get<double>(), 0.5);
    for (const char *name : {"map.json", "scores.json", "page.md", "recommend.json"})
        EXPECT_TRUE(std::filesystem::exists(file(name))) << name;
    EXPECT_FALSE(std::filesystem::exists(file("recommend.progress"))) << "it is done";
    EXPECT_NE(result.errors.find("will take about"), std::string::npos) << result.errors;
    const auto session = readSession(m_folder.path() / "it.zigzag");
    ASSERT_TRUE(session) << session.error().message;
    EXPECT_EQ(session->session.asked, model);
    EXPECT_EQ(session->session.current, "recommended for ours");
    const auto check = test::runZigzag({"export", file("map.json").string(), "--verdicts", "--model", model});
    EXPECT_EQ(check.code, 0) << check.errors;
}

TEST_F(RecommendCommand, WhatCannotBeIsOneLine)
{
    const auto fails = [&](std::vector<std::string> more) {
        std::vector<std::string> command{"recommend", model, "--out", out()};
        command.insert(command.end(), more.begin(), more.end());
        const auto result = test::runZigzag(command);
        EXPECT_EQ(test::refusalFault(result, 2), "") << result.errors;
        return result.errors;
    };
    EXPECT_NE(fails({"--engine", "tensorrt-llm"}).find("no engine that maps are recommended for"), std::string::npos);
    EXPECT_NE(fails({"--engine", "llama.cpp"}).find("llama.cpp cannot run maps of this model"), std::string::npos);
    EXPECT_NE(fails({"--memory", "1GiB", "--tpot", "8ms"}).find("--memory or --tpot"), std::string::npos);
    EXPECT_NE(fails({"--time", "0.1s"}).find("at least one second"), std::string::npos);
    EXPECT_NE(fails({"--session", out() + "-none/it.zigzag"}).find("--session"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(out())) << "nothing was begun";
}

} // namespace
} // namespace zigzag
