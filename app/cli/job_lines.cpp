// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/job_lines.h"

namespace zigzag {

std::string JobLines::nameOf(const JobStep &step) const
{
    std::string name = step.part == JobPart::Machine ? "measure the machine"
        : step.part == JobPart::Calibrate            ? "calibrate"
        : step.part == JobPart::TimePass             ? m_what + ", timing a pass"
                                                     : m_what;
    if (!step.subject.empty())
        name.append(", ").append(step.subject);
    return name;
}

void JobLines::operator()(const JobStep &step)
{
    if (std::string name = nameOf(step); !m_line || name != m_name) {
        m_name = std::move(name);
        m_line.emplace(m_name, step.begunAt);
    }
    if (step.done > 0 || step.fraction > step.begunAt)
        (*m_line)(static_cast<int>(step.done), step.all, step.fraction);
}

} // namespace zigzag
