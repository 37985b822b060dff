// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/matvec_args.h"
#include "engine/run/backend.h"

#include <cuda_runtime_api.h>

namespace zigzag::gpu {

/// The decode step's products (kernels/matvec.cuh): BF16 and F16, the shapes of supportsMatvec, the norm only where
/// plan.whole. With `early` the kernel may start, and read weights, while the one before it still runs. Returns a
/// cudaError_t, 0 when the launch was taken.
int multiplyVectors(DType type, const MatvecArgs &args, const MatvecPlan &plan, cudaStream_t stream, bool early);

/// Whether a gate is that of these two products, so that one launch may do all three: SiLU is the one that the kernel has.
inline bool isGateOf(const SwiGluArgs &gate, const MatvecArgs &products)
{
    return gate.activation == GatedActivation::Silu && products.products[0].out == gate.gate
        && products.products[1].out == gate.up && gate.count == std::int64_t{products.batch} * products.products[0].rows;
}

} // namespace zigzag::gpu
