// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/experts.h"

#include "engine/cuda/expert_launches.cuh"

namespace zigzag::gpu {

int launchExperts(DType type, const ExpertsArgs &args, const ExpertMatrices (&matrices)[3], void *scratch,
                  std::size_t scratchBytes, LaunchOn on)
{
    if (args.tokens == 0)
        return cudaSuccess;
    const Matrix &gate = *args.gates[0];
    const ExpertPlan plan
        = planExperts(args.tokens, static_cast<int>(args.gates.size()), args.perToken, static_cast<int>(gate.columns),
                      static_cast<int>(gate.rows), static_cast<int>(bytesOf(type)), scratchBytes);
    if (plan.bytes > scratchBytes || args.gates.size() > maxExperts || args.perToken > maxExpertsPerToken)
        return cudaErrorInvalidValue;
    const Start start = startOf(on.early);
    if (type == DType::F32)
        return ExpertLaunches<float>(args, matrices, plan, scratch, on.stream, start).run();
    return type == DType::BF16 ? ExpertLaunches<Bf16>(args, matrices, plan, scratch, on.stream, start).run()
                               : ExpertLaunches<F16>(args, matrices, plan, scratch, on.stream, start).run();
}

} // namespace zigzag::gpu
