// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/studio/state/run_controller.h"
#include "views/models/run_pace.h"

#include <QAbstractTableModel>
#include <QDateTime>
#include <QElapsedTimer>
#include <QTimer>
#include <optional>
#include <vector>

namespace zigzag {

/// A run from the moment that it was asked for: it waits, runs, and stays on the list when it is over.
struct Job {
    enum class State { Waiting, Running, Done, Cancelled, Failed };
    RunRequest request;
    State state = State::Waiting;
    QString said = {}; ///< by the run of how far it is, or why it failed
    double fraction = 0; ///< reached
    double seconds = 0; ///< that it ran; of one that runs, until now
    QDateTime ended = {};

    bool isOver() const { return state != State::Waiting && state != State::Running; }
};

/// What runs, what waits and what has ended, in the order in which it was asked for.
class JobList : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { What, State, Progress, Time, Said, ColumnCount };

    explicit JobList(RunController &runs, QObject *parent = nullptr);

    const Job &job(int row) const { return m_jobs[static_cast<std::size_t>(row)]; }
    /// Null where it is no longer on the list, or never was.
    const Job *find(int id) const;
    /// -1 where nothing runs.
    int currentRow() const;
    void clearEnded();

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

Q_SIGNALS:
    void ended(const zigzag::Job &job);

private:
    void add(const RunRequest &request);
    void start(const RunRequest &request);
    void end(const RunOutcome &outcome);
    /// What waits no longer and was not begun was taken out; what ran without an end was dropped with its document.
    void reconcile();
    void forgetOldest();
    void rowChanged(int row);
    int rowOf(int id) const;
    QString text(const Job &job, int column) const;
    double now() const { return 1e-3 * static_cast<double>(m_clock.elapsed()); }

    RunController &m_runs;
    std::vector<Job> m_jobs;
    int m_currentId = 0;
    std::optional<DType> m_kvType; ///< of the model that was loaded last
    double m_startedAt = 0;
    RunPace m_pace; ///< of the current run
    QElapsedTimer m_clock;
    QTimer m_tick; ///< the time left goes on between what the run says
};

} // namespace zigzag
