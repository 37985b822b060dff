// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/run_controller.h"
#include "samples.h"
#include "tests/temp_folder.h"
#include "tests/tiny_model.h"

#include <QCoreApplication>
#include <QMutex>
#include <QTest>
#include <gtest/gtest.h>

namespace zigzag::test {

namespace {

/// Works until it is told to end, and then reports as if it had not heard of any cancellation.
class ObstinateWorker : public RunWorker
{
public:
    std::atomic<bool> release = false;
    std::atomic<int> started = 0;
    std::atomic<int> sawCancel = 0;
    std::function<void(int id)> delivery; ///< on the window's thread

    void execute(const RunRequest &request) override
    {
        ++started;
        Q_EMIT progressed(request.id, 0.5, QStringLiteral("half"));
        while (!release)
            QThread::msleep(1);
        sawCancel += request.cancel->load();
        Q_EMIT delivered(request.id, [this, id = request.id] { delivery(id); });
        Q_EMIT finished(request.id, {});
    }
};

RunRequest ask(const char *name)
{
    RunRequest request;
    request.task = name;
    request.title = QStringLiteral("%1 the model").arg(QLatin1String(name));
    return request;
}

constexpr const char *load = "load", *calibrate = "calibrate", *score = "score", *measure = "measure", *needle = "needle";

} // namespace

TEST(RunController, RunsWhatIsQueuedOneAfterTheOther)
{
    auto owned = std::make_unique<ObstinateWorker>();
    ObstinateWorker *worker = owned.get();
    RunController runs(std::move(owned));
    std::vector<int> delivered;
    worker->delivery = [&](int id) { delivered.push_back(id); };
    runs.enqueue(ask(calibrate));
    runs.enqueue(ask(score));
    runs.enqueue(ask(score)); // replaces the one that waits
    EXPECT_TRUE(runs.isBusy());
    worker->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !runs.isBusy(); }, 10000));
    EXPECT_EQ(delivered, (std::vector<int>{1, 3}));
    EXPECT_EQ(worker->started, 2);
}

TEST(RunController, ACancelledRunsResultIsDropped)
{
    auto owned = std::make_unique<ObstinateWorker>();
    ObstinateWorker *worker = owned.get();
    RunController runs(std::move(owned));
    std::vector<int> delivered;
    worker->delivery = [&](int id) { delivered.push_back(id); };
    std::vector<RunOutcome::Kind> outcomes;
    QObject::connect(&runs, &RunController::finished,
                     [&](const std::string &, const RunOutcome &outcome) { outcomes.push_back(outcome.kind); });
    runs.enqueue(ask(score));
    ASSERT_TRUE(QTest::qWaitFor([&] { return worker->started == 1; }, 10000));
    runs.cancel();
    EXPECT_FALSE(runs.isBusy()) << "the window is free at once";
    runs.enqueue(ask(score));
    worker->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !runs.isBusy(); }, 10000));
    EXPECT_EQ(worker->started, 2);
    EXPECT_EQ(worker->sawCancel, 1) << "the flag reached the first run, and not the second";
    EXPECT_EQ(delivered, std::vector<int>{2}) << "the first run's result came too late";
    EXPECT_EQ(outcomes, (std::vector<RunOutcome::Kind>{RunOutcome::Kind::Cancelled, RunOutcome::Kind::Done}));
}

TEST(RunController, NobodyCanSpeakForAnotherRun)
{
    auto owned = std::make_unique<ObstinateWorker>();
    ObstinateWorker *worker = owned.get();
    RunController runs(std::move(owned));
    QStringList heard;
    QObject::connect(&runs, &RunController::progressed, [&](double, const QString &text) { heard << text; });
    QObject::connect(&runs, &RunController::expected, [&] { heard << "expected"; });
    QObject::connect(&runs, &RunController::finished, [&] { heard << "finished"; });
    runs.enqueue(ask(score));
    ASSERT_TRUE(QTest::qWaitFor([&] { return heard == QStringList("half"); }, 10000));
    const auto everything = [&](int id) {
        Q_EMIT worker->progressed(id, 0.9, QStringLiteral("progressed"));
        Q_EMIT worker->expected(id, 5);
        Q_EMIT worker->delivered(id, [&heard] { heard << "delivered"; });
        Q_EMIT worker->finished(id, {});
        QCoreApplication::processEvents();
    };
    const int current = runs.currentId();
    for (const int other : {current + 7, current - 1, 0}) {
        everything(other);
        EXPECT_EQ(heard, QStringList("half")) << heard.join(' ').toStdString();
        EXPECT_TRUE(runs.isBusy());
    }
    heard.clear();
    everything(current); // the same, and now they count
    EXPECT_EQ(heard, QStringList({"progressed", "expected", "delivered", "finished"}));
    EXPECT_FALSE(runs.isBusy());
    worker->release = true;
}

TEST(RunController, ACancelStopsOneRunAndWhatWaitsGoesOn)
{
    auto owned = std::make_unique<ObstinateWorker>();
    ObstinateWorker *worker = owned.get();
    RunController runs(std::move(owned));
    std::vector<int> delivered;
    worker->delivery = [&](int id) { delivered.push_back(id); };
    for (const char *name : {calibrate, score, needle, measure})
        runs.enqueue(ask(name));
    ASSERT_TRUE(QTest::qWaitFor([&] { return worker->started == 1; }, 10000));
    const auto waiting = runs.waiting();
    ASSERT_EQ(waiting.size(), 3u);
    EXPECT_EQ(waiting[0].title, "score the model");
    runs.remove(waiting[1].id);
    EXPECT_FALSE(runs.isWaiting(needle));
    EXPECT_FALSE(runs.isStopping());
    runs.cancel();
    EXPECT_TRUE(runs.isRunning(score));
    EXPECT_TRUE(runs.isStopping()) << "the worker has not heard yet";
    worker->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !runs.isBusy(); }, 10000));
    EXPECT_EQ(delivered, (std::vector<int>{2, 4}));
    EXPECT_FALSE(runs.isStopping());

    int finished = 0;
    QObject::connect(&runs, &RunController::finished, [&] { ++finished; });
    runs.enqueue(ask(score));
    runs.enqueue(ask(needle));
    runs.cancelAll();
    EXPECT_FALSE(runs.isBusy());
    QTest::qWait(50);
    EXPECT_EQ(finished, 0) << "without a word";
}

TEST(RunController, ATasksResultArrivesOnTheWindowsThreadUnlessItWasCancelled)
{
    class DeliveringWorker : public RunWorker
    {
    public:
        std::atomic<int> started = 0;
        std::atomic<bool> release = false;
        std::vector<std::string> *results = nullptr;
        void execute(const RunRequest &request) override
        {
            ++started;
            while (!release)
                QThread::msleep(1);
            Q_EMIT delivered(request.id, [name = request.task, into = results] {
                EXPECT_EQ(QThread::currentThread(), QCoreApplication::instance()->thread());
                into->push_back(name);
            });
            Q_EMIT finished(request.id, {});
        }
    };
    std::vector<std::string> results;
    auto owned = std::make_unique<DeliveringWorker>();
    DeliveringWorker *worker = owned.get();
    worker->results = &results;
    RunController runs(std::move(owned));
    const auto task = [](const std::string &name) { return ask(name.c_str()); };
    runs.enqueue(task("cancelled"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return worker->started == 1; }, 10000));
    runs.cancel();
    for (const char *name : {"one", "two", "one"}) // the first waits; of the two that wait with one name the last stays
        runs.enqueue(task(name));
    worker->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !runs.isBusy(); }, 10000));
    EXPECT_EQ(results, (std::vector<std::string>{"one", "two", "one"}));
}

TEST(EngineWorker, AMeasurementOfTheMachineThatWasCancelledIsNotKept)
{
    const TempFolder folder;
    EngineWorker worker;
    std::vector<RunOutcome::Kind> outcomes;
    QObject::connect(&worker, &RunWorker::finished, [&](int, const RunOutcome &outcome) { outcomes.push_back(outcome.kind); });
    const auto execute = [&](RunRequest request, bool cancel) {
        request.cancel = std::make_shared<std::atomic<bool>>(cancel);
        worker.execute(request);
    };
    RunRequest tiny = ask(load);
    tiny.model = writeTinyModel(folder.path()).string();
    execute(tiny, false);
    execute(ask(measure), true);
    double readBytesPerSecond = 0;
    RunRequest look = ask("look");
    look.work = [&](const TaskContext &context) -> Result<void> {
        readBytesPerSecond = context.job.machine().readBytesPerSecond;
        return {};
    };
    execute(look, false);
    EXPECT_GT(readBytesPerSecond, 0);
    using enum RunOutcome::Kind;
    EXPECT_EQ(outcomes, (std::vector{Done, Cancelled, Done}));
}

TEST(RunController, AFailedLoadTakesWhatWaitedForItAlong)
{
    class FailingWorker : public RunWorker
    {
    public:
        std::atomic<int> started = 0;
        void execute(const RunRequest &request) override
        {
            ++started;
            Q_EMIT finished(request.id, {RunOutcome::Kind::Failed, QStringLiteral("no such model")});
        }
    };
    auto owned = std::make_unique<FailingWorker>();
    FailingWorker *worker = owned.get();
    RunController runs(std::move(owned));
    QStringList errors;
    QObject::connect(&runs, &RunController::finished,
                     [&](const std::string &, const RunOutcome &outcome) { errors << outcome.error; });
    RunRequest missing = ask(load);
    missing.model = "missing";
    runs.enqueue(missing);
    runs.enqueue(ask(calibrate));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !runs.isBusy(); }, 10000));
    EXPECT_EQ(worker->started, 1);
    EXPECT_EQ(errors, QStringList("no such model"));
}

} // namespace zigzag::test
