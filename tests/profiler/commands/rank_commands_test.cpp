// SPDX-License-Identifier: GPL-3.0-or-later
// Several GPUs as the real program is asked for them: traces, sweeps, links and plans, over shares of the processor.
#include "engine/base/files.h"
#include "engine/map/map_io.h"
#include "profiler/trace/trace_file.h"
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using nlohmann::json;

class RankCommands : public testing::Test
{
protected:
    void SetUp() override
    {
        model = test::writeTinyModel(folder / "model").string();
        HeadMap map(ModelShape{"mixed", 2, 4, 2, 8, {}}, HeadKind::Retrieval, 4, 16);
        map.set(0, 1, HeadKind::Streaming);
        mixed = at("mixed.json");
        ASSERT_TRUE(writeHeadMap(map, mixed));
    }

    std::string at(const char *name) const { return (folder / name).string(); }
    static json parsed(const test::ProgramResult &result)
    {
        EXPECT_EQ(result.code, 0) << result.errors;
        return json::parse(result.output, nullptr, false);
    }
    static std::string refusal(std::vector<std::string> arguments)
    {
        const auto result = test::runZigzag(arguments);
        EXPECT_EQ(result.code, 2) << result.output;
        EXPECT_EQ(test::refusalFault(result, 2), "");
        return result.errors;
    }

    test::TempFolder folder;
    std::string model, mixed;
};

TEST_F(RankCommands, ATraceHasARowForEachRankAndSaysWhatTheyWait)
{
    std::vector<std::string> asked{"trace", model,     "--map",     mixed, "--context", "48", "--steps", "3",
                                   "--by",  "op-rank", "--backend", "cpu", "--gpus",    "2",  "--out",   at("ranks.json")};
    const auto table = test::runZigzag(asked);
    EXPECT_EQ(table.code, 0) << table.errors;
    for (const char *part :
         {"waiting ms", "exchange ms", "attention · rank 1", "rank 0: ", "waiting for other ranks", "collectives"})
        EXPECT_NE(table.output.find(part), std::string::npos) << part << " in\n" << table.output;
    for (const char *word : {"-o", "json", "--format", "zigzag"})
        asked.emplace_back(word);
    const json traced = parsed(test::runZigzag(asked));
    EXPECT_EQ(traced["gpus"], 2);
    EXPECT_EQ(traced["collectives"], 2 * 3 * (2 * 2 + 1)) << "two ranks, three steps, two sums a layer and the logits";
    EXPECT_EQ(traced["rows"][0].contains("rank"), true);
    const auto read = readTrace(at("ranks.json"));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->info.gpus, 2);
    EXPECT_EQ(read->rows, (std::vector<std::string>{"rank 0", "rank 1"}));
    EXPECT_NE(refusal({"trace", model, "--map", mixed, "--map", "full", "--context", "48", "--backend", "cpu", "--gpus", "2"})
                  .find("leave --gpus out"),
              std::string::npos);
}

TEST_F(RankCommands, ASweepIsOfOneNumberOfGpusAndOneDeal)
{
    const auto sweep = [&](const char *contexts, const char *gpus, const char *deal) {
        return std::vector<std::string>{
            "bench",  model, "--map",  mixed, "--phase", "decode",         "--repeats", "2",    "--backend",  "cpu",
            "--gpus", gpus,  "--deal", deal,  "--sweep", at("sweep.json"), "-o",        "json", "--contexts", contexts};
    };
    EXPECT_EQ(parsed(test::runZigzag(sweep("32", "2", "order")))["records"].size(), 1u);
    const json more = parsed(test::runZigzag(sweep("32,64", "2", "order")));
    EXPECT_EQ(more["records"].size(), 2u) << "it goes on";
    const json kept = json::parse(*readTextFile(at("sweep.json")));
    EXPECT_EQ(kept["settings"]["gpus"], 2);
    EXPECT_EQ(kept["settings"]["deal"], "order");
    EXPECT_NE(refusal(sweep("32,64", "1", "order")).find("on 2 GPUs, heads dealt by order, and not on 1"), std::string::npos);
    EXPECT_NE(refusal(sweep("32,64", "2", "balance")).find("and not on 2 by balance of "), std::string::npos);
}

TEST_F(RankCommands, LinksAreMeasuredKeptAndNamed)
{
    const auto calibrated = test::runZigzag({"calibrate", model, "--out", at("machine.json"), "--seconds", "0.1", "--context",
                                             "64", "--backend", "cpu", "--gpus", "2"});
    ASSERT_EQ(calibrated.code, 0) << calibrated.errors;
    EXPECT_NE(calibrated.output.find("link measured between 2 shares of"), std::string::npos) << calibrated.output;
    const auto predict = [&](std::vector<std::string> more) {
        std::vector<std::string> asked{"predict", model, "--map", mixed, "--contexts", "64", "--gpus", "2", "-o", "json"};
        asked.insert(asked.end(), more.begin(), more.end());
        return parsed(test::runZigzag(asked));
    };
    const std::vector<std::string> profile{"--profile", at("machine.json")};
    const json measured = predict(profile),
               given = predict({"--profile", at("machine.json"), "--link-us", "0", "--link-gbps", "1000"});
    EXPECT_EQ(measured["link"], "measured");
    EXPECT_EQ(given["link"], "given");
    EXPECT_GT(measured["records"][0]["all_reduce_ms"], given["records"][0]["all_reduce_ms"]) << "threads do not meet in no time";
    const auto told
        = test::runZigzag({"predict", model, "--map", mixed, "--contexts", "64", "--gpus", "2", "--profile", at("machine.json")});
    EXPECT_NE(told.output.find("2 GPUs, link measured between 2 shares of"), std::string::npos) << told.output;
    // Without a profile the ranks at hand are measured.
    EXPECT_EQ(predict({"--seconds", "0.1", "--backend", "cpu"})["link"], "measured");
    ASSERT_EQ(test::runZigzag({"calibrate", model, "--out", at("plain.json"), "--seconds", "0.1", "--context", "64"}).code, 0);
    EXPECT_EQ(predict({"--profile", at("plain.json")})["link"], "assumed");

    const json planned = parsed(test::runZigzag(
        {"plan", model, "--map", mixed, "--contexts", "64", "--gpus", "1,2", "--profile", at("machine.json"), "-o", "json"}));
    EXPECT_EQ(planned["link"]["2"], "measured");
    EXPECT_EQ(planned["records"][0]["gpus"][0]["link_ms"], 0);
    EXPECT_GT(planned["records"][0]["gpus"][1]["link_ms"], 0);
}

TEST_F(RankCommands, PredictionsForSeveralAreHeldAgainstSeveral)
{
    const auto held = test::runZigzag({"predict",   model,       "--map", "full",       "--contexts", "64",        "--phase",
                                       "decode",    "--gpus",    "2",     "--backend",  "cpu",        "--seconds", "0.1",
                                       "--measure", "--repeats", "2",     "--patience", "0",          "-o",        "json"});
    const json points = parsed(held);
    EXPECT_GT(points["records"][0]["median_ms"], 0);
    EXPECT_NE(held.errors.find("shares of one processor"), std::string::npos) << held.errors;
}

TEST_F(RankCommands, PlansSayWhatEnginesRunOnSeveralHosts)
{
    const std::vector<std::string> asked{"plan", "preset:llama-3-8b", "--map", "streaming", "--contexts", "8192", "--gpus",
                                         "4,16"};
    const auto table = test::runZigzag(asked);
    ASSERT_EQ(table.code, 0) << table.errors;
    for (const char *part : {"vllm serve on 4 GPUs: --tensor-parallel-size 4\n",
                             "vllm serve on 16 GPUs, host 2 of 2: --tensor-parallel-size 8 --pipeline-parallel-size 2 --nnodes 2 "
                             "--node-rank 1 --master-addr HOST --headless\n",
                             "sglang.launch_server on 16 GPUs, host 1 of 2: --tp-size 8 --pp-size 2 --nnodes 2 --node-rank 0 "
                             "--dist-init-addr HOST:20000\n",
                             "link assumed at 250 GB/s"})
        EXPECT_NE(table.output.find(part), std::string::npos) << part << " in\n" << table.output;
    std::vector<std::string> asJson = asked;
    asJson.insert(asJson.end(), {"-o", "json"});
    const json served = parsed(test::runZigzag(asJson))["records"][0]["served_gpus"];
    ASSERT_EQ(served.size(), 2u);
    EXPECT_EQ(served[1]["tensor_parallel"], 8);
    EXPECT_EQ(served[1]["pipeline_parallel"], 2);
    EXPECT_EQ(served[1]["rank_kv_bytes"].size(), 16u);
    EXPECT_EQ(served[1]["vllm"].size(), 2u);

    // Three hosts share no layer, but each may have a third of them.
    const auto hosts = test::runZigzag({"plan", "preset:llama-3-8b", "--map", "streaming", "--contexts", "8192", "--gpus", "24"});
    EXPECT_EQ(hosts.code, 0) << hosts.errors;
    EXPECT_NE(hosts.output.find("--tensor-parallel-size 8 --pipeline-parallel-size 3 --nnodes 3"), std::string::npos);

    ASSERT_EQ(test::runZigzag({"export", "streaming", "--format", "vllm", "--model", "preset:llama-3-8b", "--gpus", "16", "--out",
                               at("serve.sh")})
                  .code,
              0);
    const std::string script = *readTextFile(at("serve.sh"));
    EXPECT_NE(script.find("--node-rank 1 --master-addr HOST --headless"), std::string::npos) << script;
    EXPECT_NE(
        refusal({"export", "streaming", "--format", "mlx-lm", "--model", "preset:llama-3-8b", "--gpus", "2", "--out", at("x")})
            .find("--gpus is for the commands"),
        std::string::npos);
    EXPECT_NE(
        refusal({"export", "streaming", "--format", "vllm", "--model", "preset:llama-3-8b", "--gpus", "12", "--out", at("x")})
            .find("do not fill hosts"),
        std::string::npos);
}

} // namespace
} // namespace zigzag
