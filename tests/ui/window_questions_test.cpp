// SPDX-License-Identifier: GPL-3.0-or-later
// Records of answers in the window: opened, read by task and length, with the questions that broke.
#include "app/studio/pages/questions_page.h"
#include "profiler/evaluate/answers_file.h"
#include "views/models/answers_model.h"
#include "window_fixture.h"

#include <QComboBox>
#include <QSignalSpy>
#include <QTextBrowser>
#include <QTreeView>

namespace zigzag::test {

namespace {

AnswersRecord record()
{
    AnswersRecord record;
    record.model = "m";
    record.machine.device = "a machine";
    record.asked = "mine.jsonl";
    record.questionsHash = "sha256:01";
    for (int i = 0; i < 4; ++i)
        record.questions.push_back(
            {"mine.jsonl", i < 2 ? "colours" : "numbers", std::to_string(i), 0, -1, {"<b>"}, "what is %1?"});
    const auto answers = [](const std::vector<double> &scores) {
        std::vector<QuestionAnswer> all;
        for (const double score : scores) {
            QuestionAnswer answer;
            answer.text = score > 0.5 ? "<b> indeed" : "nothing\nelse";
            answer.score = score;
            answer.promptTokens = 12;
            all.push_back(answer);
        }
        return all;
    };
    record.maps.push_back({"full attention", 0, 4, 64, "", answers({1, 1, 1, 1})});
    record.maps.push_back({"narrow.json", 0.5, 4, 64, "vllm", answers({1, 0, 1, 1})});
    return record;
}

} // namespace

TEST(AnswersModel, ARowForEachTaskWithItsVerdict)
{
    AnswersModel model;
    const AnswersRecord shown = record();
    model.show(&shown);
    ASSERT_EQ(model.rowCount(), 3);
    const auto at = [&](int row, int column) { return model.index(row, column).data().toString(); };
    EXPECT_EQ(at(0, AnswersModel::Map), "narrow.json as vllm runs it");
    EXPECT_EQ(at(0, AnswersModel::Task), "colours");
    EXPECT_EQ(at(0, AnswersModel::Length), QStringLiteral("–"));
    EXPECT_EQ(at(0, AnswersModel::Score), "50 %");
    EXPECT_EQ(at(2, AnswersModel::Full), "100 %");
    EXPECT_EQ(at(2, AnswersModel::Worse), "1");
    EXPECT_TRUE(at(2, AnswersModel::Verdict).contains("no difference seen with n = 4"));
    model.show(nullptr);
    EXPECT_EQ(model.rowCount(), 0);
}

TEST(AnswersModel, WhatBrokeCanBeReadAndIsNoMarkup)
{
    const QString html = brokenHtml(record(), 1, 10);
    EXPECT_TRUE(html.contains("1 of 4 questions")) << html.toStdString();
    EXPECT_TRUE(html.contains("&lt;b&gt; indeed")) << html.toStdString();
    EXPECT_TRUE(html.contains("nothing<br>else"));
    EXPECT_TRUE(html.contains("what is %1?")) << "as it was asked";
    EXPECT_FALSE(html.contains("<b> indeed"));
    EXPECT_TRUE(html.contains("href=\"ask:1\"")) << "the second question";
    EXPECT_EQ(html.count("href="), 1);
    EXPECT_TRUE(brokenHtml(record(), 0, 10).isEmpty()) << "full attention breaks nothing";
    EXPECT_TRUE(brokenHtml(record(), 1, 0).contains("and 1 more"));
}

class QuestionsTest : public WindowTest
{ };

TEST_F(QuestionsTest, ARecordIsOpenedAndRead)
{
    ASSERT_TRUE(writeAnswersFile(m_folder / "record.json", record()));
    ASSERT_TRUE(open(m_folder / "record.json")) << message().toStdString();
    settle();
    EXPECT_EQ(m_window->findChild<QTreeView *>("answersTable")->model()->rowCount(), 3);
    EXPECT_TRUE(m_window->findChild<QTextBrowser *>("brokenAnswers")->toPlainText().contains("nothing"));
    EXPECT_EQ(m_window->findChild<QComboBox *>("answersRecord")->currentText(), "record.json");
    QSignalSpy asked(m_window->findChild<QuestionsPage *>(), &QuestionsPage::answersAsked);
    m_window->findChild<QAction *>("askBrokenAgain")->trigger();
    ASSERT_EQ(asked.count(), 1);
    EXPECT_EQ(asked.front().front().value<AskedElsewhere>().source, "Question colours 1");
    const QByteArray csv = saved("save_answers", "answers.csv");
    EXPECT_TRUE(csv.contains("narrow.json")) << csv.toStdString();
    const QByteArray broken = saved("save_broken-answers", "broken.csv");
    EXPECT_EQ(broken.count("indeed"), 1) << broken.toStdString();
    EXPECT_FALSE(open(write("broken.json", "{\"format\": \"zigzag-answers\"}")));
    EXPECT_FALSE(message().isEmpty());
    EXPECT_EQ(m_window->findChild<QTreeView *>("answersTable")->model()->rowCount(), 3) << "what was shown stays";
}

} // namespace zigzag::test
