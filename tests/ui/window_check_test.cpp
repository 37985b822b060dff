// SPDX-License-Identifier: GPL-3.0-or-later
// A running server held against the map of the window, and the window's numbers as the engine that will serve it has them.
#include "engine/run/device_model.h"
#include "profiler/carry/sink_carrier.h"
#include "profiler/serve/http_server.h"
#include "tests/profiler/check/silent_server.h"
#include "views/models/run_list_model.h"
#include "views/widgets/check_dialog.h"
#include "views/widgets/needle_view.h"
#include "window_fixture.h"

#include <QCheckBox>
#include <QComboBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QTreeWidget>

namespace zigzag::test {

namespace {

constexpr int patience = 180000; // ms; a loaded machine, a sanitizer

jobs::ServerCheck sampleCheck()
{
    jobs::ServerCheck check;
    check.server = "http://127.0.0.1:8000";
    check.ways = {"the map, as vllm runs it", "the map, sinks kept", "full attention"};
    check.answers.tokens = 128;
    check.answers.prompts = 4;
    check.answers.context = 510;
    check.answers.toNext = 0.19;
    check.answers.inText = true;
    check.answers.finding = check::Finding::Found;
    check.answers.nearest = 2;
    for (const double difference : {0.4, 0.3, 0.00002})
        check.answers.likenesses.push_back({difference, 2 * difference, 100, {}});
    check.times.push_back({{256, {12, 14, 13}, {4, 5, 6}}, jobs::Foreseen{10, 6}, jobs::Foreseen{4.5, 3}});
    return check;
}

} // namespace

TEST(CheckDialog, AsksAndStopsAndShowsWhatWasFound)
{
    CheckDialog dialog("sglang", {256, 512});
    auto *check = dialog.findChild<QPushButton *>(QStringLiteral("check"));
    auto *says = dialog.findChild<QLabel *>(QStringLiteral("checkSays"));
    auto *ways = dialog.findChild<QTreeWidget *>(QStringLiteral("checkedWays"));
    auto *times = dialog.findChild<QTreeWidget *>(QStringLiteral("checkedTimes"));
    auto *progress = dialog.findChild<QProgressBar *>(QStringLiteral("checkProgress"));
    ASSERT_TRUE(check && says && ways && times && progress);
    for (QWidget *each : {static_cast<QWidget *>(says), static_cast<QWidget *>(ways), static_cast<QWidget *>(times),
                          static_cast<QWidget *>(progress)}) {
        EXPECT_TRUE(each->isHidden());
        EXPECT_FALSE(each->accessibleName().isEmpty());
    }
    auto *server = dialog.findChild<QLineEdit *>(QStringLiteral("checkServer"));
    EXPECT_EQ(server->selectedText(), server->text()) << "typing replaces it";
    server->setText(QStringLiteral("  http://host:1 "));
    EXPECT_EQ(dialog.choice().server, "http://host:1");
    EXPECT_EQ(dialog.choice().engine, "sglang") << "that of the window";
    EXPECT_TRUE(dialog.choice().contexts.empty());
    dialog.findChild<QCheckBox *>(QStringLiteral("checkTimes"))->setChecked(true);
    EXPECT_EQ(dialog.choice().contexts, (std::vector<std::int64_t>{256, 512}));

    QSignalSpy asked(&dialog, &CheckDialog::checkAsked), cancelled(&dialog, &CheckDialog::checkCancelled);
    check->click();
    EXPECT_EQ(asked.count(), 1);
    EXPECT_TRUE(dialog.isChecking());
    dialog.showProgress(0.5, QStringLiteral("comparing answers"));
    EXPECT_EQ(progress->value(), 50);
    check->click(); // the same button stops it
    EXPECT_EQ(cancelled.count(), 1);
    EXPECT_FALSE(dialog.isChecking());
    EXPECT_TRUE(progress->isHidden());
    EXPECT_TRUE(says->isHidden());

    check->click();
    dialog.showFound(sampleCheck());
    dialog.endChecking();
    EXPECT_EQ(says->text(),
              QStringLiteral("http://127.0.0.1:8000: the server does not run the map, as vllm runs it: it runs full "
                             "attention"));
    ASSERT_EQ(ways->topLevelItemCount(), 3);
    EXPECT_EQ(ways->topLevelItem(0)->text(1), QStringLiteral("100 of 128"));
    EXPECT_EQ(ways->topLevelItem(2)->text(2), QStringLiteral("0.00002"));
    EXPECT_TRUE(ways->topLevelItem(2)->font(0).bold()) << "the one that it runs";
    EXPECT_FALSE(ways->topLevelItem(0)->font(0).bold());
    ASSERT_EQ(times->topLevelItemCount(), 1);
    QStringList row;
    for (int column = 0; column < times->columnCount(); ++column)
        row << times->topLevelItem(0)->text(column);
    EXPECT_EQ(row.join('|'), QStringLiteral("256|13.0 ms|~10.0 ms|6.00 ms|5.00 ms|~4.50 ms|3.00 ms"));
    QString all;
    for (const QLabel *label : dialog.findChildren<QLabel *>())
        all += label->text();
    EXPECT_TRUE(all.contains("sent as text"));

    check->click();
    EXPECT_TRUE(ways->isHidden()) << "it was of another check";
    dialog.endChecking(QStringLiteral("http://host:1: said nothing for 600 s: is it busy, or stuck?"));
    EXPECT_TRUE(says->text().contains("said nothing"));
    EXPECT_TRUE(ways->isHidden());
}

namespace {

class CheckWindow : public WindowTest
{
protected:
    void SetUp() override
    {
        m_model = writeTinyModel(m_folder / "model", {.layers = 3, .maxContext = 512});
        ASSERT_TRUE(open(m_model)) << message().toStdString();
        ASSERT_TRUE(idle());
        m_window->document().applyMap(asked());
        m_window->refreshNow();
    }
    void TearDown() override
    {
        if (m_scheduler)
            m_scheduler->stop();
        m_server.reset();
    }
    bool idle()
    {
        const bool done
            = QTest::qWaitFor([&] { return m_window->document().state().scores && !m_window->runs().isBusy(); }, patience);
        m_window->refreshNow();
        return done;
    }
    HeadMap asked() const
    {
        HeadMap map(m_window->document().model(), HeadKind::Streaming, 4, 16);
        map.setLayer(0, HeadKind::Retrieval);
        return map;
    }
    /// A server of the same model.
    int serve(const HeadMap &map)
    {
        auto model = loadModel(m_model.string());
        auto backend = createBackend("cpu");
        auto device = uploadModel(*model, std::shared_ptr<Backend>(std::move(*backend)));
        m_scheduler = std::move(*serve::BatchScheduler::create(*device, map, {.batch = 2, .context = 300}));
        serve::ServerOptions options;
        options.port = 0;
        options.name = "tiny";
        m_server = std::move(*serve::HttpServer::start(*model, *m_scheduler, options));
        return m_server->port();
    }
    CheckDialog &openDialog(int port)
    {
        m_window->findChild<QAction *>(QStringLiteral("checkServer"))->trigger();
        settle();
        auto *dialog = m_window->findChild<CheckDialog *>();
        if (!dialog)
            throw std::runtime_error("there is no dialog");
        dialog->findChild<QLineEdit *>(QStringLiteral("checkServer"))->setText(QStringLiteral("http://127.0.0.1:%1").arg(port));
        return *dialog;
    }
    template <class T> T &part(CheckDialog &dialog, const char *name)
    {
        return *dialog.findChild<T *>(QString::fromLatin1(name));
    }

    std::filesystem::path m_model;

private:
    std::unique_ptr<serve::BatchScheduler> m_scheduler;
    std::unique_ptr<serve::HttpServer> m_server;
};

} // namespace

TEST_F(CheckWindow, AServerIsHeldAgainstTheMapAndItsTimesAreARun)
{
    CheckDialog &dialog = openDialog(serve(withoutSinks(asked())));
    part<QCheckBox>(dialog, "checkTimes").setChecked(true);
    const int runs = m_window->studio().runList().rowCount();
    part<QPushButton>(dialog, "check").click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !dialog.isChecking(); }, patience));
    const QString says = part<QLabel>(dialog, "checkSays").text();
    EXPECT_TRUE(says.endsWith("the server does not run the map, sinks kept: it runs its windows alone")) << says.toStdString();
    EXPECT_EQ(part<QTreeWidget>(dialog, "checkedWays").topLevelItemCount(), 3);
    const QTreeWidget &times = part<QTreeWidget>(dialog, "checkedTimes");
    const QString note = part<QLabel>(dialog, "checkTimesNote").text();
    // The server streams characters, and a random model may say none: then that is said, and what was found stands.
    EXPECT_EQ(times.topLevelItemCount() == 0, note.startsWith("No times: ")) << note.toStdString();
    ASSERT_EQ(m_window->studio().runList().rowCount(), runs + 2 * times.topLevelItemCount());
    if (times.topLevelItemCount() > 0) {
        EXPECT_TRUE(times.topLevelItem(0)->text(2).startsWith('~')) << "beside what was calibrated here";
        EXPECT_NE(times.topLevelItem(0)->text(3), QStringLiteral("–")) << "and the floor";
        const RunEntry &run = m_window->studio().runList().entry(runs);
        EXPECT_TRUE(run.origin.startsWith("server http://127.0.0.1")) << run.origin.toStdString();
        EXPECT_TRUE(run.machine.contains("tiny")) << run.machine.toStdString();
        EXPECT_FALSE(run.predicted);
    }

    // As the engine that it is served by has it, the same server is right.
    auto &engine = part<QComboBox>(dialog, "checkEngine");
    engine.setCurrentIndex(engine.findData(QStringLiteral("vllm")));
    part<QCheckBox>(dialog, "checkTimes").setChecked(false);
    part<QPushButton>(dialog, "check").click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !dialog.isChecking(); }, patience));
    EXPECT_TRUE(part<QLabel>(dialog, "checkSays").text().endsWith("the server runs the map, as vllm runs it"))
        << part<QLabel>(dialog, "checkSays").text().toStdString();
    EXPECT_TRUE(part<QTreeWidget>(dialog, "checkedTimes").isHidden());
    dialog.close();
}

TEST_F(CheckWindow, EscLeavesASilentServerAtOnce)
{
    const SilentServer silent;
    CheckDialog &dialog = openDialog(silent.port());
    QSignalSpy ended(m_worker, &RunWorker::finished);
    QTest::keyClick(&part<QLineEdit>(dialog, "checkServer"), Qt::Key_Return);
    ASSERT_TRUE(dialog.isChecking()) << "Enter checks";
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->runs().isRunning("check"); }, patience));
    QTest::qWait(200);
    QElapsedTimer clock;
    clock.start();
    QTest::keyClick(&dialog, Qt::Key_Escape);
    EXPECT_FALSE(dialog.isVisible());
    EXPECT_FALSE(m_window->runs().isBusy());
    ASSERT_TRUE(QTest::qWaitFor([&] { return ended.count() > 0; }, patience));
    EXPECT_LT(clock.elapsed(), 1500) << "the worker is free again";
    EXPECT_TRUE(message().isEmpty()) << message().toStdString();
}

TEST_F(CheckWindow, WhatIsNoServerIsSaidInTheDialog)
{
    CheckDialog &dialog = openDialog(1);
    part<QLineEdit>(dialog, "checkServer").setText(QStringLiteral("localhost"));
    part<QPushButton>(dialog, "check").click();
    EXPECT_FALSE(dialog.isChecking());
    EXPECT_TRUE(part<QLabel>(dialog, "checkSays").text().contains("give http://HOST:PORT"));
    part<QLineEdit>(dialog, "checkServer").setText(QStringLiteral("http://127.0.0.1:1"));
    part<QPushButton>(dialog, "check").click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !dialog.isChecking(); }, patience));
    EXPECT_TRUE(part<QLabel>(dialog, "checkSays").text().contains("is the server up"))
        << part<QLabel>(dialog, "checkSays").text().toStdString();
    dialog.close();
}

TEST_F(CheckWindow, MemoryAndNeedlesAreThoseOfTheEngineThatWillServeAndSaySo)
{
    const auto engine = [&](const char *name) {
        auto *action = m_window->findChild<QAction *>(QStringLiteral("servedBy_") + QLatin1String(name));
        if (!action)
            throw std::runtime_error(std::string("nobody serves by ") + name);
        action->trigger();
        m_window->refreshNow();
        return m_window->headline().text();
    };
    EXPECT_FALSE(m_window->headline().text().contains("runs it"));
    const QString vllm = engine("vllm");
    EXPECT_TRUE(vllm.contains("as vllm runs it, at 512 tokens: KV ")) << vllm.toStdString();
    EXPECT_TRUE(vllm.contains("vLLM 0")) << "whose counting it is: " << vllm.toStdString();
    EXPECT_TRUE(vllm.contains("against full")) << "ours is still there";
    EXPECT_NE(engine("sglang"), vllm);
    engine("vllm");

    m_window->actions().needle->trigger();
    ASSERT_TRUE(idle()) << message().toStdString();
    const Measurements &measured = m_window->plotted().measurements();
    EXPECT_TRUE(measured.needle(map(), "vllm"));
    EXPECT_FALSE(measured.needle(map())) << "what vLLM runs says nothing of our engine";
    EXPECT_TRUE(measured.needle(*m_window->plotted().map(Series::Full)));
    engine("granite-swa"); // another model, calibrated first
    m_window->actions().needle->trigger();
    ASSERT_TRUE(idle()) << message().toStdString();
    EXPECT_TRUE(measured.needle(map(), "granite-swa"));
    EXPECT_FALSE(engine("").contains("runs it"));
}

TEST_F(CheckWindow, NumbersOfLayersThatVllmFillsUpAreNamed)
{
    HeadMap map(m_window->document().model(), HeadKind::Retrieval, 4, 16);
    for (const int layer : {1, 2})
        map.setLayer(layer, HeadKind::Streaming);
    m_window->document().applyMap(map);
    const auto *now = m_window->findChild<QLabel *>(QStringLiteral("assignNow"));
    ASSERT_TRUE(now);
    m_window->refreshNow();
    EXPECT_FALSE(now->text().contains("vLLM"));
    m_window->studio().setServedBy("vllm");
    m_window->refreshNow();
    EXPECT_TRUE(now->text().contains("vLLM")) << now->text().toStdString();
    m_window->studio().setServedBy("sglang");
    m_window->refreshNow();
    EXPECT_FALSE(now->text().contains("vLLM")) << now->text().toStdString();
}

TEST_F(CheckWindow, AMapThatTheEngineCannotRunIsSaidWhereItsNumbersWouldBe)
{
    HeadMap mixed = asked();
    mixed.setLayerWindow(1, 2, 8);
    m_window->document().applyMap(mixed);
    m_window->studio().setServedBy("vllm");
    m_window->refreshNow();
    EXPECT_TRUE(m_window->headline().text().contains("cannot run this map")) << m_window->headline().text().toStdString();
    m_window->actions().needle->trigger();
    EXPECT_FALSE(m_window->runs().isBusy());
    EXPECT_TRUE(message().contains("cannot run this map")) << message().toStdString();
}

} // namespace zigzag::test
