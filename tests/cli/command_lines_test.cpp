// SPDX-License-Identifier: GPL-3.0-or-later
// The lines that the window copies, through a real shell into the real program: each is read to its end, and fails at nothing but
// the model that is not there.
#include "profiler/jobs/command_line.h"
#include "tests/cli/run_program.h"
#include "tests/paths.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

const jobs::LineModel nowhere{"/nowhere/it's a \"$MODEL\"", DType::F8};
const std::vector<std::string> maps{"full", "a map; of 'mine'.json"};

test::ProgramResult inShell(const std::string &line)
{
    const std::string folder = std::filesystem::path(test::zigzagProgram()).parent_path().string();
    return test::runZigzag({"-c", line}, {.environment = {"PATH=" + folder + ":/usr/bin:/bin"}, .program = "/bin/sh"});
}

/// What is wrong with a line whose model does not exist; empty: it was understood, with its quotes.
std::string faultOf(const std::string &line)
{
    const test::ProgramResult result = inShell(line);
    const bool understood
        = result.code == 2 && result.errors.find("it's a \"$MODEL\": there is no such model") != std::string::npos;
    return understood ? std::string() : line + "\n" + result.errors;
}

TaskPlan tasks()
{
    TaskPlan plan;
    plan.kinds = {TaskKind::Passkey, TaskKind::Passkeys};
    plan.contexts = {512, 1024};
    plan.depths = {0.1, 0.5};
    plan.seed = 5;
    return plan;
}

TEST(CommandLines, AreReadByTheProgramThatTheyName)
{
    BenchPlan bench;
    bench.contexts = {64, 128};
    bench.phases = {Phase::Decode, Phase::Prefill};
    bench.patienceSeconds = 10;
    EXPECT_EQ(faultOf(jobs::benchLine(nowhere, maps, bench)), "");
    const NeedlePlan needle{{256, 512}, {0, 0.25, 1}, 5, 2};
    EXPECT_EQ(faultOf(jobs::needleLine(nowhere, maps[1], needle, "vllm")), "");
    AttentionScorePlan attention;
    attention.contexts = {256};
    attention.depths = {0, 1};
    EXPECT_EQ(faultOf(jobs::scoreLine(nowhere, attention, "scores.json")), "");
    for (const SearchMethod method :
         {SearchMethod::Ablation, SearchMethod::Greedy, SearchMethod::Gates, SearchMethod::Attention, SearchMethod::Logits})
        for (const SearchLoss loss : {SearchLoss::Distillation, SearchLoss::Kl, SearchLoss::Answer}) {
            SearchPlan search;
            search.method = method;
            search.loss = loss;
            search.unit = Unit::Head;
            search.tasks = tasks();
            search.untilSettled = method == SearchMethod::Ablation;
            EXPECT_EQ(faultOf(jobs::searchLine(nowhere, search, "scores.json")), "");
        }
    EXPECT_EQ(faultOf(jobs::sweepLine(nowhere, "scores.json", "zigzag", {16, 128}, tasks())), "");
    TracePlan trace;
    trace.context = 100;
    trace.replays = false;
    EXPECT_EQ(faultOf(jobs::traceLine(nowhere, maps[1], trace, "a.trace")), "");
    EXPECT_EQ(faultOf(jobs::calibrateLine(nowhere, 2048, "-profile.json")), "");
    jobs::RecommendRequest recommend;
    recommend.engine = "vllm";
    recommend.context = 131072;
    recommend.kept = 0.55;
    recommend.seconds = 90;
    EXPECT_EQ(faultOf(jobs::recommendLine(nowhere, recommend, maps, "a folder")), "");
    recommend.memory = std::int64_t{40} << 30;
    EXPECT_EQ(faultOf(jobs::recommendLine(nowhere, recommend, {}, "-folder")), "");
    recommend.memory.reset();
    recommend.tpotMs = 0.25;
    EXPECT_EQ(faultOf(jobs::recommendLine(nowhere, recommend, {}, "out")), "");
    const jobs::PredictPlan predict{{}, {64}, {Phase::Decode}, {8}, 2};
    EXPECT_EQ(faultOf(jobs::predictLine(nowhere, maps, predict, "a profile.json", {})), "");
    EXPECT_EQ(faultOf(jobs::exportLine(maps[1], "vllm", nowhere.name, "out")), "");
    CarriedOptions carried;
    carried.fits = true;
    carried.files = WeightFiles::Copy;
    carried.texts = {"a text"};
    EXPECT_EQ(faultOf(jobs::exportLine(maps[1], "granite-swa", nowhere.name, "out", carried)), "");
}

TEST(CommandLines, AServersKeyIsLeftToTheShell)
{
    jobs::CheckPlan check;
    check.server.host = "127.0.0.1";
    check.server.port = 1; // where nobody listens
    check.key = "secret";
    check.times.contexts = {128};
    const std::string line = jobs::checkLine({"bundled:zigzag-tiny"}, "streaming", check, "vllm");
    EXPECT_EQ(line.find("secret"), std::string::npos) << line;
    const test::ProgramResult result = inShell("SERVER_KEY=abc; " + line);
    EXPECT_EQ(result.errors.find("--help"), std::string::npos) << result.errors;
    EXPECT_NE(result.errors.find("127.0.0.1"), std::string::npos) << result.errors;
}

TEST(CommandLines, AWordIsWhatItWas)
{
    for (const std::string word : {"", " ", "plain-word_1.json", "it's", "a\nb", "$HOME `x` \\ \"", "*", "~", "#"}) {
        const test::ProgramResult result = inShell("printf %s " + jobs::shellWord(word));
        EXPECT_EQ(result.output, word);
    }
    EXPECT_EQ(jobs::shellWord("plain-word_1.json"), "plain-word_1.json") << "nothing is quoted that need not be";
    const std::string line = jobs::calibrateLine({"-m"}, 10, "-o");
    EXPECT_NE(line.find("calibrate ./-m "), std::string::npos) << line;
    EXPECT_NE(line.find("--out=-o"), std::string::npos) << line;
}

} // namespace
} // namespace zigzag
