// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/studio/state/job_list.h"

#include "views/models/text.h"

#include <algorithm>
#include <utility>

namespace zigzag {

namespace {

constexpr int mostEnded = 50; ///< a request keeps its maps alive

QString stateText(Job::State state)
{
    switch (state) {
    case Job::State::Waiting:
        return JobList::tr("waits");
    case Job::State::Running:
        return JobList::tr("runs");
    case Job::State::Done:
        return JobList::tr("done");
    case Job::State::Cancelled:
        return JobList::tr("stopped");
    case Job::State::Failed:
        break;
    }
    return JobList::tr("failed");
}

} // namespace

JobList::JobList(RunController &runs, QObject *parent)
    : QAbstractTableModel(parent)
    , m_runs(runs)
{
    m_clock.start();
    constexpr int untilNextTick = 500; // ms
    m_tick.setInterval(untilNextTick);
    connect(&m_tick, &QTimer::timeout, this, [this] { rowChanged(currentRow()); });
    connect(&runs, &RunController::enqueued, this, &JobList::add);
    connect(&runs, &RunController::started, this, &JobList::start);
    connect(&runs, &RunController::busyChanged, this, &JobList::reconcile);
    connect(&runs, &RunController::expected, this, [this](double seconds) { m_pace.expect(now(), seconds); });
    connect(&runs, &RunController::progressed, this, [this](double fraction, const QString &text) {
        m_pace.reach(fraction, now());
        if (const int row = currentRow(); row >= 0) {
            m_jobs[static_cast<std::size_t>(row)].fraction = fraction;
            m_jobs[static_cast<std::size_t>(row)].said = text;
            rowChanged(row);
        }
    });
    connect(&runs, &RunController::finished, this, [this](const std::string &, const RunOutcome &outcome) { end(outcome); });
}

int JobList::rowOf(int id) const
{
    const auto found = std::find_if(m_jobs.begin(), m_jobs.end(), [id](const Job &job) { return job.request.id == id; });
    return found == m_jobs.end() ? -1 : static_cast<int>(found - m_jobs.begin());
}

const Job *JobList::find(int id) const
{
    const int row = rowOf(id);
    return row < 0 ? nullptr : &job(row);
}

int JobList::currentRow() const
{
    return m_currentId == 0 ? -1 : rowOf(m_currentId);
}

void JobList::add(const RunRequest &request)
{
    reconcile(); // one of its name that waited was replaced
    if (request.isLoad() && std::exchange(m_kvType, request.kvType) != request.kvType)
        for (Job &job : m_jobs) // what they measured was of other keys and values
            job.request.canRepeat = false;
    const int row = static_cast<int>(m_jobs.size());
    beginInsertRows({}, row, row);
    m_jobs.push_back({.request = request});
    endInsertRows();
    forgetOldest();
}

void JobList::start(const RunRequest &request)
{
    m_currentId = request.id;
    m_startedAt = now();
    m_pace.begin(now(), request.expectedSeconds);
    m_tick.start();
    if (const int row = currentRow(); row >= 0) {
        m_jobs[static_cast<std::size_t>(row)].state = Job::State::Running;
        rowChanged(row);
    }
}

void JobList::end(const RunOutcome &outcome)
{
    const int row = currentRow();
    m_currentId = 0;
    m_tick.stop();
    if (row < 0)
        return;
    Job &job = m_jobs[static_cast<std::size_t>(row)];
    job.seconds = now() - m_startedAt;
    job.ended = QDateTime::currentDateTime();
    job.state = outcome.kind == RunOutcome::Kind::Done ? Job::State::Done
        : outcome.kind == RunOutcome::Kind::Failed     ? Job::State::Failed
                                                       : Job::State::Cancelled;
    if (job.state == Job::State::Done)
        job.fraction = 1;
    if (job.state == Job::State::Failed)
        job.said = outcome.error;
    rowChanged(row);
    Q_EMIT ended(job);
}

void JobList::reconcile()
{
    if (m_currentId != 0 && m_runs.currentId() != m_currentId)
        end({RunOutcome::Kind::Cancelled, {}});
    std::vector<int> waiting;
    for (const RunController::Waiting &each : m_runs.waiting())
        waiting.push_back(each.id);
    for (std::size_t row = 0; row < m_jobs.size(); ++row) {
        Job &job = m_jobs[row];
        if (job.state != Job::State::Waiting || job.request.id == m_runs.currentId()
            || std::find(waiting.begin(), waiting.end(), job.request.id) != waiting.end())
            continue;
        job.state = Job::State::Cancelled;
        job.said = tr("taken out before it began");
        job.ended = QDateTime::currentDateTime();
        rowChanged(static_cast<int>(row));
    }
}

void JobList::forgetOldest()
{
    const auto isOver = [](const Job &job) { return job.isOver(); };
    while (std::count_if(m_jobs.begin(), m_jobs.end(), isOver) > mostEnded) {
        const auto oldest = std::find_if(m_jobs.begin(), m_jobs.end(), isOver);
        const int row = static_cast<int>(oldest - m_jobs.begin());
        beginRemoveRows({}, row, row);
        m_jobs.erase(oldest);
        endRemoveRows();
    }
}

void JobList::clearEnded()
{
    beginResetModel();
    std::erase_if(m_jobs, [](const Job &job) { return job.isOver(); });
    endResetModel();
}

void JobList::rowChanged(int row)
{
    if (row >= 0)
        Q_EMIT dataChanged(index(row, 0), index(row, ColumnCount - 1));
}

int JobList::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_jobs.size());
}

int JobList::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString JobList::text(const Job &job, int column) const
{
    const bool runs = job.state == Job::State::Running;
    switch (column) {
    case What:
        return job.request.title;
    case State:
        return runs && m_runs.isStopping() ? tr("waits for a stopped run") : stateText(job.state);
    case Progress: {
        const auto fraction = runs ? m_pace.fraction(now()) : std::optional(job.fraction);
        return job.state == Job::State::Waiting || !fraction ? QString() : percentText(*fraction);
    }
    case Time: {
        if (job.state == Job::State::Waiting)
            return job.request.expectedSeconds > 0 ? tr("about %1").arg(timeText(1e3 * job.request.expectedSeconds)) : QString();
        const auto left = runs ? m_pace.secondsLeft(now()) : std::nullopt;
        if (runs)
            return left ? timeLeftText(*left) : QString();
        return job.seconds > 0 ? tr("took %1").arg(timeText(1e3 * job.seconds)) : QString();
    }
    case Said:
        return job.said;
    default:
        return {};
    }
}

QVariant JobList::data(const QModelIndex &index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const Job &job = m_jobs[static_cast<std::size_t>(index.row())];
    if (role == Qt::DisplayRole)
        return text(job, index.column());
    if (role == Qt::ToolTipRole)
        return job.said.isEmpty() ? job.request.title : job.said;
    if (role == Qt::TextAlignmentRole && (index.column() == Progress || index.column() == Time))
        return static_cast<int>(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

QVariant JobList::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    const QString names[] = {tr("Job"), tr("State"), tr("Progress"), tr("Time"), tr("What it says")};
    return section >= 0 && section < ColumnCount ? names[section] : QVariant();
}

} // namespace zigzag
