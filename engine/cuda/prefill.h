// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/attention_args.h"

#include <cuda_runtime_api.h>

namespace zigzag::gpu {

/// Attention of several tokens of each sequence, by the kernel that suits this GPU, the head size and the types. `type`: of
/// queries and outputs, BF16 or F16; `cacheType`: that or F8. `selected` has heads that keep everything first. Returns a
/// cudaError_t.
int attendChunk(DType type, DType cacheType, const PrefillAttentionArgs &args, const GpuLimits &gpu, cudaStream_t stream,
                bool early);

} // namespace zigzag::gpu
