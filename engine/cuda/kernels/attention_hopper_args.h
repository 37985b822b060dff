// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/hopper.h"
#include "engine/cuda/kernels/attention_args.h"

namespace zigzag::gpu {

/// What the copying engine reads besides: tensors of [head_dim / 64, rows, 64] numbers, the columns of 64 in front, so that a box
/// of rows lands as products want it. F8 keys and values are not copied by it, and have no tensors.
struct HopperArgs {
    hopper::TensorMap queries; ///< rows: of all sequences' tokens; columns: of all heads
    hopper::TensorMap slots, staged; ///< rows: of all heads' keys and values, from the lowest address on
    const char *slotsBegin, *stagedBegin; ///< that address
    PrefillAttentionArgs prefill;
    int blocks; ///< of one sequence
};

} // namespace zigzag::gpu
