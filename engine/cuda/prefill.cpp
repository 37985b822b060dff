// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/prefill.h"

#include "engine/cuda/attention.h"

#include <algorithm>

namespace zigzag::gpu {

namespace {

/// What one query of the selected heads sees at most.
std::int64_t mostKeys(const HeadCaches &caches)
{
    std::int64_t most = 0;
    for (int i = 0; i < caches.selectedCount; ++i) {
        const HeadCacheView &head = caches.heads[caches.selected[i]];
        most = std::max(most, std::int64_t{head.sink} + head.recent);
    }
    return most;
}

} // namespace

int attendChunk(DType type, DType cacheType, const PrefillAttentionArgs &args, const GpuLimits &gpu, cudaStream_t stream,
                bool early)
{
    const AttentionKernelArgs &a = args.attention;
    const bool isF8 = cacheType == DType::F8;
    const int heads = a.caches.selectedCount * (a.queryHeads / a.kvHeads);
    if (prefersHopper(a.tokens, a.headDim, isF8, gpu)) {
        const PrefillPlan plan = planHopper(a.tokens, heads, a.headDim, mostKeys(a.caches), isF8, gpu);
        const int status = attendHopper(type, cacheType, args, plan, stream, early);
        if (status != cudaErrorNotSupported) // caches that its copies cannot take
            return status;
    }
    if (!supportsTensorAttention(a.headDim))
        return (isF8 ? attendSimpleF8 : attendSimple)(type, {a, nullptr}, stream, early);
    if (isF8)
        return attendPrefillF8(type, args, planPrefillF8(a.tokens, heads, a.headDim), stream, early);
    return attendPrefill(type, args, planPrefill(a.tokens, heads, a.headDim, gpu), stream, early);
}

} // namespace zigzag::gpu
