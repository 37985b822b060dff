// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"
#include "engine/cuda/kernels/attention_args.h"

namespace zigzag::gpu {

/// tanh(scale · product / softCap), with capScale = 2 log2(e) · scale / softCap. The hardware's own tanh has 11 bits, of which a
/// cap of 50 would leave a hundredth of a score.
ZZ_DEVICE float cappedScore(float product, float capScale)
{
    return 1.0f - 2.0f * rcpFast(1.0f + exp2Fast(product * capScale)); // the power may be infinite: its inverse is zero
}

/// A sink logit's part of a sum of weights whose maximum, in powers of two, is `max`: as of a key with a value of zero.
ZZ_DEVICE float sinkWeight(float logit, float max)
{
    return exp2Fast(log2e * logit - max);
}

} // namespace zigzag::gpu
