// SPDX-License-Identifier: GPL-3.0-or-later
// Names of folders and files are bytes: what is printed and written stays JSON, and files are found by their bytes.
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

using Json = nlohmann::json;

TEST(OddNames, EveryStepOfTheMainJobTakesThem)
{
    const test::TempFolder folder;
    const std::string odd = "caf\xe9\xff";
    const auto at = [&](const std::string &name) { return (folder / name).string(); };
    const std::string model = test::writeTinyModel(folder / odd, {.layers = 2, .maxContext = 512}).string();
    const std::string scores = at(odd + "scores.json"), map = at(odd + "map.json");
    const auto runs = [&](const std::vector<std::string> &arguments) {
        const auto result = test::runZigzag(arguments);
        EXPECT_EQ(result.code, 0) << arguments[0] << ": " << result.errors;
        EXPECT_TRUE(Json::accept(result.output)) << arguments[0] << ": " << result.output;
    };
    runs({"info", model, "-o", "json"});
    runs({"score", model, "--method", "ablation", "--contexts", "320", "--trials", "1", "--sink", "4", "--recent", "16", "--keep",
          "--out", scores, "-o", "json"});
    runs({"assign", scores, "--criterion", "zigzag", "--sparsity", "0.5", "--out", map, "-o", "json"});
    runs({"compare", map, map, "-o", "json"});
    runs({"trace", model, "--map", map, "--context", "64", "--steps", "1", "--out", at(odd + ".trace"), "-o", "json"});
    runs({"trace", model, "--map", map, "full", "--context", "64", "--steps", "1", "-o", "json"});
    runs({"export", map, "--verdicts", "--model", model, "-o", "json"});
    EXPECT_EQ(test::runZigzag({"export", map, "--format", "vllm", "--model", model, "--out", at(odd + ".sh")}).code, 0);
    for (const char *written : {"scores.json", "map.json", ".trace", ".sh"})
        EXPECT_TRUE(std::filesystem::exists(folder / (odd + written))) << written;
}

} // namespace
} // namespace zigzag
