// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/evaluate/statistics.h"
#include "profiler/evaluate/task_prompts.h"
#include "tests/profiler/loaded_model.h"

#include <algorithm>
#include <cmath>

namespace zigzag {
namespace {

const std::vector<TaskKind> allKinds = {TaskKind::Passkey, TaskKind::Passkeys, TaskKind::Recall, TaskKind::Copy};

class TaskPrompts : public test::LoadedModel
{
protected:
    std::vector<TaskPrompt> make(const TaskPlan &plan) const
    {
        auto prompts = makeTaskPrompts(*model, plan);
        EXPECT_TRUE(prompts) << prompts.error().message;
        return prompts ? *prompts : std::vector<TaskPrompt>{};
    }

    /// Every answer's tokens stand in the prompt before, so that a model that looks back can say them.
    static void expectAnswered(const TaskPrompt &prompt)
    {
        ASSERT_FALSE(prompt.answers.empty());
        std::int64_t last = 1;
        for (const AnswerSpan &answer : prompt.answers) {
            ASSERT_GE(answer.begin, last);
            ASSERT_LT(answer.begin, answer.end);
            ASSERT_LE(answer.end, static_cast<std::int64_t>(prompt.tokens.size()));
            const auto begin = prompt.tokens.begin() + answer.begin, end = prompt.tokens.begin() + answer.end;
            EXPECT_NE(std::search(prompt.tokens.begin(), begin, begin, end), begin);
            last = answer.end;
        }
    }
};

TEST_F(TaskPrompts, EveryTaskFitsItsContextAndHoldsItsAnswers)
{
    for (const TaskKind kind : allKinds) {
        const auto prompts = make({.kinds = {kind}, .contexts = {384, 512}, .depths = {0, 0.5, 1}, .trials = 2});
        ASSERT_EQ(prompts.size(), 12u);
        for (const TaskPrompt &prompt : prompts) {
            EXPECT_EQ(static_cast<std::int64_t>(prompt.tokens.size()), prompt.context) << nameOf(kind);
            EXPECT_EQ(prompt.answers.size(), kind == TaskKind::Passkeys ? 4u : 1u);
            expectAnswered(prompt);
        }
    }
}

TEST_F(TaskPrompts, TheSamePlaceAndSeedAskTheSame)
{
    const TaskPlan plan{.kinds = {TaskKind::Passkeys}, .contexts = {400}, .depths = {0.25, 0.75}, .trials = 2, .seed = 5};
    const auto a = make(plan), b = make(plan);
    TaskPlan part = plan;
    part.depths = {0.75};
    const auto c = make(part);
    TaskPlan other = plan;
    other.seed = 6;
    EXPECT_EQ(a[2].tokens, b[2].tokens);
    EXPECT_EQ(a[2].tokens, c[0].tokens);
    EXPECT_NE(a[2].tokens, a[3].tokens);
    EXPECT_NE(a[2].tokens, make(other)[2].tokens);
}

TEST_F(TaskPrompts, TextIsTheTrainingGrammars)
{
    const TaskPrompt prompt = make({.kinds = {TaskKind::Passkeys}, .contexts = {450}, .depths = {0}}).front();
    const std::string text = model->tokenizer->decode(std::vector<int>(prompt.tokens.begin() + 1, prompt.tokens.end()));
    const AnswerSpan &first = prompt.answers.front();
    const std::string key
        = model->tokenizer->decode(std::vector<int>(prompt.tokens.begin() + first.begin, prompt.tokens.begin() + first.end));
    EXPECT_EQ(key.size(), 5u);
    EXPECT_EQ(key.back(), '7'); // held out from training
    EXPECT_NE(text.find(" key is " + key + ". "), std::string::npos);
    EXPECT_NE(text.find("What is the "), std::string::npos);
    EXPECT_NE(text.find(key + ". What is the "), std::string::npos); // questions in turn, as the model was trained
}

TEST_F(TaskPrompts, TokensOfAnyVocabulary)
{
    for (const int vocabulary : {16, 258, 151'936})
        for (const TaskKind kind : allKinds)
            for (const double depth : {0.0, 0.4, 1.0}) {
                std::mt19937_64 random(3);
                auto prompt = tokenPrompt(kind, vocabulary, 200, depth, 3, random);
                ASSERT_TRUE(prompt) << prompt.error().message;
                EXPECT_EQ(prompt->tokens.size(), 200u);
                EXPECT_LT(*std::max_element(prompt->tokens.begin(), prompt->tokens.end()), vocabulary);
                EXPECT_EQ(prompt->answers.size(), kind == TaskKind::Passkeys ? 3u : 1u);
                expectAnswered(*prompt);
            }
}

TEST_F(TaskPrompts, WhatHasNoRoomIsRefused)
{
    EXPECT_FALSE(makeTaskPrompts(*model, {.contexts = {}}));
    EXPECT_FALSE(makeTaskPrompts(*model, {.contexts = {4096}})); // the model ends at 512
    EXPECT_FALSE(makeTaskPrompts(*model, {.contexts = {64}})); // too short for the question
    EXPECT_FALSE(makeTaskPrompts(*model, {.contexts = {256}, .depths = {1.5}}));
    EXPECT_FALSE(makeTaskPrompts(*model, {.contexts = {256}, .needles = 0}));
    std::mt19937_64 random(1);
    EXPECT_FALSE(tokenPrompt(TaskKind::Passkeys, 100, 30, 0.5, 4, random));
    EXPECT_FALSE(tokenPrompt(TaskKind::Copy, 100, 3, 0.5, 4, random));
}

/// Of a quantity that is never negative: mean / w to mean · w, w = exp(t · error / mean), worked by hand.
TEST(Statistics, AnIntervalOfAQuantityThatIsNeverNegativeIsNotNegative)
{
    const double three[] = {1, 2, 3}; // error 1/√3, t of 2 degrees 4.3027, w = exp(4.3027 · 0.57735 / 2) = 3.46281
    EXPECT_NEAR(positiveMeanInterval(three).low, 0.577564, 1e-4);
    EXPECT_NEAR(positiveMeanInterval(three).high, 6.925635, 1e-3);
    EXPECT_EQ(positiveMeanInterval(three).count, 3);
    const double five[] = {1, 2, 3, 4, 5}; // error 0.707107, t of 4 degrees 2.7764, w = 1.92400
    EXPECT_NEAR(positiveMeanInterval(five).low, 1.559256, 1e-4);
    EXPECT_NEAR(positiveMeanInterval(five).high, 5.771985, 1e-3);
    const double two[] = {0.027, 0.040}; // Student's t alone says −0.049 to 0.116
    EXPECT_LT(meanInterval(two).low, 0.0);
    EXPECT_NEAR(positiveMeanInterval(two).low, 0.0028467, 1e-6);
    EXPECT_NEAR(positiveMeanInterval(two).high, 0.3942273, 1e-5);
    EXPECT_DOUBLE_EQ(positiveMeanInterval(two).mean, meanInterval(two).mean);
    const double onlyOne[] = {0, 0, 0, 8}, none[] = {0, 0}, single[] = {3};
    EXPECT_GT(positiveMeanInterval(onlyOne).low, 0.0);
    EXPECT_EQ(positiveMeanInterval(none).high, 0.0);
    EXPECT_EQ(positiveMeanInterval(single).low, 3.0);
    EXPECT_EQ(positiveMeanInterval(single).count, 1);
}

TEST(Statistics, IntervalsAndRanks)
{
    const double values[] = {1, 2, 3, 4, 5};
    const Interval mean = meanInterval(values);
    EXPECT_DOUBLE_EQ(mean.mean, 3);
    EXPECT_NEAR(mean.error, std::sqrt(2.5 / 5), 1e-12);
    EXPECT_NEAR(mean.high - 3, 2.7764 * mean.error, 1e-3); // t of 4 degrees of freedom
    std::vector<double> many(31, 0.0);
    many[0] = 31;
    EXPECT_NEAR((meanInterval(many).high - 1) / meanInterval(many).error, 2.0423, 1e-3); // t of 30
    EXPECT_EQ(meanInterval(std::vector<double>{7}).low, 7);

    const Interval share = shareInterval(8, 10); // Wilson, by hand: 0.4902 to 0.9433
    EXPECT_NEAR(share.low, 0.4902, 1e-3);
    EXPECT_NEAR(share.high, 0.9433, 1e-3);
    EXPECT_EQ(shareInterval(10, 10).high, 1.0);
    EXPECT_LT(shareInterval(10, 10).low, 1.0);

    const double up[] = {1, 2, 3, 4}, down[] = {9, 7, 5, 3}, tied[] = {1, 1, 2, 2}, constant[] = {1, 1, 1, 1};
    EXPECT_DOUBLE_EQ(rankCorrelation(up, up), 1);
    EXPECT_DOUBLE_EQ(rankCorrelation(up, down), -1);
    EXPECT_NEAR(rankCorrelation(up, tied), 0.8944, 1e-4);
    EXPECT_EQ(rankCorrelation(up, constant), 0);
}

} // namespace
} // namespace zigzag
