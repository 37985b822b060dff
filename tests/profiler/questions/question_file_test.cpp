// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/questions/question_file.h"

#include "profiler/questions/documents.h"
#include "profiler/questions/scoring.h"
#include "tests/temp_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace zigzag {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Strings = std::vector<std::string>;

class QuestionFiles : public testing::Test
{
protected:
    fs::path write(const std::string &name, const std::string &content) const
    {
        test::writeText(folder / name, content);
        return folder / name;
    }
    Result<QuestionFile> readText(const std::string &name, const std::string &content) const
    {
        return readQuestions(write(name, content));
    }
    Result<QuestionFile> readLines(const std::string &name, const std::vector<Json> &records) const
    {
        std::string text;
        for (const Json &record : records)
            text += record.dump() + "\n";
        return readText(name, text);
    }
    /// The only question of a file with one record.
    Question only(const std::string &name, const Json &record, const std::string &format) const
    {
        const auto file = readLines(name, {record});
        EXPECT_TRUE(file) << file.error().message;
        if (!file || file->questions.size() != 1)
            return {};
        EXPECT_EQ(file->format, format);
        EXPECT_EQ(file->questions[0].id, record.contains("_id") ? record["_id"].get<std::string>() : "1");
        return file->questions[0];
    }
    /// What a file is refused with, which must be one line with the file's name.
    std::string refusal(const std::string &name, const std::string &content) const
    {
        const auto file = readText(name, content);
        EXPECT_FALSE(file) << content.substr(0, 200);
        if (file)
            return {};
        EXPECT_EQ(file.error().kind, ErrorKind::BadInput);
        EXPECT_EQ(file.error().message.find('\n'), std::string::npos);
        EXPECT_EQ(file.error().message.rfind((folder / name).string(), 0), 0u) << file.error().message;
        return file.error().message;
    }
    void expectRefused(const std::string &content, const std::string &why, const std::string &name = "mine.jsonl") const
    {
        const std::string message = refusal(name, content);
        EXPECT_NE(message.find(why), std::string::npos) << message << "\nwanted: " << why;
    }

    test::TempFolder folder;
};

// ---- A person's own.

TEST_F(QuestionFiles, OwnPromptsMayBeBriefOrSayEverything)
{
    const auto file = readLines("my-notes.jsonl",
                                {{{"prompt", "Two and two?"}, {"answer", 4}},
                                 {{"context", "Long."}, {"question", "How?"}, {"answers", {"so", 2.5, "thus"}}},
                                 {{"prompt", "Which?"},
                                  {"answer", "that"},
                                  {"id", "q-7"},
                                  {"task", "mine"},
                                  {"system", "Be brief."},
                                  {"max_new_tokens", 9},
                                  {"rule", nameOf(ScoringRule::Classification)},
                                  {"classes", {"this", "that"}},
                                  {"answer_prefix", "It is"}}});
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->format, "questions");
    EXPECT_TRUE(file->notes.empty());
    ASSERT_EQ(file->questions.size(), 3u);

    const Question &brief = file->questions[0];
    EXPECT_EQ(brief.source, "my-notes.jsonl");
    EXPECT_EQ(brief.task, "my-notes");
    EXPECT_EQ(brief.id, "1");
    EXPECT_EQ(brief.prompt, "Two and two?");
    EXPECT_EQ(brief.references, Strings{"4"});
    EXPECT_EQ(brief.rule, ScoringRule::Contains);
    EXPECT_TRUE(brief.isTemplated);

    EXPECT_EQ(file->questions[1].prompt, "Long.\n\nHow?");
    EXPECT_EQ(file->questions[1].references, (Strings{"so", "2.5", "thus"}));
    EXPECT_EQ(file->questions[1].id, "2");

    const Question &full = file->questions[2];
    EXPECT_EQ(full.id, "q-7");
    EXPECT_EQ(full.task, "mine");
    EXPECT_EQ(full.system, "Be brief.");
    EXPECT_EQ(full.answerTokens, 9);
    EXPECT_EQ(full.rule, ScoringRule::Classification);
    EXPECT_EQ(full.classes, (Strings{"this", "that"}));
    EXPECT_EQ(full.answerBegin, "It is");
}

TEST_F(QuestionFiles, AConversationTakesTheRoomOfAPrompt)
{
    const Json messages = {{{"role", "system"}, {"content", "s"}},
                           {{"role", "user"}, {"content", "a"}},
                           {{"role", "assistant"}, {"content", "b"}},
                           {{"role", "user"}, {"content", "c"}}};
    const Question question = only("talk.jsonl", {{"messages", messages}, {"answer", "d"}}, "questions");
    ASSERT_EQ(question.messages.size(), 4u);
    EXPECT_EQ(question.messages[2].role, "assistant");
    EXPECT_EQ(question.messages[3].content, "c");
    EXPECT_TRUE(question.prompt.empty());
}

TEST_F(QuestionFiles, LinesAListAndOneObjectAreReadAlike)
{
    const Json first = {{"prompt", "a } ] \\\" b"}, {"answer", "x"}}, second = {{"prompt", "c"}, {"answer", "y"}};
    const Json list = {first, second};
    const std::string forms[] = {first.dump() + "\n\n \n" + second.dump(),
                                 first.dump() + "\r\n" + second.dump() + "\r\n",
                                 "\xef\xbb\xbf" + first.dump() + "\n" + second.dump(),
                                 list.dump(),
                                 list.dump(2),
                                 "  \n" + list.dump(4) + "\n\n"};
    for (const std::string &form : forms) {
        const auto file = readText("forms.json", form);
        ASSERT_TRUE(file) << file.error().message << "\n" << form;
        ASSERT_EQ(file->questions.size(), 2u) << form;
        EXPECT_EQ(file->questions[0].prompt, "a } ] \\\" b");
        EXPECT_EQ(file->questions[1].prompt, "c");
    }
    EXPECT_EQ(readText("forms.json", forms[0])->questions[1].id, "4") << "blank lines are lines";
    EXPECT_EQ(readText("forms.json", forms[4])->questions[1].id, "6") << "of a list, the line that a member begins in";
    const auto one = readText("forms.json", "\n" + first.dump(2) + "\n");
    ASSERT_TRUE(one) << one.error().message;
    ASSERT_EQ(one->questions.size(), 1u);
    EXPECT_EQ(one->questions[0].id, "2");
}

TEST_F(QuestionFiles, WhatIsNotReadIsSaid)
{
    const auto file = readLines("mine.jsonl",
                                {{{"prompt", "a"}, {"answer", "x"}, {"max_tokens", 3}, {"id", 5}},
                                 {{"prompt", "b"}, {"answer", ""}},
                                 {{"prompt", "c"}, {"answers", Json::array()}},
                                 {{"prompt", "d"}, {"answer", "y"}, {"max_tokens", 4}, {"id", 5}}});
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_EQ(file->questions.size(), 2u);
    EXPECT_EQ(file->questions[0].id, "5");
    EXPECT_EQ(file->questions[1].id, "4") << "its own is taken, so it is called by its line";
    EXPECT_EQ(file->notes,
              (Strings{"\"max_tokens\" says nothing here and is not read",
                       "2 questions without an answer, the first in line 2, are left out",
                       "1 id stood twice: the questions are called by their lines"}));
    expectRefused(R"({"prompt": "a", "answer": ""})", "no question is left to ask: 1 question without an answer");
}

TEST_F(QuestionFiles, OwnQuestionsAreHeldToWhatTheyMaySay)
{
    const auto with = [](const std::string &more) {
        return R"({"prompt": "a", "answer": "x"})"
               "\n"
               R"({"prompt": "b", )"
            + more + "}";
    };
    expectRefused(with(R"("answer": {"a": 1})"), "line 2: \"answer\" must be a text, a number or a list of these, not object");
    expectRefused(with(R"("answer": [true])"), "line 2: \"answer\" must be a text");
    expectRefused(with(R"("answer": "x", "answers": ["y"])"), "line 2: \"answer\" and \"answers\" stand beside each other");
    expectRefused(with(R"("answer": "x", "max_new_tokens": 0)"), "line 2: \"max_new_tokens\" is 0, outside 1 to 65536");
    expectRefused(with(R"("answer": "x", "max_new_tokens": 1e9)"), "line 2: \"max_new_tokens\" must be an integer");
    expectRefused(with(R"("answer": "x", "rule": "vibes")"), "line 2: \"rule\": ");
    expectRefused(with(R"("answer": "x", "classes": [1])"), "line 2: a member of \"classes\" must be a string");
    expectRefused(with(R"("answer": "x", "task": [])"), "line 2: \"task\" must be a text or a whole number");
    expectRefused(with(R"("answer": "x", "context": "c", "question": "q")"), "line 2: a question is \"prompt\", or");
    expectRefused(R"({"prompt": "", "answer": "x"})", "line 1: there is nothing to ask");
    const auto talk = [](const std::string &list) { return R"({"answer": "x", "messages": )" + list + "}"; };
    expectRefused(talk("[]"), "line 1: a conversation must be a list of 1 to");
    expectRefused(talk(R"([{"role": "tool", "content": "c"}])"), "the role \"tool\" of a message is none of");
    expectRefused(talk(R"([{"role": "assistant", "content": "c"}])"), "must end with the user's message");
    expectRefused(talk(R"([{"role": "user"}])"), "\"content\" is missing");
    expectRefused(talk(R"([{"role": "user", "content": "c"}], "system": "s")"), "put it into them");
    std::string many = R"({"prompt": "a", "answer": [)";
    for (int i = 0; i < 1001; ++i)
        many += i == 0 ? "1" : ",1";
    expectRefused(many + "]}", "has 1001 answers, and at most 1000 are read");
    expectRefused(R"({"prompt": "a", "answer": ")" + std::string((1 << 20) + 1, 'x') + "\"}", "has 1048577 bytes");
    const auto named = [](const std::string &id) { return R"({"prompt": "a", "answer": "x", "id": ")" + id + "\"}\n"; };
    expectRefused(named("3") + named("line 3") + named("3"), "line 3: another question has the id \"line 3\"");
}

// ---- Published sets.

Json longBench(const std::string &dataset)
{
    return {{"input", "What {context} is it?"},
            {"context", "A text."},
            {"answers", {"this", "that"}},
            {"length", 2},
            {"dataset", dataset},
            {"language", "en"},
            {"all_classes", nullptr},
            {"_id", "f00d"}};
}

TEST_F(QuestionFiles, LongBenchIsAskedAsItsScriptsDo)
{
    const Question qasper = only("qasper.jsonl", longBench("qasper"), "LongBench");
    EXPECT_EQ(qasper.source, "longbench");
    EXPECT_EQ(qasper.task, "qasper");
    EXPECT_EQ(qasper.prompt.rfind("You are given a scientific article and a question. ", 0), 0u);
    EXPECT_NE(qasper.prompt.find("\n\nArticle: A text.\n\n Answer the question based on"), std::string::npos);
    const std::string end = "\n\nQuestion: What {context} is it?\n\nAnswer:";
    EXPECT_EQ(qasper.prompt.substr(qasper.prompt.size() - end.size()), end) << "what is put in is not filled again";
    EXPECT_EQ(qasper.references, (Strings{"this", "that"}));
    EXPECT_EQ(qasper.rule, ScoringRule::QaF1);
    EXPECT_EQ(qasper.answerTokens, 128);
    EXPECT_TRUE(qasper.isTemplated && !qasper.endsAtLine && qasper.answerBegin.empty());

    Json trec = longBench("trec");
    trec["all_classes"] = {"City", "Food"};
    const Question classified = only("trec_e.jsonl", trec, "LongBench");
    EXPECT_EQ(classified.task, "trec_e");
    EXPECT_EQ(classified.rule, ScoringRule::Classification);
    EXPECT_EQ(classified.classes, (Strings{"City", "Food"}));
    EXPECT_TRUE(!classified.isTemplated && classified.endsAtLine);
    EXPECT_EQ(only("x.jsonl", longBench("hotpotqa_e"), "LongBench").task, "hotpotqa_e");
}

TEST_F(QuestionFiles, EveryDatasetOfLongBenchHasItsPrompt)
{
    struct Expected {
        const char *dataset;
        ScoringRule rule;
        int tokens;
        bool isTemplated, endsAtLine;
    };
    using enum ScoringRule;
    const Expected datasets[] = {{"narrativeqa", QaF1, 128, true, false},
                                 {"multifieldqa_en", QaF1, 64, true, false},
                                 {"hotpotqa", QaF1, 32, true, false},
                                 {"2wikimqa", QaF1, 32, true, false},
                                 {"musique", QaF1, 32, true, false},
                                 {"gov_report", RougeL, 512, true, false},
                                 {"qmsum", RougeL, 512, true, false},
                                 {"multi_news", RougeL, 512, true, false},
                                 {"triviaqa", QaF1, 32, false, true},
                                 {"samsum", RougeL, 128, false, true},
                                 {"lsht", Classification, 64, false, true},
                                 {"passage_count", Count, 32, true, false},
                                 {"passage_retrieval_en", Retrieval, 32, true, false},
                                 {"passage_retrieval_zh", RetrievalZh, 32, true, false},
                                 {"lcc", CodeSimilarity, 64, false, false},
                                 {"repobench-p", CodeSimilarity, 64, false, false}};
    for (const Expected &each : datasets) {
        const Question question = only("any.jsonl", longBench(each.dataset), "LongBench");
        EXPECT_EQ(question.task, each.dataset);
        EXPECT_EQ(question.rule, each.rule) << each.dataset;
        EXPECT_EQ(question.answerTokens, each.tokens) << each.dataset;
        EXPECT_EQ(question.isTemplated, each.isTemplated) << each.dataset;
        EXPECT_EQ(question.endsAtLine, each.endsAtLine) << each.dataset;
        EXPECT_NE(question.prompt.find("A text."), std::string::npos) << each.dataset;
        EXPECT_EQ(question.prompt.find("{input}"), std::string::npos) << each.dataset;
    }
    for (const char *dataset : {"multifieldqa_zh", "dureader", "vcsum"})
        expectRefused(longBench(dataset).dump(), std::string("no question is left to ask: questions of ") + dataset);
    expectRefused(longBench("loogle").dump(), "line 1: \"loogle\" is none of LongBench's datasets");
}

TEST_F(QuestionFiles, LongBenchV2IsAskedWithItsZeroShotPrompt)
{
    Json record = {{"_id", "66"},           {"domain", "Code"}, {"difficulty", "easy"},       {"length", "short"},
                   {"question", " Why?\n"}, {"choice_A", "a"},  {"choice_B", "b\u3000"},      {"choice_C", "{context}"},
                   {"choice_D", "\u00a0d"}, {"answer", "C"},    {"context", "\n The text \t"}};
    const Question question = only("data.json", record, "LongBench v2");
    EXPECT_EQ(question.prompt,
              "Please read the following text and answer the question below.\n\n<text>\nThe text\n</text>\n\n"
              "What is the correct answer to this question: Why?\nChoices:\n(A) a\n(B) b\n(C) {context}\n(D) d\n\n"
              "Format your response as follows: \"The correct answer is (insert answer here)\".");
    EXPECT_EQ(question.task, "short");
    EXPECT_EQ(question.references, Strings{"C"});
    EXPECT_EQ(question.rule, ScoringRule::Letter);
    EXPECT_EQ(question.answerTokens, 128);
    record["answer"] = "E";
    expectRefused(record.dump(), "\"answer\" must be a letter from A to D, not E");
}

TEST_F(QuestionFiles, RulersTaskAndLengthAreToldByNames)
{
    const Json record = {{"index", 812},
                         {"input", "Some special magic numbers are hidden. What are all the special magic numbers for a?"},
                         {"outputs", {"123", "456"}},
                         {"length", 4000},
                         {"answer_prefix", " The special magic numbers for a are"},
                         {"token_position_answer", 1000}};
    const Question needle = only("synthetic/4096/data/niah_multivalue/validation.jsonl", record, "RULER");
    EXPECT_EQ(needle.source, "ruler");
    EXPECT_EQ(needle.task, "niah_multivalue");
    EXPECT_EQ(needle.context, 4096);
    EXPECT_EQ(needle.depth, 0.25);
    EXPECT_EQ(needle.rule, ScoringRule::RulerAll);
    EXPECT_EQ(needle.answerTokens, 128);
    EXPECT_EQ(needle.answerBegin, " The special magic numbers for a are");
    EXPECT_EQ(needle.references, (Strings{"123", "456"}));
    EXPECT_TRUE(needle.isTemplated);

    // Older files have the answer's beginning in the prompt.
    const Question qa
        = only("qa_1.jsonl", {{"index", 0}, {"input", "Answer: no. Question: Who? Answer:"}, {"outputs", {"me"}}}, "RULER");
    EXPECT_EQ(qa.prompt, "Answer: no. Question: Who?");
    EXPECT_EQ(qa.answerBegin, " Answer:");
    EXPECT_EQ(qa.rule, ScoringRule::RulerPart);
    EXPECT_EQ(qa.answerTokens, 32);
    EXPECT_EQ(qa.context, 0);
    EXPECT_LT(qa.depth, 0);

    const auto templated
        = only("cwe.jsonl", {{"input", "[INST] Words [/INST] Answer: The top 10 words"}, {"outputs", {"w"}}}, "RULER");
    EXPECT_FALSE(templated.isTemplated);
    EXPECT_EQ(templated.prompt, "[INST] Words [/INST] Answer: The top 10 words");
    EXPECT_EQ(only("vt/test.jsonl", record, "RULER").answerTokens, 30);
    EXPECT_EQ(only("fwe.jsonl", record, "RULER").answerTokens, 50);

    expectRefused(record.dump(), "which of RULER's tasks this is, only names tell", "validation.jsonl");
    Json said = record;
    said["pred"] = "123";
    expectRefused(said.dump(), "questions of an unknown kind: it has ", "vt.jsonl");
}

TEST_F(QuestionFiles, KvpressIsJudgedByTheRulesOfEachSet)
{
    const auto record = [](const std::string &task, const char *key, const Json &answer) -> Json {
        return {{"context", "The text. "}, {"question", "What? "}, {"answer_prefix", "It is"},
                {"max_new_tokens", 84},    {"task", task},         {key, answer}};
    };
    const Question vt = only("test.jsonl", record("vt", "answer", {"A", "B"}), "kvpress");
    EXPECT_EQ(vt.source, "kvpress");
    EXPECT_EQ(vt.prompt, "The text. What? ");
    EXPECT_EQ(vt.answerBegin, "It is");
    EXPECT_EQ(vt.answerTokens, 84);
    EXPECT_EQ(vt.rule, ScoringRule::RulerAll);
    EXPECT_EQ(only("test.jsonl", record("qa_2", "answer", {"A"}), "kvpress").rule, ScoringRule::RulerPart);
    EXPECT_EQ(only("test.jsonl", record("kv_retrieval", "answer", {"A"}), "kvpress").rule, ScoringRule::InfiniteKv);
    Json trec = record("trec", "answers", {"City"});
    trec["all_classes"] = {"City", "Food"};
    const Question classified = only("test.jsonl", trec, "kvpress");
    EXPECT_EQ(classified.rule, ScoringRule::Classification);
    EXPECT_EQ(classified.classes.size(), 2u);
    EXPECT_TRUE(classified.endsAtLine);
    Json v2 = record("", "answer", "B");
    v2.erase("task");
    for (const char *choice : {"choice_A", "choice_B", "choice_C", "choice_D"})
        v2[choice] = "c";
    EXPECT_EQ(only("test.jsonl", v2, "kvpress").rule, ScoringRule::Letter);

    const auto mixed = readLines("test.jsonl", {record("shortdep_qa", "answer", "x"), record("vt", "answer", {"A"})});
    ASSERT_TRUE(mixed) << mixed.error().message;
    EXPECT_EQ(mixed->questions.size(), 1u);
    ASSERT_EQ(mixed->notes.size(), 1u);
    EXPECT_EQ(mixed->notes[0].rfind("questions of \"shortdep_qa\" are left out: they cannot be judged", 0), 0u);
    expectRefused(record("code_debug", "answer", {"A"}).dump(), "no question is left to ask: questions of");
    Json own = record("shortdep_qa", "answer", "x");
    own["rule"] = nameOf(ScoringRule::RougeL);
    EXPECT_EQ(only("test.jsonl", own, "questions").rule, ScoringRule::RougeL);
}

TEST_F(QuestionFiles, MrcrIsAConversation)
{
    const Json messages = {{{"role", "user"}, {"content", "1234"}},
                           {{"role", "assistant"}, {"content", "5678"}},
                           {{"role", "user"}, {"content", "Prepend aY to the 1st."}}};
    Json record = {{"prompt", messages.dump()},
                   {"answer", "aYpoem"},
                   {"random_string_to_prepend", "aY"},
                   {"n_needles", 2},
                   {"desired_msg_index", 1},
                   {"total_messages", 3},
                   {"n_chars", 30}};
    const Question question = only("2needle.jsonl", record, "MRCR");
    EXPECT_EQ(question.source, "mrcr");
    EXPECT_EQ(question.task, "2needle");
    ASSERT_EQ(question.messages.size(), 3u);
    EXPECT_EQ(question.messages[1].content, "5678");
    EXPECT_TRUE(question.prompt.empty());
    EXPECT_EQ(question.references, (Strings{"aYpoem", "aY"}));
    EXPECT_EQ(question.rule, ScoringRule::Mrcr);
    EXPECT_DOUBLE_EQ(question.depth, 4.0 / 30.0);
    record["answer"] = "poem";
    expectRefused(record.dump(), "\"answer\" must begin with \"random_string_to_prepend\"");
    record["prompt"] = std::string(1000, '[');
    expectRefused(record.dump(), "line 1, \"prompt\": brackets nest deeper than");
    record["prompt"] = "[{]";
    expectRefused(record.dump(), "line 1, \"prompt\": not valid JSON");
}

TEST_F(QuestionFiles, InfiniteBenchIsToldByItsFilesNames)
{
    const auto record = [](const std::string &input, const Json &answer, const Json &options) -> Json {
        return {{"id", 0}, {"context", "The text."}, {"input", input}, {"answer", answer}, {"options", options}};
    };
    const auto ask = [&](const std::string &name, const Json &each) {
        const auto file = readLines(name, {each});
        EXPECT_TRUE(file) << file.error().message;
        EXPECT_TRUE(!file || (file->format == "InfiniteBench" && file->questions[0].id == "0"));
        return file ? file->questions[0] : Question{};
    };
    const Question passkey = ask("passkey_8192.jsonl", record("What is the pass key?", "71432", Json::array()));
    EXPECT_EQ(passkey.task, "passkey");
    EXPECT_EQ(
        passkey.prompt + passkey.answerBegin,
        "There is an important info hidden inside a lot of irrelevant text. Find it and memorize it. I will quiz you about the "
        "important information.\n\nThe text.\n\nWhat is the pass key?\n\nThe pass key is");
    EXPECT_EQ(passkey.answerBegin, "The pass key is");
    EXPECT_EQ(passkey.rule, ScoringRule::InfinitePasskey);
    EXPECT_EQ(passkey.answerTokens, 6);
    EXPECT_EQ(ask("number_string.jsonl", record("Which?", {"22"}, Json::array())).answerTokens, 12);
    EXPECT_EQ(ask("kv_retrieval.jsonl", record("Key: ", "00", Json::array())).rule, ScoringRule::InfiniteKv);
    EXPECT_EQ(ask("longbook_qa_eng.jsonl", record("Who?", {"he", "she"}, Json::array())).references, (Strings{"he", "she"}));

    const Json options = {"w", "x", "y", "z"};
    const Question choice = ask("longbook_choice_eng.jsonl", record("Which one?", {"y"}, options));
    EXPECT_EQ(choice.references, (Strings{"y", "C"}));
    EXPECT_NE(choice.prompt.find("\n\nQuestion: Which one?\nA. w\nB. x\nC. y\nD. z\n\n"), std::string::npos);
    EXPECT_EQ(choice.rule, ScoringRule::InfiniteChoice);
    const Question debug = ask("code_debug.jsonl", record("", {"x", "B"}, options));
    EXPECT_EQ(debug.references, (Strings{"x", "B"}));
    EXPECT_EQ(debug.rule, ScoringRule::InfiniteDebug);
    expectRefused(record("", "v", options).dump(), "\"answer\" is none of the options", "code_debug.jsonl");
    expectRefused(record("", "w", {"w"}).dump(), "\"options\" has 1 members instead of four", "code_debug.jsonl");

    const Question found
        = ask("math_find.jsonl", record("You should. The Second Largest number of the list is:", 88, Json::array()));
    EXPECT_EQ(found.prompt.rfind("What is the second largest number in the following list?\n\nThe text.\n\nYou should. ", 0), 0u);
    EXPECT_EQ(found.references, Strings{"88"});
    EXPECT_EQ(found.rule, ScoringRule::InfiniteMathFind);
    expectRefused(record("The of", 1, Json::array()).dump(), "does not say \"The ... of\"", "math_find.jsonl");

    const Question run = ask("code_run.jsonl", record("func_1( func_x(2) func_12(-3). func_2(4)", -7, Json::array()));
    EXPECT_EQ(
        run.prompt + run.answerBegin,
        "There is a function called func_12 in the following Python code.\n\nThe text.\n\nPlease compute the exact value of "
        "func_12(-3). The value of func_12(-3) is");
    EXPECT_EQ(run.answerBegin, "The value of func_12(-3) is");
    EXPECT_EQ(run.references, Strings{"-7"});
    EXPECT_EQ(run.rule, ScoringRule::InfiniteRun);
    for (const char *input : {"", "func_", "func_1", "func_1(", "func_1(-", "func_1(2", "func_(2)", "func_1()"})
        expectRefused(record(input, 1, Json::array()).dump(), "\"input\" calls no func_1(2)", "code_run.jsonl");
    const Question calc = ask("math_calc.jsonl", record("", {{1, -2, 3}}, Json::array()));
    EXPECT_EQ(calc.references, (Strings{"1", "-2", "3"}));
    EXPECT_EQ(calc.answerBegin, "Values:");
    EXPECT_EQ(ask("math_calc.jsonl", record("", {1, -2}, Json::array())).references.size(), 2u);
    EXPECT_EQ(ask("longdialogue_qa_eng.jsonl", record("", {"ACE", "ACE ROTHSTEIN"}, Json::array())).rule,
              ScoringRule::InfiniteDialogue);
    EXPECT_EQ(ask("longbook_qa_chn.jsonl", record("", {"a"}, Json::array())).answerBegin, "答案：");
    expectRefused(record("q", 1, Json::array()).dump(), "judges longbook_sum_eng is none of ours", "longbook_sum_eng.jsonl");
    expectRefused(record("q", 1, Json::array()).dump(), "only the file's name tells", "other.jsonl");
}

// ---- What is none.

TEST_F(QuestionFiles, WhatIsNoQuestionsIsRefusedWithWhatItIs)
{
    expectRefused("", "there is no question in it");
    expectRefused(" \n\t\n", "there is no question in it");
    expectRefused("[]", "there is no question in it");
    expectRefused(std::string("PAR1\x15\x04\x15", 7), "this is a Parquet file");
    expectRefused("prompt,answer\na,b\n", "this is plain text, not lines of JSON with questions");
    expectRefused("\x1f\x8b\x08", "unpack it with gunzip first");
    expectRefused(R"({"model_type": "llama", "hidden_size": 64})", "this is a model's config.json, not questions");
    expectRefused(R"({"a": 1, "b": 2})", "questions of an unknown kind: it has a, b; understood are LongBench v2 (");
    expectRefused("{}", "it has nothing; understood are");
    expectRefused(R"({"prompt": "a"})", "it has prompt; understood are");
    expectRefused("[1]", "line 1: an object of JSON was expected");
    EXPECT_FALSE(readQuestions(folder / "missing.jsonl"));
}

TEST_F(QuestionFiles, BrokenFilesAreRefusedWithTheLine)
{
    const std::string good = R"({"prompt": "a", "answer": "x"})";
    expectRefused(good + "\n" + R"({"prompt": "b", "answer": })", "line 2: not valid JSON at byte ");
    expectRefused(good + "\n\n" + R"({"prompt": "b", "answer": "x)", "line 3: not valid JSON");
    expectRefused(good + "\n5\n", "line 2: an object of JSON was expected");
    expectRefused(good + "\n[" + good + "]\n", "line 2: an object of JSON was expected");
    expectRefused(good + " " + good, "line 1: not valid JSON");
    expectRefused(good + "\n{\"prompt\": \"caf\xe9\", \"answer\": \"x\"}", "line 2: not UTF-8; save the file as UTF-8");
    expectRefused(good + "\n{\"prompt\": \"\xed\xa0\x80\", \"answer\": \"x\"}", "line 2: not UTF-8");
    expectRefused(good + "\n{\"prompt\": \"b\", \"answer\": \"\\ud800\"}", "line 2: not valid JSON");
    expectRefused(good + "\n{\"prompt\": \"b\", \"answer\": " + std::string(100, '[') + std::string(100, ']') + "}",
                  "line 2: brackets nest deeper than 64 levels");
    expectRefused(good + "\n" + R"({"prompt": 7, "answer": "x"})", "line 2: \"prompt\" must be a string, not number");
    expectRefused(good + "\n" + R"({"answer": "x"})", "line 2: a question is \"prompt\", or");
    expectRefused("[" + good, "line 1: the file ends within the list");
    expectRefused("[" + good + ",\n", "line 2: the file ends within the list");
    expectRefused("[" + good + ",\n{\"prompt\": \"", "line 2: the file ends within the question that begins here");
    expectRefused("[" + good + "\n" + good + "]", "line 2: a comma or the end of the list was expected");
    expectRefused("[" + good + ",]", "line 1: an object of JSON was expected");
    expectRefused("[" + good + "]\n]", "line 2: something stands behind the end of the list");
    expectRefused("{\n\"prompt\": \"a\",\n\"answer\": \"x\"\n", "line 1: not valid JSON");
}

TEST_F(QuestionFiles, ThereAreNotMoreThanMayBe)
{
    std::string text;
    for (int i = 0; i < 100'001; ++i)
        text += "{\"prompt\":\"a\",\"answer\":1}\n";
    expectRefused(text, "line 100001: more than 100000 questions; give a part of them");
    const auto full = readText("mine.jsonl", text.substr(0, text.rfind('{')));
    ASSERT_TRUE(full) << full.error().message;
    EXPECT_EQ(full->questions.size(), 100'000u);
}

TEST_F(QuestionFiles, NamesCannotSpeakToATerminal)
{
    const auto file
        = readLines("mine.jsonl", {{{"prompt", "a"}, {"answer", "x"}, {"id", "\x1b[2J"}, {"task", std::string(5000, 't')}}});
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->questions[0].id, " [2J");
    EXPECT_LT(file->questions[0].task.size(), 200u);
}

// ---- Folders.

TEST_F(QuestionFiles, AFolderIsAllOfItsFiles)
{
    const std::string line = R"({"index": 0, "input": "q", "outputs": ["a"], "length": 10})";
    for (const char *length : {"4096", "8192"})
        for (const char *task : {"vt", "qa_1"})
            write(std::string("set/") + length + "/data/" + task + "/validation.jsonl", line + "\n");
    write("set/README.md", "words");
    write("set/config.json", R"({"model_type": "llama"})");
    write("set/.cache/hidden.jsonl", "not questions");
    const auto all = readQuestions(folder / "set");
    ASSERT_TRUE(all) << all.error().message;
    EXPECT_EQ(all->format, "RULER");
    ASSERT_EQ(all->questions.size(), 4u);
    EXPECT_EQ(all->questions[0].task, "qa_1");
    EXPECT_EQ(all->questions[0].context, 4096);
    EXPECT_EQ(all->questions[0].id, "1");
    EXPECT_EQ(all->questions[2].context, 8192);
    EXPECT_EQ(all->questions[2].id, "8192/data/qa_1/validation.jsonl:1");
    ASSERT_EQ(all->notes.size(), 2u);
    EXPECT_NE(all->notes[0].find("config.json: this is a model's config.json"), std::string::npos);
    EXPECT_EQ(all->notes[1], "1 file that ends neither in .json nor in .jsonl is left out");

    write("set/zzz.jsonl", R"({"prompt": "a", "answer": })");
    const auto broken = readQuestions(folder / "set");
    ASSERT_TRUE(broken);
    EXPECT_EQ(broken->notes.size(), 3u);
    fs::create_directories(folder / "empty");
    EXPECT_NE(readQuestions(folder / "empty").error().message.find("no file of this folder has questions"), std::string::npos);
}

TEST_F(QuestionFiles, AFolderThatLeadsIntoItselfOrTooDeepEnds)
{
    write("loop/a.jsonl", R"({"prompt": "a", "answer": "x"})");
    fs::create_directory_symlink(folder / "loop", folder / "loop" / "again");
    const auto loop = readQuestions(folder / "loop");
    ASSERT_TRUE(loop) << loop.error().message;
    EXPECT_EQ(loop->questions.size(), 1u);
    write("deep/1/2/3/4/5/6/7/8/9/10/a.jsonl", "{}");
    EXPECT_NE(readQuestions(folder / "deep").error().message.find("levels"), std::string::npos);
}

TEST_F(QuestionFiles, DocumentsAreThePlainTextsOfAFolder)
{
    write("texts/b.txt", "Second.");
    write("texts/a", "First.");
    write("texts/data.json", "{}");
    write("texts/blob", std::string("\0\1\2", 3));
    write("texts/in/c.md", "Third.");
    const auto documents = documentsOf(folder / "texts");
    ASSERT_TRUE(documents) << documents.error().message;
    EXPECT_EQ(*documents, (std::vector<fs::path>{folder / "texts/a", folder / "texts/b.txt", folder / "texts/in/c.md"}));
    EXPECT_EQ(documentsOf(folder / "texts/blob").value(), std::vector<fs::path>{folder / "texts/blob"});
    fs::create_directories(folder / "empty");
    EXPECT_FALSE(documentsOf(folder / "empty"));
}

} // namespace
} // namespace zigzag
