// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/files.h"
#include "engine/map/head_scores_io.h"
#include "profiler/evaluate/needle.h"
#include "profiler/evaluate/needle_grammar.h"
#include "profiler/search/attention_score.h"
#include "tests/paths.h"
#include "tests/profiler/loaded_model.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace zigzag {
namespace {

const std::string grammarFile = test::sourceDir() + "/resources/tasks/passkey.json";

class Needle : public test::LoadedModel
{
protected:
    void SetUp() override
    {
        test::LoadedModel::SetUp();
        auto loaded = NeedleTask::load(grammarFile);
        ASSERT_TRUE(loaded) << loaded.error().message;
        task = std::move(*loaded);
    }

    NeedlePrompt ask(std::int64_t context, double depth, std::uint64_t seed) const
    {
        std::mt19937_64 random(seed);
        auto prompt = task.prompt(*model->tokenizer, context, depth, random);
        EXPECT_TRUE(prompt) << prompt.error().message;
        return prompt ? *prompt : NeedlePrompt{};
    }
    std::string text(const std::vector<int> &tokens) const { return model->tokenizer->decode(tokens); }

    NeedleTask task;
};

TEST_F(Needle, TheSameSeedAsksTheSameQuestion)
{
    const NeedlePrompt a = ask(300, 0.5, 7), b = ask(300, 0.5, 7), c = ask(300, 0.5, 8);
    EXPECT_EQ(a.tokens, b.tokens);
    EXPECT_EQ(a.answer, b.answer);
    EXPECT_EQ(a.needleBegin, b.needleBegin);
    EXPECT_NE(a.tokens, c.tokens);
}

TEST_F(Needle, PromptsAreThoseOfTheTrainingText)
{
    const NeedlePrompt prompt = ask(400, 0.5, 1);
    EXPECT_EQ(prompt.tokens.front(), 256); // beginning of text
    const std::string all = text(std::vector<int>(prompt.tokens.begin() + 1, prompt.tokens.end())), key = text(prompt.answer);
    EXPECT_EQ(all.find("The pass key is " + key + ". "), static_cast<std::size_t>(prompt.needleBegin) - 1 - 16);
    const std::string question = "What is the pass key? The pass key is ";
    EXPECT_EQ(all.substr(all.size() - question.size()), question);
    // Every sentence of the filler has its slots filled.
    EXPECT_EQ(all.find_first_of("{}"), std::string::npos);
}

TEST_F(Needle, KeysAreHeldOutFromTraining)
{
    std::set<std::string> keys;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const std::string key = text(ask(200, 0.3, seed).answer);
        ASSERT_EQ(key.size(), 5u);
        EXPECT_EQ(std::stoi(key) % 10, 7) << key;
        keys.insert(key);
    }
    EXPECT_GT(keys.size(), 150u); // they differ, and leading zeros are there at times
}

TEST_F(Needle, LiesAtItsDepthAndFillsTheContext)
{
    for (const std::int64_t context : {120, 512, 2048})
        for (const double depth : {0.0, 0.25, 0.5, 0.75, 1.0}) {
            const NeedlePrompt prompt = ask(context, depth, 3);
            const auto size = static_cast<std::int64_t>(prompt.tokens.size() + prompt.answer.size());
            EXPECT_EQ(size, context);
            for (std::size_t i = 0; i < prompt.answer.size(); ++i)
                EXPECT_EQ(prompt.tokens[static_cast<std::size_t>(prompt.needleBegin) + i], prompt.answer[i]);
            // Before it: a token, the share of the filler, the needle's first 16 bytes; to within a sentence.
            const double filler = static_cast<double>(prompt.tokens.size()) - 1 - 23 - 38;
            EXPECT_NEAR(static_cast<double>(prompt.needleBegin), 1 + 16 + depth * filler, 80) << context << " " << depth;
            if (depth == 0.0) {
                EXPECT_EQ(prompt.needleBegin, 17);
            }
        }
}

TEST_F(Needle, AContextTooShortForTheQuestionIsRefused)
{
    std::mt19937_64 random(1);
    const auto prompt = task.prompt(*model->tokenizer, 40, 0.5, random);
    ASSERT_FALSE(prompt);
    EXPECT_EQ(prompt.error().kind, ErrorKind::BadInput);
}

TEST_F(Needle, EvaluationFillsTheGridAndIsRepeatable)
{
    const NeedlePlan plan{.contexts = {100, 200}, .depths = {0, 1}, .trials = 2, .seed = 5};
    int last = 0;
    const auto result = evaluateNeedle(device, *model, map(HeadKind::Retrieval), plan, nullptr, [&](int done, int all) {
        EXPECT_EQ(all, 8);
        EXPECT_EQ(done, ++last);
    });
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->grid.size(), 4u);
    EXPECT_EQ(last, 8);
    int found = 0;
    for (const NeedleCell &cell : result->grid) {
        EXPECT_EQ(cell.trials, 2);
        found += cell.found;
    }
    EXPECT_DOUBLE_EQ(result->accuracy, found / 8.0);
    EXPECT_LT(result->accuracy, 0.5); // random weights know no key
}

TEST_F(Needle, CellsComeAsTheyAreAnswered)
{
    std::atomic<bool> cancel{false};
    std::vector<NeedleResult> seen;
    const auto result = evaluateNeedle(device, *model, map(HeadKind::Streaming), {{100, 200}, {0.0, 1.0}, 2, 1}, &cancel, {},
                                       [&](const NeedleResult &soFar) {
                                           seen.push_back(soFar);
                                           cancel = seen.size() == 3;
                                       });
    ASSERT_FALSE(result);
    ASSERT_EQ(seen.size(), 3u);
    for (std::size_t cells = 1; cells <= seen.size(); ++cells) {
        EXPECT_EQ(seen[cells - 1].grid.size(), cells);
        EXPECT_EQ(seen[cells - 1].grid.back().trials, 2);
        EXPECT_EQ(seen[cells - 1].planned, 4);
        EXPECT_FALSE(seen[cells - 1].isComplete());
    }
}

TEST_F(Needle, CellsThatAreKnownAreNotAskedAgain)
{
    NeedlePlan plan{.contexts = {100, 200}, .depths = {0, 1}, .trials = 2, .seed = 5};
    const auto whole = evaluateNeedle(device, *model, map(HeadKind::Retrieval), plan);
    ASSERT_TRUE(whole) << whole.error().message;
    NeedlePlan one = plan;
    one.trials = 1;
    const auto begun = evaluateNeedle(device, *model, map(HeadKind::Retrieval), one);
    ASSERT_TRUE(begun) << begun.error().message;
    // Of the first cell another count than it has, so that it is seen to be taken; the second was not asked to its end.
    plan.known = {whole->grid[0], begun->grid[1], {300, 0, 2, 2}};
    plan.known[0].found = 2 - whole->grid[0].found;
    int told = 0, first = -1;
    const auto rest = evaluateNeedle(device, *model, map(HeadKind::Retrieval), plan, nullptr, [&](int done, int all) {
        EXPECT_EQ(all, 8);
        first = first < 0 ? done : first;
        ++told;
    });
    ASSERT_TRUE(rest) << rest.error().message;
    ASSERT_EQ(rest->grid.size(), 4u);
    EXPECT_EQ(rest->grid[0].found, plan.known[0].found);
    EXPECT_EQ(rest->grid[1].trials, 2);
    EXPECT_EQ(rest->grid[1].found, whole->grid[1].found);
    EXPECT_EQ(first, 4) << "three of the eight questions are done before the first is asked";
    EXPECT_EQ(told, 5);
    EXPECT_DOUBLE_EQ(rest->accuracy,
                     (rest->grid[0].found + rest->grid[1].found + rest->grid[2].found + rest->grid[3].found) / 8.0);
}

TEST_F(Needle, EvaluationStopsWhenCancelled)
{
    const std::atomic<bool> cancel{true};
    const auto result = evaluateNeedle(device, *model, map(HeadKind::Streaming), {{100}, {0.5}, 1, 1}, &cancel);
    ASSERT_FALSE(result);
    EXPECT_TRUE(isCancelled(result.error()));
}

TEST_F(Needle, PlansOutsideTheModelAreRefused)
{
    const std::vector<NeedlePlan> bad
        = {{{}, {0.5}, 1, 1},    {{100}, {}, 1, 1},  {{100}, {0.5}, 0, 1}, {{100}, {1.5}, 1, 1}, {{100}, {std::nan("")}, 1, 1},
           {{513}, {0.5}, 1, 1}, {{20}, {0.5}, 1, 1}};
    for (const NeedlePlan &plan : bad) {
        const auto result = evaluateNeedle(device, *model, map(HeadKind::Retrieval), plan);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().kind, ErrorKind::BadInput) << result.error().message;
    }
}

TEST_F(Needle, ScoresHaveTheModelsShapeAndRepeat)
{
    const AttentionScorePlan plan{.contexts = {100}, .depths = {0, 0.5}, .trials = 2, .seed = 3, .fold = Fold::Max};
    const auto a = scoreByAttention(device, plan), b = scoreByAttention(device, plan);
    ASSERT_TRUE(a) << a.error().message;
    ASSERT_TRUE(b);
    EXPECT_EQ(a->method, "attention");
    EXPECT_EQ(a->model, model->shape());
    ASSERT_EQ(a->scores.size(), 4u);
    ASSERT_EQ(a->spread.size(), 4u);
    EXPECT_EQ(a->scores, b->scores);
    for (const float score : a->scores) {
        EXPECT_GE(score, 0);
        EXPECT_LE(score, 1);
    }
}

TEST(NeedleGrammar, TheOneInTheRepositoryIsRead)
{
    const auto text = readTextFile(grammarFile);
    ASSERT_TRUE(text);
    const auto grammar = parseNeedleGrammar(*text, "passkey.json");
    ASSERT_TRUE(grammar) << grammar.error().message;
    EXPECT_EQ(grammar->name, "pass");
    EXPECT_EQ(grammar->modulus, 10u);
    EXPECT_EQ(grammar->residue, 7u);
}

TEST(NeedleGrammar, AnythingElseIsRefused)
{
    const auto text = readTextFile(grammarFile);
    ASSERT_TRUE(text);
    const auto good = nlohmann::json::parse(*text);
    const std::vector<void (*)(nlohmann::json &)> faults = {
        [](auto &j) { j["format"] = "something"; },
        [](auto &j) { j["version"] = 2; },
        [](auto &j) { j.erase("version"); },
        [](auto &j) { j.erase("needle"); },
        [](auto &j) { j["needle"] = 5; },
        [](auto &j) { j["needle"] = "no key here"; },
        [](auto &j) { j["needle"] = "{key} and {key}"; },
        [](auto &j) { j["question"] = "What?"; },
        [](auto &j) { j["digits"] = 0; },
        [](auto &j) { j["digits"] = 5.5; },
        [](auto &j) { j["digits"] = 400; },
        [](auto &j) { j["names"] = nlohmann::json::array(); },
        [](auto &j) {
            j["names"] = {1, 2};
        },
        [](auto &j) { j["held_out"]["modulus"] = 0; },
        [](auto &j) { j["held_out"]["residue"] = 10; },
        [](auto &j) { j["held_out"] = "none"; },
        [](auto &j) { j["filler"]["templates"] = {"The {colour} house. "}; },
        [](auto &j) { j["filler"]["templates"] = {"Chapter 7. "}; },
        [](auto &j) { j["filler"]["words"] = nlohmann::json::array(); },
        [](auto &j) { j["filler"]["words"]["noun"] = nlohmann::json::array(); },
        [](auto &j) { j = nlohmann::json::array(); },
    };
    for (std::size_t i = 0; i < faults.size(); ++i) {
        nlohmann::json bad = good;
        faults[i](bad);
        const auto grammar = parseNeedleGrammar(bad.dump(), "passkey.json");
        ASSERT_FALSE(grammar) << "fault " << i;
        EXPECT_EQ(grammar.error().kind, ErrorKind::BadInput);
        EXPECT_EQ(grammar.error().message.rfind("passkey.json", 0), 0u);
    }
    EXPECT_FALSE(parseNeedleGrammar("", "passkey.json"));
    EXPECT_FALSE(parseNeedleGrammar(text->substr(0, 100), "passkey.json"));
    EXPECT_FALSE(NeedleTask::load("/nonexistent/passkey.json"));
}

} // namespace
} // namespace zigzag
