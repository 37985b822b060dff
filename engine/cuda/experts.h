// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/experts_args.h"
#include "engine/cuda/pointwise.h"

#include <cstddef>

namespace zigzag::gpu {

/// The op `experts`; weights and activations are of `type`. `matrices`: each expert's gate, up and down on the device, in this
/// order. Returns a cudaError_t, 0 when its launches were taken.
int launchExperts(DType type, const ExpertsArgs &args, const ExpertMatrices (&matrices)[3], void *scratch,
                  std::size_t scratchBytes, LaunchOn on);

} // namespace zigzag::gpu
