// SPDX-License-Identifier: GPL-3.0-or-later
// A file of its own: it is compiled for compute capability 9.0a alone, whose instructions no other GPU has.
#include "engine/cuda/attention.h"
#include "engine/cuda/kernels/attention_hopper.cuh"

namespace zigzag::gpu {

namespace {

template <class T, bool capped>
int launchWith(const PrefillAttentionArgs &args, const PrefillPlan &plan, Stream stream, Start start)
{
    const auto kernel = args.attention.headDim == 64 ? attentionHopper<T, 64, capped> : attentionHopper<T, 128, capped>;
    return launch(kernel, {plan.blocks, static_cast<unsigned>(args.attention.rows.count), 1}, hopperThreads, plan.sharedBytes,
                  stream, args, start);
}

template <class T>
int launchAttentionHopper(const PrefillAttentionArgs &args, const PrefillPlan &plan, Stream stream, Start start)
{
    return args.attention.capScale != 0 ? launchWith<T, true>(args, plan, stream, start)
                                        : launchWith<T, false>(args, plan, stream, start);
}

} // namespace

int attendHopper(DType type, const PrefillAttentionArgs &args, const PrefillPlan &plan, cudaStream_t stream, bool early)
{
    const Start start = startOf(early);
    return type == DType::BF16 ? launchAttentionHopper<Bf16>(args, plan, stream, start)
                               : launchAttentionHopper<F16>(args, plan, stream, start);
}

} // namespace zigzag::gpu
