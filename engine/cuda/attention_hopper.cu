// SPDX-License-Identifier: GPL-3.0-or-later
// A file of its own: it is compiled for compute capability 9.0a alone, whose instructions no other GPU has.
#include "engine/cuda/attention.h"
#include "engine/cuda/kernels/attention_hopper.cuh"

#include <cuda.h>

#include <algorithm>
#include <iterator>

namespace zigzag::gpu {

namespace {

/// The driver's function that makes tensors; null where the driver has none.
auto encoder()
{
    static const auto found = [] {
        void *function = nullptr;
        cudaDriverEntryPointQueryResult status = cudaDriverEntryPointSymbolNotFound;
        const auto error
            = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &status);
        return error == cudaSuccess && status == cudaDriverEntryPointSuccess
            ? reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function)
            : nullptr;
    }();
    return found;
}

/// `rows` rows that lie `rowBytes` apart, of `columns` columns of 64 numbers; a box takes `boxRows` and `boxColumns` of them.
bool encode(hopper::TensorMap &map, DType type, const void *begin, std::int64_t rows, std::int64_t rowBytes, std::int64_t columns,
            int boxRows, int boxColumns)
{
    static_assert(sizeof(map) == sizeof(CUtensorMap));
    const cuuint64_t sizes[] = {64, static_cast<cuuint64_t>(rows), static_cast<cuuint64_t>(columns)};
    const cuuint64_t strides[] = {static_cast<cuuint64_t>(rowBytes), 128};
    const cuuint32_t box[] = {64, static_cast<cuuint32_t>(boxRows), static_cast<cuuint32_t>(boxColumns)}, steps[] = {1, 1, 1};
    return encoder()
        && encoder()(reinterpret_cast<CUtensorMap *>(&map),
                     type == DType::BF16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 3,
                     const_cast<void *>(begin), sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                     CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE)
        == CUDA_SUCCESS;
}

/// One tensor over everything that some heads keep, whatever lies between: rows are counted from the lowest address.
struct Extent {
    const char *begin = nullptr, *end = nullptr;

    void add(const void *from, std::int64_t bytes)
    {
        const auto *first = static_cast<const char *>(from);
        begin = begin ? std::min(begin, first) : first;
        end = end ? std::max(end, first + bytes) : first + bytes;
    }
    /// Whether rows from `from` on are rows of the tensor.
    bool has(const void *from, std::int64_t rowBytes) const { return (static_cast<const char *>(from) - begin) % rowBytes == 0; }
};

/// False where the engine cannot copy from there.
bool describe(HopperArgs &args, DType type, int tileKeys)
{
    const AttentionKernelArgs &a = args.prefill.attention;
    const std::int64_t rowBytes = std::int64_t{2} * a.headDim, columns = a.headDim / 64;
    const std::int64_t behind = (a.rows.first + a.rows.count - 1) * a.caches.sequenceStride; // of the last sequence
    Extent slots, staged;
    for (int i = 0; i < a.caches.selectedCount; ++i) {
        const HeadCacheView &head = a.caches.heads[a.caches.selected[i]];
        for (const void *from : {head.keys, head.values})
            slots.add(from, behind + head.slots * rowBytes);
        if (head.stagedKeys)
            for (const void *from : {head.stagedKeys, head.stagedValues})
                staged.add(from, a.tokens * rowBytes);
    }
    for (int i = 0; i < a.caches.selectedCount; ++i) {
        const HeadCacheView &head = a.caches.heads[a.caches.selected[i]];
        if (!slots.has(head.keys, rowBytes) || !slots.has(head.values, rowBytes)
            || (head.stagedKeys && (!staged.has(head.stagedKeys, rowBytes) || !staged.has(head.stagedValues, rowBytes))))
            return false;
    }
    if (a.caches.sequenceStride % rowBytes != 0)
        return false;
    args.slotsBegin = slots.begin;
    args.stagedBegin = staged.begin;
    const auto over = [&](hopper::TensorMap &map, const Extent &extent) {
        return !extent.begin
            || encode(map, type, extent.begin, (extent.end - extent.begin) / rowBytes, rowBytes, columns, tileKeys,
                      static_cast<int>(columns));
    };
    return over(args.slots, slots) && over(args.staged, staged);
}

template <class T, class K, int headDim, bool isWide>
int launchShape(const HopperArgs &args, const PrefillPlan &plan, Stream stream, Start start)
{
    const auto kernel = args.prefill.attention.capScale != 0 ? attentionHopper<T, headDim, isWide, true, K>
                                                             : attentionHopper<T, headDim, isWide, false, K>;
    const unsigned all = plan.blocks * static_cast<unsigned>(args.prefill.attention.rows.count);
    return launch(kernel, {std::min(all, plan.resident)}, hopperThreads, plan.sharedBytes, stream, args, start);
}

template <class T, class K> int launchTypes(const HopperArgs &args, const PrefillPlan &plan, Stream stream, Start start)
{
    const auto ofHead = [&]<int headDim>() {
        return plan.isWide ? launchShape<T, K, headDim, true>(args, plan, stream, start)
                           : launchShape<T, K, headDim, false>(args, plan, stream, start);
    };
    switch (args.prefill.attention.headDim) {
    case 256: // tiles of one size
        return launchShape<T, K, 256, true>(args, plan, stream, start);
    case 128:
        if constexpr (std::is_same_v<K, F8>)
            return cudaErrorNotSupported; // prefersHopper
        else
            return ofHead.template operator()<128>();
    default:
        return ofHead.template operator()<64>();
    }
}

} // namespace

int attendHopper(DType type, DType cacheType, const PrefillAttentionArgs &prefill, const PrefillPlan &plan, cudaStream_t stream,
                 bool early)
{
    const AttentionKernelArgs &a = prefill.attention;
    const bool isF8 = cacheType == DType::F8;
    HopperArgs args{};
    args.prefill = prefill;
    args.blocks = static_cast<int>(plan.blocks);
    const std::int64_t tokenBytes = std::int64_t{2} * a.queryHeads * a.headDim;
    if (!encode(args.queries, type, a.queries, std::int64_t{a.rows.count} * a.tokens, tokenBytes, tokenBytes / 128,
                prefillQueries, a.headDim / 64)
        || (!isF8 && !describe(args, type, hopperLayout(a.headDim, plan.isWide, isF8).keys)))
        return cudaErrorNotSupported;
    const Start start = startOf(early);
    if (type == DType::BF16)
        return isF8 ? launchTypes<Bf16, F8>(args, plan, stream, start) : launchTypes<Bf16, Bf16>(args, plan, stream, start);
    return isF8 ? launchTypes<F16, F8>(args, plan, stream, start) : launchTypes<F16, F16>(args, plan, stream, start);
}

} // namespace zigzag::gpu
