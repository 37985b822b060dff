// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/compare/prediction_error.h"
#include "profiler/cost/cost_model.h"
#include "profiler/jobs/job.h"
#include "profiler/measure/bench.h"

#include <optional>

namespace zigzag::jobs {

struct PredictPlan {
    std::vector<NamedMap> maps;
    std::vector<std::int64_t> contexts;
    std::vector<Phase> phases;
    std::vector<int> batches = {1};
    int gpus = 1;
};

/// A point as predicted, and as measured where that was asked for.
struct Prediction {
    BenchRecord predicted;
    Estimate estimate;
    std::optional<BenchRecord> measured;

    /// Of one that was measured.
    PredictedPoint held() const { return {predicted.medianMs, measured->medianMs, measured->isDisturbed()}; }
};

/// Every map in each phase, batch and context.
std::vector<Prediction> predict(const CostModel &cost, const PredictPlan &plan);

/// The pace of the backend's machine as calibration knew it; 0 where it was calibrated on another.
double paceOf(const CostModel &cost, const Backend &backend);

/// Measures the same points. `context.known`: the machine of the cost model, which predictions are made for.
Result<void> measure(const JobContext &context, std::vector<Prediction> &predictions, const CostModel &cost,
                     const PredictPlan &plan, int repeats, double patienceSeconds);

} // namespace zigzag::jobs
