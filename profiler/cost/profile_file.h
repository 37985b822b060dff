// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/cost/cost_samples.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace zigzag {

// `zigzag-machine-profile`, version 1: what a machine was seen to do, to be kept and shared. The samples themselves are
// stored, so that a later version fits them better without measuring again. Each model also says how good its fit was, and how
// many of its samples were disturbed, and the file on which day they were taken; and, where they were measured, what all-reduces
// between the machine's GPUs took.

/// The day that it is here, as a calibration keeps it: "2026-11-28".
std::string today();

Result<void> writeProfile(const Calibration &calibration, const std::filesystem::path &file);
Result<Calibration> readProfile(const std::filesystem::path &file);
std::string profileText(const Calibration &calibration);
Result<Calibration> profileFrom(std::string_view text, const std::string &where);

} // namespace zigzag
