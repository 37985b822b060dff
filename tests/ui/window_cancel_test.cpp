// SPDX-License-Identifier: GPL-3.0-or-later
// Runs that are stopped: a load gives its memory back, what waits goes on, and the process ends.
#include "app/studio/run_until_closed.h"
#include "held_window.h"

#include <QDir>
#include <QElapsedTimer>
#include <QLabel>
#include <QMenu>
#include <QProgressBar>
#include <QTimer>
#include <QToolButton>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <unistd.h>

namespace zigzag::test {

namespace {

constexpr int patience = 180000; // ms; a loaded machine, a sanitizer

std::int64_t residentBytes()
{
    std::int64_t all = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

/// A clock that this process and the one that it starts read alike.
qint64 monotonicMs()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A preset of 3 GiB, of which no more is filled than the test lets a load fill.
class LargePreset
{
public:
    explicit LargePreset(const std::filesystem::path &folder)
    {
        std::filesystem::create_directories(folder / "presets");
        std::ofstream(folder / "presets/large.json")
            << R"({"model_type": "llama", "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 8,
                   "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 1024, "max_position_embeddings": 4096,
                   "rope_theta": 10000.0, "rms_norm_eps": 1e-05, "hidden_act": "silu", "tie_word_embeddings": false,
                   "torch_dtype": "bfloat16", "eos_token_id": 2})";
        ::setenv("ZIGZAG_RESOURCES", folder.c_str(), 1);
    }
    ~LargePreset() { ::unsetenv("ZIGZAG_RESOURCES"); }
};

} // namespace

TEST_F(WindowTest, ACancelledLoadStopsReadingAndItsMemoryIsBack)
{
    const LargePreset preset(m_folder / "resources");
    const std::int64_t before = residentBytes();
    std::atomic<bool> ended = false;
    QObject::connect(
        m_worker, &RunWorker::finished, m_worker, [&ended] { ended = true; }, Qt::DirectConnection);
    ASSERT_TRUE(m_window->open("preset:large")) << message().toStdString();
    auto *bar = m_window->findChild<QProgressBar *>("progress");
    ASSERT_TRUE(QTest::qWaitFor([&] { return bar->maximum() > 0 && bar->value() > 0; }, patience))
        << "a load shows how far it is";
    EXPECT_TRUE(m_window->findChild<QLabel *>("progressText")->text().contains("left"));
    QElapsedTimer clock;
    clock.start();
    m_window->actions().cancel->trigger();
    EXPECT_FALSE(m_window->runs().isBusy()) << "the window is free at once";
    ASSERT_TRUE(QTest::qWaitFor([&] { return ended.load(); }, patience));
    EXPECT_LT(clock.elapsed(), 1000);
    EXPECT_LT(residentBytes() - before, std::int64_t{128} << 20);
    settle();
    EXPECT_FALSE(m_window->runs().isStopping());
    EXPECT_FALSE(m_window->actions().measure->isEnabled());
}

TEST_F(WindowTest, TheProcessEndsInTimeWhateverRuns)
{
    const LargePreset preset(m_folder / "resources");
    ASSERT_TRUE(m_window->open("preset:large")) << message().toStdString();
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->runs().isBusy(); }, patience));
    QTest::qWait(100);
    QElapsedTimer clock;
    clock.start();
    ASSERT_TRUE(m_window->close());
    EXPECT_TRUE(m_window->runs().stop(std::chrono::milliseconds(1200))) << "main waits no longer";
    EXPECT_LT(clock.elapsed(), 1500);
}

/// The process of the window whose worker hears nothing: Quit, and the time on the clock at that moment, in a file.
[[noreturn]] void quitWhileDeaf(const QString &note)
{
    class DeafWorker : public RunWorker
    {
    public:
        void execute(const RunRequest &) override
        {
            while (true)
                QThread::msleep(1);
        }
    };
    MainWindow window({std::make_unique<DeafWorker>(), std::make_unique<PreparedPrompts>(), nullptr});
    window.show();
    window.runs().enqueue(RunRequest());
    QTimer::singleShot(100, &window, [&window, &note] {
        window.activateWindow();
        if (!QTest::qWaitForWindowActive(&window))
            std::_Exit(3);
        QFile file(note);
        file.open(QIODevice::WriteOnly);
        file.write(QByteArray::number(monotonicMs()));
        file.close();
        QTest::keyClick(&window, Qt::Key_Q, Qt::ControlModifier);
    });
    std::_Exit(runUntilClosed(window)); // only where the worker has ended
}

TEST(Process, EndsWithinTwoSecondsOfCtrlQThoughAWorkerDoesNotHear)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe"); // the process anew
    constexpr const char *place = "ZIGZAG_TEST_QUIT_AT"; // this and the other process need one name
    if (!qEnvironmentVariableIsSet(place))
        qputenv(place, (QDir::tempPath() + QStringLiteral("/zigzag-quit-%1").arg(::getpid())).toLocal8Bit());
    const QString note = qEnvironmentVariable(place);
    EXPECT_EXIT(quitWhileDeaf(note), testing::ExitedWithCode(0), "");
    const qint64 ended = monotonicMs();
    QFile file(note);
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    const qint64 asked = file.readAll().toLongLong();
    file.remove();
    qunsetenv(place);
    EXPECT_GT(asked, 0);
    EXPECT_LT(ended - asked, 2000);
}

TEST(RunController, WaitsNoLongerThanItIsToldForAWorkerThatDoesNotHear)
{
    class DeafWorker : public RunWorker
    {
    public:
        std::atomic<bool> release = false;
        void execute(const RunRequest &request) override
        {
            while (!release)
                QThread::msleep(1);
            Q_EMIT finished(request.id, {});
        }
    };
    auto owned = std::make_unique<DeafWorker>();
    DeafWorker *worker = owned.get();
    RunController runs(std::move(owned));
    runs.enqueue(RunRequest());
    QTest::qWait(50);
    QElapsedTimer clock;
    clock.start();
    EXPECT_FALSE(runs.stop(std::chrono::milliseconds(100)));
    EXPECT_LT(clock.elapsed(), 1000);
    worker->release = true;
    EXPECT_TRUE(runs.stop(std::chrono::seconds(20)));
}

TEST_F(HeldWindow, ACancelledCalibrationLeavesThePendingScoring)
{
    hold({RunName::Calibrate});
    ASSERT_TRUE(m_window->runs().isRunning(RunName::Calibrate));
    ASSERT_TRUE(m_window->runs().isWaiting(RunName::Score));
    m_window->actions().cancel->trigger();
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->document().state().scores != nullptr; }, patience));
    EXPECT_FALSE(m_window->plotted().hasTimes());
}

TEST_F(HeldWindow, WhatWaitsIsNamedInTheToolBarAndCanBeTakenOut)
{
    hold({RunName::Calibrate, RunName::Score, RunName::Needle, RunName::Measure});
    auto *queue = m_window->findChild<QToolButton *>("queue");
    ASSERT_TRUE(queue);
    EXPECT_TRUE(queue->isVisible());
    EXPECT_TRUE(queue->text().contains("Score heads")) << queue->text().toStdString();
    m_window->actions().measure->trigger();
    settle();
    EXPECT_TRUE(queue->text().contains("2")) << queue->text().toStdString();
    ASSERT_EQ(queue->menu()->actions().size(), 2);
    EXPECT_TRUE(queue->menu()->actions().last()->text().contains("Measure"));
    queue->menu()->actions().first()->trigger();
    settle();
    EXPECT_FALSE(m_window->runs().isWaiting(RunName::Score));
    EXPECT_TRUE(m_window->runs().isWaiting(RunName::Measure));
    m_window->actions().cancel->trigger();
    settle();
    EXPECT_TRUE(m_window->runs().isRunning(RunName::Measure)) << "a cancel drops nothing that waits";
    EXPECT_FALSE(queue->isVisible());
}

TEST_F(HeldWindow, HintsTellWhatIsGoingOn)
{
    hold({RunName::Calibrate, RunName::Score, RunName::Needle});
    EXPECT_TRUE(m_window->studio().whyNoTimes().contains("calibrating"));
    m_window->actions().cancel->trigger(); // the calibration
    settle();
    ASSERT_TRUE(m_window->runs().isRunning(RunName::Score));
    EXPECT_FALSE(m_window->studio().whyNoTimes().contains("calibrating")) << "it is scoring";
    const auto says = [this](const char *what) {
        const auto labels = m_window->findChildren<QLabel *>();
        return std::any_of(labels.begin(), labels.end(), [&](const QLabel *label) { return label->text().contains(what); });
    };
    EXPECT_TRUE(says("being scored")) << "in the assign panel, which otherwise offers to score";
    EXPECT_FALSE(says("Score the model"));
    auto *hint = m_window->findChild<QLabel *>("needleHint");
    EXPECT_TRUE(hint->text().contains("F6"));
    m_window->actions().needle->trigger();
    settle();
    EXPECT_TRUE(hint->text().contains("Waits")) << hint->text().toStdString();
    EXPECT_FALSE(hint->text().contains("F6"));
    m_window->actions().cancel->trigger();
    settle();
    ASSERT_TRUE(m_window->runs().isRunning(RunName::Needle));
    EXPECT_TRUE(hint->text().contains("Running")) << hint->text().toStdString();
    auto *bar = m_window->findChild<QProgressBar *>("progress");
    EXPECT_EQ(bar->maximum(), 0) << "a bar that stands at nothing moves";
}

TEST_F(WindowTest, AModelThatWaitsForACancelledRunSaysSo)
{
    class DeafWorker : public EngineWorker
    {
    public:
        std::atomic<bool> release = false;
        void execute(const RunRequest &request) override
        {
            while (request.task == RunName::Calibrate && !release)
                QThread::msleep(1);
            EngineWorker::execute(request);
        }
    };
    auto owned = std::make_unique<DeafWorker>();
    DeafWorker *worker = owned.get();
    build(std::move(owned));
    const auto model = writeTinyModel(m_folder / "model");
    ASSERT_TRUE(open(model));
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->runs().isRunning(RunName::Calibrate); }, patience));
    ASSERT_TRUE(open(model));
    settle();
    const auto *text = m_window->findChild<QLabel *>("progressText");
    EXPECT_TRUE(text->text().contains("waits for the cancelled run")) << text->text().toStdString();
    worker->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return m_window->studio().loaded().has_value(); }, patience));
    EXPECT_FALSE(text->text().contains("waits for the cancelled run"));
}

} // namespace zigzag::test
