// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/base/job_time.h"
#include "profiler/jobs/job.h"

#include <algorithm>
#include <atomic>

namespace zigzag::jobs {

/// A context for one stage of a job, stopped like the job's own and, besides, when the stage's time is over: what it has by then
/// is what counts. Looked at whenever the stage tells how far it is.
class StageClock
{
public:
    StageClock(const JobContext &job, double seconds)
        : m_job(job)
        , m_time(std::max(0.001, seconds)) // 0 would be without an end
        , m_context(job)
    {
        m_stopped = job.isCancelled();
        m_context.cancel = &m_stopped;
        m_context.progress = [this](const JobStep &step) {
            look();
            m_job.tell(step);
        };
    }
    StageClock(const StageClock &) = delete;
    StageClock &operator=(const StageClock &) = delete;

    const JobContext &context() const { return m_context; }
    void look()
    {
        if (m_job.isCancelled() || m_time.isUsedUp())
            m_stopped = true;
    }
    /// By the person, and not by the clock.
    bool isCancelled() const { return m_job.isCancelled(); }
    bool isStopped() const { return m_stopped; }

private:
    const JobContext &m_job;
    JobTime m_time;
    std::atomic<bool> m_stopped{false};
    JobContext m_context;
};

} // namespace zigzag::jobs
