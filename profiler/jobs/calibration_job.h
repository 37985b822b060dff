// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/job.h"
#include "profiler/measure/calibrate.h"

namespace zigzag::jobs {

/// Measures the machine where that was not done yet, and then the model: what a machine profile keeps. `subject`: a name for the
/// progress, of one model of several.
Result<ModelSamples> sampleModel(const JobContext &context, const CalibrationPlan &plan, std::string_view subject = {});

/// The same as a machine profile of this model alone, of today: to be kept, and fitted.
Result<Calibration> calibration(const JobContext &context, const CalibrationPlan &plan);
/// The same, fitted: what predictions are made from.
Result<CostModel> calibrate(const JobContext &context, const CalibrationPlan &plan);

} // namespace zigzag::jobs
