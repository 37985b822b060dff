// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/model/model_config.h"
#include "profiler/cupti/kernel_activity.h"
#include "profiler/trace/trace.h"

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace zigzag {

/// One run to be recorded.
struct TracePlan {
    std::string model; ///< the name it goes by
    NamedMap map;
    Phase phase = Phase::Decode;
    std::int64_t context = 0; ///< tokens of the prefill, or in the cache after the last decode step
    int batch = 1;
    MixedMode mixed = MixedMode::Fused;
    int steps = 8; ///< decode steps that are recorded
    bool replays = true; ///< on a device that can record a step: replayed, as decode really runs; false: op by op
    std::size_t mostSpans = 1 << 20; ///< what is beyond is counted and dropped
    KernelLimits kernelLimits;
    std::uint64_t seed = 1; ///< of the random tokens, keys and values
};

/// What there is of a recording that was stopped: whole passes (chunks of a prefill, decode steps), of one sequence on the
/// processors; elsewhere nothing is kept.
struct TraceSoFar {
    std::vector<TraceSpan> spans;
    std::vector<int> batches; // [spans]
    std::int64_t tokens = 0; ///< of its passes
    int passes = 0;
    std::int64_t dropped = 0;
    bool isDisturbed = false;
};

/// Warms up, then records one prefill or `steps` decode steps. A profiler that is attached from outside sees the same spans.
/// On a GPU the spans are in the time of their kernels (device_time.h), and decode is timed without and with the recording;
/// where kernels cannot be recorded, `info.note` says why and spans are the host's. Of a model that was dealt out: a row for each
/// rank, with the collectives between them (rank_recording.h). progress: 0 to 1, as layers are done.
/// `soFar`: of the same plan; a call that is cancelled leaves there what it recorded, and one that finds something goes on behind
/// it, with random keys and values in the place of those that are gone, on which no time depends.
Result<Trace> recordTrace(const std::shared_ptr<DeviceModel> &model, const ModelConfig &config, const MachineProfile &machine,
                          const TracePlan &plan, const std::atomic<bool> *cancel = nullptr,
                          const std::function<void(double)> &progress = {}, TraceSoFar *soFar = nullptr);

} // namespace zigzag
