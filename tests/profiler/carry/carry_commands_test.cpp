// SPDX-License-Identifier: GPL-3.0-or-later
// `--as-engine granite-swa`, and the export whose folder it stands for.
#include "engine/base/files.h"
#include "engine/map/map_io.h"
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>

namespace zigzag {
namespace {

namespace fs = std::filesystem;

/// A small random model, a map whose second layer streams, and 100 tokens; contexts of 2048, which the calibration asks for.
class CarryCommands : public testing::Test
{
protected:
    void SetUp() override
    {
        m_model = test::writeTinyModel(path("model"), {.layers = 3, .maxContext = 2048}).string();
        HeadMap map({"m", 3, 4, 2, 8, {}}, HeadKind::Retrieval, 4, 24);
        map.setLayer(1, HeadKind::Streaming);
        ASSERT_TRUE(writeHeadMap(map, path("map.json")));
        std::string tokens;
        std::mt19937 random(5);
        for (int i = 0; i < 100; ++i)
            tokens += std::to_string(random() % 250) + " ";
        ASSERT_TRUE(writeFileAtomically(path("tokens.txt"), tokens));
    }

    std::string path(const std::string &name) const { return (m_folder.path() / name).string(); }

    test::ProgramResult run(const std::vector<std::string> &arguments) const { return test::runZigzag(arguments); }

    /// The logits file of a model.
    std::string logits(const std::string &model, std::vector<std::string> more) const
    {
        std::vector<std::string> arguments{"logits", model, "--tokens", path("tokens.txt"), "--out", path("logits.npy")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto result = run(arguments);
        EXPECT_EQ(result.code, 0) << result.errors;
        return readTextFile(path("logits.npy")).value_or("");
    }

    test::TempFolder m_folder;
    std::string m_model;
};

TEST_F(CarryCommands, AsEngineIsWhatTheExportedFolderRuns)
{
    const auto exported = run({"export", path("map.json"), "--format", "granite-swa", "--model", m_model, "--out", path("out")});
    ASSERT_EQ(exported.code, 0) << exported.errors;
    const std::vector<std::string> asEngine{"--map", path("map.json"), "--as-engine", "granite-swa"};
    const std::string folder = logits(path("out"), {}), here = logits(m_model, asEngine);
    EXPECT_FALSE(folder.empty());
    EXPECT_TRUE(folder == here) << "calibrated on the spot as the export calibrates";
    auto from = asEngine;
    from.insert(from.end(), {"--stand-ins", path("out")});
    EXPECT_TRUE(folder == logits(m_model, from));
    EXPECT_FALSE(folder == logits(m_model, {"--map", path("map.json")}));
}

TEST_F(CarryCommands, ExportSaysWhatItCostsAndFits)
{
    std::string text;
    for (int i = 0; i < 60; ++i)
        text += "line " + std::to_string(i * i) + " of a text that repeats itself; ";
    ASSERT_TRUE(writeFileAtomically(path("text.txt"), text));
    const auto result = run({"export", path("map.json"), "--format", "granite-swa", "--model", m_model, "--out", path("out"),
                             "--text", path("text.txt"), "--fit", "--steps", "3", "--weigh-inside", "0.5", "-o", "json"});
    ASSERT_EQ(result.code, 0) << result.errors;
    const auto json = nlohmann::json::parse(result.output);
    EXPECT_EQ(json["fit_steps"], 3);
    for (const char *where : {"inside", "beyond"})
        for (const char *which : {"quality", "calibrated"}) {
            EXPECT_GT(json[which][where]["kl"], 0) << which << ' ' << where;
            EXPECT_LE(json[which][where]["same_top"], 1) << which << ' ' << where;
        }
    EXPECT_EQ(json["quality"]["inside"]["positions"], 24 - 8);
    EXPECT_GT(json["window_alone"]["beyond"]["kl"], 0);
    EXPECT_NE(result.errors.find("inside the window: KL "), std::string::npos) << result.errors;
    EXPECT_NE(result.errors.find("window alone: KL "), std::string::npos) << result.errors;
    EXPECT_NE(readTextFile(path("out/README.md")).value_or("").find("inside the window: KL "), std::string::npos);
    // What was fitted is what the folder runs.
    EXPECT_FALSE(logits(path("out"), {}).empty());
    EXPECT_EQ(test::refusalFault(run({"export", path("map.json"), "--format", "vllm", "--out", path("no"), "--fit"}), 2), "");
}

TEST_F(CarryCommands, EveryCommandThatRunsAMapTakesAnEngine)
{
    const std::vector<std::string> engine{"--map", path("map.json"), "--as-engine", "granite-swa"};
    const auto with = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), engine.begin(), engine.end());
        return run(arguments);
    };
    const auto needle
        = with({"eval", m_model, "--task", "needle", "--contexts", "100", "--depths", "0", "--trials", "1", "-o", "json"});
    ASSERT_EQ(needle.code, 0) << needle.errors;
    EXPECT_NE(needle.errors.find("a window of 24 tokens in 1 of 3 layers"), std::string::npos) << needle.errors;
    EXPECT_NE(needle.errors.find("calibrated here"), std::string::npos) << needle.errors;
    EXPECT_TRUE(nlohmann::json::parse(needle.output).contains("full_accuracy"));
    ASSERT_TRUE(writeFileAtomically(path("text.txt"), std::string(300, 'a') + "and so on"));
    const auto perplexity
        = with({"eval", m_model, "--task", "perplexity", "--text", path("text.txt"), "--contexts", "200", "-o", "json"});
    ASSERT_EQ(perplexity.code, 0) << perplexity.errors;
    const auto plain = run({"eval", m_model, "--task", "perplexity", "--text", path("text.txt"), "--contexts", "200", "-o",
                            "json", "--map", path("map.json")});
    const auto mine = nlohmann::json::parse(perplexity.output), own = nlohmann::json::parse(plain.output);
    EXPECT_EQ(mine["full_perplexity"], own["full_perplexity"]) << "full attention is the model's, without stand-ins";
    EXPECT_NE(mine["perplexity"], own["perplexity"]);
    const auto generated = with({"generate", m_model, "--prompt", "abc", "--max-new", "2"});
    EXPECT_EQ(generated.code, 0) << generated.errors;
    const auto bench = with({"bench", m_model, "--contexts", "64", "--repeats", "1", "--phase", "prefill", "-o", "json"});
    ASSERT_EQ(bench.code, 0) << bench.errors;
    EXPECT_NE(bench.output.find("as granite-swa"), std::string::npos) << bench.output;
    EXPECT_NE(with({"eval", m_model, "--task", "distill"}).code, 0);
}

TEST_F(CarryCommands, StandInsOfAnotherMapOrModelAreRefused)
{
    ASSERT_EQ(run({"export", path("map.json"), "--format", "granite-swa", "--model", m_model, "--out", path("out")}).code, 0);
    HeadMap other({"m", 3, 4, 2, 8, {}}, HeadKind::Retrieval, 4, 24);
    other.setLayer(2, HeadKind::Streaming);
    ASSERT_TRUE(writeHeadMap(other, path("other.json")));
    const auto refusal = [&](const std::string &model, const std::string &map, const std::string &folder) {
        const auto result
            = run({"generate", model, "--prompt", "a", "--map", map, "--as-engine", "granite-swa", "--stand-ins", folder});
        EXPECT_EQ(test::refusalFault(result, 2), "");
        return result.errors;
    };
    EXPECT_NE(refusal(m_model, path("other.json"), path("out")).find("layer 1 has a window of 24"), std::string::npos);
    EXPECT_NE(refusal(m_model, path("map.json"), m_model).find("is a llama"), std::string::npos);
    const std::string stranger = test::writeTinyModel(path("stranger"), {.layers = 3, .maxContext = 2048, .seed = 2}).string();
    EXPECT_NE(refusal(stranger, path("map.json"), path("out")).find("another model"), std::string::npos);
    EXPECT_EQ(
        test::refusalFault(run({"generate", m_model, "--prompt", "a", "--map", path("map.json"), "--stand-ins", path("out")}), 2),
        "");
}

} // namespace
} // namespace zigzag
