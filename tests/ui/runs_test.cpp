// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/run_controller.h"
#include "samples.h"
#include "tests/temp_folder.h"
#include "tests/tiny_model.h"

#include <QCoreApplication>
#include <QMutex>
#include <QSignalSpy>
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

    void execute(const RunRequest &request) override
    {
        ++started;
        Q_EMIT progressed(request.id, 0.5, QStringLiteral("half"));
        while (!release)
            QThread::msleep(1);
        sawCancel += request.cancel->load();
        HeadScores scores = *risingScores(2, 2);
        scores.method = "run " + std::to_string(request.id);
        Q_EMIT scored(request.id, scores);
        Q_EMIT finished(request.id, {});
    }
};

RunRequest ask(RunKind kind)
{
    RunRequest request;
    request.kind = kind;
    return request;
}

} // namespace

TEST(RunController, RunsWhatIsQueuedOneAfterTheOther)
{
    auto owned = std::make_unique<ObstinateWorker>();
    ObstinateWorker *worker = owned.get();
    RunController runs(std::move(owned));
    std::vector<std::string> methods;
    QObject::connect(&runs, &RunController::scored, [&](const HeadScores &scores) { methods.push_back(scores.method); });
    runs.enqueue(ask(RunKind::Calibrate));
    runs.enqueue(ask(RunKind::Score));
    runs.enqueue(ask(RunKind::Score)); // replaces the one that waits
    EXPECT_TRUE(runs.isBusy());
    worker->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !runs.isBusy(); }, 10000));
    EXPECT_EQ(methods, (std::vector<std::string>{"run 1", "run 3"}));
    EXPECT_EQ(worker->started, 2);
}

TEST(RunController, ACancelledRunsResultIsDropped)
{
    auto owned = std::make_unique<ObstinateWorker>();
    ObstinateWorker *worker = owned.get();
    RunController runs(std::move(owned));
    QSignalSpy scored(&runs, &RunController::scored);
    std::vector<RunOutcome::Kind> outcomes;
    QObject::connect(&runs, &RunController::finished,
                     [&](RunKind, const RunOutcome &outcome) { outcomes.push_back(outcome.kind); });
    runs.enqueue(ask(RunKind::Score));
    ASSERT_TRUE(QTest::qWaitFor([&] { return worker->started == 1; }, 10000));
    runs.cancel();
    EXPECT_FALSE(runs.isBusy()) << "the window is free at once";
    runs.enqueue(ask(RunKind::Score));
    std::string method;
    QObject::connect(&runs, &RunController::scored, [&](const HeadScores &scores) { method = scores.method; });
    worker->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return !runs.isBusy(); }, 10000));
    EXPECT_EQ(worker->started, 2);
    EXPECT_EQ(worker->sawCancel, 1) << "the flag reached the first run, and not the second";
    EXPECT_EQ(scored.count(), 1) << "the first run's result came too late";
    EXPECT_EQ(method, "run 2");
    EXPECT_EQ(outcomes, (std::vector<RunOutcome::Kind>{RunOutcome::Kind::Cancelled, RunOutcome::Kind::Done}));
}

TEST(RunController, NobodyCanSpeakForAnotherRun)
{
    auto owned = std::make_unique<ObstinateWorker>();
    ObstinateWorker *worker = owned.get();
    RunController runs(std::move(owned));
    QSignalSpy scored(&runs, &RunController::scored);
    QSignalSpy measured(&runs, &RunController::measured);
    runs.enqueue(ask(RunKind::Score));
    Q_EMIT worker->scored(runs.currentId() + 7, *risingScores(2, 2));
    Q_EMIT worker->measured(runs.currentId() - 1, {}, {});
    QCoreApplication::processEvents();
    EXPECT_EQ(scored.count(), 0);
    EXPECT_EQ(measured.count(), 0);
    worker->release = true;
    ASSERT_TRUE(QTest::qWaitFor([&] { return scored.count() == 1; }, 10000));
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
    const auto task = [](const std::string &name) {
        RunRequest request = ask(RunKind::Task);
        request.task = name;
        return request;
    };
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
    RunRequest load = ask(RunKind::Load);
    load.model = writeTinyModel(folder.path()).string();
    execute(load, false);
    execute(ask(RunKind::Measure), true);
    double readBytesPerSecond = 0;
    RunRequest look = ask(RunKind::Task);
    look.work = [&](const TaskContext &context) -> Result<void> {
        readBytesPerSecond = context.machine().readBytesPerSecond;
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
    QObject::connect(&runs, &RunController::finished, [&](RunKind, const RunOutcome &outcome) { errors << outcome.error; });
    runs.enqueue(ask(RunKind::Load));
    runs.enqueue(ask(RunKind::Calibrate));
    ASSERT_TRUE(QTest::qWaitFor([&] { return !runs.isBusy(); }, 10000));
    EXPECT_EQ(worker->started, 1);
    EXPECT_EQ(errors, QStringList("no such model"));
}

} // namespace zigzag::test
