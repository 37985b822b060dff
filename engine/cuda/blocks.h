// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/block_args.h"

#include <cuda_runtime_api.h>

namespace zigzag::gpu {

/// The products of matvec_blocks.cuh and matvec_codes.cuh: BF16 and F16 vectors, at most blockMaxBatch; `plan` is planBlocks'.
/// Returns a cudaError_t.
int multiplyBlocks(HeldBlocks held, const BlockMatvecArgs &args, const MatvecPlan &plan, cudaStream_t stream, bool early);
/// Rows as plain numbers of `type`; `count` of them. Returns a cudaError_t.
int launchBlockRows(HeldBlocks held, DType type, const BlockRowsArgs &args, std::int64_t count, cudaStream_t stream, bool early);

} // namespace zigzag::gpu
