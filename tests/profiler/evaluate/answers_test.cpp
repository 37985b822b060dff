// SPDX-License-Identifier: GPL-3.0-or-later
// Questions answered under maps, what their scores say, and the file that keeps them.
#include "engine/run/device_model.h"
#include "engine/run/session.h"
#include "profiler/evaluate/answers_compare.h"
#include "profiler/evaluate/answers_summary.h"
#include "tests/temp_folder.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace zigzag {
namespace {

std::vector<double> scores(int ones, int all)
{
    std::vector<double> values(static_cast<std::size_t>(all), 0.0);
    std::fill_n(values.begin(), ones, 1.0);
    return values;
}

/// Pairs of which so many fell from 1 to 0, so many rose, and the rest stayed.
PairedTest fromPairs(int worse, int better, int same)
{
    std::vector<double> full, map;
    const auto add = [&](int count, double a, double b) {
        full.insert(full.end(), static_cast<std::size_t>(count), a);
        map.insert(map.end(), static_cast<std::size_t>(count), b);
    };
    add(worse, 1, 0);
    add(better, 0, 1);
    add(same, 1, 1);
    return pairedTest(full, map);
}

TEST(PairedTest, McNemarsExactProbabilities)
{
    // Two-sided binomial tests at one half.
    struct {
        int worse, better;
        double p;
    } const known[]
        = {{9, 2, 0.0654296875}, {5, 0, 0.0625}, {6, 0, 0.03125}, {0, 6, 0.03125}, {1, 1, 1.0}, {30, 12, 0.007915897334896727}};
    for (const auto &each : known) {
        const PairedTest test = fromPairs(each.worse, each.better, 20);
        EXPECT_TRUE(test.isExact);
        EXPECT_NEAR(test.p, each.p, 1e-12) << each.worse << ", " << each.better;
        EXPECT_EQ(test.isDifferent(), each.p < 0.05);
        EXPECT_LE(test.low, test.difference);
        EXPECT_GE(test.high, test.difference);
    }
    EXPECT_NEAR(fromPairs(6, 0, 20).difference, -6.0 / 26, 1e-15);
    EXPECT_NE(pairedText(fromPairs(6, 0, 20)).find("worse by 23.1 points"), std::string::npos) << pairedText(fromPairs(6, 0, 20));
}

TEST(PairedTest, SaysWhatItCouldNotHaveSeen)
{
    EXPECT_NEAR(fromPairs(0, 0, 40).detectable, 0.19046379, 1e-6) << "six of forty have to fall";
    EXPECT_NEAR(fromPairs(10, 10, 180).detectable, 0.06227680, 1e-6);
    EXPECT_EQ(fromPairs(0, 0, 3).detectable, 1.0) << "three questions show nothing";
    EXPECT_EQ(fromPairs(0, 0, 40).p, 1.0);
    const std::string text = pairedText(fromPairs(0, 0, 40));
    EXPECT_NE(text.find("no difference seen with n = 40"), std::string::npos) << text;
    EXPECT_NE(text.find("less than 19 points would not have been seen"), std::string::npos) << text;
}

TEST(PairedTest, PartsOfAScoreAreResampled)
{
    std::vector<double> full(30, 0.75), map(30, 0.75);
    for (std::size_t i = 0; i < 30; i += 2)
        map[i] = 0.5;
    const PairedTest test = pairedTest(full, map);
    EXPECT_FALSE(test.isExact);
    EXPECT_NEAR(test.difference, -0.125, 1e-12);
    EXPECT_LT(test.high, 0);
    EXPECT_TRUE(test.isDifferent());
    const PairedTest again = pairedTest(full, map);
    EXPECT_EQ(test.low, again.low);
    EXPECT_EQ(test.p, again.p);
    EXPECT_FALSE(pairedTest(full, full).isDifferent());
    EXPECT_EQ(pairedTest(scores(3, 3), scores(3, 3)).difference, 0.0);
}

AnswersRecord smallRecord()
{
    AnswersRecord record;
    record.model = "m";
    record.fingerprint = "sha256:00";
    record.machine.device = "a machine";
    record.asked = "ruler";
    record.questionsHash = "sha256:01";
    record.as = AskAs::Chat;
    record.seed = 7;
    for (int i = 0; i < 4; ++i)
        record.questions.push_back(
            {"ruler", i < 2 ? "vt" : "cwe", std::to_string(i), 128, i == 0 ? 0.25 : -1.0, {"A", "B"}, "end"});
    const auto answers = [](const std::vector<double> &values) {
        std::vector<QuestionAnswer> out;
        for (const double value : values) {
            QuestionAnswer answer;
            answer.text = "said \"ü\"\n";
            answer.score = value;
            answer.promptTokens = 120;
            answer.isEnded = value > 0;
            out.push_back(answer);
        }
        return out;
    };
    record.maps.push_back({"full attention", 0, 4, 64, "", answers({1, 1, 0.5, 1})});
    record.maps.push_back({"map.json", 0.5, 4, 64, "vllm", answers({0, 1, 0.5, 0.75})});
    return record;
}

TEST(AnswersSummary, ARowForEachTaskAndOneForAll)
{
    const AnswersRecord record = smallRecord();
    const std::vector<AnswersRow> rows = summaryOf(record);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].task, "vt");
    EXPECT_EQ(rows[0].context, 128);
    EXPECT_DOUBLE_EQ(rows[0].full, 1.0);
    EXPECT_DOUBLE_EQ(rows[0].mean, 0.5);
    EXPECT_EQ(rows[0].test.worse, 1);
    EXPECT_DOUBLE_EQ(rows[1].mean, 0.625);
    EXPECT_TRUE(rows[2].task.empty());
    EXPECT_EQ(rows[2].test.count, 4);
    EXPECT_EQ(brokenBy(record, 1), (std::vector<std::size_t>{0, 3})) << "the largest drop first";
    AnswersRecord stopped = record;
    stopped.maps[1].answers.resize(1);
    EXPECT_EQ(stopped.answered(), 1u);
    EXPECT_EQ(summaryOf(stopped).size(), 1u);
}

TEST(AnswersComparison, TellsRecordsApartQuestionByQuestion)
{
    const AnswersRecord a = smallRecord();
    AnswersRecord b = a;
    b.maps[1].answers[0].score = 1;
    b.maps.push_back({"other.json", 1, 4, 64, "", b.maps[1].answers});
    std::swap(b.questions[0], b.questions[3]); // asked in another order
    for (AnswersOfMap &map : b.maps)
        std::swap(map.answers[0], map.answers[3]);
    const auto same = compareAnswers(a, b);
    ASSERT_TRUE(same) << same.error().message;
    ASSERT_EQ(same->pairs.size(), 2u);
    EXPECT_EQ(summaryOf(same->pairs[0]).back().test.difference, 0.0) << "full attention said the same";
    const AnswersRow row = summaryOf(same->pairs[1]).back();
    EXPECT_EQ(row.test.count, 4);
    EXPECT_EQ(row.test.better, 1);
    EXPECT_EQ(row.test.worse, 0);
    EXPECT_DOUBLE_EQ(row.full, 0.5625);
    EXPECT_DOUBLE_EQ(row.mean, 0.8125);
    EXPECT_TRUE(brokenBy(same->pairs[1], 1).empty());
    ASSERT_EQ(same->notes.size(), 1u) << "the map that has no counterpart";
    EXPECT_NE(same->notes[0].find("2 and 3 maps"), std::string::npos) << same->notes[0];

    // Maps of other names stand side by side in their order; what only one was asked is left out.
    b.maps.erase(b.maps.begin() + 1);
    b.questions[1].references = {"C"};
    b.fingerprint = "sha256:77";
    const auto other = compareAnswers(a, b);
    ASSERT_TRUE(other) << other.error().message;
    ASSERT_EQ(other->pairs.size(), 2u);
    EXPECT_EQ(other->pairs[1].maps[0].map, "map.json");
    EXPECT_EQ(other->pairs[1].maps[1].map, "other.json");
    EXPECT_EQ(other->pairs[1].questions.size(), 3u);
    EXPECT_EQ(other->notes.size(), 2u) << "other weights, and fewer questions";

    for (AskedQuestion &question : b.questions)
        question.source = "mine.jsonl";
    EXPECT_FALSE(compareAnswers(a, b)) << "nothing that both were asked";
    AnswersRecord none = a;
    none.maps.clear();
    EXPECT_FALSE(compareAnswers(a, none));
}

TEST(AnswersFile, ComesBackAsItWasWritten)
{
    const test::TempFolder folder;
    const auto file = folder.path() / "answers.json";
    const AnswersRecord record = smallRecord();
    ASSERT_TRUE(writeAnswersFile(file, record));
    const auto read = readAnswersFile(file);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(answersJson(*read).dump(), answersJson(record).dump());
    EXPECT_EQ(read->maps[1].engine, "vllm");
    EXPECT_EQ(read->questions[0].depth, 0.25);
    EXPECT_LT(read->questions[1].depth, 0);
}

TEST(AnswersFile, WhatIsWrongInOneIsSaid)
{
    const nlohmann::ordered_json good = answersJson(smallRecord());
    const auto refusal = [](const nlohmann::ordered_json &json) {
        const auto read = answersFrom(json.dump(), "x.json");
        return read ? std::string() : read.error().message;
    };
    EXPECT_EQ(refusal(good), "");
    for (const char *key : {"format", "version", "model", "questions", "maps", "machine", "questions_hash"}) {
        nlohmann::ordered_json without = good;
        without.erase(key);
        EXPECT_NE(refusal(without).find("x.json"), std::string::npos) << key;
    }
    nlohmann::ordered_json more = good;
    more["maps"][1]["answers"].push_back(more["maps"][1]["answers"][0]);
    EXPECT_NE(refusal(more).find("5 answers to 4 questions"), std::string::npos) << refusal(more);
    nlohmann::ordered_json beyond = good;
    beyond["maps"][0]["answers"][0]["score"] = 1.5;
    EXPECT_NE(refusal(beyond), "");
    EXPECT_FALSE(answersFrom("[]", "x.json"));
    EXPECT_FALSE(answersFrom("{", "x.json"));
}

TEST(AskQuestions, AnswersAreTheModelsGreedyOnesAndAreJudged)
{
    const auto loaded = loadModel("bundled:zigzag-tiny");
    ASSERT_TRUE(loaded) << loaded.error().message;
    auto backend = createBackend("cpu");
    ASSERT_TRUE(backend);
    const auto device = uploadModel(*loaded, std::move(*backend));
    ASSERT_TRUE(device) << device.error().message;
    const Model &model = **loaded;
    const HeadMap full(model.shape(), HeadKind::Retrieval, 16, 128);
    const auto tokens = model.tokenizer->encode("The grass is green. The", true);
    auto session = Session::create(*device, full, {.maxContext = 64});
    ASSERT_TRUE(session);
    auto logits = (*session)->run(tokens);
    std::vector<int> said;
    for (int i = 0; i < 8; ++i) {
        ASSERT_TRUE(logits);
        const int token = static_cast<int>(std::max_element(logits->begin(), logits->end()) - logits->begin());
        if (std::find(model.config.endTokens.begin(), model.config.endTokens.end(), token) != model.config.endTokens.end())
            break;
        said.push_back(token);
        logits = (*session)->run(std::span<const int>(&said.back(), 1));
    }
    std::vector<int> whole = tokens;
    whole.insert(whole.end(), said.begin(), said.end());
    const std::string expected = model.tokenizer->decode(whole).substr(model.tokenizer->decode(tokens).size());
    ASSERT_GT(expected.size(), 2u);

    Question right;
    right.prompt = "The grass is green. The";
    right.references = {expected.substr(1, 2)};
    right.answerTokens = 8;
    Question wrong = right;
    wrong.references = {"no such words"};
    std::vector<double> told;
    const auto answers = askQuestions(*device, model, full, std::vector{right, wrong}, {.as = AskAs::Text}, nullptr, {},
                                      [&](std::size_t, const QuestionAnswer &answer) { told.push_back(answer.score); });
    ASSERT_TRUE(answers) << answers.error().message;
    EXPECT_EQ((*answers)[0].text, expected);
    EXPECT_EQ((*answers)[0].promptTokens, std::ssize(tokens));
    EXPECT_EQ(told, (std::vector<double>{1, 0}));

    std::atomic<bool> cancel{true};
    EXPECT_FALSE(askQuestions(*device, model, full, std::vector{right}, {.as = AskAs::Text}, &cancel));
    right.answerTokens = 1 << 20;
    const auto tooLong = askQuestions(*device, model, full, std::vector{right}, {.as = AskAs::Text});
    ASSERT_FALSE(tooLong) << "the answer's room alone is more than the context";
}

/// Questions of several lengths whose answers end at different places: by their room, at a line's end, at once.
std::vector<Question> mixedQuestions()
{
    std::vector<Question> questions;
    for (int i = 0; i < 11; ++i) {
        Question question;
        for (int sentence = 0; sentence <= (i * 5) % 12; ++sentence)
            question.prompt += "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. ";
        question.prompt += i % 2 ? "The pass key is 48213. Remember it. What is the pass key? The pass key is" : "The";
        question.references = {"green", "48213"};
        question.answerTokens = i == 4 ? 0 : 1 + (i * 7) % 23;
        question.endsAtLine = i % 3 == 0;
        questions.push_back(std::move(question));
    }
    return questions;
}

TEST(AskQuestions, TogetherTheyAreAnsweredAsEachAlone)
{
    const auto loaded = loadModel("bundled:zigzag-tiny");
    ASSERT_TRUE(loaded) << loaded.error().message;
    const auto plain = std::const_pointer_cast<Model>(*loaded); // ours alone
    auto backend = createBackend("cpu");
    ASSERT_TRUE(backend);
    const auto device = uploadModel(plain, std::move(*backend));
    ASSERT_TRUE(device) << device.error().message;
    std::vector<Question> questions = mixedQuestions();
    HeadMap mixed(plain->shape(), HeadKind::Retrieval, 4, 16);
    mixed.setLayer(1, HeadKind::Streaming);

    // A token that is often said ends answers, so that places become free at different times.
    const auto first = askQuestions(*device, *plain, mixed, questions, {.as = AskAs::Text, .batch = 1});
    ASSERT_TRUE(first) << first.error().message;
    int ending = -1;
    for (const QuestionAnswer &answer : *first)
        if (answer.tokens.size() > 3)
            ending = answer.tokens[2];
    ASSERT_GE(ending, 0);
    plain->config.endTokens.push_back(ending);

    std::vector<QuestionAnswer> alone;
    for (const Question &question : questions) {
        const auto one = askQuestions(*device, *plain, mixed, std::span(&question, 1), {.as = AskAs::Text, .batch = 1});
        ASSERT_TRUE(one) << one.error().message;
        alone.push_back(one->front());
    }
    EXPECT_GE(std::count_if(alone.begin(), alone.end(), [](const QuestionAnswer &answer) { return answer.isEnded; }), 1);
    EXPECT_GE(std::count_if(alone.begin(), alone.end(), [](const QuestionAnswer &answer) { return !answer.isEnded; }), 1);
    for (const int batch : {0, 1, 3, 8}) {
        std::vector<std::size_t> told;
        double last = 0;
        const auto together = askQuestions(
            *device, *plain, mixed, questions, {.as = AskAs::Text, .batch = batch}, nullptr,
            [&](double done, int all) {
                EXPECT_GE(done, last);
                EXPECT_LE(done, all);
                last = done;
            },
            [&](std::size_t question, const QuestionAnswer &) { told.push_back(question); });
        ASSERT_TRUE(together) << together.error().message;
        ASSERT_EQ(together->size(), alone.size());
        EXPECT_EQ(last, static_cast<double>(questions.size()));
        for (std::size_t i = 0; i < alone.size(); ++i) {
            EXPECT_EQ((*together)[i].tokens, alone[i].tokens) << "batch " << batch << ", question " << i;
            EXPECT_EQ((*together)[i].text, alone[i].text);
            EXPECT_EQ((*together)[i].isEnded, alone[i].isEnded);
            EXPECT_EQ((*together)[i].score, alone[i].score);
            EXPECT_EQ((*together)[i].promptTokens, alone[i].promptTokens);
        }
        std::sort(told.begin(), told.end());
        for (std::size_t i = 0; i < questions.size(); ++i)
            EXPECT_EQ(told.at(i), i) << "each is told once";
    }
    EXPECT_FALSE(askQuestions(*device, *plain, mixed, questions, {.as = AskAs::Text, .batch = 65}));
}

TEST(AskQuestions, StoppedOnesAreKeptUpToTheFirstWithoutAnAnswer)
{
    const auto loaded = loadModel("bundled:zigzag-tiny");
    ASSERT_TRUE(loaded) << loaded.error().message;
    auto backend = createBackend("cpu");
    ASSERT_TRUE(backend);
    const auto device = uploadModel(*loaded, std::move(*backend));
    ASSERT_TRUE(device);
    std::vector<Question> questions = mixedQuestions();
    questions[1].answerTokens = 60; // the others that begin with it are done before
    const HeadMap full((*loaded)->shape(), HeadKind::Retrieval, 16, 128);
    std::atomic<bool> cancel{false};
    std::size_t told = 0;
    const auto answers = askQuestions(*device, **loaded, full, questions, {.as = AskAs::Text, .batch = 3}, &cancel, {},
                                      [&](std::size_t, const QuestionAnswer &) { cancel = ++told == 4; });
    ASSERT_TRUE(answers) << answers.error().message;
    EXPECT_EQ(told, 4u);
    EXPECT_EQ(answers->size(), 1u) << "the second question was still being answered";
}

} // namespace
} // namespace zigzag
