// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/attention.h"

#include "engine/cuda/kernels/attention_decode.cuh"
#include "engine/cuda/kernels/attention_prefill.cuh"
#include "engine/cuda/kernels/attention_simple.cuh"

namespace zigzag::gpu {

int attendSimple(DType type, const SimpleAttentionArgs &args, cudaStream_t stream, bool early)
{
    if (type == DType::BF16)
        return launchAttentionSimple<Bf16>(args, stream, startOf(early));
    if (type == DType::F16)
        return launchAttentionSimple<F16>(args, stream, startOf(early));
    return launchAttentionSimple<float>(args, stream, startOf(early));
}

int attendPrefill(DType type, const PrefillAttentionArgs &args, const PrefillPlan &plan, cudaStream_t stream, bool early)
{
    if (type == DType::BF16)
        return launchAttentionPrefill<Bf16>(args, plan, stream, startOf(early));
    return launchAttentionPrefill<F16>(args, plan, stream, startOf(early));
}

int attendDecode(DType type, const DecodeAttentionArgs &args, const DecodePlan &plan, cudaStream_t stream, bool early)
{
    if (type == DType::BF16)
        return launchAttentionDecode<Bf16>(args, plan, stream, startOf(early));
    return launchAttentionDecode<F16>(args, plan, stream, startOf(early));
}

} // namespace zigzag::gpu
