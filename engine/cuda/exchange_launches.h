// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/exchange_args.h"
#include "engine/cuda/pointwise.h"

namespace zigzag::gpu {

// Each returns a cudaError_t, 0 when the launch was taken.

int launchExchangeSum(const ExchangeArgs &args, LaunchOn on);
int launchExchangeGather(const ExchangeArgs &args, LaunchOn on);
/// `type`: of the part.
int launchAddParts(DType type, const AddPartsArgs &args, LaunchOn on);

} // namespace zigzag::gpu
