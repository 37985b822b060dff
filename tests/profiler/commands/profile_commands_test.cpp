// SPDX-License-Identifier: GPL-3.0-or-later
// trace, calibrate, predict, compare and swept benches as the real program runs them, on a random model.
#include "engine/base/files.h"
#include "engine/map/map_io.h"
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using nlohmann::json;

class ProfileCommands : public testing::Test
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

    test::TempFolder folder;
    std::string model, mixed;
};

TEST_F(ProfileCommands, AProfilePredictsWhatItMeasuredAndWhatItDidNot)
{
    ASSERT_EQ(test::runZigzag({"calibrate", model, "--out", at("machine.json"), "--seconds", "0.1", "--context", "96"}).code, 0);
    const json own = parsed(test::runZigzag({"predict", model, "--map", "full", "--map", mixed, "--contexts", "40,80", "--batch",
                                             "1,3", "--profile", at("machine.json"), "-o", "json"}));
    ASSERT_EQ(own["records"].size(), 16u);
    EXPECT_EQ(own["format"], "zigzag-prediction");
    EXPECT_EQ(own["model_was_measured"], true);
    for (const json &record : own["records"]) {
        for (const char *key : {"map", "phase", "context", "batch", "mixed", "predicted_ms", "kv_bytes", "floor_ratio"})
            EXPECT_TRUE(record.contains(key)) << key;
        EXPECT_GT(record["predicted_ms"], 0);
        EXPECT_FALSE(record.contains("median_ms")) << "nothing was measured";
    }
    // A model whose weights are nowhere: the profile is all that is needed.
    const json other = parsed(test::runZigzag({"predict", "preset:llama-3-8b", "--map", "full", "--contexts", "8192", "--gpus",
                                               "4", "--profile", at("machine.json"), "-o", "json"}));
    EXPECT_EQ(other["model_was_measured"], false);
    EXPECT_EQ(other["gpus"], 4);
    EXPECT_EQ(other["records"][1]["kv_bytes"], std::int64_t{8192} * 131072);
    EXPECT_EQ(other["records"][1]["kv_bytes_of_rank"], std::int64_t{8192} * 131072 / 4);
    EXPECT_GT(other["records"][1]["all_reduce_ms"], 0);

    const auto table = test::runZigzag({"predict", model, "--map", mixed, "--contexts", "40", "--profile", at("machine.json"),
                                        "--measure", "--repeats", "2", "--patience", "0"});
    EXPECT_EQ(table.code, 0) << table.errors;
    EXPECT_NE(table.output.find('~'), std::string::npos) << "predicted and measured never look alike";
    EXPECT_NE(table.output.find("KV bytes exact"), std::string::npos) << table.output;
}

TEST_F(ProfileCommands, AMachineThatIsFasterThanItWasCalibratedIsSaid)
{
    ASSERT_EQ(test::runZigzag({"calibrate", model, "--out", at("machine.json"), "--seconds", "0.5", "--context", "96"}).code, 0);
    const auto measure = [&] {
        return test::runZigzag({"predict", model, "--map", mixed, "--contexts", "40", "--profile", at("machine.json"),
                                "--measure", "--repeats", "1", "--patience", "1"});
    };
    json profile = json::parse(*readTextFile(at("machine.json")));
    ASSERT_GT(profile["models"][0]["pace_ms"], 0) << "calibration looks at the pace";
    profile["models"][0]["pace_ms"] = 1e6;
    ASSERT_TRUE(writeFileAtomically(at("machine.json"), profile.dump()));
    const auto faster = measure();
    EXPECT_EQ(faster.code, 0) << faster.errors;
    EXPECT_NE(faster.output.find("calibrate anew"), std::string::npos) << faster.output;

    profile["models"][0]["pace_ms"] = 1e-6;
    ASSERT_TRUE(writeFileAtomically(at("machine.json"), profile.dump()));
    const auto slower = measure();
    EXPECT_EQ(slower.output.find("calibrate anew"), std::string::npos) << slower.output;
    EXPECT_NE(slower.output.find("disturbed"), std::string::npos) << "the pace of calibration was never reached\n"
                                                                  << slower.output;
}

/// What was calibrated while something else ran says so, wherever its predictions are shown.
TEST_F(ProfileCommands, AProfileOfABusyMachineIsMarked)
{
    ASSERT_EQ(test::runZigzag({"calibrate", model, "--out", at("machine.json"), "--seconds", "0.1", "--context", "96"}).code, 0);
    json profile = json::parse(*readTextFile(at("machine.json")));
    for (const char *key : {"samples", "disturbed", "fit_error", "reliable"})
        EXPECT_TRUE(profile["models"][0].contains(key)) << key;
    json &samples = profile["models"][0];
    for (const char *key : {"samples", "disturbed", "fit_error", "reliable"})
        samples.erase(key); // as an older version wrote it
    std::size_t pass = 0;
    for (json &row : samples["passes"])
        row.back() = row.back().get<double>() * (pass++ % 2 == 0 ? 9 : 0.1);
    ASSERT_TRUE(writeFileAtomically(at("machine.json"), profile.dump()));
    const std::vector<std::string> command
        = {"predict", model, "--map", "full", "--contexts", "40", "--profile", at("machine.json")};
    const auto table = test::runZigzag(command);
    EXPECT_EQ(table.code, 0) << table.errors;
    EXPECT_NE(table.errors.find("off its own passes"), std::string::npos) << table.errors;
    EXPECT_NE(table.output.find("other programs disturbed the calibration"), std::string::npos) << table.output;
    std::vector<std::string> asJson = command;
    asJson.insert(asJson.end(), {"-o", "json"});
    const json said = parsed(test::runZigzag(asJson));
    EXPECT_EQ(said["reliable"], false);
    EXPECT_GT(said["fit_error"], 0.15);
}

TEST_F(ProfileCommands, ATraceIsComparedWithAPrediction)
{
    ASSERT_EQ(test::runZigzag({"calibrate", model, "--out", at("machine.json"), "--seconds", "0.1", "--context", "64"}).code, 0);
    ASSERT_EQ(test::runZigzag({"predict", model, "--map", mixed, "--contexts", "48", "--phase", "decode", "--profile",
                               at("machine.json"), "--trace", at("predicted.json")})
                  .code,
              0);
    const json trace = parsed(test::runZigzag(
        {"trace", model, "--map", mixed, "--context", "48", "--steps", "3", "--out", at("trace.json"), "-o", "json"}));
    EXPECT_EQ(trace["spans"], 3 * (5 + 2 * 9));
    for (const char *key : {"name", "op", "count", "total_ns", "self_ns", "mean_ns", "p50_ns", "p99_ns", "bytes_per_second",
                            "flops_per_second", "floor_ratio"})
        EXPECT_TRUE(trace["rows"][0].contains(key)) << key;
    const auto table = test::runZigzag({"compare", at("predicted.json"), at("trace.json"), "--by", "op-layer"});
    EXPECT_EQ(table.code, 0) << table.errors;
    EXPECT_NE(table.output.find("(predicted)"), std::string::npos) << table.output;
    EXPECT_NE(table.output.find("attention · layer 1"), std::string::npos) << table.output;
    const json rows = parsed(test::runZigzag({"compare", at("trace.json"), at("trace.json"), "-o", "json"}));
    for (const json &row : rows["rows"])
        EXPECT_EQ(row["within_spread"], true) << row.dump();
}

TEST_F(ProfileCommands, ASweepGoesOnWhereItEnded)
{
    const std::vector<std::string> sweep
        = {"bench", model,     "--patience",     "0",  "--map", "full",      "--phase", "decode", "--repeats",
           "2",     "--sweep", at("sweep.json"), "-o", "json",  "--contexts"};
    const auto with = [&](const std::string &contexts) {
        std::vector<std::string> arguments = sweep;
        arguments.push_back(contexts);
        return arguments;
    };
    const json first = parsed(test::runZigzag(with("24")));
    const json second = parsed(test::runZigzag(with("24,40")));
    ASSERT_EQ(second["records"].size(), 2u);
    EXPECT_EQ(second["records"][0]["samples_ms"], first["records"][0]["samples_ms"]) << "taken over, not measured again";
    EXPECT_EQ(json::parse(*readTextFile(at("sweep.json")))["records"].size(), 2u);
    const auto rows = parsed(test::runZigzag({"compare", at("sweep.json"), at("sweep.json"), "-o", "json"}));
    EXPECT_EQ(rows["rows"].size(), 2u);
    ASSERT_TRUE(writeFileAtomically(at("sweep.json"),
                                    "{\"format\": \"zigzag-bench\", \"version\": 1, \"model\": \"other\", "
                                    "\"machine\": {}, \"records\": []}"));
    EXPECT_EQ(test::refusalFault(test::runZigzag(with("24")), 2), "");
}

TEST_F(ProfileCommands, WrongInputIsRefusedAndNothingIsWritten)
{
    const std::vector<std::vector<std::string>> wrong = {
        {"trace", model, "--map", mixed, "--context", "0", "--out", at("x.json")},
        {"trace", model, "--map", mixed, "--context", "16", "--out", at("x.json"), "--mixed", "sideways"},
        {"trace", model, "--map", at("absent.json"), "--context", "16", "--out", at("x.json")},
        {"calibrate", at("absent"), "--out", at("x.json")},
        {"calibrate", model, "--out", at("x.json"), "--seconds", "0"},
        {"predict", model, "--map", mixed, "--profile", mixed},
        {"predict", model, "--map", mixed, "--profile", at("absent.json")},
        {"predict", model, "--map", mixed, "--gpus", "9"},
        {"predict", "preset:llama-3-8b", "--map", "full", "--contexts", "64", "--gpus", "3", "--profile", at("absent.json")},
        {"plan", "preset:llama-3-8b", "--map", "full", "--contexts", "64", "--gpus", "3"},
        {"compare", mixed, model + "/config.json"},
        {"compare", model + "/config.json", model + "/config.json"},
        {"compare", at("absent.json"), mixed},
        {"bench", model, "--patience", "0", "--map", mixed, "--batch", "0"},
    };
    for (const auto &arguments : wrong)
        EXPECT_EQ(test::refusalFault(test::runZigzag(arguments), 2), "") << arguments[0] << ' ' << arguments.back();
    EXPECT_FALSE(std::filesystem::exists(at("x.json")));
}

TEST_F(ProfileCommands, SeveralMapsAreComparedOpByOp)
{
    const std::vector<std::string> command
        = {"trace",     model,    "--map",   "full",     "--map", mixed,     "--map",
           "streaming", "--sink", "4",       "--recent", "16",    "--mixed", "fused,two-launch,reference",
           "--context", "48",     "--steps", "2"};
    const auto with = [&](const std::vector<std::string> &more) {
        std::vector<std::string> arguments = command;
        arguments.insert(arguments.end(), more.begin(), more.end());
        return test::runZigzag(arguments);
    };
    const json matrix = parsed(with({"-o", "json", "--repeats", "2", "--against", "full", "--out", at("traces")}));
    EXPECT_EQ(matrix["runs"].size(), 5u);
    EXPECT_EQ(matrix["against"], "full");
    EXPECT_EQ(matrix["runs"][2], mixed + ", two-launch");
    double sum = 0;
    for (const json &row : matrix["rows"]) {
        ASSERT_EQ(row["runs"].size(), 5u);
        EXPECT_EQ(row["runs"][0].is_null(), row["op"] == "copy_heads") << row.dump();
        EXPECT_EQ(row["runs"][3].is_null(), false) << row.dump();
        if (!row["runs"][0].is_null()) {
            EXPECT_EQ(row["runs"][0]["difference_us"], 0);
            sum += row["runs"][0]["us"].get<double>();
        }
    }
    EXPECT_GT(sum, 0);
    EXPECT_GT(matrix["whole_step"][4]["us"], 0);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(at("traces")), {}), 5) << "a file each";
    const auto table = with({"--phase", "prefill"});
    EXPECT_EQ(table.code, 0) << table.errors;
    for (const char *text : {"mixed.json, reference", "copy_heads", "between the ops", "whole step", "differences to streaming"})
        EXPECT_NE(table.output.find(text), std::string::npos) << text << '\n' << table.output;
    EXPECT_EQ(test::refusalFault(with({"--against", "nobody"}), 2), "");
    EXPECT_EQ(test::refusalFault(test::runZigzag({"trace", model, "--map", mixed, "--context", "16"}), 2), "") << "no --out";
}

} // namespace
} // namespace zigzag
