// SPDX-License-Identifier: GPL-3.0-or-later
// bench, eval, score and report as the real program runs them, on a random model.
#include "engine/base/files.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "profiler/trace/trace_file.h"
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using nlohmann::json;

class Commands : public testing::Test
{
protected:
    void SetUp() override
    {
        model = test::writeTinyModel(folder / "model").string();
        HeadMap map(ModelShape{"mixed", 2, 4, 2, 8, {}}, HeadKind::Retrieval, 4, 16);
        map.set(0, 1, HeadKind::Streaming);
        mixed = (folder / "mixed.json").string();
        ASSERT_TRUE(writeHeadMap(map, mixed));
    }

    static json parsed(const test::ProgramResult &result)
    {
        EXPECT_EQ(result.code, 0) << result.errors;
        return json::parse(result.output, nullptr, false);
    }

    test::TempFolder folder;
    std::string model, mixed;
};

TEST_F(Commands, BenchHasTheKeysOfTheContract)
{
    const json result
        = parsed(test::runZigzag({"bench", model, "--patience", "0", "--map", "full", "--map", mixed, "--contexts", "16,48",
                                  "--repeats", "2", "--mixed", "fused,two-launch,reference", "-o", "json"}));
    ASSERT_TRUE(result.is_object());
    for (const char *key :
         {"device", "threads", "backend", "build", "read_bytes_per_second", "cached_read_bytes_per_second", "matrix_flops_f32"})
        EXPECT_TRUE(result["machine"].contains(key)) << key;
    ASSERT_EQ(result["records"].size(), 2u * 2u * 4u);
    for (const json &record : result["records"]) {
        for (const char *key : {"map", "phase", "context", "batch", "mixed", "median_ms", "spread_ms", "kv_bytes",
                                "kv_bytes_allocated", "floor_ratio"})
            EXPECT_TRUE(record.contains(key)) << key;
        EXPECT_GT(record["median_ms"], 0);
        EXPECT_EQ(record["kv_bytes"], record["kv_bytes_allocated"]);
        EXPECT_EQ(record["samples_ms"].size(), 2u);
    }
    EXPECT_EQ(result["records"][1]["map"], mixed);
    EXPECT_EQ(result["records"][3]["mixed"], "reference");
}

TEST_F(Commands, BenchPrintsATableAndCsv)
{
    const std::vector<std::string> arguments = {"bench",   model,    "--patience", "0", "--map",  "streaming", "--contexts", "32",
                                                "--phase", "decode", "--repeats",  "1", "--sink", "2",         "--recent",   "6"};
    const auto table = test::runZigzag(arguments);
    EXPECT_EQ(table.code, 0) << table.errors;
    EXPECT_NE(table.output.find("tokens/s"), std::string::npos);
    EXPECT_EQ(table.output.find("prefill"), std::string::npos);
    EXPECT_NE(table.output.find(" 2048 "), std::string::npos) << table.output; // 2 layers, 2 heads, 8 tokens, 2 · 8 · 4 bytes
    auto withCsv = arguments;
    withCsv.insert(withCsv.end(), {"-o", "csv"});
    const auto csv = test::runZigzag(withCsv);
    EXPECT_EQ(csv.code, 0) << csv.errors;
    EXPECT_EQ(std::count(csv.output.begin(), csv.output.end(), '\n'), 2);
    EXPECT_EQ(csv.output.rfind("map,phase,context,batch,mixed,median_ms", 0), 0u);
}

TEST_F(Commands, BenchAndTraceSayTheTypeOfKeysAndValues)
{
    const std::string sweep = (folder / "sweep.json").string(), trace = (folder / "trace.json").string();
    const auto bench = [&](const std::string &type) {
        return test::runZigzag({"bench",     model,    "--patience", "0",   "--map",  "streaming", "--contexts", "32",
                                "--phase",   "decode", "--repeats",  "1",   "--sink", "2",         "--recent",   "6",
                                "--kv-type", type,     "--sweep",    sweep, "-o",     "json"});
    };
    const json result = parsed(bench("fp8"));
    ASSERT_TRUE(result.is_object());
    const json &record = result["records"][0];
    EXPECT_EQ(record["kv_type"], "fp8");
    EXPECT_EQ(record["kv_bytes"], 512); // 2 layers, 2 heads, 8 tokens, 2 · 8 bytes
    EXPECT_EQ(record["kv_bytes_allocated"], 512);
    const auto other = bench("f32");
    EXPECT_EQ(test::refusalFault(other, 2), "");
    EXPECT_NE(other.errors.find("keys and values in fp8, and not in f32"), std::string::npos) << other.errors;
    const auto traced = test::runZigzag(
        {"trace", model, "--map", "full", "--context", "40", "--steps", "2", "--kv-type", "bf16", "--out", trace});
    ASSERT_EQ(traced.code, 0) << traced.errors;
    const auto read = readTrace(trace);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->info.kvType, DType::BF16);
}

TEST_F(Commands, EvalHasTheKeysOfTheContract)
{
    const json result = parsed(test::runZigzag({"eval", model, "--map", "full", "--task", "needle", "--contexts", "100,200",
                                                "--depths", "0,1", "--trials", "1", "-o", "json"}));
    ASSERT_TRUE(result.is_object());
    EXPECT_TRUE(result["accuracy"].is_number());
    ASSERT_EQ(result["grid"].size(), 4u);
    for (const json &cell : result["grid"])
        for (const char *key : {"context", "depth", "accuracy", "trials"})
            EXPECT_TRUE(cell.contains(key)) << key;
    EXPECT_EQ(result["grid"][1]["depth"], 1.0);
    const auto table
        = test::runZigzag({"eval", model, "--map", "full", "--task", "needle", "--contexts", "100", "--trials", "1"});
    EXPECT_EQ(table.code, 0);
    EXPECT_NE(table.output.find("% found"), std::string::npos);
}

TEST_F(Commands, ScoreWritesAFileThatAssignReads)
{
    const std::string scores = (folder / "scores.json").string(), map = (folder / "map.json").string();
    const auto scored = test::runZigzag({"score", model, "--method", "attention", "--contexts", "120", "--trials", "1", "--seed",
                                         "3", "--keep", "--out", scores});
    EXPECT_EQ(scored.code, 0) << scored.errors;
    EXPECT_TRUE(readHeadScores(scores));
    const auto assigned = test::runZigzag({"assign", scores, "--criterion", "zigzag", "--sparsity", "0.5", "--out", map});
    EXPECT_EQ(assigned.code, 0) << assigned.errors;
    const json result = parsed(
        test::runZigzag({"bench", model, "--patience", "0", "--map", map, "--contexts", "32", "--repeats", "1", "-o", "json"}));
    EXPECT_EQ(result["records"].size(), 2u);
}

TEST_F(Commands, ReportDoesTheWholeJob)
{
    const auto out = folder / "report";
    const auto result
        = test::runZigzag({"report", model, "--out", out.string(), "--repeats", "1", "--trials", "1", "--patience", "0"});
    ASSERT_EQ(result.code, 0) << result.errors;
    for (const char *text : {"TTFT", "TPOT", "KV bytes", "Needle", "layer  0", "report.md"})
        EXPECT_NE(result.output.find(text), std::string::npos) << text << "\n" << result.output;
    for (const char *file : {"report.md", "report.json", "scores.json", "map-zigzag.json",
                             "duo-attention/full_attention_heads.tsv", "duo-attention/config.json"})
        EXPECT_TRUE(std::filesystem::is_regular_file(out / file)) << file;
    const auto written = readTextFile(out / "report.json");
    ASSERT_TRUE(written);
    const json report = json::parse(*written, nullptr, false);
    for (const char *key : {"machine", "model", "records", "maps", "needle", "scores", "files"})
        EXPECT_TRUE(report.contains(key)) << key;
    for (const char *map : {"full", "zigzag", "all streaming"})
        EXPECT_TRUE(report["needle"].contains(map)) << map;
    const auto map = readHeadMap(out / "map-zigzag.json");
    ASSERT_TRUE(map);
    EXPECT_TRUE(map->isExclusive());
    EXPECT_EQ(map->streamingHeads(), 2);
}

TEST_F(Commands, BadInputIsOneLineAndExitCodeTwo)
{
    test::TinyModel mute;
    mute.tokenizer = false;
    const std::string noTokenizer = test::writeTinyModel(folder / "mute", mute).string();
    const std::string file = (folder / "mixed.json").string();
    const std::vector<std::vector<std::string>> cases = {
        {"bench", model},
        {"bench", model, "--patience", "0", "--map", "nothing.json"},
        {"bench", model, "--patience", "0", "--map", "full", "--contexts", "0"},
        {"bench", model, "--patience", "0", "--map", "full", "--contexts", "many"},
        {"bench", model, "--patience", "0", "--map", "full", "--phase", "later"},
        {"bench", model, "--patience", "0", "--map", "full", "--mixed", "blended", "--contexts", "16"},
        {"bench", model, "--patience", "0", "--map", "full", "--repeats", "0"},
        {"bench", model, "--patience", "0", "--map", "streaming", "--recent", "0"},
        {"bench", "/nonexistent", "--map", "full"},
        {"eval", model, "--map", "full", "--task", "riddle"},
        {"eval", model, "--map", "full", "--task", "needle", "--contexts", "100000"},
        {"eval", model, "--map", "full", "--task", "needle", "--contexts", "10"},
        {"eval", model, "--map", "full", "--task", "needle", "--depths", "2"},
        {"eval", noTokenizer, "--map", "full", "--task", "needle"},
        {"score", model, "--method", "guess", "--out", (folder / "s.json").string()},
        {"score", noTokenizer, "--method", "attention", "--out", (folder / "s.json").string()},
        {"report", model, "--out", file},
        {"report", model, "--out", (folder / "r").string(), "--sparsity", "1.5"},
    };
    for (const auto &arguments : cases) {
        std::string line;
        for (const std::string &argument : arguments)
            line += argument + ' ';
        EXPECT_EQ(test::refusalFault(test::runZigzag(arguments), 2), "") << line;
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "s.json"));
}

TEST_F(Commands, NothingThatFitsIsAFailure)
{
    const auto result = test::runZigzag(
        {"bench", model, "--patience", "0", "--map", "full", "--contexts", "2000000000", "--phase", "decode", "--repeats", "1"});
    EXPECT_EQ(result.code, 1);
    EXPECT_NE(result.errors.find("error: "), std::string::npos);
}

} // namespace
} // namespace zigzag
