// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/carry_job.h"
#include "profiler/search/search.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace zigzag::jobs {

/// How far stand-ins are, in words: numbers read back as the same numbers.
std::string carryStateJson(const CarryState &state);
/// Trusts nothing: vectors are as long as layers of this model have them, and numbers are numbers.
Result<CarryState> carryStateFrom(std::string_view text, const ModelConfig &config);

/// Stand-ins of one map on their way, in a file (profiler/search/search_progress.h) that says of which map, plan and model.
class CarryFile
{
public:
    /// Nothing is read or written where `file` is empty. What waits there of another map, plan or model, or is damaged, is begun
    /// anew: it is a calibration, and no work of a person's.
    CarryFile(std::filesystem::path file, const JobContext &context, const HeadMap &map, const CarryPlan &plan, Begin begin);
    CarryFile(const CarryFile &) = delete;
    CarryFile &operator=(const CarryFile &) = delete;

    CarriedSoFar &soFar() { return m_soFar; }
    /// Writes it down; while it grows, it does so by itself every few seconds.
    Result<void> save() const;

private:
    std::filesystem::path m_file;
    std::string m_plan;
    CarriedSoFar m_soFar;
};

} // namespace zigzag::jobs
