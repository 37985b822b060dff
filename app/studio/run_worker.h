// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/run_messages.h"

#include <QObject>

namespace zigzag {

/// Lives on its own thread, does one request at a time and reports by signal, each with the request's id.
class RunWorker : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

public Q_SLOTS:
    virtual void execute(const zigzag::RunRequest &request) = 0;

Q_SIGNALS:
    void progressed(int id, double fraction, const QString &text);
    /// How long the rest of the run should take.
    void expected(int id, double seconds);
    void loaded(int id, const zigzag::LoadedModel &model);
    void calibrated(int id, const zigzag::CostModel &cost);
    void scored(int id, const zigzag::HeadScores &scores);
    /// The records so far, again with each sample.
    void measured(int id, const std::vector<zigzag::NamedMap> &maps, const std::vector<zigzag::BenchRecord> &records);
    /// The cells so far, again with each cell.
    void needleAsked(int id, const zigzag::NamedMap &map, const zigzag::NeedleResult &result);
    /// A task's result, to be called on the window's thread.
    void delivered(int id, const std::function<void()> &result);
    void finished(int id, const zigzag::RunOutcome &outcome);
};

/// Runs requests on the engine.
class EngineWorker : public RunWorker
{
    Q_OBJECT
public:
    using RunWorker::RunWorker;
    void execute(const zigzag::RunRequest &request) override;

private:
    Result<void> load(const RunRequest &request);
    Result<void> calibrateModel(const RunRequest &request);
    Result<void> score(const RunRequest &request);
    Result<void> measure(const RunRequest &request);
    Result<void> askNeedles(const RunRequest &request);
    Result<void> doTask(const RunRequest &request);
    Result<void> needModel() const;
    /// Measured where that was not done yet. A measurement that was cancelled counts for this request alone.
    const MachineProfile &machineFor(const RunRequest &request);

    std::shared_ptr<const Model> m_model;
    std::shared_ptr<Backend> m_backend;
    std::string m_backendNote; ///< why it is not the GPU that is there; empty once it was told
    std::shared_ptr<DeviceModel> m_device;
    std::optional<MachineProfile> m_machine; ///< measured once per model: its products give the shapes
    bool m_machineCutShort = false;
};

} // namespace zigzag
