// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/matvec.h"

#include "engine/cuda/kernels/matvec.cuh"

namespace zigzag::gpu {

int multiplyVectors(DType type, const MatvecArgs &args, const MatvecPlan &plan, cudaStream_t stream, bool early)
{
    const Start start = startOf(early);
    return type == DType::BF16 ? launchMatvec<Bf16>(args, plan, stream, start) : launchMatvec<F16>(args, plan, stream, start);
}

} // namespace zigzag::gpu
