// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/run_task.h"

#include <QObject>

namespace zigzag {

/// Lives on its own thread, does one request at a time and reports by signal, each with the request's id.
class RunWorker : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    virtual void execute(const zigzag::RunRequest &request) = 0;

Q_SIGNALS:
    void progressed(int id, double fraction, const QString &text);
    /// How long the rest of the run should take.
    void expected(int id, double seconds);
    /// A task's result, to be called on the window's thread.
    void delivered(int id, const std::function<void()> &result);
    void finished(int id, const zigzag::RunOutcome &outcome);
};

/// Runs requests on the engine, whose model the last load left here.
class EngineWorker : public RunWorker
{
    Q_OBJECT
public:
    using RunWorker::RunWorker;
    void execute(const zigzag::RunRequest &request) override;

private:
    Result<void> run(const RunRequest &request);
    Result<void> load(const RunRequest &request);

    std::shared_ptr<Backend> m_backend;
    std::string m_backendNote; ///< why it is not the GPU that is there; empty once it was told
    std::shared_ptr<DeviceModel> m_device;
    KnownMachine m_machine; ///< measured once per model: its products give the shapes
};

} // namespace zigzag
