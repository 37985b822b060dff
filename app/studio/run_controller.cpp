// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/run_controller.h"

#include <algorithm>

namespace zigzag {

RunController::RunController(std::unique_ptr<RunWorker> worker, QObject *parent)
    : QObject(parent)
    , m_worker(worker.release())
{
    m_worker->moveToThread(&m_thread);
    connect(&m_thread, &QThread::finished, m_worker, &QObject::deleteLater);
    connect(this, &RunController::execute, m_worker, &RunWorker::execute, Qt::QueuedConnection);

    // A result counts only if its id is that of the run that is on.
    const auto current = [this](int id) { return m_current && m_current->id == id; };
    connect(m_worker, &RunWorker::progressed, this, [=, this](int id, double fraction, const QString &text) {
        if (current(id))
            Q_EMIT progressed(fraction, text);
    });
    connect(m_worker, &RunWorker::loaded, this, [=, this](int id, const LoadedModel &model) {
        if (current(id))
            Q_EMIT loaded(model);
    });
    connect(m_worker, &RunWorker::calibrated, this, [=, this](int id, const CostModel &cost) {
        if (current(id))
            Q_EMIT calibrated(cost);
    });
    connect(m_worker, &RunWorker::scored, this, [=, this](int id, const HeadScores &scores) {
        if (current(id))
            Q_EMIT scored(scores);
    });
    connect(m_worker, &RunWorker::measured, this,
            [=, this](int id, const std::vector<NamedMap> &maps, const std::vector<BenchRecord> &records) {
                if (current(id))
                    Q_EMIT measured(maps, records);
            });
    connect(m_worker, &RunWorker::needleAsked, this, [=, this](int id, const NamedMap &map, const NeedleResult &result) {
        if (current(id))
            Q_EMIT needleAsked(map, result);
    });
    connect(m_worker, &RunWorker::delivered, this, [=](int id, const std::function<void()> &result) {
        if (current(id))
            result();
    });
    connect(m_worker, &RunWorker::finished, this, [=, this](int id, const RunOutcome &outcome) {
        if (!current(id))
            return;
        const RunKind kind = m_current->kind;
        m_current.reset();
        if (kind == RunKind::Load && outcome.kind != RunOutcome::Kind::Done)
            m_queue.clear(); // what waits needs the model
        Q_EMIT finished(kind, outcome);
        next();
    });
    m_thread.setObjectName(QStringLiteral("runs"));
    m_thread.start();
}

RunController::~RunController()
{
    m_queue.clear();
    if (m_current)
        m_current->cancel->store(true);
    m_thread.quit();
    m_thread.wait();
}

void RunController::enqueue(RunRequest request)
{
    std::erase_if(m_queue,
                  [&](const RunRequest &waiting) { return waiting.kind == request.kind && waiting.task == request.task; });
    request.id = ++m_lastId;
    request.cancel = std::make_shared<std::atomic<bool>>(false);
    m_queue.push_back(std::move(request));
    if (m_current)
        Q_EMIT busyChanged();
    else
        next();
}

void RunController::cancel()
{
    m_queue.clear();
    if (!m_current)
        return;
    m_current->cancel->store(true);
    const RunKind kind = m_current->kind;
    m_current.reset(); // whatever still comes from this run is stale
    Q_EMIT finished(kind, {RunOutcome::Kind::Cancelled, {}});
    Q_EMIT busyChanged();
}

void RunController::next()
{
    if (!m_current && !m_queue.empty()) {
        m_current = std::move(m_queue.front());
        m_queue.pop_front();
        Q_EMIT execute(*m_current);
    }
    Q_EMIT busyChanged();
}

} // namespace zigzag
