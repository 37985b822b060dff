// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/expert_launches.cuh"
#include "engine/cuda/pointwise.h"

namespace zigzag::gpu {

int launchExperts(DType type, const ExpertsArgs &args, const ExpertWeights &weights, ExpertMemory memory, LaunchOn on)
{
    if (args.tokens == 0)
        return cudaSuccess;
    const int experts = static_cast<int>(args.gates.size());
    const ExpertPlan plan = planExperts({.tokens = args.tokens,
                                         .experts = experts,
                                         .perToken = args.perToken,
                                         .hidden = static_cast<int>(weights.gates.columns),
                                         .intermediate = static_cast<int>(weights.gates.rows),
                                         .elementBytes = static_cast<int>(bytesOf(type)),
                                         .needsPlain = !weights.areUniform(experts)},
                                        memory.scratchBytes);
    if (plan.bytes > memory.scratchBytes || experts > maxExperts || args.perToken > maxExpertsPerToken)
        return cudaErrorInvalidValue;
    const Start start = startOf(on.early);
    if (type == DType::F32)
        return ExpertLaunches<float>(args, weights, plan, memory, on.stream, start).run();
    return type == DType::BF16 ? ExpertLaunches<Bf16>(args, weights, plan, memory, on.stream, start).run()
                               : ExpertLaunches<F16>(args, weights, plan, memory, on.stream, start).run();
}

} // namespace zigzag::gpu
