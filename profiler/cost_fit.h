// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/run/trace_sink.h"
#include "profiler/run_types.h"

#include <cstdint>
#include <span>
#include <vector>

namespace zigzag {

class CostModel;

/// Microseconds of an op = fixed + perToken · tokens + perWork · work, work being bytes in decode and FLOPs in prefill.
struct LinearCost {
    double fixedUs = 0, perTokenUs = 0, perWorkUs = 0;
    double us(double tokens, double work) const { return fixedUs + perTokenUs * tokens + perWorkUs * work; }
};

struct LinePoint {
    double tokens = 0, work = 0, us = 0;
};

/// The line with non-negative coefficients that has the least sum of squared relative errors.
LinearCost fitLine(std::span<const LinePoint> points);

/// One op in layers whose heads are all of `kind`, as recorded: the mean over the layers of one run.
struct OpSample {
    Phase phase = Phase::Decode;
    Op op = Op::Embed;
    HeadKind kind = HeadKind::Retrieval;
    LinePoint point;
};

/// A whole run without recording, to which the sum of the lines is scaled.
struct RunSample {
    Phase phase = Phase::Decode;
    HeadMap map;
    std::int64_t context = 0;
    double ms = 0;
};

/// The model whose lines are fitted to `ops`, each phase scaled so that its sums match the medians of `runs`.
CostModel fitCostModel(const ModelConfig &config, const MachineProfile &machine, std::span<const OpSample> ops,
                       std::span<const RunSample> runs);

} // namespace zigzag
