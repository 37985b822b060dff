// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/run_worker.h"

#include "engine/run/device_model.h"
#include "profiler/machine/machine_profile.h"
#include "profiler/measure/calibrate.h"

#include <algorithm>
#include <utility>

namespace zigzag {

namespace {

double fractionOf(int done, int all)
{
    return all > 0 ? static_cast<double>(done) / all : 0.0;
}

} // namespace

void EngineWorker::execute(const RunRequest &request)
{
    if (request.cancel->load()) {
        Q_EMIT finished(request.id, {RunOutcome::Kind::Cancelled, {}}); // while it waited for another one to stop
        return;
    }
    const Result<void> done = request.kind == RunKind::Load ? load(request)
        : request.kind == RunKind::Calibrate                ? calibrateModel(request)
        : request.kind == RunKind::Score                    ? score(request)
        : request.kind == RunKind::Measure                  ? measure(request)
        : request.kind == RunKind::Task                     ? doTask(request)
                                                            : askNeedles(request);
    if (std::exchange(m_machineCutShort, false))
        m_machine.reset();
    RunOutcome outcome;
    if (request.cancel->load() || (!done && isCancelled(done.error())))
        outcome.kind = RunOutcome::Kind::Cancelled;
    else if (!done)
        outcome = {RunOutcome::Kind::Failed, QString::fromStdString(done.error().message)};
    Q_EMIT finished(request.id, outcome);
}

Result<void> EngineWorker::needModel() const
{
    if (!m_device)
        return badInput(tr("No model is loaded: open a model folder, a preset or bundled:zigzag-tiny").toStdString());
    return {};
}

const MachineProfile &EngineWorker::machineFor(const RunRequest &request)
{
    if (!m_machine) {
        m_machine = measureMachine(*m_backend, m_model->config, request.cancel.get());
        m_machineCutShort = request.cancel->load();
    }
    return *m_machine;
}

Result<void> EngineWorker::load(const RunRequest &request)
{
    // The old model's memory goes first: two may not fit.
    m_machine.reset();
    m_device.reset();
    m_model.reset();
    const QString text = tr("Loading %1").arg(QString::fromStdString(request.model));
    const auto progress = [&](double fraction) { Q_EMIT progressed(request.id, fraction, text); };
    progress(0);
    ZIGZAG_TRY(model, loadModel(request.model, {request.cancel.get(), progress}));
    if (!m_backend) {
        ZIGZAG_TRY(backend, createBackend("auto"));
        m_backend = std::move(backend);
    }
    const auto copied = [&](std::int64_t done, std::int64_t all) {
        progress(all > 0 ? static_cast<double>(done) / static_cast<double>(all) : 0.0);
    };
    ZIGZAG_TRY(device, uploadModel(model, m_backend, copied, request.cancel.get()));
    if (request.cancel->load())
        return cancelled();
    m_model = std::move(model);
    m_device = std::move(device);
    Q_EMIT loaded(request.id,
                  {request.model, m_model->config, m_model->shape(), m_model->tokenizer.has_value(), m_backend->device().name});
    return {};
}

Result<void> EngineWorker::calibrateModel(const RunRequest &request)
{
    ZIGZAG_CHECK(needModel());
    constexpr double machineShare = 0.25; // of the progress
    Q_EMIT progressed(request.id, 0, tr("Measuring this machine"));
    const MachineProfile &machine = machineFor(request);
    if (request.cancel->load())
        return cancelled();
    const auto progress = [&](double fraction) {
        Q_EMIT progressed(request.id, machineShare + (1 - machineShare) * fraction, tr("Calibrating predictions"));
    };
    ZIGZAG_TRY(cost, calibrate(m_device, machine, request.maxContext, request.cancel.get(), progress, request.time));
    Q_EMIT calibrated(request.id, cost);
    return {};
}

Result<void> EngineWorker::score(const RunRequest &request)
{
    ZIGZAG_CHECK(needModel());
    const auto progress = [&](double done, int all) { // 0.3: inside the first prompt
        Q_EMIT progressed(request.id, done / all,
                          tr("Scoring heads: prompt %1 of %2").arg(std::min(static_cast<int>(done) + 1, all)).arg(all));
    };
    progress(0, static_cast<int>(request.score.contexts.size() * request.score.depths.size()) * request.score.trials);
    ZIGZAG_TRY(scores, scoreByAttention(m_device, request.score, request.cancel.get(), progress));
    if (!request.cancel->load())
        Q_EMIT scored(request.id, scores);
    return {};
}

Result<void> EngineWorker::measure(const RunRequest &request)
{
    ZIGZAG_CHECK(needModel());
    Q_EMIT progressed(request.id, 0, tr("Measuring"));
    const MachineProfile &machine = machineFor(request);
    const auto progress = [&](int done, int all, const std::vector<BenchRecord> &records) {
        Q_EMIT progressed(request.id, fractionOf(done, all), tr("Measuring: sample %1 of %2").arg(done).arg(all));
        Q_EMIT measured(request.id, request.bench.maps, records);
    };
    ZIGZAG_TRY(records, runBench(m_device, m_model->config, machine, request.bench, request.cancel.get(), progress));
    raiseCeilingsAfter(records, request.bench, m_model->config, *m_machine, *m_backend, request.cancel.get());
    Q_EMIT measured(request.id, request.bench.maps, records);
    for (const BenchRecord &record : records)
        if (!record.failure.empty())
            return failed(record.failure);
    return {};
}

Result<void> EngineWorker::doTask(const RunRequest &request)
{
    ZIGZAG_CHECK(needModel());
    const auto machine = [&]() -> const MachineProfile & { return machineFor(request); };
    return request.work({*m_model, m_device, machine, *request.cancel,
                         [&](double fraction, const QString &text) { Q_EMIT progressed(request.id, fraction, text); },
                         [&](const std::function<void()> &result) { Q_EMIT delivered(request.id, result); },
                         [&](double seconds) { Q_EMIT expected(request.id, seconds); }});
}

Result<void> EngineWorker::askNeedles(const RunRequest &request)
{
    ZIGZAG_CHECK(needModel());
    for (std::size_t index = 0; index < request.needleMaps.size(); ++index) {
        const NamedMap &asked = request.needleMaps[index];
        const auto progress = [&](double done, int all) {
            const double maps = static_cast<double>(request.needleMaps.size());
            Q_EMIT progressed(request.id, (static_cast<double>(index) + done / all) / maps,
                              tr("Needle, %1: question %2 of %3")
                                  .arg(QString::fromStdString(asked.name))
                                  .arg(std::min(static_cast<int>(done) + 1, all))
                                  .arg(all));
        };
        progress(0, static_cast<int>(request.needle.contexts.size() * request.needle.depths.size()) * request.needle.trials);
        const auto partial = [&](const NeedleResult &soFar) { Q_EMIT needleAsked(request.id, asked, soFar); };
        ZIGZAG_CHECK(evaluateNeedle(m_device, *m_model, asked.map, request.needle, request.cancel.get(), progress, partial));
    }
    return {};
}

} // namespace zigzag
