// SPDX-License-Identifier: GPL-3.0-or-later
// What maps were asked: listed among the runs, kept in the session, opened again.
#include "app/studio/pages/questions_page.h"
#include "app/studio/state/quality_records.h"
#include "app/studio/state/session_restore.h"
#include "app/studio/state/session_snapshot.h"
#include "engine/map/run_alike.h"
#include "profiler/evaluate/answers_file.h"
#include "views/models/answers_model.h"
#include "views/widgets/pareto_plot.h"
#include "window_fixture.h"

#include <QComboBox>
#include <QTreeView>

namespace zigzag::test {

namespace {

std::shared_ptr<const AnswersRecord> someAnswers(const std::vector<double> &scores, const std::string &asked = "ruler")
{
    auto record = std::make_shared<AnswersRecord>();
    record->model = "sample";
    record->asked = asked;
    record->questionsHash = "sha256:01";
    const auto answers = [](const std::vector<double> &values) {
        std::vector<QuestionAnswer> all;
        for (const double score : values) {
            QuestionAnswer answer;
            answer.text = "something";
            answer.score = score;
            all.push_back(answer);
        }
        return all;
    };
    for (std::size_t i = 0; i < scores.size(); ++i)
        record->questions.push_back({"ruler", "niah_single_1", std::to_string(i), 1024, -1, {"7"}, "which?"});
    record->maps.push_back({"full attention", 0, 4, 64, "", answers(std::vector<double>(scores.size(), 1.0))});
    record->maps.push_back({"this map", 0.5, 4, 64, "", answers(scores)});
    return record;
}

class AskedTest : public WindowTest
{
protected:
    QualityRecords &records() { return m_window->studio().qualities(); }
    QString at(int row, int column) { return records().index(row, column).data().toString(); }
    AskedQuality perplexityOf(const HeadMap &first, const HeadMap &second)
    {
        AskedQuality quality;
        quality.axis = "perplexity";
        quality.file = QStringLiteral("/texts/novel.txt");
        quality.when = QDateTime::currentDateTime();
        quality.model = map().model();
        quality.maps = {first, second};
        quality.found[fingerprintOf(first)] = {9.5, 9, 10, 0, 40};
        quality.found[fingerprintOf(second)] = {12, 11, 13, 0, 40};
        return quality;
    }
};

} // namespace

TEST_F(AskedTest, StandsAmongTheRunsAndComesBackWithTheSession)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    auto *list = m_window->findChild<QTreeView *>(QStringLiteral("askedQualities"));
    ASSERT_TRUE(list);
    EXPECT_TRUE(list->isHidden()) << "nothing was asked";
    const auto answers = someAnswers({1, 0, 1, 1});
    EXPECT_EQ(
        records().takeAnswers({QStringLiteral("RULER, 12:00:00"), QDateTime::currentDateTime(), someAnswers({1, 0}), 3, {}}), 0);
    EXPECT_EQ(records().takeAnswers({QStringLiteral("RULER, 12:00:00"), QDateTime::currentDateTime(), answers, 3, {}}), 0)
        << "more of the same run";
    const HeadMap all = map().withEvery(HeadKind::Streaming);
    AskedQuality quality = perplexityOf(map(), all);
    const std::string key = keyOfQuality(quality.axis, quality.file, {});
    records().takeQuality(key, quality);
    AskedQuality ruler = perplexityOf(map(), all);
    ruler.axis = "ruler";
    ruler.file.clear();
    ruler.found = {{fingerprintOf(all), {0.75, 0.25, 1, 0, 4}}};
    ruler.record = answers;
    records().takeQuality(keyOfQuality("ruler", {}, {}), ruler);
    EXPECT_FALSE(list->isHidden());
    ASSERT_EQ(records().rowCount(), 3);
    EXPECT_TRUE(at(0, QualityRecords::What).contains("RULER, 12:00:00"));
    EXPECT_EQ(at(0, QualityRecords::Count), "4");
    EXPECT_EQ(at(0, QualityRecords::Full), "100 %");
    EXPECT_EQ(at(0, QualityRecords::Worst), "75 %");
    EXPECT_TRUE(at(1, QualityRecords::What).contains("novel.txt")) << at(1, QualityRecords::What).toStdString();
    EXPECT_EQ(at(1, QualityRecords::Best), "9.5") << "of perplexity less is better";
    EXPECT_EQ(at(1, QualityRecords::Worst), "12");

    SnapshotWriter writer;
    const SavedSession session = writer.session(snapshotOf(m_window->studio()));
    EXPECT_EQ(session.all(PartKind::Answers).size(), 2u) << "those of the questions, and those of the sweep";
    ASSERT_EQ(session.all(PartKind::Quality).size(), 2u);
    const SavedSession again = writer.session(snapshotOf(m_window->studio()));
    EXPECT_EQ(again.all(PartKind::Answers).front()->content, session.all(PartKind::Answers).front()->content)
        << "what did not change is not put into words again";
    ASSERT_TRUE(writeSession(session, m_folder / "it.zigzag"));

    records().clear();
    EXPECT_TRUE(list->isHidden());
    ASSERT_TRUE(open(m_folder / "it.zigzag")) << message().toStdString();
    m_window->refreshNow();
    ASSERT_EQ(records().rowCount(), 3);
    ASSERT_EQ(records().answers().size(), 1u);
    EXPECT_EQ(records().answers().front().name, "RULER, 12:00:00");
    EXPECT_EQ(records().answers().front().record->maps[1].answers[1].score, 0);
    const AskedQuality *kept = records().quality(key);
    ASSERT_TRUE(kept);
    ASSERT_EQ(kept->found.size(), 2u);
    EXPECT_EQ(kept->found.at(fingerprintOf(all)).mean, 12);
    EXPECT_EQ(kept->found.at(fingerprintOf(all)).high, 13);
    EXPECT_EQ(kept->maps.size(), 2u);
    ASSERT_TRUE(records().quality(keyOfQuality("ruler", {}, {})));
    const auto &record = records().quality(keyOfQuality("ruler", {}, {}))->record;
    ASSERT_TRUE(record);
    EXPECT_EQ(record->questionsHash, answers->questionsHash) << "who was asked is not asked again";

    // A row opens where it is read.
    Q_EMIT list->activated(records().index(0, 0));
    auto *table = m_window->findChild<QTreeView *>(QStringLiteral("answersTable"));
    EXPECT_EQ(table->model()->rowCount(), 1);
    EXPECT_EQ(m_window->findChild<QComboBox *>(QStringLiteral("answersRecord"))->currentText(), "RULER, 12:00:00");
    Q_EMIT list->activated(records().index(1, 0));
    m_window->refreshNow();
    EXPECT_EQ(m_window->findChild<ParetoPlot *>(QStringLiteral("paretoPlot"))->points().size(), 2u);
    EXPECT_TRUE(m_window->findChild<QComboBox *>(QStringLiteral("qualityAxis"))->currentText().contains("perplexity"));
}

TEST_F(AskedTest, RecordsOfOtherModelsStayOut)
{
    ASSERT_TRUE(open(savedMap(fullMap(4, 2))));
    SessionSnapshot snapshot = snapshotOf(m_window->studio());
    auto foreign = std::make_shared<AnswersRecord>(*someAnswers({1, 1}));
    foreign->fingerprint = "sha256:another";
    records().takeAnswers({QStringLiteral("theirs"), QDateTime::currentDateTime(), foreign, -1, {}});
    snapshot = snapshotOf(m_window->studio());
    EXPECT_EQ(snapshot.answers.size(), snapshot.model.fingerprint.empty() ? 1u : 0u);
    AskedQuality quality = perplexityOf(map(), map().withEvery(HeadKind::Streaming));
    quality.model.layers = 5;
    records().takeQuality("k", quality);
    EXPECT_TRUE(snapshotOf(m_window->studio()).qualities.empty());
    m_window->refreshNow();
    EXPECT_FALSE(records().quality("k")) << "they say nothing of these maps";
}

} // namespace zigzag::test
