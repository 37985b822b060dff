// SPDX-License-Identifier: GPL-3.0-or-later
// RULER's questions keep its rules: what is asked for stands in the text, and nothing else answers.
#include "profiler/questions/ruler.h"
#include "tests/profiler/questions/ruler_models.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

namespace zigzag {
namespace {

class Ruler : public testing::Test
{
protected:
    std::vector<Question> ask(std::string_view task, std::int64_t context, int trials = 3)
    {
        auto questions = rulerQuestions(model, test::rulerPlan({task}, context, trials), AskAs::Text);
        if (!questions)
            throw std::runtime_error(questions.error().message);
        return std::move(*questions);
    }

    Model model = test::modelWithTokenizer("llama3");
};

int countOf(const std::string &text, const std::string &part)
{
    int count = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

std::vector<std::string> wordsOf(const std::string &text)
{
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

/// key → values of all needles that stand in a text.
std::map<std::string, std::vector<std::string>> needlesIn(const std::string &text, const std::string &type)
{
    const std::regex pattern("One of the special magic " + type + " for ([a-z0-9-]+) is: ([a-z0-9-]+)\\.");
    std::map<std::string, std::vector<std::string>> found;
    for (std::sregex_iterator match(text.begin(), text.end(), pattern), none; match != none; ++match)
        found[(*match)[1]].push_back((*match)[2]);
    return found;
}

struct NeedleCase {
    const char *task, *type, *key, *value;
    std::size_t keys; ///< 0: the haystack is of needles
    std::size_t asked, references;
};

constexpr const char *words = "[a-z]+-[a-z]+", *number = "[1-9][0-9]{6}",
                     *uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

TEST_F(Ruler, NeedlesAreHiddenAndAskedFor)
{
    const NeedleCase cases[] = {
        {"niah_single_1", "numbers", words, number, 1, 1, 1},   {"niah_single_2", "numbers", words, number, 1, 1, 1},
        {"niah_single_3", "uuids", words, uuid, 1, 1, 1},       {"niah_multikey_1", "numbers", words, number, 4, 1, 1},
        {"niah_multikey_2", "numbers", words, number, 0, 1, 1}, {"niah_multikey_3", "uuids", uuid, uuid, 0, 1, 1},
        {"niah_multivalue", "numbers", words, number, 1, 1, 4}, {"niah_multiquery", "numbers", words, number, 4, 4, 4},
    };
    for (const NeedleCase &each : cases)
        for (const Question &question : ask(each.task, 4096)) {
            SCOPED_TRACE(each.task);
            const auto found = needlesIn(question.prompt, each.type);
            if (each.keys > 0)
                EXPECT_EQ(found.size(), each.keys);
            else
                EXPECT_GT(found.size(), 15u);
            for (const auto &[key, values] : found) {
                EXPECT_TRUE(std::regex_match(key, std::regex(each.key))) << key;
                for (const std::string &value : values)
                    EXPECT_TRUE(std::regex_match(value, std::regex(each.value))) << value;
            }
            // The keys of the question, in its order, and their values are the references.
            const std::size_t end = question.answerBegin.find(" mentioned in the provided text");
            const std::string query = question.answerBegin.substr(0, end).substr(question.answerBegin.find(" for ") + 5);
            std::vector<std::string> keys, expected;
            for (std::string key : wordsOf(query)) {
                key.erase(std::remove(key.begin(), key.end(), ','), key.end());
                if (key != "and")
                    keys.push_back(key);
            }
            EXPECT_EQ(keys.size(), each.asked) << query;
            for (const std::string &key : keys) {
                ASSERT_TRUE(found.count(key)) << key;
                expected.insert(expected.end(), found.at(key).begin(), found.at(key).end());
            }
            EXPECT_EQ(std::multiset<std::string>(expected.begin(), expected.end()),
                      std::multiset<std::string>(question.references.begin(), question.references.end()));
            EXPECT_EQ(std::set<std::string>(expected.begin(), expected.end()).size(), each.references);
            EXPECT_EQ(countOf(question.prompt, query), keys.size() == 1 ? 1 + static_cast<int>(each.references) : 1);
            EXPECT_EQ(question.rule, ScoringRule::RulerAll);
            EXPECT_EQ(question.answerTokens, 128);
            if (each.references == 1) {
                const auto at = static_cast<double>(question.prompt.find(question.references.front()));
                EXPECT_NEAR(question.depth, at / static_cast<double>(question.prompt.size()), 0.02);
            } else {
                EXPECT_LT(question.depth, 0);
            }
        }
}

TEST_F(Ruler, InstructionsAreThePublishedOnes)
{
    const Question one = ask("niah_single_1", 2048, 1).front(), several = ask("niah_multiquery", 2048, 1).front();
    EXPECT_EQ(
        one.prompt.rfind("A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you "
                         "about the number afterwards.\n",
                         0),
        0u);
    EXPECT_NE(one.prompt.find("\nThe grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.\n"),
              one.prompt.npos);
    EXPECT_TRUE(
        std::regex_match(one.answerBegin, std::regex(" The special magic number for [a-z-]+ mentioned in the provided text is")));
    EXPECT_TRUE(std::regex_search(
        one.prompt, std::regex("\nWhat is the special magic number for [a-z-]+ mentioned in the provided text\\?$")));
    EXPECT_EQ(
        several.prompt.rfind("Some special magic numbers are hidden within the following text. Make sure to memorize it. I will "
                             "quiz you about the numbers afterwards.\n",
                             0),
        0u);
    EXPECT_TRUE(
        std::regex_search(several.prompt,
                          std::regex("\nWhat are all the special magic numbers for [a-z-]+, [a-z-]+, [a-z-]+, and [a-z-]+ "
                                     "mentioned in the provided text\\?$")));
}

TEST_F(Ruler, VariablesThatGetTheValueAreTheReferences)
{
    for (const Question &question : ask("vt", 4096)) {
        const std::size_t begin = question.prompt.rfind("Memorize and track");
        ASSERT_GT(begin, 0u); // behind an example
        const std::regex asks("assigned the value ([0-9]{5}) in the text above\\.$");
        std::smatch asked;
        ASSERT_TRUE(std::regex_search(question.prompt, asked, asks));
        // Each assignment is made of what was assigned above it.
        std::map<std::string, std::string> values;
        std::istringstream lines(question.prompt.substr(begin));
        std::vector<std::string> holders;
        for (std::string line; std::getline(lines, line);) {
            std::smatch assigned;
            if (!std::regex_match(line, assigned, std::regex("VAR ([A-Z]{5}) = (VAR )?([A-Z]{5}|[0-9]{5}) ?")))
                continue;
            const std::string from = assigned[3];
            if (assigned[2].matched) {
                ASSERT_TRUE(values.count(from)) << line;
            }
            values[assigned[1]] = assigned[2].matched ? values[from] : from;
            if (values[assigned[1]] == asked[1])
                holders.push_back(assigned[1]);
        }
        EXPECT_EQ(holders, question.references);
        EXPECT_EQ(holders.size(), 5u);
        // The example is another one, answered.
        const std::string example = question.prompt.substr(0, begin);
        EXPECT_EQ(example.find(asked[1]), example.npos);
        EXPECT_TRUE(std::regex_search(example, std::regex("they are:  [A-Z]{3}( [A-Z]{3}){4}\n\n$")));
        EXPECT_LT(countOf(example, "The grass is green"), countOf(question.prompt, "The grass is green") / 2);
        EXPECT_EQ(question.answerTokens, 30);
        EXPECT_NE(question.answerBegin.find("5 variables are assigned the value " + asked[1].str()), std::string::npos);
    }
}

/// word → how often it stands in the numbered list between two texts.
std::map<std::string, int> listed(const std::string &text)
{
    std::map<std::string, int> counts;
    const std::size_t begin = text.find("appear most often.\n") + 19;
    const std::vector<std::string> list = wordsOf(text.substr(begin, text.find("\nQuestion:") - begin));
    for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
        EXPECT_EQ(list[i], std::to_string(i / 2 + 1) + ".");
        ++counts[list[i + 1]];
    }
    return counts;
}

TEST_F(Ruler, TheCommonWordsAreTheMostFrequent)
{
    struct {
        std::int64_t context;
        int often, seldom, exampleOften, exampleSeldom;
    } const cases[] = {{2048, 6, 1, 3, 1}, {8192, 30, 3, 10, 3}};
    for (const auto &each : cases)
        for (const Question &question : ask("cwe", each.context)) {
            const std::size_t begin = question.prompt.rfind("Below is a numbered list");
            ASSERT_EQ(question.references.size(), 10u);
            const auto counts = listed(question.prompt.substr(begin));
            for (const auto &[word, count] : counts) {
                const bool isCommon
                    = std::find(question.references.begin(), question.references.end(), word) != question.references.end();
                if (isCommon)
                    EXPECT_EQ(count, each.often) << word;
                else
                    EXPECT_LE(count, each.seldom) << word;
            }
            for (const std::string &word : question.references)
                EXPECT_TRUE(counts.count(word)) << word;
            // Only the last few words, which make up the length, stand less often than the others.
            EXPECT_LE(std::count_if(counts.begin(), counts.end(), [&](const auto &entry) { return entry.second < each.seldom; }),
                      9);
            const std::string example = question.prompt.substr(0, begin);
            const auto exampleCounts = listed(example);
            const std::size_t answer = example.find("in the list are: 1. ");
            ASSERT_NE(answer, example.npos);
            const std::vector<std::string> said = wordsOf(example.substr(answer + 17));
            ASSERT_EQ(said.size(), 20u);
            for (std::size_t i = 1; i < said.size(); i += 2)
                EXPECT_EQ(exampleCounts.at(said[i]), each.exampleOften) << said[i];
            EXPECT_EQ(std::count_if(exampleCounts.begin(), exampleCounts.end(),
                                    [&](const auto &entry) { return entry.second == each.exampleOften; }),
                      10);
            EXPECT_EQ(question.answerTokens, 120);
        }
}

/// Where the list of words is too short, all of the list are pairs.
TEST_F(Ruler, ALongListOfWordsIsMadeOfPairs)
{
    const Question question = ask("cwe", 600'000, 1).front();
    const auto counts = listed(question.prompt.substr(question.prompt.rfind("Below is a numbered list")));
    EXPECT_GT(counts.size(), 7000u);
    for (const auto &[word, count] : counts)
        ASSERT_NE(word.find('-'), word.npos) << word;
    for (const std::string &word : question.references)
        EXPECT_EQ(counts.at(word), 30);
}

TEST_F(Ruler, TheThreeFrequentWordsAreInTheirOrder)
{
    for (const std::int64_t context : {1024, 8192})
        for (const Question &question : ask("fwe", context)) {
            std::map<std::string, int> counts;
            const std::size_t begin = question.prompt.find("frequently appeared coded words. ") + 33;
            for (const std::string &word : wordsOf(question.prompt.substr(begin, question.prompt.find("\nQuestion:") - begin)))
                ++counts[word];
            std::vector<std::pair<int, std::string>> ranked;
            for (const auto &[word, count] : counts)
                if (word.front() != '.') {
                    EXPECT_EQ(word.size(), 6u);
                    ranked.emplace_back(-count, word);
                }
            std::sort(ranked.begin(), ranked.end());
            ASSERT_GE(ranked.size(), 4u);
            ASSERT_EQ(question.references.size(), 3u);
            for (std::size_t i = 0; i < 3; ++i) {
                EXPECT_EQ(ranked[i].second, question.references[i]);
                EXPECT_LT(ranked[i].first, ranked[i + 1].first);
            }
            // Zeta with alpha 2: the second has 4/9 of the first's, and the dots more than both.
            EXPECT_NEAR(static_cast<double>(ranked[1].first) / ranked[0].first, 4.0 / 9, 0.06);
            EXPECT_GT(counts["..."], -ranked[0].first - ranked[1].first);
            EXPECT_EQ(question.answerTokens, 50);
        }
}

TEST_F(Ruler, AnswersStandInTheirDocuments)
{
    const test::RulerFiles files;
    RulerPlan plan = test::rulerPlan({"qa_1", "qa_2"}, 2500, 4);
    plan.squad = files.squad();
    plan.hotpot = files.hotpot();
    const auto questions = rulerQuestions(model, plan, AskAs::Text);
    ASSERT_TRUE(questions) << questions.error().message;
    ASSERT_EQ(questions->size(), 8u);
    std::set<std::string> asked;
    for (const Question &question : *questions) {
        EXPECT_EQ(question.rule, ScoringRule::RulerPart);
        EXPECT_EQ(question.answerTokens, 32);
        EXPECT_EQ(question.answerBegin, " Answer:");
        asked.insert(question.prompt.substr(question.prompt.rfind("\nQuestion: ")));
        int documents = 0;
        while (question.prompt.find("\n\nDocument " + std::to_string(documents + 1) + ":\n") != std::string::npos)
            ++documents;
        EXPECT_GT(documents, 2);
        EXPECT_EQ(countOf(question.prompt, "\n\nDocument "), documents);
        const std::string last = question.references.back();
        if (question.task == "qa_1") {
            EXPECT_EQ(question.references.front(), "says"); // each answer once
            ASSERT_EQ(question.references.size(), 2u);
            EXPECT_NE(question.prompt.find("What is said in " + last + "?"), std::string::npos);
            const std::size_t at = question.prompt.find(":\n" + last + " says: ");
            ASSERT_NE(at, std::string::npos);
            EXPECT_NEAR(question.depth, static_cast<double>(at) / static_cast<double>(question.prompt.size()), 0.02);
        } else {
            const int first = std::stoi(last.substr(6)); // the documents of its own context are all there
            for (int i = 0; i < 3; ++i)
                EXPECT_NE(question.prompt.find(":\nTitle " + std::to_string(first + i) + "\nFirst sentence. "),
                          std::string::npos);
        }
    }
    EXPECT_EQ(asked.size(), 8u) << "a question was asked twice";
}

TEST_F(Ruler, AQuestionDependsOnTheSeedAndItsPlaceAlone)
{
    const auto same = [](const Question &a, const Question &b) {
        return a.prompt == b.prompt && a.references == b.references && a.id == b.id && a.answerBegin == b.answerBegin;
    };
    RulerPlan plan = test::rulerPlan({}, 2048, 2);
    const auto all = rulerQuestions(model, plan, AskAs::Text);
    ASSERT_TRUE(all) << all.error().message;
    ASSERT_EQ(all->size(), 22u); // all that need no data
    for (std::size_t i = 0; i < all->size(); i += 2) {
        RulerPlan one = test::rulerPlan({(*all)[i].task}, 1800, 3);
        one.contexts.push_back(2048);
        const auto again = rulerQuestions(model, one, AskAs::Text);
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_TRUE(same((*again)[3], (*all)[i])) << (*all)[i].task;
        EXPECT_TRUE(same((*again)[4], (*all)[i + 1])) << (*all)[i].task;
        EXPECT_FALSE((*again)[0].references == (*again)[3].references) << (*all)[i].task;
        one.seed = 2;
        EXPECT_FALSE(rulerQuestions(model, one, AskAs::Text)->front().references == (*again)[0].references) << (*all)[i].task;
        EXPECT_FALSE((*all)[i].references == (*all)[i + 1].references) << (*all)[i].task;
    }
}

TEST_F(Ruler, APersonsTextIsTheHaystack)
{
    const test::RulerFiles files;
    RulerPlan plan = test::rulerPlan({"niah_single_2"}, 1024, 1);
    plan.haystack
        = files.file("text.txt", "Call me\n  Ishmael. \"Some years ago?\" He left at 5.30 in the rain!\n\nÄpfel fielen. ");
    const auto questions = rulerQuestions(model, plan, AskAs::Text);
    ASSERT_TRUE(questions) << questions.error().message;
    const std::string &prompt = questions->front().prompt;
    EXPECT_GT(countOf(prompt, "Call me Ishmael. \"Some years ago?\" He left at 5.30 in the rain! Äpfel fielen. Call me"), 4);
    EXPECT_TRUE(std::regex_search(prompt, std::regex("(Ishmael\\.|\\?\"|rain!|fielen\\.) One of the special magic numbers for")));
    plan.haystack = files.file("blank.txt", " \n ");
    EXPECT_FALSE(rulerQuestions(model, plan, AskAs::Text));
    plan.haystack = files.file("binary", "text \xff\xfe more");
    EXPECT_FALSE(rulerQuestions(model, plan, AskAs::Text));
    plan.haystack = files.file("endless.txt", std::string(100'000, 'x'));
    plan.contexts = {16'384};
    EXPECT_TRUE(rulerQuestions(model, plan, AskAs::Text));
}

TEST_F(Ruler, PlansThatCannotBeAreRefused)
{
    const test::RulerFiles files;
    const auto refusal = [&](const RulerPlan &plan, std::string_view part) {
        const auto questions = rulerQuestions(model, plan, AskAs::Text);
        ASSERT_FALSE(questions) << part;
        EXPECT_EQ(questions.error().kind, ErrorKind::BadInput);
        EXPECT_NE(questions.error().message.find(part), std::string::npos) << questions.error().message;
        EXPECT_EQ(questions.error().message.find('\n'), std::string::npos);
    };
    refusal(test::rulerPlan({"niah_single_4"}, 2048, 1), "no task \"niah_single_4\"");
    refusal(test::rulerPlan({"qa_1"}, 2048, 1), "qa_1 needs SQuAD's JSON file");
    refusal(test::rulerPlan({"qa_2"}, 2048, 1), "qa_2 needs HotpotQA's JSON file");
    refusal(test::rulerPlan({"vt"}, 0, 1), "a context of 0 tokens");
    refusal(test::rulerPlan({"vt"}, 5'000'000, 1), "a context of 5000000 tokens");
    refusal(test::rulerPlan({"vt"}, 4'000'000, 200), "ask for fewer");
    refusal(test::rulerPlan({"vt"}, 2048, 0), "0 trials");
    RulerPlan plan = test::rulerPlan({"vt"}, 2048, 1);
    plan.contexts.clear();
    refusal(plan, "need a context");
    plan = test::rulerPlan({"qa_1"}, 2048, 1);
    for (const char *text : {"", "[]", "{\"data\": [{\"paragraphs\": [{\"context\": 3, \"qas\": []}]}]}", "{\"data\": []}",
                             "{\"data\": [{\"paragraphs\": [{\"context\": \"c\", \"qas\": [{\"question\": \"q\"}]}]}]}"}) {
        plan.squad = files.file("bad.json", text);
        refusal(plan, "bad.json");
    }
    plan = test::rulerPlan({"qa_2"}, 2048, 1);
    for (const char *text : {"{}", "[]", "[{\"question\": \"q\", \"answer\": \"a\", \"context\": [[\"t\"]]}]",
                             "[{\"question\": \"q\", \"answer\": \"a\", \"context\": [[\"t\", [1]]]}]", "[3]"}) {
        plan.hotpot = files.file("bad.json", text);
        refusal(plan, "bad.json");
    }
    plan.hotpot = "/nonexistent/hotpot.json";
    refusal(plan, "/nonexistent/hotpot.json");
    Model without;
    EXPECT_FALSE(rulerQuestions(without, test::rulerPlan({"vt"}, 2048, 1), AskAs::Text));
}

} // namespace
} // namespace zigzag
