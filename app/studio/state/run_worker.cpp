// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/run_worker.h"

#include <utility>

namespace zigzag {

void EngineWorker::execute(const RunRequest &request)
{
    if (request.cancel->load()) {
        Q_EMIT finished(request.id, {RunOutcome::Kind::Cancelled, {}}); // while it waited for another one to stop
        return;
    }
    const Result<void> done = run(request);
    m_machine.endJob();
    RunOutcome outcome;
    if (request.cancel->load() || (!done && isCancelled(done.error())))
        outcome.kind = RunOutcome::Kind::Cancelled;
    else if (!done)
        outcome = {RunOutcome::Kind::Failed, QString::fromStdString(done.error().message)};
    Q_EMIT finished(request.id, outcome);
}

Result<void> EngineWorker::run(const RunRequest &request)
{
    if (request.isLoad())
        ZIGZAG_CHECK(load(request));
    if (!m_device)
        return badInput(tr("No model is loaded: open a model folder, a preset or bundled:zigzag-tiny").toStdString());
    if (!request.work)
        return {};
    return request.work({{m_device, &m_machine, request.cancel.get(), {}},
                         [&](double fraction, const QString &text) { Q_EMIT progressed(request.id, fraction, text); },
                         [&](const std::function<void()> &result) { Q_EMIT delivered(request.id, result); },
                         [&](double seconds) { Q_EMIT expected(request.id, seconds); },
                         std::exchange(m_backendNote, {})});
}

Result<void> EngineWorker::load(const RunRequest &request)
{
    // The old model's memory goes first: two may not fit.
    m_machine = {};
    m_device.reset();
    const QString text = tr("Loading %1").arg(QString::fromStdString(request.model));
    const auto progress = [&](double fraction) { Q_EMIT progressed(request.id, fraction, text); };
    progress(0);
    ZIGZAG_TRY(model, loadModel(request.model, {request.cancel.get(), progress}, request.kvType));
    if (!m_backend) {
        ZIGZAG_TRY(backend, createBackend("auto", &m_backendNote));
        m_backend = std::move(backend);
    }
    const auto copied = [&](std::int64_t done, std::int64_t all) {
        progress(all > 0 ? static_cast<double>(done) / static_cast<double>(all) : 0.0);
    };
    ZIGZAG_TRY(device, uploadModel(model, m_backend, copied, request.cancel.get()));
    if (request.cancel->load())
        return cancelled();
    m_device = std::move(device);
    for (const std::string &note : m_device->notes)
        m_backendNote += (m_backendNote.empty() ? "" : "; ") + note;
    return {};
}

} // namespace zigzag
