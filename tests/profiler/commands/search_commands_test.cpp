// SPDX-License-Identifier: GPL-3.0-or-later
// score, eval, rank and pareto as a script uses them.
#include "engine/base/files.h"
#include "engine/map/head_scores_io.h"
#include "engine/map/map_io.h"
#include "tests/cli/run_program.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

using Json = nlohmann::json;

class SearchCommands : public testing::Test
{
protected:
    void SetUp() override { model = test::writeTinyModel(m_folder / "model", {.layers = 3}).string(); }

    std::vector<std::string> asked(std::vector<std::string> command) const
    {
        for (const char *each : {"--contexts", "200", "--depths", "0.3,0.8", "--trials", "1", "--sink", "4", "--recent", "16",
                                 "--tasks", "passkey", "-o", "json"})
            command.emplace_back(each);
        if (command.front() == "score")
            command.emplace_back("--keep"); // random weights answer nothing
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

TEST_F(SearchCommands, EveryMethodWritesScoresThatAssignReads)
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
        EXPECT_EQ(map->oneWindow()->recent, 16);
    }
}

TEST_F(SearchCommands, LayersAreChosenByTheLossThatIsAskedFor)
{
    const Json answers = run(asked({"score", model, "--method", "answer-loss", "--out", file("a.json")}));
    EXPECT_EQ(answers.at("method"), "answer-loss");
    EXPECT_EQ(answers.at("loss"), "answer");
    EXPECT_EQ(readHeadScores(file("a.json"))->method, "answer-loss");
    const Json ablation = run(asked({"score", model, "--method", "ablation", "--loss", "answer", "--out", file("b.json")}));
    EXPECT_EQ(ablation.at("effects"), answers.at("effects")) << "the same by two names";
    const Json distilled = run(asked({"score", model, "--method", "ablation", "--out", file("c.json")}));
    EXPECT_EQ(distilled.at("loss"), "distill");
    EXPECT_NE(distilled.at("effects"), answers.at("effects"));
    const Json &confidence = answers.at("confidence");
    EXPECT_EQ(confidence.at("count"), 1) << "half of three";
    EXPECT_EQ(confidence.at("prompts"), 2);
    EXPECT_EQ(confidence.at("settled"), false) << "two prompts prove nothing";
    EXPECT_EQ(confidence.at("side").size(), 3u);
    const Json greedy = run(asked(
        {"score", model, "--method", "greedy", "--loss", "kl", "--count", "2", "--out", file("g.json"), "--maps", file("m")}));
    EXPECT_EQ(greedy.at("method"), "greedy-kl");
    EXPECT_EQ(greedy.at("path").at(3).at("same"), 1.0) << "nothing else is left";
    EXPECT_EQ(greedy.at("confidence").at("streaming"), greedy.at("path").at(2).at("streaming"));

    std::vector<std::string> table = asked({"score", model, "--method", "answer-loss", "--count", "2", "--out", file("t.json")});
    *std::find(table.begin(), table.end(), "json") = "table";
    const auto printed = test::runZigzag(table);
    EXPECT_EQ(printed.code, 0) << printed.errors;
    EXPECT_NE(printed.output.find("answer rise alone"), std::string::npos) << printed.output;
    EXPECT_NE(printed.output.find("2 of 3 layers stream ("), std::string::npos) << printed.output;
    EXPECT_NE(printed.output.find("not settled (that takes 8 prompts)"), std::string::npos) << printed.output;

    const std::vector<std::vector<std::string>> refused
        = {{"--method", "answer-loss", "--loss", "kl"},    {"--method", "gates", "--loss", "answer"},
           {"--method", "attention", "--loss", "kl"},      {"--method", "greedy", "--until-settled"},
           {"--method", "greedy", "--loss", "likelihood"}, {"--method", "ablation", "--count", "3"},
           {"--method", "ablation", "--count", "0"},       {"--method", "gates", "--count", "1"}};
    for (const auto &options : refused) {
        std::vector<std::string> command = {"score", model, "--out", file("none.json")};
        command.insert(command.end(), options.begin(), options.end());
        EXPECT_EQ(test::refusalFault(test::runZigzag(command), 2), "") << options[1] << ' ' << options[2];
    }
}

TEST_F(SearchCommands, APersonsQuestionsTakeThePlaceOfTasks)
{
    std::string lines;
    for (const char *name : {"Ada", "Ben", "Cleo"})
        lines += Json{{"context", std::string(150, 'x') + name + " has the key 4711. " + std::string(60, 'y')},
                      {"question", std::string("Which key has ") + name + "?"},
                      {"answer", "4711"}}
                     .dump()
            + "\n";
    test::writeText(file("q.jsonl"), lines);
    test::writeText(file("r.jsonl"), lines.substr(0, lines.find('\n') + 1));
    const auto scored = [&](const std::vector<std::string> &more) {
        std::vector<std::string> command
            = {"score",  model, "--method", "answer-loss", "--sink",       "4",         "--recent", "16",
               "--keep", "-o",  "json",     "--out",       file("s.json"), "--answers", "given"}; // random weights say nothing
        command.insert(command.end(), more.begin(), more.end());
        return command;
    };
    const Json json = run(scored({"--prompts", file("q.jsonl"), "--prompts", file("r.jsonl")}));
    EXPECT_EQ(json.at("prompts"), 4);
    EXPECT_EQ(json.at("done"), 4);
    EXPECT_EQ(json.at("effects").size(), 3u);
    EXPECT_NE(run(scored({"--prompts", file("q.jsonl"), "--contexts", "220"})).at("effects"),
              run(scored({"--prompts", file("q.jsonl")})).at("effects"))
        << "cut to a context";
    const std::vector<std::vector<std::string>> refused = {{"--prompts", file("q.jsonl"), "--tasks", "passkey"},
                                                           {"--prompts", file("q.jsonl"), "--trials", "2"},
                                                           {"--prompts", file("q.jsonl"), "--contexts", "100,200"},
                                                           {"--prompts", file("q.jsonl"), "--contexts", "600"},
                                                           {"--prompts", file("q.jsonl"), "--as", "chat"}, // it has no template
                                                           {"--prompts", file("q.jsonl"), "--as", "letter"},
                                                           {"--prompts", file("nowhere.jsonl")},
                                                           {"--prompts", model}};
    for (const auto &options : refused)
        EXPECT_EQ(test::refusalFault(test::runZigzag(scored(options)), 2), "") << options.back();
    const auto attention
        = test::runZigzag({"score", model, "--method", "attention", "--prompts", file("q.jsonl"), "--out", file("a.json")});
    EXPECT_EQ(test::refusalFault(attention, 2), "");
}

TEST_F(SearchCommands, PlainAblationSaysTheSameAndRunsMore)
{
    const Json shared = run(asked({"score", model, "--method", "ablation", "--out", file("a.json")}));
    const Json plain = run(asked({"score", model, "--method", "ablation", "--plain", "--out", file("b.json")}));
    EXPECT_EQ(shared.at("effects"), plain.at("effects"));
    EXPECT_LT(shared.at("layer_runs"), plain.at("layer_runs"));
    EXPECT_EQ(*readTextFile(file("a.json")), *readTextFile(file("b.json")));
}

TEST_F(SearchCommands, ProgressOfAnotherSearchIsNotLost)
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

TEST_F(SearchCommands, AnEngineIsNamedInScoresAndInMaps)
{
    const Json ours = run(asked({"score", model, "--method", "greedy", "--out", file("ours.json")}));
    const Json json = run(asked(
        {"score", model, "--method", "greedy", "--as-engine", "vllm", "--out", file("scores.json"), "--maps", file("maps")}));
    EXPECT_FALSE(ours.contains("engine"));
    EXPECT_EQ(json.at("engine"), "vllm");
    EXPECT_NE(json.at("path"), ours.at("path")) << "what layers cost there is another number";
    EXPECT_EQ(readHeadScores(file("scores.json"))->engine, "vllm");
    const auto map = readHeadMap(m_folder / "maps" / "streaming-2.json");
    ASSERT_TRUE(map);
    EXPECT_EQ(map->provenance().engine, "vllm");
    EXPECT_EQ(map->oneWindow()->sink, 4) << "a map keeps what was asked for";
    const auto heads = test::runZigzag(
        asked({"score", model, "--method", "ablation", "--unit", "head", "--as-engine", "vllm", "--out", file("heads.json")}));
    EXPECT_EQ(test::refusalFault(heads, 2), "");
    const auto attention
        = test::runZigzag(asked({"score", model, "--method", "attention", "--as-engine", "vllm", "--out", file("a.json")}));
    EXPECT_EQ(test::refusalFault(attention, 2), "");
    // Stand-ins are calibrated with texts that want a longer context.
    const std::string longer = test::writeTinyModel(m_folder / "longer", {.layers = 3, .maxContext = 2048}).string();
    const auto gates
        = test::runZigzag(asked({"score", longer, "--method", "gates", "--as-engine", "granite-swa", "--out", file("g.json")}));
    EXPECT_EQ(test::refusalFault(gates, 2), "");
    const auto carried
        = run(asked({"score", longer, "--method", "ablation", "--as-engine", "granite-swa", "--out", file("g.json")}));
    EXPECT_EQ(carried.at("engine"), "granite-swa");
    EXPECT_NE(
        carried.at("effects"),
        run(asked({"score", longer, "--method", "ablation", "--as-engine", "vllm", "--out", file("v.json")})).at("effects"));
}

TEST_F(SearchCommands, EvalTellsLossAndIntervals)
{
    const Json distill = run(asked({"eval", model, "--map", "streaming", "--task", "distill"}));
    EXPECT_GT(distill.at("loss").get<double>(), 0.0);
    EXPECT_GT(distill.at("kl").get<double>(), 0.0);
    EXPECT_LE(distill.at("loss_interval").at("low"), distill.at("loss"));
    EXPECT_GE(distill.at("loss_interval").at("high"), distill.at("loss"));
    for (const char *interval : {"loss_interval", "kl_interval"}) {
        EXPECT_GE(distill.at(interval).at("low").get<double>(), 0.0) << interval;
        EXPECT_EQ(distill.at(interval).at("count"), 2) << interval;
    }
    const Json one = run({"eval", model, "--map", "streaming", "--task", "distill", "--contexts", "200", "--depths", "0.5",
                          "--trials", "1", "--tasks", "passkey", "-o", "json"});
    EXPECT_TRUE(one.at("kl_interval").at("low").is_null()) << "one prompt has no interval";
    EXPECT_EQ(one.at("kl_interval").at("count"), 1);
    EXPECT_EQ(run(asked({"eval", model, "--map", "full", "--task", "distill"})).at("loss"), 0.0);

    ASSERT_TRUE(writeFileAtomically(m_folder / "text.txt", std::string(700, 'a') + std::string(300, 'b')));
    const Json text = run(asked({"eval", model, "--map", "streaming", "--task", "perplexity", "--text", file("text.txt")}));
    EXPECT_EQ(text.at("tokens"), 1001 - 6); // bytes and a beginning, less the first token of each of six windows
    EXPECT_GT(text.at("perplexity").get<double>(), 1.0);
    EXPECT_LT(text.at("low"), text.at("perplexity"));
    EXPECT_GE(text.at("low").get<double>(), 1.0);
    EXPECT_EQ(text.at("blocks"), 16); // ⌈995 / 64⌉
    EXPECT_NE(text.at("perplexity"), text.at("full_perplexity"));
    const auto without = test::runZigzag({"eval", model, "--map", "full", "--task", "perplexity"});
    EXPECT_EQ(test::refusalFault(without, 2), "");

    const Json needle = run(asked({"eval", model, "--map", "streaming", "--task", "needle"}));
    EXPECT_TRUE(needle.at("grid").front().contains("full_accuracy"));
    EXPECT_GT(needle.at("high"), needle.at("accuracy")); // two wrong answers prove little
}

TEST_F(SearchCommands, ScoresOfAModelThatAnswersNothingAreNoResult)
{
    for (const char *method : {"attention", "ablation", "greedy", "gates"}) {
        std::vector<std::string> command
            = asked({"score", model, "--method", method, "--steps", "4", "--out", file("none.json")});
        command.pop_back(); // --keep
        const auto refused = test::runZigzag(command);
        EXPECT_EQ(refused.code, 1) << method << refused.errors;
        EXPECT_EQ(refused.output, "") << method;
        EXPECT_NE(refused.errors.find("error: no prompt was answered"), std::string::npos) << method << refused.errors;
        EXPECT_NE(refused.errors.find("--keep"), std::string::npos) << method;
        EXPECT_FALSE(std::filesystem::exists(file("none.json"))) << method;

        command.emplace_back("--keep"); // goes on from what was measured, and writes it with the mark
        const auto kept = test::runZigzag(command);
        EXPECT_EQ(kept.code, 0) << method << kept.errors;
        EXPECT_NE(kept.errors.find("going on from"), std::string::npos) << method << kept.errors;
        EXPECT_NE(kept.errors.find("is marked"), std::string::npos) << method << kept.errors;
        EXPECT_FALSE(std::filesystem::exists(file("none.json.progress"))) << method;
        const auto scores = readHeadScores(file("none.json"));
        ASSERT_TRUE(scores) << method;
        EXPECT_TRUE(scores->unanswered) << method;
        const auto assigned = test::runZigzag(
            {"assign", file("none.json"), "--criterion", "zigzag", "--sparsity", "0.34", "--out", file("map.json")});
        EXPECT_EQ(assigned.code, 0);
        EXPECT_NE(assigned.errors.find("answered no prompt"), std::string::npos) << method << assigned.errors;
        std::filesystem::remove(file("none.json"));
    }
}

TEST_F(SearchCommands, ScoringByAttentionSaysHowLongAndIsASearchLikeTheOthers)
{
    const std::vector<std::string> command
        = {"score", "bundled:zigzag-tiny", "--method", "attention", "--contexts", "300", "--depths", "0.2,0.8", "--trials", "1",
           "--out", file("scores.json"),   "-o",       "json"};
    const auto result = test::runZigzag(command);
    ASSERT_EQ(result.code, 0) << result.errors;
    EXPECT_NE(result.errors.find("attention: 2 prompts to go, about "), std::string::npos) << result.errors;
    const Json json = Json::parse(result.output);
    EXPECT_EQ(json.at("answered"), true);
    EXPECT_EQ(json.at("prompts_answered"), 2);
    EXPECT_EQ(json.at("query_heads").size(), 64u);
    EXPECT_FALSE(readHeadScores(file("scores.json"))->unanswered);
    ASSERT_TRUE(writeFileAtomically(
        file("scores.json.progress"),
        R"({"format": "zigzag-search-progress", "version": 1, "method": "greedy", "plan": {}, "state": {}})"));
    EXPECT_EQ(test::refusalFault(test::runZigzag(command), 2), "");
}

/// One limit for every command: what is judged is refused beyond the model's longest context, all else says so and goes on.
TEST_F(SearchCommands, AContextBeyondTheModelsIsNotedOrRefusedEverywhere)
{
    std::string ids;
    for (int i = 0; i < 520; ++i)
        ids += std::to_string(i * 53 % 258) + " ";
    test::writeText(file("tokens"), ids);
    const std::vector<std::vector<std::string>> noted
        = {{"plan", model, "--map", "full", "--contexts", "600", "--gpus", "1"},
           {"logits", model, "--tokens", file("tokens"), "--out", file("out.npy")},
           {"generate", model, "--prompt", "Some text", "--max-new", "510"},
           {"bench", model, "--map", "full", "--contexts", "600", "--phase", "decode", "--repeats", "1", "--patience", "0"},
           {"trace", model, "--map", "full", "--context", "600", "--steps", "1", "--out", file("trace.json")},
           {"predict", model, "--map", "full", "--contexts", "600", "--seconds", "0.1"}};
    for (const auto &command : noted) {
        const auto result = test::runZigzag(command);
        EXPECT_EQ(result.code, 0) << command.front() << result.errors;
        EXPECT_NE(result.errors.find("note: "), std::string::npos) << command.front() << result.errors;
        EXPECT_NE(result.errors.find("are beyond the 512 that model was made for"), std::string::npos)
            << command.front() << result.errors;
    }
    const auto within = test::runZigzag({"plan", model, "--map", "full", "--contexts", "512", "--gpus", "1"});
    EXPECT_EQ(within.errors.find("beyond"), std::string::npos) << within.errors;

    run(asked({"score", model, "--method", "ablation", "--out", file("a.json")}));
    ASSERT_TRUE(writeFileAtomically(m_folder / "text.txt", std::string(900, 'a')));
    const std::vector<std::vector<std::string>> judged
        = {{"eval", model, "--map", "full", "--task", "needle", "--contexts", "600"},
           {"eval", model, "--map", "full", "--task", "distill", "--contexts", "600"},
           {"eval", model, "--map", "full", "--task", "perplexity", "--text", file("text.txt"), "--contexts", "600"},
           {"score", model, "--method", "attention", "--contexts", "600", "--out", file("s.json")},
           {"score", model, "--method", "ablation", "--contexts", "600", "--out", file("s.json")},
           {"rank", model, "--scores", file("a.json"), "--contexts", "600"},
           {"pareto", model, "--scores", file("a.json"), "--contexts", "600"}};
    for (const auto &command : judged) {
        const auto result = test::runZigzag(command);
        EXPECT_EQ(result.code, 2) << command.front() << result.errors;
        EXPECT_NE(result.errors.find("a context of 600 tokens is outside the "), std::string::npos)
            << command.front() << result.errors;
    }
}

TEST_F(SearchCommands, RankPlacesMapsAmongAllAndKeepsItsMeasures)
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

    std::vector<std::string> byAnswer = command;
    byAnswer.insert(byAnswer.end(), {"--loss", "answer"});
    EXPECT_NE(run(byAnswer).at("rows").front().at("ranks").at(0).at("loss"), ranks[0].at("loss")) << "of the same measures";
    // A file of before has three numbers a measure: losses, as ever, but none of answers.
    Json before = Json::parse(*readTextFile(file("all.json")));
    for (Json &prompt : before.at("state").at("prompts"))
        for (Json &measure : prompt)
            measure.erase(measure.begin() + 3, measure.end());
    test::writeText(file("all.json"), before.dump());
    EXPECT_EQ(run(command), json);
    EXPECT_EQ(test::refusalFault(test::runZigzag(byAnswer), 2), "");
}

TEST_F(SearchCommands, RankAsksAPersonsQuestions)
{
    test::writeText(file("q.jsonl"),
                    R"({"prompt": "the code of the gate is 4711. the code of the gate is", "answer": " 4711"})"
                    "\n"
                    R"({"prompt": "one two three four. one two three", "answer": " four"})");
    const auto answers = [&](std::vector<std::string> command) {
        command.insert(command.end(),
                       {"--prompts", file("q.jsonl"), "--answers", "given", "--sink", "2", "--recent", "6", "-o", "json"});
        return command;
    };
    run(answers({"score", model, "--method", "greedy", "--keep", "--out", file("g.json")})); // random weights say nothing
    const auto command = answers({"rank", model, "--scores", file("g.json"), "--measures", file("all.json")});
    const Json json = run(command);
    EXPECT_EQ(json.at("prompts"), 2);
    EXPECT_EQ(json.at("rows").front().at("ranks").at(0).at("rank_by_loss"), 1) << "greedy's first layer, of the same questions";
    EXPECT_EQ(run(command), json); // from the file
    // Measures of other questions are not taken for these.
    test::writeText(file("q.jsonl"), R"({"prompt": "one two three four. one two three", "answer": " four"})");
    EXPECT_EQ(test::refusalFault(test::runZigzag(command), 2), "");
    std::vector<std::string> both = command;
    both.insert(both.end(), {"--trials", "3"});
    EXPECT_EQ(test::refusalFault(test::runZigzag(both), 2), "");
}

TEST_F(SearchCommands, HeadsAreScoredByTheLogitsTheyMove)
{
    const Json json = run(asked({"score", model, "--method", "attention", "--view", "logits", "--out", file("l.json")}));
    EXPECT_EQ(json.at("method"), "attention-logits");
    EXPECT_EQ(json.at("logits").size(), 6u);
    EXPECT_EQ(json.at("logits_beyond").size(), 6u);
    const auto scores = readHeadScores(file("l.json"));
    ASSERT_TRUE(scores) << scores.error().message;
    EXPECT_EQ(scores->logits.size(), 6u);
    EXPECT_TRUE(scores->unanswered) << "random weights answer nothing, and --keep marks that";
    run({"assign", file("l.json"), "--criterion", "zigzag", "--sparsity", "0.34", "--out", file("map.json"), "-o", "json"});
    const auto refused = test::runZigzag({"score", model, "--method", "greedy", "--view", "logits", "--out", file("no.json")});
    EXPECT_EQ(test::refusalFault(refused, 2), "");
}

TEST_F(SearchCommands, ParetoIsByTheQualityThatIsAskedFor)
{
    run(asked({"score", model, "--method", "ablation", "--out", file("a.json")}));
    const auto pareto = [&](std::vector<std::string> more) {
        more.insert(
            more.begin(),
            {"pareto", model, "--scores", file("a.json"), "--sink", "4", "--recent", "16", "--contexts", "200", "-o", "json"});
        return more;
    };
    const Json needles = run(pareto({"--quality", "needles", "--depths", "0.5", "--trials", "2", "--tasks", "passkey"}));
    EXPECT_EQ(needles.at("quality"), "needles");
    EXPECT_EQ(needles.at("points").at(0).at("quality"), needles.at("points").at(0).at("accuracy"));

    test::writeText(m_folder / "q.jsonl",
                    R"({"prompt": "a b c d e f g h i j k l m n o p q r s t u v w x y z a b", "answer": "c"})"
                    "\n"
                    R"({"prompt": "one two three", "answer": "four"})");
    const auto byQuestions = pareto({"--prompts", file("q.jsonl"), "--record", file("record.json")});
    const Json asked = run(byQuestions);
    EXPECT_EQ(asked.at("quality"), "questions");
    EXPECT_EQ(asked.at("prompts"), 2);
    ASSERT_EQ(asked.at("points").size(), 4u);
    for (const Json &point : asked.at("points")) {
        EXPECT_LE(point.at("quality_low").get<double>(), point.at("quality").get<double>());
        EXPECT_GE(point.at("quality_high").get<double>(), point.at("quality").get<double>());
        EXPECT_FALSE(point.contains("loss")) << "which nothing measured";
    }
    // A record like eval's: full attention first, and each of the other maps.
    const std::string record = *readTextFile(file("record.json"));
    EXPECT_EQ(Json::parse(record).at("maps").size(), 4u);
    EXPECT_EQ(Json::parse(record).at("maps").at(0).at("map"), "full attention");
    const auto again = test::runZigzag(byQuestions);
    EXPECT_EQ(again.code, 0) << again.errors;
    EXPECT_NE(again.errors.find("has answers of 4 maps, which are not asked again"), std::string::npos) << again.errors;
    EXPECT_EQ(*readTextFile(file("record.json")), record) << "nobody was asked";
    test::writeText(m_folder / "q.jsonl", R"({"prompt": "another", "answer": "c"})");
    const auto others = test::runZigzag(byQuestions);
    EXPECT_EQ(others.code, 2);
    EXPECT_NE(others.errors.find("it has answers to other questions"), std::string::npos) << others.errors;

    test::writeText(m_folder / "text.txt", std::string(600, 'a') + " and the end");
    const Json text = run(pareto({"--text", file("text.txt")}));
    EXPECT_EQ(text.at("quality"), "perplexity");
    EXPECT_GE(text.at("points").at(0).at("quality").get<double>(), 1.0);

    for (const std::vector<std::string> &wrong :
         std::vector<std::vector<std::string>>{{"--quality", "questions"},
                                               {"--quality", "perplexity"},
                                               {"--quality", "needles", "--text", file("text.txt")},
                                               {"--record", file("r.json")}})
        EXPECT_EQ(test::refusalFault(test::runZigzag(pareto(wrong)), 2), "") << wrong.front();
    const auto noTask = test::runZigzag(pareto({"--ruler", "no_task"})); // known once there is a model to make tasks for
    EXPECT_EQ(noTask.code, 2);
    EXPECT_NE(noTask.errors.find("error: RULER has no task \"no_task\""), std::string::npos) << noTask.errors;
}

TEST_F(SearchCommands, ParetoWritesMapsThatNoOtherBeats)
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
