// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/cli/progress.h"
#include "profiler/jobs/job.h"

#include <optional>
#include <string>

namespace zigzag {

/// The progress of a job on stderr: a line for each of its parts, by the command's name for what it does. To be handed on by
/// reference.
class JobLines
{
public:
    explicit JobLines(std::string what)
        : m_what(std::move(what))
    { }

    void operator()(const JobStep &step);
    /// The line of the part that is on goes away: something else is to be said.
    void end() { m_line.reset(); }

private:
    std::string nameOf(const JobStep &step) const;

    const std::string m_what;
    std::string m_name;
    std::optional<Progress> m_line;
};

} // namespace zigzag
