// SPDX-License-Identifier: GPL-3.0-or-later
// A model whose weights are no numbers (a bad conversion): no command presents what it computes from them as a result.
#include "tests/cli/run_program.h"
#include "tests/model_surgery.h"
#include "tests/tiny_model.h"

#include <gtest/gtest.h>
#include <limits>

namespace zigzag {
namespace {

TEST(NotFinite, NoCommandPresentsNumbersOfWeightsThatAreNone)
{
    const test::TempFolder scratch;
    const std::string model = test::writeTinyModel(scratch / "model", {.layers = 3}).string();
    const std::string tensor = "model.layers.2.mlp.down_proj.weight";
    test::writeText(scratch / "tokens", "1 2 3");
    test::writeText(scratch / "text", "Sixty zippers were quickly picked from the woven jute bag.");
    const std::string scores = scratch / "gates.json", out = scratch / "out";
    test::writeText(scores, "1\t0\n0\t1\n1\t1\n");
    const auto asked = [&](std::vector<std::string> command) {
        for (const char *each :
             {"--contexts", "200", "--depths", "0.5", "--trials", "1", "--sink", "4", "--recent", "16", "--tasks", "passkey"})
            command.emplace_back(each);
        return command;
    };
    std::vector<std::vector<std::string>> commands = {
        {"logits", model, "--tokens", scratch / "tokens", "--out", out},
        {"generate", model, "--prompt", "Once"},
        {"score", model, "--method", "attention", "--contexts", "200", "--depths", "0.5", "--trials", "1", "--keep", "--out",
         out},
        asked({"rank", model, "--scores", scores}),
        asked({"pareto", model, "--scores", scores}),
        {"bench", model, "--map", "full", "--contexts", "64", "--repeats", "1", "--patience", "0", "--sink", "4", "--recent",
         "16"},
    };
    for (const char *method : {"ablation", "greedy", "gates"})
        commands.push_back(asked({"score", model, "--method", method, "--steps", "2", "--keep", "--out", out}));
    for (const char *task : {"needle", "distill", "perplexity"})
        commands.push_back(asked({"eval", model, "--map", "streaming", "--task", task, "--text", scratch / "text"}));
    for (const auto &command : commands) {
        const test::ProgramResult sound = test::runZigzag(command);
        EXPECT_EQ(sound.code, 0) << testing::PrintToString(command) << sound.errors;
    }
    std::filesystem::remove_all(out);
    test::spoilTensor(scratch / "model" / "model.safetensors", tensor, std::numeric_limits<float>::quiet_NaN());
    for (const auto &command : commands) {
        const test::ProgramResult spoilt = test::runZigzag(command);
        EXPECT_EQ(spoilt.code, command.front() == "bench" ? 1 : 2) << testing::PrintToString(command);
        EXPECT_NE(spoilt.errors.find(tensor + " holds values that are not finite"), std::string::npos)
            << testing::PrintToString(command) << spoilt.errors;
        const bool saysWhy = command.front() == "bench"; // in its table, of each point
        EXPECT_TRUE(saysWhy || spoilt.output.empty()) << testing::PrintToString(command);
        EXPECT_FALSE(std::filesystem::exists(out)) << testing::PrintToString(command);
    }
}

} // namespace
} // namespace zigzag
