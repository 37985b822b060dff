// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "profiler/base/job_time.h"
#include "profiler/cost/cost_model.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace zigzag {

class DeviceModel;

struct CalibrationPlan {
    std::int64_t maxContext = 0;
    double seconds = 20; ///< spent on the model, about, and at most as long again on waiting while something else slows the
                         ///< machine (sampler.h); one round is run to its end …
    JobTime time; ///< … unless this has run out, the samples are disturbed and there are some of every sort
};

/// For predictions at once: seconds, also on a machine that others slow. `time`: of the job that it is a part of.
CalibrationPlan shortCalibration(std::int64_t maxContext, const JobTime &time = {});
/// So many seconds, and several times as long on a machine that others slow: both as a person gave them.
CalibrationPlan longCalibration(std::int64_t maxContext, double seconds);

/// Measures a model shortly: passes of several sizes, positions, batches and windows, in interleaved rounds, by its first
/// layers where it has many. progress: 0 to 1, called on the calling thread.
Result<ModelSamples> measureModel(const std::shared_ptr<DeviceModel> &model, const MachineProfile &machine,
                                  const CalibrationPlan &plan, const std::atomic<bool> *cancel = nullptr,
                                  const std::function<void(double)> &progress = {});

/// Measures the model, shortly, and fits its cost model.
Result<CostModel> calibrate(const std::shared_ptr<DeviceModel> &model, const MachineProfile &machine, std::int64_t maxContext,
                            const std::atomic<bool> *cancel = nullptr, const std::function<void(double)> &progress = {},
                            const JobTime &time = {});

} // namespace zigzag
