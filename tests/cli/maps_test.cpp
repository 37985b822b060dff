// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "tests/cli/run_program.h"
#include "tests/paths.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

class Maps : public testing::Test
{
protected:
    std::string write(const std::string &name, const std::string &content)
    {
        std::ofstream(m_folder / name, std::ios::binary) << content;
        return (m_folder / name).string();
    }
    std::string path(const std::string &name) const { return (m_folder / name).string(); }
    std::string content(const std::string &name) const
    {
        std::ifstream file(m_folder / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    test::TempFolder m_folder;
};

TEST_F(Maps, AssignWritesTheMapAndReportsWhatItCost)
{
    const std::string in = write("gates.tsv", "0\t0.95\n-0.5\t0.25\n1\t1\n1\t0.5\n");
    const auto result = test::runZigzag({"assign", in, "--criterion", "zigzag", "--sparsity", "0.5", "--sink", "4", "--recent",
                                         "12", "--out", path("map.json"), "-o", "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const auto json = nlohmann::json::parse(result.output);
    EXPECT_EQ(json["streaming_heads"], 4);
    EXPECT_EQ(json["mixed_layers"], 0);
    EXPECT_EQ(json["flipped"], 2); // duo streams 0-0, 1-0, 1-1 and 3-1
    EXPECT_EQ(json["demoted"], 1);
    EXPECT_EQ(json["ties"], 0);
    EXPECT_NEAR(json["transport_cost"].get<double>(), 0.95 + 0.25 + 0.5, 1e-6);
    ASSERT_EQ(json["layers"].size(), 4u);
    EXPECT_EQ(json["layers"][0]["kind"], "streaming");
    EXPECT_EQ(json["layers"][0]["demoted"], 1);
    EXPECT_EQ(json["layers"][3]["kind"], "retrieval");
    EXPECT_EQ(json["layers"][3]["flipped"], 1);
    EXPECT_NE(result.errors.find("1 of 8 scores were clipped"), std::string::npos);

    const auto map = readHeadMap(m_folder / "map.json");
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->oneWindow(), (StreamingWindow{4, 12}));
    EXPECT_EQ(map->provenance().criterion, "zigzag");
    EXPECT_EQ(map->provenance().scores, "duo-attention");
    EXPECT_NE(content("map.json").find("\n  \"SS\",\n  \"SS\",\n  \"RR\",\n  \"RR\"]"), std::string::npos);
}

TEST_F(Maps, AssignByPlaceNeedsNoScores)
{
    const auto assign = [&](std::vector<std::string> more) {
        std::vector<std::string> words{"assign", "--out", path("map.json")};
        words.insert(words.end(), more.begin(), more.end());
        return test::runZigzag(words);
    };
    const auto made = assign({"--pattern", "every:2,first:1", "--model", "bundled:zigzag-tiny", "--sink", "4", "--recent", "12"});
    ASSERT_EQ(made.code, 0) << made.errors;
    EXPECT_NE(made.output.find("pattern every:2,first:1"), std::string::npos) << made.output;
    const auto map = readHeadMap(m_folder / "map.json");
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->layerKind(0), LayerKind::Retrieval);
    EXPECT_EQ(map->layerKind(1), LayerKind::Retrieval);
    EXPECT_EQ(map->layerKind(2), LayerKind::Streaming);
    EXPECT_EQ(map->oneWindow(), (StreamingWindow{4, 12}));
    const auto json = assign({"--pattern", "last:1", "--model", "bundled:zigzag-tiny", "-o", "json"});
    ASSERT_EQ(json.code, 0) << json.errors;
    EXPECT_EQ(nlohmann::json::parse(json.output)["layers"][0]["kind"], "streaming");
    for (const auto &[words, what] :
         {std::pair(std::vector<std::string>{"--pattern", "last:1"}, "add --model"),
          std::pair(std::vector<std::string>{"--pattern", "last:1", "--model", "bundled:zigzag-tiny", "--criterion", "duo"},
                    "leave"),
          std::pair(std::vector<std::string>{"--pattern", "odd", "--model", "bundled:zigzag-tiny"}, "every:N"),
          std::pair(std::vector<std::string>{"--sparsity", "0.5"}, "give SCORES and --criterion"),
          std::pair(std::vector<std::string>{"--pattern", "last:1", "--sparsity", "0.5"}, "--help")}) {
        const auto refused = assign(words);
        EXPECT_EQ(test::refusalFault(refused, 2), "") << what;
        EXPECT_NE(refused.errors.find(what), std::string::npos) << refused.errors;
    }
}

TEST_F(Maps, AssignPrintsATable)
{
    const std::string in = write("gates.tsv", "1\t1\n1\t0.5\n");
    const auto result = test::runZigzag({"assign", in, "--criterion", "duo", "--sparsity", "0.25", "--out", path("map.json")});
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_NE(result.output.find("1 of 4 KV heads stream, 1 of 2 layers are mixed, 0 ties at the cut"), std::string::npos)
        << result.output;
}

TEST_F(Maps, AssignSpeaksOfTheLayersThatCanBeMapped)
{
    const std::string model = test::sourceDir() + "/tests/fixtures/goldens/granite-swa";
    const std::string in = write("gates.tsv", "1\t0.5\n0\t0\n0.25\t0.25\n"); // layer 1 has a window of its own
    const auto assign = [&](std::vector<std::string> more) {
        std::vector<std::string> words{"assign", in, "--criterion", "zigzag", "--model", model, "--out", path("map.json")};
        words.insert(words.end(), more.begin(), more.end());
        return test::runZigzag(words);
    };
    const auto table = assign({"--sparsity", "0.5"});
    ASSERT_EQ(table.code, 0) << table.errors;
    EXPECT_EQ(table.output,
              "layer  kind       streaming  flipped  demoted  transport cost  ties\n"
              "    0  retrieval          0        0        0           0.500     0\n"
              "    1  local              0        0        0           0.000     0\n"
              "    2  streaming          2        0        0           0.500     0\n"
              "total                     2        0        0           1.000     0\n"
              "2 of 4 KV heads stream, 0 of 2 layers are mixed, 0 ties at the cut\n"
              "2 of 3 layers can be mapped; 1 are local by the model's own file and keep their window\n");
    EXPECT_NE(content("map.json").find("{\"heads\": \"L\"}"), std::string::npos) << content("map.json");
    const auto json = nlohmann::json::parse(assign({"--layers", "2", "-o", "json"}).output);
    EXPECT_EQ(json["heads"], 4);
    EXPECT_EQ(json["local_layers"], 1);
    EXPECT_EQ(json["sparsity"], 1.0);
    EXPECT_EQ(json["layers"][1]["kind"], "local");
    for (const auto &[words, says] :
         {std::pair(std::vector<std::string>{"--layers", "3"}, "3 streaming layers of 2 that a map decides"),
          {{"--sparsity", "0.5", "--lock-retrieval", "1"}, "locked layer 1: it is local"}}) {
        const auto refused = assign(words);
        EXPECT_EQ(refused.code, 2);
        EXPECT_NE(refused.errors.find(says), std::string::npos) << refused.errors;
    }
    // What was written is the model's; a file of version 1 is read with a note; a map that contradicts the model is refused.
    const auto plan = [&](const std::string &map, const std::string &of) {
        return test::runZigzag({"plan", of, "--map", map, "--contexts", "64"});
    };
    EXPECT_EQ(plan(path("map.json"), model).code, 0);
    EXPECT_EQ(plan(path("map.json"), model).errors.find("whatever the map says"), std::string::npos);
    const auto noted = plan(model + "/map.json", model);
    EXPECT_EQ(noted.code, 0) << noted.errors;
    EXPECT_NE(noted.errors.find("1 of 3 layers keep the window of the model's own file, whatever the map says of them"),
              std::string::npos)
        << noted.errors;
    const auto other = plan(path("map.json"), test::sourceDir() + "/tests/fixtures/goldens/qwen3-moe");
    EXPECT_EQ(other.code, 2);
    EXPECT_NE(other.errors.find("layer 1 is \"L\""), std::string::npos) << other.errors;
}

TEST_F(Maps, AssignMeetsBudgetsAndSaysHowFarTheyAre)
{
    const std::string model = test::writeTinyModel(m_folder / "model").string(); // 2 layers, 2 KV heads of 8, F32
    const std::string in = write("gates.tsv", "0.2\t0.3\n0.9\t1\n");
    const auto assign = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(),
                         {"assign", in, "--criterion", "zigzag", "--sink", "2", "--recent", "6", "--model", model, "--out",
                          path("map.json"), "-o", "json"});
        return test::runZigzag(arguments);
    };
    // A layer takes 128 bytes for each of 100 tokens, or of 8.
    const auto met = assign({"--kv-budget", "20000", "--context", "100"});
    ASSERT_EQ(met.code, 0) << met.errors;
    EXPECT_EQ(nlohmann::json::parse(met.output)["layers"][0]["kind"], "streaming");
    EXPECT_EQ(nlohmann::json::parse(met.output)["mixed_layers"], 0);
    const auto locked = assign({"--kv-budget", "20000", "--context", "100", "--lock-retrieval", "0"});
    ASSERT_EQ(locked.code, 0) << locked.errors;
    EXPECT_EQ(nlohmann::json::parse(locked.output)["layers"][1]["kind"], "streaming");
    EXPECT_EQ(readHeadMap(m_folder / "map.json")->provenance().criterion,
              "zigzag with locked layers, 20000 KV bytes at 100 tokens");
    std::filesystem::remove(m_folder / "map.json");
    const auto far = assign({"--kv-budget", "1KiB", "--context", "100"});
    EXPECT_EQ(test::refusalFault(far, 2), "");
    EXPECT_NE(far.errors.find("the best map takes 2048 bytes, 1024 more"), std::string::npos) << far.errors;
    const auto slow = assign({"--tpot-budget", "0.000001", "--context", "64"});
    EXPECT_EQ(slow.code, 2);
    EXPECT_NE(slow.errors.find("the best map takes"), std::string::npos) << slow.errors;
    EXPECT_FALSE(std::filesystem::exists(m_folder / "map.json"));
    const auto easy = assign({"--tpot-budget", "10000", "--context", "64"});
    ASSERT_EQ(easy.code, 0) << easy.errors;
    EXPECT_EQ(nlohmann::json::parse(easy.output)["streaming_heads"], 0);
    for (const std::vector<std::string> &bad : {std::vector<std::string>{},
                                                {"--layers", "1", "--sparsity", "0.5"},
                                                {"--kv-budget", "100"},
                                                {"--layers", "3"},
                                                {"--layers", "1", "--lock-streaming", "2"},
                                                {"--layers", "1", "--lock-streaming", "0", "--lock-retrieval", "0"},
                                                {"--kv-budget", "-5", "--context", "10"},
                                                {"--kv-budget", "lots", "--context", "10"}})
        EXPECT_EQ(test::refusalFault(assign(bad), 2), "") << testing::PrintToString(bad);
}

TEST_F(Maps, CriteriaAreComparedOnTheSameScores)
{
    const std::string in = write("gates.tsv", "0\t0.95\n0.5\t0.5\n");
    const auto result = test::runZigzag({"criteria", in, "--sparsity", "0.5", "-o", "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const auto rows = nlohmann::json::parse(result.output);
    ASSERT_EQ(rows.size(), 5u);
    for (const auto &row : rows) {
        EXPECT_EQ(row["streaming_heads"], 2);
        if (row["criterion"] == "zigzag") {
            EXPECT_EQ(row["demoted"], 1);
        }
        if (row["criterion"] == "zigzag-strong") {
            EXPECT_EQ(row["demoted"], 0);
            EXPECT_EQ(row["mixed_layers"], 0);
        }
    }
    const auto table = test::runZigzag({"criteria", in, in});
    EXPECT_EQ(std::count(table.output.begin(), table.output.end(), '\n'), 2 + 2 * 3 * 5) << table.output;
    EXPECT_EQ(test::refusalFault(test::runZigzag({"criteria", path("none.tsv")}), 2), "");
}

TEST_F(Maps, AssignFoldsQueryHeadsAsTheModelHasThem)
{
    const std::string model = test::writeTinyModel(m_folder / "model").string(); // 2 layers, 4 query heads, 2 KV heads
    const std::string in = write("heads.json", R"({"0-0": [0.6], "0-1": [0], "0-2": [0.4], "0-3": [0.4],
                                                  "1-0": [1], "1-1": [1], "1-2": [1], "1-3": [1]})");
    for (const auto &[fold, row] : {std::pair{"max", "RS"}, {"mean", "SR"}}) {
        const auto result = test::runZigzag({"assign", in, "--model", model, "--fold", fold, "--criterion", "duo", "--sparsity",
                                             "0.25", "--out", path("map.json")});
        ASSERT_EQ(result.code, 0) << result.errors;
        const auto map = readHeadMap(m_folder / "map.json");
        ASSERT_TRUE(map) << map.error().message;
        EXPECT_EQ(map->model().headDim, 8);
        EXPECT_EQ(map->at(0, 0), row[0] == 'R' ? HeadKind::Retrieval : HeadKind::Streaming) << fold;
        EXPECT_EQ(map->at(0, 1), row[1] == 'R' ? HeadKind::Retrieval : HeadKind::Streaming) << fold;
    }
}

TEST_F(Maps, ExportToDuoAttentionComesBackAsTheSameHeads)
{
    HeadMap map({"m", 3, 4, 2, 8, {}}, HeadKind::Retrieval, 16, 64);
    map.setLayer(1, HeadKind::Streaming);
    map.set(2, 0, HeadKind::Streaming);
    ASSERT_TRUE(writeHeadMap(map, m_folder / "map.json"));
    for (int time = 0; time < 2; ++time) { // the second export replaces the first
        const auto result = test::runZigzag({"export", path("map.json"), "--format", "duo-attention", "--out", path("duo")});
        ASSERT_EQ(result.code, 0) << result.errors;
        EXPECT_NE(result.errors.find("one key more"), std::string::npos) << result.errors;
    }
    EXPECT_EQ(content("duo/full_attention_heads.tsv"),
              "1.000000000000000000e+00\t1.000000000000000000e+00\n"
              "0.000000000000000000e+00\t0.000000000000000000e+00\n"
              "0.000000000000000000e+00\t1.000000000000000000e+00\n");
    EXPECT_EQ(nlohmann::json::parse(content("duo/config.json")), nlohmann::json({{"sink_size", 16}, {"recent_size", 64}}));
    const auto back = readHeadScores(m_folder / "duo");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->scores, (std::vector<float>{1, 1, 0, 0, 0, 1}));
}

TEST_F(Maps, CompareNamesWhatDiffersAndWhatItCosts)
{
    const std::string scores = write("gates.tsv", "0.95\t0.1\n0.2\t0.3\n");
    HeadMap a({"m", 2, 4, 2, 8, {}}, HeadKind::Retrieval, 2, 6), b = a;
    a.setLayer(0, HeadKind::Streaming);
    b.set(0, 1, HeadKind::Streaming);
    ASSERT_TRUE(writeHeadMap(a, m_folder / "a.json") && writeHeadMap(b, m_folder / "b.json"));
    const auto result
        = test::runZigzag({"compare", path("a.json"), path("b.json"), "--scores", scores, "--context", "100", "-o", "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const auto json = nlohmann::json::parse(result.output);
    EXPECT_EQ(json["heads"], 1);
    ASSERT_EQ(json["layers"].size(), 1u);
    EXPECT_EQ(json["layers"][0]["heads"], nlohmann::json::array({0}));
    EXPECT_EQ(json["layers"][0]["a"]["kv_bytes"], 2 * 8 * 32);
    EXPECT_EQ(json["layers"][0]["b"]["kv_bytes"], (100 + 8) * 32);
    EXPECT_EQ(json["layers"][0]["a"]["demoted"], 1);
    EXPECT_EQ(json["layers"][0]["b"]["demoted"], 0);
    const auto table = test::runZigzag({"compare", path("a.json"), path("b.json")});
    EXPECT_NE(table.output.find("1 of 2 layers and 1 of 4 heads differ"), std::string::npos) << table.output;
    EXPECT_EQ(test::refusalFault(test::runZigzag({"compare", path("a.json"), scores}), 2), "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"compare", path("a.json"), path("none")}), 2), "");
}

TEST_F(Maps, VerdictsArePrintedAndNothingIsWritten)
{
    HeadMap map({"m", 2, 4, 2, 8, {}}, HeadKind::Retrieval, 2, 6);
    map.set(0, 1, HeadKind::Streaming);
    ASSERT_TRUE(writeHeadMap(map, m_folder / "map.json"));
    const auto result = test::runZigzag({"export", path("map.json"), "--verdicts", "-o", "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    int possible = 0;
    for (const auto &row : nlohmann::json::parse(result.output)) {
        possible += row["possible"].get<bool>();
        if (row["format"] == "vllm") {
            EXPECT_EQ(row["heads_lost"], 1);
            EXPECT_EQ(row["sinks_kept"], false);
        }
    }
    EXPECT_EQ(possible, 6);
    EXPECT_EQ(test::refusalFault(test::runZigzag({"export", path("map.json"), "--format", "llama.cpp", "--out", path("out")}), 2),
              "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"export", path("map.json")}), 2), "");
    EXPECT_FALSE(std::filesystem::exists(m_folder / "out"));
}

TEST_F(Maps, AMapIsEvaluatedAndPlannedAsAnEngineRunsIt)
{
    const std::string model = test::writeTinyModel(m_folder / "model").string();
    HeadMap map({"m", 2, 4, 2, 8, {}}, HeadKind::Retrieval, 2, 6);
    map.set(0, 1, HeadKind::Streaming);
    map.setLayer(1, HeadKind::Streaming);
    ASSERT_TRUE(writeHeadMap(map, m_folder / "map.json"));
    const auto eval = test::runZigzag({"eval", model, "--map", path("map.json"), "--task", "needle", "--as-engine", "vllm",
                                       "--contexts", "100", "--depths", "0", "--trials", "1", "-o", "json"});
    ASSERT_EQ(eval.code, 0) << eval.errors;
    EXPECT_NE(eval.errors.find("as vllm runs it: sink 0, recent 6, 2 of 4 KV heads stream (3 in the map)"), std::string::npos)
        << eval.errors;
    EXPECT_EQ(test::refusalFault(test::runZigzag({"eval", model, "--map", path("map.json"), "--task", "needle", "--as-engine",
                                                  "llama.cpp", "--contexts", "100", "--trials", "1"}),
                                 2),
              "");
    const auto plan
        = test::runZigzag({"plan", model, "--map", path("map.json"), "--contexts", "64", "--gpus", "1,2", "-o", "json"});
    ASSERT_EQ(plan.code, 0) << plan.errors;
    const auto json = nlohmann::json::parse(plan.output)["records"][0];
    EXPECT_EQ(json["kv_bytes"], 2 * 8 * 4 * (64 + 3 * 8));
    ASSERT_EQ(json["gpus"].size(), 2u);
    EXPECT_EQ(json["gpus"][1]["ranks"].size(), 2u);
    EXPECT_GT(json["gpus"][1]["memory_imbalance"], 1.0);
    ASSERT_EQ(json["engines"][0]["engine"], "vLLM");
    // One layer of each kind; a window of 6 may touch two blocks of 16, and what is in flight as many as there are and one.
    EXPECT_EQ(json["engines"][0]["decoding_bytes"], 2 * 2 * 8 * 4 * (64 + 32));
    EXPECT_EQ(json["engines"][0]["admitted_bytes"], 2 * 2 * 8 * 4 * (64 + 64 + 16));
    EXPECT_EQ(test::runZigzag({"plan", model, "--map", "full"}).code, 0);
    EXPECT_EQ(test::refusalFault(test::runZigzag({"plan", model, "--map", "full", "--gpus", "3"}), 2), "");
}

TEST_F(Maps, ExportOfAHeadMapIsTheMap)
{
    HeadMap map({"m", 2, 4, 2, 8, "sha256:aa"}, HeadKind::Streaming, 16, 64);
    ASSERT_TRUE(writeHeadMap(map, m_folder / "map.json"));
    const auto result = test::runZigzag({"export", path("map.json"), "--format", "head-map", "--out", path("copy.json")});
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_EQ(content("copy.json"), content("map.json"));

    const std::string model = test::writeTinyModel(m_folder / "model").string();
    const auto full = test::runZigzag({"export", "full", "--model", model, "--format", "head-map", "--out", path("full.json")});
    ASSERT_EQ(full.code, 0) << full.errors;
    const auto read = readHeadMap(m_folder / "full.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->streamingHeads(), 0);
    EXPECT_EQ(read->layers(), 2);
}

} // namespace
} // namespace zigzag
