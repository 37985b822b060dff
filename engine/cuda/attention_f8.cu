// SPDX-License-Identifier: GPL-3.0-or-later
// A file of its own: as many kernels as attention.cu has, compiled beside it.
#include "engine/cuda/attention.h"

#include "engine/cuda/kernels/attention_decode.cuh"
#include "engine/cuda/kernels/attention_prefill_f8.cuh"
#include "engine/cuda/kernels/attention_simple.cuh"

namespace zigzag::gpu {

int attendSimpleF8(DType type, const SimpleAttentionArgs &args, cudaStream_t stream, bool early)
{
    if (type == DType::BF16)
        return launchAttentionSimple<Bf16, F8>(args, stream, startOf(early));
    if (type == DType::F16)
        return launchAttentionSimple<F16, F8>(args, stream, startOf(early));
    return cudaErrorInvalidValue; // CudaBackend::attendsOver has said so
}

int attendPrefillF8(DType type, const PrefillAttentionArgs &args, const PrefillPlan &plan, cudaStream_t stream, bool early)
{
    if (type == DType::BF16)
        return launchAttentionPrefillF8<Bf16>(args, plan, stream, startOf(early));
    return launchAttentionPrefillF8<F16>(args, plan, stream, startOf(early));
}

int attendDecodeF8(DType type, const DecodeAttentionArgs &args, const DecodePlan &plan, cudaStream_t stream, bool early)
{
    if (type == DType::BF16)
        return launchAttentionDecode<Bf16, F8>(args, plan, stream, startOf(early));
    return launchAttentionDecode<F16, F8>(args, plan, stream, startOf(early));
}

} // namespace zigzag::gpu
