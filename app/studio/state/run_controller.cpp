// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/run_controller.h"

#include <QDeadlineTimer>

#include <algorithm>
#include <utility>

namespace zigzag {

RunController::RunController(std::unique_ptr<RunWorker> worker, QObject *parent)
    : QObject(parent)
    , m_worker(worker.release())
{
    m_worker->moveToThread(&m_thread);
    connect(&m_thread, &QThread::finished, m_worker, &QObject::deleteLater);
    connect(this, &RunController::execute, m_worker, &RunWorker::execute, Qt::QueuedConnection);
    connectWorker();
    m_thread.setObjectName(QStringLiteral("runs"));
    m_thread.start();
}

/// A result counts only if its id is that of the run that is on.
void RunController::connectWorker()
{
    const auto current = [this](int id) { return m_current && m_current->id == id; };
    connect(m_worker, &RunWorker::progressed, this, [=, this](int id, double fraction, const QString &text) {
        if (current(id))
            Q_EMIT progressed(fraction, text);
    });
    connect(m_worker, &RunWorker::expected, this, [=, this](int id, double seconds) {
        if (current(id))
            Q_EMIT expected(seconds);
    });
    connect(m_worker, &RunWorker::delivered, this, [=](int id, const std::function<void()> &result) {
        if (current(id))
            result();
    });
    connect(m_worker, &RunWorker::finished, this, [=, this](int id, const RunOutcome &outcome) {
        m_atWorker.erase(id);
        if (!current(id)) {
            Q_EMIT busyChanged(); // the current run no longer waits for this one
            return;
        }
        const RunRequest ended = *std::exchange(m_current, std::nullopt);
        if (ended.isLoad() && outcome.kind != RunOutcome::Kind::Done)
            m_queue.clear(); // what waits needs the model
        Q_EMIT finished(ended.task, outcome);
        next();
    });
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
    std::erase_if(m_queue, [&](const RunRequest &waiting) { return waiting.task == request.task; });
    request.id = ++m_lastId;
    request.cancel = std::make_shared<std::atomic<bool>>(false);
    m_queue.push_back(std::move(request));
    Q_EMIT enqueued(m_queue.back());
    if (m_current)
        Q_EMIT busyChanged();
    else
        next();
}

void RunController::cancel()
{
    if (!m_current)
        return;
    m_current->cancel->store(true);
    const RunRequest ended = *std::exchange(m_current, std::nullopt); // whatever still comes from this run is stale
    if (ended.isLoad())
        m_queue.clear(); // what waits needs the model
    Q_EMIT finished(ended.task, {RunOutcome::Kind::Cancelled, {}});
    next();
}

void RunController::cancelAll()
{
    m_queue.clear();
    if (m_current)
        m_current->cancel->store(true);
    m_current.reset();
    Q_EMIT busyChanged();
}

void RunController::remove(int id)
{
    if (std::erase_if(m_queue, [id](const RunRequest &waiting) { return waiting.id == id; }) > 0)
        Q_EMIT busyChanged();
}

void RunController::drop(const std::string &task)
{
    const auto waits = [&](const RunRequest &waiting) { return waiting.task == task; };
    const bool taken = std::erase_if(m_queue, waits) > 0;
    if (isRunning(task))
        cancel();
    else if (taken)
        Q_EMIT busyChanged();
}

bool RunController::stop(std::chrono::milliseconds patience)
{
    cancelAll();
    m_thread.quit();
    return m_thread.wait(QDeadlineTimer(patience));
}

bool RunController::isWaiting(const std::string &task) const
{
    return std::any_of(m_queue.begin(), m_queue.end(), [&](const RunRequest &waiting) { return waiting.task == task; });
}

std::vector<RunController::Waiting> RunController::waiting() const
{
    std::vector<Waiting> all;
    for (const RunRequest &request : m_queue)
        all.push_back({request.id, request.title});
    return all;
}

bool RunController::isStopping() const
{
    return m_atWorker.size() > (m_current ? 1 : 0);
}

void RunController::next()
{
    if (!m_current && !m_queue.empty()) {
        m_current = std::move(m_queue.front());
        m_queue.pop_front();
        m_atWorker.insert(m_current->id);
        Q_EMIT started(*m_current);
        Q_EMIT execute(*m_current);
    }
    Q_EMIT busyChanged();
}

} // namespace zigzag
