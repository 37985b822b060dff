// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_map.h"
#include "engine/model/model_config.h"
#include "profiler/base/run_types.h"
#include "profiler/cost/op_cost.h"

#include <string>
#include <vector>

namespace zigzag {

/// A pass as it was measured, in a map whose heads are all of one kind.
struct PassPoint {
    Phase phase = Phase::Decode;
    HeadKind kind = HeadKind::Retrieval;
    int sink = 0, recent = 1;
    PassShape pass;

    HeadPattern pattern() const { return patternOf(kind, {sink, recent}); }
};

/// One op in one layer of such a pass, without what runs inside it: the median over the layers. Op::Pass: the time between ops.
struct OpSample {
    PassPoint point;
    Op op = Op::Embed;
    double us = 0; ///< 0: a GPU ran it inside another op's kernel
};

/// The same pass without recording, with the logits of its last rows.
struct PassSample {
    PassPoint point;
    double ms = 0;
};

struct ModelSamples {
    ModelConfig config;
    int layers = 0; ///< of the passes: the first few of the model's, or all
    int samples = 0; ///< that were taken of these ops and passes, where it is known
    int disturbed = 0; ///< of them, those that other programs slowed (sampler.h): kept only where too few others were left
    double paceMs = 0; ///< the machine's full pace as it was known (pace_meter.h); 0 = not looked at
    std::vector<OpSample> ops;
    std::vector<PassSample> passes;
};

/// What an all-reduce of so many bytes took, once all ranks had come.
struct LinkSample {
    std::int64_t bytes = 0; ///< of the numbers that are summed
    double us = 0;
};

/// How so many of a machine's GPUs were seen to talk to each other.
struct LinkSamples {
    int gpus = 0;
    std::string between; ///< "2 × NVIDIA H100 80GB HBM3"
    std::vector<LinkSample> sums; ///< the fewest bytes first
};

/// What a machine was seen to do: a cost model is fitted to it, for the models in it and for others.
struct Calibration {
    MachineProfile machine;
    std::vector<ModelSamples> models;
    std::string measured = {}; ///< the day, "2026-11-28"; empty: a file from before it was kept
    std::vector<LinkSamples> links = {}; ///< one for each number of GPUs; none where nobody measured them
};

} // namespace zigzag
