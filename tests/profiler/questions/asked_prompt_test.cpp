// SPDX-License-Identifier: GPL-3.0-or-later
// Questions as prompts: exact lengths, what is cut and what stays, and the right answer behind them.
#include "profiler/questions/asked_prompt.h"

#include "profiler/evaluate/question_prompts.h"
#include "tests/paths.h"
#include "tests/tiny_model.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

constexpr int begin = 256;

/// A model with a token for each byte; "" of a template: it has none.
class Asked : public testing::Test
{
protected:
    std::shared_ptr<const Model> load(const std::string &chatTemplate)
    {
        test::writeTinyModel(m_folder.path());
        std::filesystem::remove(m_folder.path() / "chat_template.jinja");
        if (!chatTemplate.empty())
            std::ofstream(m_folder.path() / "chat_template.jinja") << chatTemplate;
        auto loaded = loadModel(m_folder.path().string());
        EXPECT_TRUE(loaded) << loaded.error().message;
        return loaded ? *loaded : nullptr;
    }

    static std::string textOf(const std::vector<int> &tokens)
    {
        std::string text;
        for (const int token : tokens)
            text += token == begin ? std::string("^") : token < 256 ? std::string(1, static_cast<char>(token)) : "$";
        return text;
    }
    std::string asked(const Model &model, const Question &question, AskAs as, std::int64_t longest)
    {
        const auto prompt = askedPrompt(model, question, as, longest);
        return prompt ? textOf(prompt->tokens) : "error: " + prompt.error().message;
    }

    test::TempFolder m_folder;
    static constexpr auto chat = "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}{% endfor %}"
                                 "{% if add_generation_prompt %}[assistant]{% endif %}";
};

Question question(std::string prompt, int answerTokens = 10)
{
    Question one;
    one.source = "mine";
    one.id = "7";
    one.prompt = std::move(prompt);
    one.answerTokens = answerTokens;
    one.references = {"Paris", "Lyon"};
    return one;
}

TEST_F(Asked, AsTextOrByTheTemplate)
{
    const auto plain = load("");
    Question one = question("What? ");
    one.answerBegin = "It is";
    EXPECT_EQ(asked(*plain, one, AskAs::Auto, 100), "^What? It is");
    EXPECT_NE(asked(*plain, one, AskAs::Chat, 100).find("no chat template"), std::string::npos);
    one.system = "Be brief.";
    EXPECT_EQ(asked(*plain, one, AskAs::Text, 100), "^Be brief.\n\nWhat? It is");

    const auto talks = load(chat);
    EXPECT_EQ(asked(*talks, one, AskAs::Auto, 100), "[system]Be brief.[user]What?[assistant]It is");
    EXPECT_EQ(asked(*talks, one, AskAs::Text, 100), "^Be brief.\n\nWhat? It is");
    one.isTemplated = false;
    EXPECT_EQ(asked(*talks, one, AskAs::Auto, 100), "^Be brief.\n\nWhat? It is");
    EXPECT_EQ(asked(*talks, one, AskAs::Chat, 100), "[system]Be brief.[user]What?[assistant]It is");
    EXPECT_TRUE(askedPrompt(*talks, one, AskAs::Chat, 100)->isChat);
    EXPECT_FALSE(askedPrompt(*talks, one, AskAs::Auto, 100)->isChat);
}

TEST_F(Asked, ATemplateThatCannotBeReadIsNoneUnlessItIsAskedFor)
{
    const auto model = load("{% include 'x' %}");
    EXPECT_EQ(asked(*model, question("Q"), AskAs::Auto, 100), "^Q");
    EXPECT_NE(asked(*model, question("Q"), AskAs::Chat, 100).find("\"include\""), std::string::npos);
    // One that refuses these messages can be read: what it says is said.
    const auto strict = load("{% if messages[0].role == 'system' %}{{ raise_exception('no system here') }}{% endif %}x");
    Question one = question("Q");
    one.system = "S";
    EXPECT_NE(asked(*strict, one, AskAs::Auto, 100).find("no system here"), std::string::npos);
}

TEST_F(Asked, ConversationsStandAsTheyAre)
{
    Question one = question("not this");
    one.messages = {{"system", "S"}, {"user", "a"}, {"assistant", "b"}, {"user", "c"}};
    EXPECT_EQ(asked(*load(chat), one, AskAs::Auto, 100), "[system]S[user]a[assistant]b[user]c[assistant]");
    EXPECT_EQ(asked(*load(""), one, AskAs::Auto, 100), "^System: S\n\nUser: a\n\nAssistant: b\n\nUser: c\n\nAssistant:");
}

TEST_F(Asked, IsCutInTheMiddleOfWhatIsAsked)
{
    Question one = question("0123456789abcdefghij", 4);
    one.system = "S";
    one.answerBegin = "=";
    const auto model = load(chat);
    const std::string whole = "[system]S[user]0123456789abcdefghij[assistant]=";
    for (std::int64_t longest = static_cast<std::int64_t>(whole.size()) + 6; longest > 32; --longest) {
        const auto prompt = askedPrompt(*model, one, AskAs::Auto, longest);
        ASSERT_TRUE(prompt) << prompt.error().message;
        const auto size = static_cast<std::int64_t>(prompt->tokens.size());
        const auto excess = std::max<std::int64_t>(0, static_cast<std::int64_t>(whole.size()) + 4 - longest);
        EXPECT_EQ(prompt->cut, excess);
        EXPECT_EQ(size + prompt->cut, static_cast<std::int64_t>(whole.size()));
        if (excess > 0) {
            EXPECT_EQ(size + one.answerTokens, longest);
        }
        const auto kept = static_cast<std::size_t>(20 - excess);
        EXPECT_EQ(textOf(prompt->tokens),
                  "[system]S[user]" + one.prompt.substr(0, kept / 2) + one.prompt.substr(20 - (kept - kept / 2))
                      + "[assistant]=");
    }
    EXPECT_EQ(asked(*model, one, AskAs::Auto, 33), "[system]S[user]0j[assistant]=");
    EXPECT_EQ(asked(*model, one, AskAs::Auto, 30).substr(0, 6), "error:");
    EXPECT_EQ(asked(*model, one, AskAs::Text, 4 + 3 + 6 + 1), "^S\n\n01hij=");
}

TEST_F(Asked, ConversationsAreCutInTheirMiddle)
{
    Question one = question("", 1);
    one.messages = {{"system", "S"}, {"user", "aaaaaaaa"}, {"assistant", "bbbbbbbb"}, {"user", "ccccccc?"}};
    const auto model = load(chat);
    const std::string whole = asked(*model, one, AskAs::Auto, 1000);
    ASSERT_EQ(whole, "[system]S[user]aaaaaaaa[assistant]bbbbbbbb[user]ccccccc?[assistant]");
    const std::string cut = asked(*model, one, AskAs::Auto, static_cast<std::int64_t>(whole.size()) - 14 + 1);
    EXPECT_EQ(cut.size(), whole.size() - 14);
    EXPECT_TRUE(cut.starts_with("[system]S[user]aaaaaaaa[")) << cut;
    EXPECT_TRUE(cut.ends_with("[user]ccccccc?[assistant]")) << cut;
}

TEST_F(Asked, SaysWhatIsInTheWay)
{
    const auto model = load(chat);
    const std::string narrow = asked(*model, question("a long question", 20), AskAs::Auto, 30);
    EXPECT_NE(narrow.find("the question mine 7 finds room for 10 tokens, and 17 are needed"), std::string::npos) << narrow;
    EXPECT_NE(asked(*model, question("q", 20), AskAs::Auto, 10).find("room for 0 tokens"), std::string::npos);
    const auto shouts = load("{% for m in messages %}[{{ m.content | upper }}]{% endfor %}");
    EXPECT_EQ(asked(*shouts, question("a long question"), AskAs::Auto, 100), "[A LONG QUESTION]");
    EXPECT_NE(asked(*shouts, question("a long question"), AskAs::Auto, 20).find("changes what it is given"), std::string::npos);
    test::writeTinyModel(m_folder.path(), {.tokenizer = false});
    std::filesystem::remove(m_folder.path() / "tokenizer.json");
    const auto mute = loadModel(m_folder.path().string());
    ASSERT_TRUE(mute) << mute.error().message;
    EXPECT_FALSE(askedPrompt(**mute, question("q"), AskAs::Text, 100));
}

TEST_F(Asked, TheAnswerStandsBehindThePromptThatIsAsked)
{
    const auto model = load(chat);
    const auto plain = load("");
    const Question one = question("Where is it? Somewhere.", 3);
    for (const Model *each : {model.get(), plain.get()})
        for (const std::int64_t longest : {1000, 40, 30, 28}) {
            const auto alone = askedPrompt(*each, one, AskAs::Auto, longest);
            const auto prompt = answeredPrompt(*each, one, AskAs::Auto, longest);
            ASSERT_TRUE(alone) << alone.error().message;
            ASSERT_TRUE(prompt) << prompt.error().message;
            EXPECT_EQ(prompt->kind, TaskKind::Asked);
            ASSERT_EQ(prompt->answers.size(), 1u);
            EXPECT_LE(static_cast<std::int64_t>(prompt->tokens.size()), longest);
            EXPECT_EQ(prompt->answers[0].end, static_cast<std::int64_t>(prompt->tokens.size()));
            EXPECT_EQ(prompt->answers[0].begin, static_cast<std::int64_t>(alone->tokens.size()));
            EXPECT_TRUE(std::equal(alone->tokens.begin(), alone->tokens.end(), prompt->tokens.begin()));
            EXPECT_EQ(textOf({prompt->tokens.end() - 3, prompt->tokens.end()}), each == model.get() ? "Par" : " Pa");
        }
}

TEST_F(Asked, WhatIsWantedIsTheRulesAffair)
{
    const auto model = load("");
    const auto wanted = [&](const Question &one) {
        const auto prompt = answeredPrompt(*model, one, AskAs::Auto, 1000);
        if (!prompt)
            return "error: " + prompt.error().message;
        const AnswerSpan &span = prompt->answers.front();
        return textOf({prompt->tokens.begin() + span.begin, prompt->tokens.begin() + span.end});
    };
    Question one = question("Where?", 20);
    EXPECT_EQ(wanted(one), " Paris");
    one.prompt = "Where? ";
    EXPECT_EQ(wanted(one), "Paris");
    one.rule = ScoringRule::RulerAll;
    EXPECT_EQ(wanted(one), "Paris, Lyon");
    one.answerBegin = "They are";
    EXPECT_EQ(wanted(one), " Paris, Lyon");
    one.answerBegin = "\xe7\xad\x94\xef\xbc\x9a";
    EXPECT_EQ(wanted(one), "Paris, Lyon");
    one.answerBegin.clear();
    one.references = {"Snowfield", "C"};
    one.rule = ScoringRule::InfiniteChoice;
    EXPECT_EQ(wanted(one), "C");
    one.references = {"C"};
    one.rule = ScoringRule::Letter;
    EXPECT_EQ(wanted(one), "C");
    EXPECT_NE(textOf(answeredPrompt(*model, one, AskAs::Auto, 1000)->tokens).find("The correct answer is (C"), std::string::npos);
    one.references.clear();
    EXPECT_NE(wanted(one).find("there is no answer"), std::string::npos);
}

TEST_F(Asked, WhatCameFromOutsideIsNoTaskOfOurs)
{
    EXPECT_EQ(nameOf(TaskKind::Asked), "asked");
    EXPECT_FALSE(parseTaskKind("asked"));
    const auto made = makeTaskPrompts(*load(""), {.kinds = {TaskKind::Asked}, .contexts = {100}});
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find("questions from outside"), std::string::npos);
}

/// Tokens of several bytes: what is cut are whole tokens of the question, and lengths are exact with every kind of tokenizer.
class AskedTokens : public testing::TestWithParam<const char *>
{ };

TEST_P(AskedTokens, ACutPromptIsAsLongAsThereIsRoom)
{
    Model model;
    model.config.name = GetParam();
    model.tokenizer = *Tokenizer::load(test::sourceDir() + "/tests/fixtures/tokenizers/" + GetParam() + "/tokenizer.json");
    model.chat.text = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content | trim }}\n{% endfor %}<|assistant|>\n";
    Question one = question("", 7);
    for (int i = 0; i < 60; ++i)
        one.prompt += "Sentence number " + std::to_string(i) + " is about caf\xc3\xa9s, rivers and \xe6\x9d\xb1\xe4\xba\xac. ";
    one.answerBegin = "The place is";
    for (const AskAs as : {AskAs::Text, AskAs::Chat}) {
        const auto whole = askedPrompt(model, one, as, 100'000);
        ASSERT_TRUE(whole) << whole.error().message;
        ASSERT_EQ(whole->cut, 0);
        for (const std::int64_t longest : {80, 101, 256, 400}) {
            const auto prompt = askedPrompt(model, one, as, longest);
            ASSERT_TRUE(prompt) << prompt.error().message;
            const auto size = prompt->tokens.size();
            EXPECT_EQ(static_cast<std::int64_t>(size), longest - 7);
            EXPECT_EQ(prompt->cut, static_cast<std::int64_t>(whole->tokens.size() - size));
            // Nothing but a piece is gone, and both ends are the whole prompt's.
            const auto front = std::mismatch(prompt->tokens.begin(), prompt->tokens.end(), whole->tokens.begin()).first
                - prompt->tokens.begin();
            const auto back = std::mismatch(prompt->tokens.rbegin(), prompt->tokens.rend(), whole->tokens.rbegin()).first
                - prompt->tokens.rbegin();
            EXPECT_GE(front + back, static_cast<std::ptrdiff_t>(size));
            EXPECT_GE(front, 4);
            const auto end = model.tokenizer->encode(one.answerBegin, false);
            EXPECT_GE(back, static_cast<std::ptrdiff_t>(end.size()) + 4);

            const auto answered = answeredPrompt(model, one, as, longest);
            ASSERT_TRUE(answered) << answered.error().message;
            EXPECT_LE(static_cast<std::int64_t>(answered->tokens.size()), longest);
            const AnswerSpan &span = answered->answers.front();
            EXPECT_NE(
                model.tokenizer->decode({answered->tokens.data() + span.begin, answered->tokens.data() + span.end}).find("Pa"),
                std::string::npos);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(EveryKind, AskedTokens,
                         testing::Values("bytes", "gpt2", "llama3", "qwen", "llama2", "mistral", "metaspace"),
                         [](const auto &kind) { return std::string(kind.param); });

} // namespace
} // namespace zigzag
