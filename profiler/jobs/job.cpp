// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/jobs/job.h"

#include "profiler/machine/machine_profile.h"

#include <utility>

namespace zigzag {

const MachineProfile &KnownMachine::get(const DeviceModel &model, const std::atomic<bool> *cancel, const JobProgress &progress)
{
    if (!m_profile) {
        const auto tell = [&](double fraction) {
            if (progress)
                progress({.part = JobPart::Machine, .fraction = fraction});
        };
        tell(0);
        m_profile = measureMachine(*model.backend, model.config(), cancel, tell);
        m_cutShort = cancel && cancel->load();
    }
    return *m_profile;
}

void KnownMachine::endJob()
{
    if (std::exchange(m_cutShort, false))
        m_profile.reset();
}

std::function<void(double, int)> JobContext::counted(JobPart part, std::string_view subject, double begunAt) const
{
    return [this, part, subject, begunAt](double done, int all) {
        tell({.part = part,
              .fraction = all > 0 ? done / all : 0.0,
              .done = done,
              .all = all,
              .begunAt = begunAt,
              .subject = subject});
    };
}

} // namespace zigzag
