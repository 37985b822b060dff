// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/run_messages.h"
#include "app/studio/run_worker.h"

#include <QObject>
#include <QThread>
#include <deque>
#include <optional>

namespace zigzag {

/// Queues requests, runs them one after the other on the worker's thread, and passes on what belongs to the current one.
class RunController : public QObject
{
    Q_OBJECT
public:
    explicit RunController(std::unique_ptr<RunWorker> worker, QObject *parent = nullptr);
    ~RunController() override;

    /// Behind what is queued already; a request of the same kind that still waits is replaced.
    void enqueue(RunRequest request);
    /// Stops the current run and forgets the queue. What it measured so far stays; the window is free at once.
    void cancel();
    bool isBusy() const { return m_current.has_value() || !m_queue.empty(); }
    std::optional<RunKind> current() const { return m_current ? std::optional(m_current->kind) : std::nullopt; }
    int currentId() const { return m_current ? m_current->id : 0; }

Q_SIGNALS:
    void busyChanged();
    void progressed(double fraction, const QString &text);
    void loaded(const zigzag::LoadedModel &model);
    void calibrated(const zigzag::CostModel &cost);
    void scored(const zigzag::HeadScores &scores);
    void measured(const std::vector<zigzag::NamedMap> &maps, const std::vector<zigzag::BenchRecord> &records);
    void needleAsked(const zigzag::NamedMap &map, const zigzag::NeedleResult &result);
    void finished(zigzag::RunKind kind, const zigzag::RunOutcome &outcome);

    /// To the worker; for no one else.
    void execute(const zigzag::RunRequest &request);

private:
    void next();

    QThread m_thread;
    RunWorker *m_worker;
    std::deque<RunRequest> m_queue;
    std::optional<RunRequest> m_current;
    int m_lastId = 0;
};

} // namespace zigzag
