// SPDX-License-Identifier: GPL-3.0-or-later
// Needles and tasks asked of a chat model by its template, and of another as a text.
#include "engine/model/model.h"
#include "profiler/evaluate/needle_trials.h"
#include "profiler/evaluate/task_frame.h"
#include "profiler/evaluate/task_prompts.h"

#include <gtest/gtest.h>
#include <string>

namespace zigzag {
namespace {

constexpr auto chatTemplate = "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}[end]{% endfor %}"
                              "{% if add_generation_prompt %}[assistant]{% endif %}";

class ChatTasks : public testing::Test
{
protected:
    void SetUp() override
    {
        plain = loaded();
        talks = loaded();
        ASSERT_TRUE(plain && talks);
        talks->chat.text = chatTemplate;
    }
    static std::shared_ptr<Model> loaded()
    {
        const auto model = loadModel("bundled:zigzag-tiny");
        return model ? std::const_pointer_cast<Model>(*model) : nullptr; // nobody else's
    }
    std::string textOf(const std::vector<int> &tokens) const { return plain->tokenizer->decode(tokens); }
    std::string answersOf(const TaskPrompt &prompt) const
    {
        std::string text;
        for (const AnswerSpan &answer : prompt.answers)
            text += textOf({prompt.tokens.begin() + answer.begin, prompt.tokens.begin() + answer.end}) + ";";
        return text;
    }

    std::shared_ptr<Model> plain, talks;
};

TEST_F(ChatTasks, TheUserAsksAndTheAnswerIsBegun)
{
    const auto trials = NeedleTrials::plan(*talks, {400}, {0.5}, 1, 3, AskAs::Auto);
    ASSERT_TRUE(trials) << trials.error().message;
    const auto prompt = trials->prompt(400, 0.5, 0);
    ASSERT_TRUE(prompt) << prompt.error().message;
    const std::string text = textOf(prompt->tokens), key = textOf(prompt->answer);
    EXPECT_EQ(key.size(), 5u) << key;
    EXPECT_NE(text.find("[user]"), std::string::npos) << text;
    EXPECT_NE(text.find("The pass key is " + key), std::string::npos) << "the needle";
    constexpr std::string_view end = "What is the pass key?[end][assistant]The pass key is ";
    EXPECT_TRUE(text.ends_with(end)) << text;
    const auto tokens = std::ssize(prompt->tokens) + std::ssize(prompt->answer);
    EXPECT_LE(tokens, 400);
    EXPECT_GE(tokens, 398);
}

TEST_F(ChatTasks, SeveralKeysAreAskedForAtOnceAndSaidInTurn)
{
    TaskPlan plan{.kinds = {TaskKind::Passkeys}, .contexts = {600}, .depths = {0.2}, .needles = 3, .seed = 9, .as = AskAs::Chat};
    const auto prompts = makeTaskPrompts(*talks, plan);
    ASSERT_TRUE(prompts) << prompts.error().message;
    const TaskPrompt &prompt = prompts->front();
    ASSERT_EQ(prompt.answers.size(), 3u);
    const std::string text = textOf(prompt.tokens);
    const std::size_t user = text.find("[user]"), said = text.find("[end][assistant]");
    ASSERT_NE(user, std::string::npos) << text;
    ASSERT_NE(said, std::string::npos) << text;
    const auto questionsIn = [&](std::string_view part) {
        int count = 0;
        for (std::size_t at = part.find("What is the "); at != part.npos; at = part.find("What is the ", at + 1))
            ++count;
        return count;
    };
    EXPECT_EQ(questionsIn(std::string_view(text).substr(0, said)), 3);
    EXPECT_EQ(questionsIn(std::string_view(text).substr(said)), 0) << "the model asks nothing";
    EXPECT_LE(std::ssize(prompt.tokens), 600);

    // The same keys as in the text.
    plan.as = AskAs::Text;
    const auto texts = makeTaskPrompts(*talks, plan);
    ASSERT_TRUE(texts);
    EXPECT_EQ(answersOf(prompt), answersOf(texts->front()));
    EXPECT_EQ(textOf(texts->front().tokens).find("[user]"), std::string::npos);
}

TEST_F(ChatTasks, WithoutATemplateNothingChanges)
{
    EXPECT_EQ(askedAs(*plain, AskAs::Auto).value(), AskAs::Text);
    EXPECT_EQ(askedAs(*talks, AskAs::Auto).value(), AskAs::Chat);
    EXPECT_EQ(askedAs(*talks, AskAs::Text).value(), AskAs::Text);
    const auto refused = askedAs(*plain, AskAs::Chat);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("template"), std::string::npos) << refused.error().message;
    for (const TaskKind kind : {TaskKind::Passkey, TaskKind::Passkeys, TaskKind::Recall, TaskKind::Copy}) {
        TaskPlan plan{.kinds = {kind}, .contexts = {500}, .depths = {0.5}};
        const auto before = makeTaskPrompts(*plain, plan);
        plan.as = AskAs::Auto;
        const auto now = makeTaskPrompts(*plain, plan), chat = makeTaskPrompts(*talks, plan);
        ASSERT_TRUE(before && now && chat) << nameOf(kind);
        EXPECT_EQ(before->front().tokens, now->front().tokens) << nameOf(kind);
        EXPECT_EQ(before->front().tokens == chat->front().tokens, kind == TaskKind::Copy) << nameOf(kind);
    }
    EXPECT_EQ(contextsWithRoom(*plain, AskAs::Auto, {64, 256}), (std::vector<std::int64_t>{64, 256}));
    EXPECT_EQ(contextsWithRoom(*talks, AskAs::Auto, {64, 256}), (std::vector<std::int64_t>{256}));
    EXPECT_EQ(contextsWithRoom(*talks, AskAs::Auto, {64}), (std::vector<std::int64_t>{64}))
        << "the last one stays, and is refused";
    talks->chat.text = "{{ messages[0].content }}{{ messages[0].content }}";
    EXPECT_EQ(askedAs(*talks, AskAs::Auto).value(), AskAs::Text) << "says the message twice";
    EXPECT_FALSE(askedAs(*talks, AskAs::Chat));
}

TEST_F(ChatTasks, AQuestionHasTwoParts)
{
    const QuestionParts parts = partsOf("What is it? It is ");
    EXPECT_EQ(parts.asked, "What is it?");
    EXPECT_EQ(parts.begun, "It is ");
    EXPECT_EQ(partsOf("Say it").asked, "Say it");
    EXPECT_EQ(partsOf("Why? ").begun, "");
}

} // namespace
} // namespace zigzag
