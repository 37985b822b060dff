// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/run_worker.h"

#include <QObject>
#include <QThread>
#include <chrono>
#include <deque>
#include <optional>
#include <set>

namespace zigzag {

/// Queues requests, runs them one after the other on the worker's thread, and passes on what belongs to the current one.
class RunController : public QObject
{
    Q_OBJECT
public:
    struct Waiting {
        int id = 0;
        QString title;
    };

    explicit RunController(std::unique_ptr<RunWorker> worker, QObject *parent = nullptr);
    ~RunController() override;

    /// Behind what is queued already; a request of the same name that still waits is replaced.
    void enqueue(RunRequest request);
    /// Stops the current run, and the next one begins. What it measured so far stays; the window is free at once.
    void cancel();
    /// Stops the current run and forgets the queue, without a word: another document takes the window, or it closes.
    void cancelAll();
    /// Takes a request out of the queue.
    void remove(int id);
    /// Stops what is of this name, whether it runs or waits; nothing else is touched.
    void drop(const std::string &task);
    /// The end: cancels everything and waits for the worker. False where it does not stop in time.
    bool stop(std::chrono::milliseconds patience);

    bool isBusy() const { return m_current.has_value() || !m_queue.empty(); }
    /// 0 where nothing runs.
    int currentId() const { return m_current ? m_current->id : 0; }
    /// Whether a run of the name is the current one or waits.
    bool isRunning(const std::string &task) const { return m_current && m_current->task == task; }
    bool isWaiting(const std::string &task) const;
    /// In the order in which they will run.
    std::vector<Waiting> waiting() const;
    /// The worker has not yet left a run that was cancelled: the current one waits for it.
    bool isStopping() const;

Q_SIGNALS:
    void busyChanged();
    void enqueued(const zigzag::RunRequest &request);
    void started(const zigzag::RunRequest &request);
    void progressed(double fraction, const QString &text);
    void expected(double seconds);
    void finished(const std::string &task, const zigzag::RunOutcome &outcome);

    /// To the worker; for no one else.
    void execute(const zigzag::RunRequest &request);

private:
    void connectWorker();
    void next();

    QThread m_thread;
    RunWorker *m_worker;
    std::deque<RunRequest> m_queue;
    std::optional<RunRequest> m_current;
    std::set<int> m_atWorker; ///< ids that it was given and has not finished
    int m_lastId = 0;
};

} // namespace zigzag
