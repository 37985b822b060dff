// SPDX-License-Identifier: GPL-3.0-or-later
// RULER's questions have the length that they say, to the token, in the tokens of every kind of tokenizer.
#include "profiler/questions/asked_prompt.h"
#include "profiler/questions/ruler.h"
#include "tests/paths.h"
#include "tests/profiler/questions/ruler_models.h"

#include <gtest/gtest.h>

namespace zigzag {
namespace {

/// Tokens as asked, with the answer's room.
std::int64_t sizeOf(const Model &model, const Question &question, AskAs as)
{
    const auto asked = askedPrompt(model, question, as, 1ll << 40);
    return asked ? static_cast<std::int64_t>(asked->tokens.size()) + question.answerTokens : -1;
}

class RulerLength : public testing::TestWithParam<const char *>
{
protected:
    Model model = test::modelWithTokenizer(GetParam());
};

TEST_P(RulerLength, EveryTaskHasExactlyTheLengthThatItSays)
{
    for (const std::string_view task : rulerTasks().first(11))
        for (const std::int64_t context : {3071, 8192}) {
            const auto questions = rulerQuestions(model, test::rulerPlan({task}, context, 2), AskAs::Text);
            ASSERT_TRUE(questions) << questions.error().message;
            ASSERT_EQ(questions->size(), 2u);
            for (const Question &question : *questions) {
                EXPECT_EQ(sizeOf(model, question, AskAs::Text), context) << task << " " << question.id;
                EXPECT_EQ(question.context, context);
            }
        }
}

/// Whatever is left over by whole lines: some rest for each of a line's tokens.
TEST_P(RulerLength, EveryRestIsMadeUpFor)
{
    for (const std::string_view task : rulerTasks().first(11)) {
        RulerPlan plan = test::rulerPlan({task}, 2200, 1);
        for (std::int64_t context = 2201; context < 2210; ++context)
            plan.contexts.push_back(context);
        const auto questions = rulerQuestions(model, plan, AskAs::Text);
        ASSERT_TRUE(questions) << questions.error().message;
        for (const Question &question : *questions)
            EXPECT_EQ(sizeOf(model, question, AskAs::Text), question.context) << task;
    }
}

TEST_P(RulerLength, TheTemplateCounts)
{
    model.chat.text = test::chatTemplate;
    for (const std::string_view task : {"niah_single_2", "niah_multikey_3", "vt", "cwe", "fwe"}) {
        const auto questions = rulerQuestions(model, test::rulerPlan({task}, 4000, 1), AskAs::Auto);
        ASSERT_TRUE(questions) << questions.error().message;
        EXPECT_EQ(sizeOf(model, questions->front(), AskAs::Auto), 4000) << task;
        const auto asked = askedPrompt(model, questions->front(), AskAs::Auto, 4000);
        ASSERT_TRUE(asked) << asked.error().message;
        EXPECT_TRUE(asked->isChat);
        EXPECT_EQ(asked->cut, 0);
    }
}

TEST_P(RulerLength, DocumentsToTheToken)
{
    const test::RulerFiles files;
    for (const std::string_view task : {"qa_1", "qa_2"})
        for (const std::int64_t context : {2500, 6000, 30'000}) { // 30 000: more than the file has, so some stand twice
            RulerPlan plan = test::rulerPlan({task}, context, 2);
            plan.squad = files.squad();
            plan.hotpot = files.hotpot();
            const auto questions = rulerQuestions(model, plan, AskAs::Text);
            ASSERT_TRUE(questions) << questions.error().message;
            for (const Question &question : *questions)
                EXPECT_EQ(sizeOf(model, question, AskAs::Text), context) << task << " " << question.id;
        }
}

INSTANTIATE_TEST_SUITE_P(EveryKind, RulerLength,
                         testing::Values("bytes", "gpt2", "llama3", "qwen", "llama2", "mistral", "metaspace"),
                         [](const auto &kind) { return std::string(kind.param); });

/// The bundled model's tokens are bytes, and its longest context is short.
TEST(RulerQuestions, TheBundledModelsLongestContextIsFilled)
{
    const auto model = describeModel("bundled:zigzag-tiny");
    ASSERT_TRUE(model) << model.error().message;
    const std::int64_t longest = (*model)->config.maxContext;
    for (const std::string_view task : rulerTasks().first(11))
        for (const std::int64_t context : {longest - 100, longest}) {
            const auto questions = rulerQuestions(**model, test::rulerPlan({task}, context, 2), AskAs::Auto);
            ASSERT_TRUE(questions) << questions.error().message;
            for (const Question &question : *questions)
                EXPECT_EQ(sizeOf(**model, question, AskAs::Auto), context) << task << " " << question.id;
        }
}

TEST(RulerQuestions, LongTextsAreCountedAFewTimesOnly)
{
    const Model model = test::modelWithTokenizer("llama3");
    for (const std::string_view task : {"niah_single_1", "niah_multikey_1", "niah_multikey_3", "cwe", "fwe"}) {
        const auto questions = rulerQuestions(model, test::rulerPlan({task}, 200'000, 1), AskAs::Text);
        ASSERT_TRUE(questions) << questions.error().message;
        EXPECT_EQ(sizeOf(model, questions->front(), AskAs::Text), 200'000) << task;
    }
}

/// What a refusal says is needed is enough.
TEST(RulerQuestions, AContextWithoutRoomIsRefusedWithWhatItNeeds)
{
    const Model model = test::modelWithTokenizer("llama3");
    for (const std::string_view task : rulerTasks().first(11)) {
        const auto refused = rulerQuestions(model, test::rulerPlan({task}, 200, 1), AskAs::Text);
        ASSERT_FALSE(refused) << task;
        const std::string &message = refused.error().message;
        EXPECT_EQ(message.rfind(std::string(task) + " needs ", 0), 0u) << message;
        const std::int64_t needed = std::stoll(message.substr(message.find("needs ") + 6));
        const auto questions = rulerQuestions(model, test::rulerPlan({task}, needed + 400, 1), AskAs::Text);
        ASSERT_TRUE(questions) << questions.error().message;
        EXPECT_EQ(sizeOf(model, questions->front(), AskAs::Text), needed + 400) << task;
    }
}

} // namespace
} // namespace zigzag
