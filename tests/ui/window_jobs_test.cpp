// SPDX-License-Identifier: GPL-3.0-or-later
// The tray of jobs: what runs and waits, what is stopped and goes on, lines for the command line, a word when a long one ends.
#include "app/studio/html_report.h"
#include "app/studio/long_run_notice.h"
#include "app/studio/pages/jobs_page.h"
#include "held_window.h"
#include "views/widgets/exhibit.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QTreeView>

namespace zigzag::test {

namespace {

constexpr int patience = 180000; // ms; a loaded machine, a sanitizer

RunRequest named(const char *task, const QString &title)
{
    RunRequest request;
    request.task = task;
    request.title = title;
    return request;
}

class Jobs : public HeldWindow
{
protected:
    Jobs() { qputenv("XDG_DATA_HOME", QByteArray::fromStdString((m_folder / "data").string())); }
    ~Jobs() override { qunsetenv("XDG_DATA_HOME"); }

    JobList &jobs() { return m_window->studio().jobs(); }
    /// Of the last job with this title.
    int rowOf(const QString &title)
    {
        int found = -1;
        for (int row = 0; row < jobs().rowCount(); ++row)
            if (jobs().job(row).request.title == title)
                found = row;
        return found;
    }
    QString cell(const QString &title, JobList::Column column) { return jobs().index(rowOf(title), column).data().toString(); }
    void choose(const QString &title)
    {
        auto *table = m_window->findChild<QTreeView *>("jobList");
        ASSERT_TRUE(table);
        ASSERT_GE(rowOf(title), 0) << title.toStdString();
        table->setCurrentIndex(jobs().index(rowOf(title), 0));
        settle();
    }
    QAction *action(const char *name) { return m_window->findChild<QAction *>(QLatin1String(name)); }
};

} // namespace

TEST_F(Jobs, WhatRunsAndWaitsStandsThereAndIsTakenOutByItsRow)
{
    hold({RunName::Calibrate, RunName::Score, RunName::Measure});
    EXPECT_EQ(cell("Calibrate predictions", JobList::State), "runs");
    EXPECT_EQ(cell("Score heads", JobList::State), "waits");
    EXPECT_EQ(jobs().currentRow(), rowOf("Calibrate predictions"));
    choose("Score heads");
    ASSERT_TRUE(action("stopJob")->isEnabled());
    action("stopJob")->trigger();
    settle();
    EXPECT_EQ(cell("Score heads", JobList::State), "stopped");
    EXPECT_FALSE(m_window->runs().isWaiting(RunName::Score));
    EXPECT_TRUE(m_window->runs().isRunning(RunName::Calibrate)) << "the other one goes on";
    choose("Calibrate predictions");
    action("stopJob")->trigger();
    settle();
    EXPECT_EQ(cell("Calibrate predictions", JobList::State), "stopped");
    ASSERT_TRUE(action("repeatJob")->isEnabled());
    action("repeatJob")->trigger();
    settle();
    EXPECT_TRUE(m_window->runs().isRunning(RunName::Calibrate)) << "taken up again";
    EXPECT_EQ(cell("Calibrate predictions", JobList::State), "runs");
    m_held->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    EXPECT_EQ(cell("Calibrate predictions", JobList::State), "done");
    EXPECT_TRUE(cell("Calibrate predictions", JobList::Time).startsWith("took"));
    action("clearJobs")->trigger();
    EXPECT_EQ(jobs().rowCount(), 0);
}

TEST_F(Jobs, DropStopsByNameWhateverTheTitleAndNothingElse)
{
    hold({RunName::Calibrate, RunName::Score, "mine", "other"});
    m_window->runs().enqueue(named("mine", "The same title"));
    m_window->runs().enqueue(named("other", "The same title"));
    m_window->runs().drop("mine");
    EXPECT_FALSE(m_window->runs().isWaiting("mine"));
    EXPECT_TRUE(m_window->runs().isWaiting("other"));
    EXPECT_TRUE(m_window->runs().isRunning(RunName::Calibrate));
    m_window->runs().drop("nobody");
    m_window->runs().drop(RunName::Calibrate);
    settle();
    EXPECT_FALSE(m_window->runs().isRunning(RunName::Calibrate));
    EXPECT_TRUE(m_window->runs().isRunning(RunName::Score)) << "what waits goes on";
}

TEST_F(Jobs, OfAnotherModelIsNotRunAgain)
{
    hold({RunName::Calibrate, RunName::Score});
    m_window->actions().cancel->trigger();
    settle();
    choose("Calibrate predictions");
    EXPECT_TRUE(action("repeatJob")->isEnabled());
    const int old = rowOf("Score heads"); // the other model brings one of its own
    ASSERT_TRUE(open(writeTinyModel(m_folder / "another", {.layers = 2})));
    settle();
    EXPECT_EQ(jobs().index(old, JobList::State).data().toString(), "stopped") << "it went with its model";
    m_window->findChild<QTreeView *>("jobList")->setCurrentIndex(jobs().index(old, 0));
    settle();
    EXPECT_FALSE(action("repeatJob")->isEnabled());
}

TEST_F(Jobs, EveryRunIsALineOfTheCommandLine)
{
    hold({RunName::Calibrate, RunName::Score, RunName::Measure, RunName::Needle, "trace", "search", "sweep-quality"});
    const auto lineOf = [&](const QString &title) {
        choose(title);
        EXPECT_TRUE(action("copyJobLine")->isEnabled()) << title.toStdString();
        action("copyJobLine")->trigger();
        return QGuiApplication::clipboard()->text().toStdString();
    };
    const std::string model = (m_folder / "model").string();
    EXPECT_EQ(lineOf("Calibrate predictions").rfind("zigzag calibrate " + model + " ", 0), 0u);
    EXPECT_EQ(lineOf("Score heads").rfind("zigzag score " + model + " --method attention ", 0), 0u);
    HeadMap edited = map();
    edited.setLayer(1, HeadKind::Streaming);
    m_window->document().applyMap(edited);
    settle();
    m_window->actions().measure->trigger();
    m_window->actions().needle->trigger();
    action("recordTrace")->trigger();
    action("searchLayers")->trigger();
    const std::string bench = lineOf("Measure");
    EXPECT_EQ(bench.rfind("zigzag bench " + model + " --map full --map ", 0), 0u) << bench;
    const std::string needle = lineOf("Needle");
    const std::string file = needle.substr(needle.find("--map ") + 6, needle.find(" --task") - needle.find("--map ") - 6);
    const auto written = readHeadMap(file);
    ASSERT_TRUE(written) << needle;
    EXPECT_EQ(written->streamingHeads(), edited.streamingHeads()) << "the map was written for it";
    ASSERT_TRUE(m_window->saveTo(QString::fromStdString((m_folder / "saved.json").string())));
    EXPECT_NE(lineOf("Needle").find((m_folder / "saved.json").string()), std::string::npos) << "a saved map goes by its own file";
    const std::string trace = lineOf("Record trace");
    EXPECT_NE(trace.find("--phase prefill"), std::string::npos) << trace;
    EXPECT_NE(trace.find("&& zigzag trace"), std::string::npos) << trace;
    m_prompts->copiesLine = true;
    m_window->actions().exportMap->trigger();
    const std::string line = QGuiApplication::clipboard()->text().toStdString();
    EXPECT_EQ(line.rfind("zigzag export " + (m_folder / "saved.json").string() + " --format vllm --model " + model, 0), 0u)
        << line;
}

TEST_F(Jobs, ALongRunThatEndsIsToldWhereTheWindowIsNotLookedAt)
{
    hold({RunName::Calibrate, RunName::Score});
    QStringList told;
    m_window->notice().setTell([&](const QString &title, const QString &) { told << title; });
    m_window->notice().setLeastSeconds(0);
    bool inFront = true;
    m_window->notice().setIsInFront([&] { return inFront; });
    m_held->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    EXPECT_TRUE(told.isEmpty()) << "who looks at it sees it";
    inFront = false;
    m_window->runs().enqueue(named(RunName::Score, "Score heads"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !told.isEmpty(); }, patience));
    EXPECT_EQ(told, QStringList{"Score heads is done"});
    m_window->notice().setLeastSeconds(3600);
    m_window->runs().enqueue(named(RunName::Score, "Score heads"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !m_window->runs().isBusy(); }, patience));
    EXPECT_EQ(told.size(), 1) << "short ones end unheard";
}

TEST_F(Jobs, AReportIsOneFileWithPicturesNumbersAndTheMap)
{
    hold({RunName::Score});
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->plotted().hasTimes(); }, patience));
    const QString html = QString::fromUtf8(saved("writeReport", "report.html"));
    ASSERT_FALSE(html.isEmpty()) << message().toStdString();
    EXPECT_GE(html.count("<svg"), 4) << "the map and three plots";
    EXPECT_EQ(html.count("<svg"), html.count("</svg>"));
    EXPECT_EQ(html.count("<?xml"), 0);
    EXPECT_TRUE(html.contains("At ")) << "the headline";
    EXPECT_TRUE(html.contains("zigzag calibrate"));
    EXPECT_TRUE(html.contains("zigzag-head-map"));
    EXPECT_FALSE(html.contains("<script")) << "it asks nothing";
    EXPECT_FALSE(html.contains("href=\"http"));
}

TEST(HtmlReport, WhatANameSaysIsTextAndNotMarkup)
{
    HtmlReport report;
    report.title = "<script>alert(1)</script>";
    report.facts.emplace_back("Model", "\"><img src=x>");
    report.commands << "zigzag bench '<b>'";
    Exhibit table{"a <table>", "t", {}, {}, [] { return QString("name,\"a \"\"b\"\", c\"\n<i>,1\n"); }, true, false};
    report.exhibits.push_back(table);
    table.csv = [] { return QString("name\n"); };
    table.name = "nothing yet";
    report.exhibits.push_back(table);
    report.variants.push_back({"<u>one</u>", {"<u>one</u>", "a <note>"}, "{\"<s>\": 1}"});
    const QString html = htmlOf(report);
    EXPECT_TRUE(html.contains("Variants of the map"));
    EXPECT_TRUE(html.contains("<td>a &lt;note&gt;</td>"));
    EXPECT_FALSE(html.contains("<u>"));
    EXPECT_FALSE(html.contains("<s>"));
    EXPECT_FALSE(html.contains("<script>"));
    EXPECT_FALSE(html.contains("<img"));
    EXPECT_FALSE(html.contains("<i>"));
    EXPECT_FALSE(html.contains("<b>"));
    EXPECT_TRUE(html.contains("<th>a &quot;b&quot;, c</th>")) << html.toStdString();
    EXPECT_FALSE(html.contains("nothing yet", Qt::CaseInsensitive));
}

} // namespace zigzag::test
