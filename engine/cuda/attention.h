// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The attention kernels' launches. Each returns a cudaError_t, 0 when the launch was taken. With `early` the kernel may
// start while the one before it still runs (programmatic dependent launch); it waits for that one's results by itself.

#include "engine/base/dtype.h"
#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/attention_args.h"

#include <cuda_runtime_api.h>

namespace zigzag::gpu {

/// Any type, any even head_dim up to 256; the one that can tell the strongest key.
int attendSimple(DType type, const SimpleAttentionArgs &args, cudaStream_t stream, bool early);
/// BF16 and F16, the head dimensions of supportsTensorAttention; any number of tokens. `selected` has heads that keep everything
/// first.
int attendPrefill(DType type, const PrefillAttentionArgs &args, const PrefillPlan &plan, cudaStream_t stream, bool early);
/// The same on compute capability 9.0 with the head sizes and caches (of `type`, or F8) of prefersHopper; with planHopper's plan.
/// cudaErrorNotSupported, and nothing was launched: its copies cannot take these caches.
int attendHopper(DType type, DType cacheType, const PrefillAttentionArgs &args, const PrefillPlan &plan, cudaStream_t stream,
                 bool early);
/// BF16 and F16, the head dimensions of supportsTensorDecode; one token per sequence, no staged keys.
int attendDecode(DType type, const DecodeAttentionArgs &args, const DecodePlan &plan, cudaStream_t stream, bool early);

// The same with queries and outputs of `type`, BF16 or F16, over a cache of F8.
int attendSimpleF8(DType type, const SimpleAttentionArgs &args, cudaStream_t stream, bool early);
int attendPrefillF8(DType type, const PrefillAttentionArgs &args, const PrefillPlan &plan, cudaStream_t stream, bool early);
int attendDecodeF8(DType type, const DecodeAttentionArgs &args, const DecodePlan &plan, cudaStream_t stream, bool early);

} // namespace zigzag::gpu
