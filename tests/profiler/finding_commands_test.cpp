// SPDX-License-Identifier: GPL-3.0-or-later
// score, eval, rank and pareto as a script uses them.
#include "engine/base/files.h"
#include "engine/map/map_io.h"
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::json;

class FindingCommands : public testing::Test
{
protected:
    void SetUp() override { model = test::writeTinyModel(m_folder / "model", {.layers = 3}).string(); }

    std::vector<std::string> asked(std::vector<std::string> command) const
    {
        for (const char *each : {"--contexts", "200", "--depths", "0.3,0.8", "--trials", "1", "--sink", "4", "--recent", "16",
                                 "--tasks", "passkey", "-o", "json"})
            command.emplace_back(each);
        return command;
    }
    Json run(const std::vector<std::string> &command)
    {
        const auto result = test::runZigzag(command);
        EXPECT_EQ(result.code, 0) << result.errors;
        return result.code == 0 ? Json::parse(result.output) : Json();
    }
    std::string file(const char *name) const { return (m_folder / name).string(); }

    test::TempFolder m_folder;
    std::string model;
};

TEST_F(FindingCommands, EveryMethodWritesScoresThatAssignReads)
{
    for (const char *method : {"ablation", "greedy", "gates"}) {
        const Json json = run(
            asked({"score", model, "--method", method, "--steps", "4", "--maps", file("maps"), "--out", file("scores.json")}));
        EXPECT_EQ(json.at("complete"), true);
        EXPECT_EQ(json.at("scores").size(), 6u);
        EXPECT_GT(json.at("forward_passes").get<double>(), 1.0);
        EXPECT_EQ(json.contains("effects"), std::string_view(method) == "ablation");
        EXPECT_EQ(json.contains("path"), std::string_view(method) == "greedy");
        EXPECT_EQ(json.contains("losses"), std::string_view(method) == "gates");
        EXPECT_FALSE(std::filesystem::exists(file("scores.json.progress"))) << "nothing is left to do";
        ASSERT_TRUE(readHeadScores(file("scores.json")));
        EXPECT_EQ(run({"assign", file("scores.json"), "--criterion", "zigzag", "--sparsity", "0.34", "--out", file("map.json"),
                       "-o", "json"})
                      .at("streaming_heads"),
                  2);
    }
    for (int count = 0; count <= 3; ++count) {
        auto map = readHeadMap(m_folder / "maps" / ("streaming-" + std::to_string(count) + ".json"));
        ASSERT_TRUE(map) << map.error().message;
        EXPECT_EQ(map->streamingHeads(), 2 * count);
        EXPECT_EQ(map->recent(), 16);
    }
}

TEST_F(FindingCommands, PlainAblationSaysTheSameAndRunsMore)
{
    const Json shared = run(asked({"score", model, "--method", "ablation", "--out", file("a.json")}));
    const Json plain = run(asked({"score", model, "--method", "ablation", "--plain", "--out", file("b.json")}));
    EXPECT_EQ(shared.at("effects"), plain.at("effects"));
    EXPECT_LT(shared.at("layer_runs"), plain.at("layer_runs"));
    EXPECT_EQ(*readTextFile(file("a.json")), *readTextFile(file("b.json")));
}

TEST_F(FindingCommands, ProgressOfAnotherSearchIsNotLost)
{
    ASSERT_TRUE(writeFileAtomically(
        file("s.json.progress"),
        R"({"format": "zigzag-search-progress", "version": 1, "method": "greedy", "plan": {}, "state": {}})"));
    const auto refused = test::runZigzag(asked({"score", model, "--method", "greedy", "--out", file("s.json")}));
    EXPECT_EQ(test::refusalFault(refused, 2), "");
    EXPECT_NE(refused.errors.find("--restart"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(file("s.json")));
    run(asked({"score", model, "--method", "greedy", "--restart", "--out", file("s.json")}));
}

TEST_F(FindingCommands, EvalTellsLossAndIntervals)
{
    const Json distill = run(asked({"eval", model, "--map", "streaming", "--task", "distill"}));
    EXPECT_GT(distill.at("loss").get<double>(), 0.0);
    EXPECT_GT(distill.at("kl").get<double>(), 0.0);
    EXPECT_LE(distill.at("loss_interval").at("low"), distill.at("loss"));
    EXPECT_GE(distill.at("loss_interval").at("high"), distill.at("loss"));
    EXPECT_EQ(run(asked({"eval", model, "--map", "full", "--task", "distill"})).at("loss"), 0.0);

    ASSERT_TRUE(writeFileAtomically(m_folder / "text.txt", std::string(700, 'a') + std::string(300, 'b')));
    const Json text = run(asked({"eval", model, "--map", "streaming", "--task", "perplexity", "--text", file("text.txt")}));
    EXPECT_EQ(text.at("tokens"), 1001 - 6); // bytes and a beginning, less the first token of each of six windows
    EXPECT_GT(text.at("perplexity").get<double>(), 1.0);
    EXPECT_LT(text.at("low"), text.at("perplexity"));
    EXPECT_NE(text.at("perplexity"), text.at("full_perplexity"));
    const auto without = test::runZigzag({"eval", model, "--map", "full", "--task", "perplexity"});
    EXPECT_EQ(test::refusalFault(without, 2), "");

    const Json needle = run(asked({"eval", model, "--map", "streaming", "--task", "needle"}));
    EXPECT_TRUE(needle.at("grid").front().contains("full_accuracy"));
    EXPECT_GT(needle.at("high"), needle.at("accuracy")); // two wrong answers prove little
}

TEST_F(FindingCommands, RankPlacesMapsAmongAllAndKeepsItsMeasures)
{
    run(asked({"score", model, "--method", "greedy", "--out", file("g.json")}));
    const auto command = asked({"rank", model, "--scores", file("g.json"), "--measures", file("all.json")});
    const Json json = run(command);
    EXPECT_EQ(json.at("maps"), 8);
    const Json &ranks = json.at("rows").front().at("ranks");
    ASSERT_EQ(ranks.size(), 2u);
    EXPECT_EQ(ranks[0].at("rank_by_loss"), 1); // the same questions: the first layer that greedy takes is the best one
    EXPECT_EQ(ranks[0].at("of"), 3);
    EXPECT_EQ(run(command), json); // from the file
}

TEST_F(FindingCommands, ParetoWritesMapsThatNoOtherBeats)
{
    run(asked({"score", model, "--method", "ablation", "--out", file("a.json")}));
    std::vector<std::string> command = asked({"pareto", model, "--scores", file("a.json"), "--maps", file("maps")});
    const Json json = run(command);
    ASSERT_EQ(json.at("points").size(), 4u); // 0 to 3 layers
    int written = 0;
    for (const Json &point : json.at("points")) {
        EXPECT_GT(point.at("predicted_ms").get<double>(), 0.0);
        if (point.at("pareto")) {
            ++written;
            ASSERT_TRUE(readHeadMap(point.at("map").get<std::string>()));
        }
    }
    EXPECT_GE(written, 1);
    EXPECT_EQ(json.at("points").front().at("loss"), 0.0);
}

} // namespace
} // namespace zigzag
