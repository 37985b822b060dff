// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/pointwise.h"

#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/add_bias.cuh"
#include "engine/cuda/kernels/commit.cuh"
#include "engine/cuda/kernels/copy_heads.cuh"
#include "engine/cuda/kernels/embed.cuh"
#include "engine/cuda/kernels/next_token.cuh"
#include "engine/cuda/kernels/rms_norm.cuh"
#include "engine/cuda/kernels/rope_append_rows.cuh"
#include "engine/cuda/kernels/soft_cap.cuh"
#include "engine/cuda/kernels/swiglu.cuh"
#include "engine/cuda/kernels/width_norm.cuh"

#include <algorithm>

namespace zigzag::gpu {

namespace {

/// Calls `body` with a value of the storage type.
template <class Body> int withType(DType type, Body &&body)
{
    return type == DType::F32 ? body(float{}) : type == DType::BF16 ? body(Bf16{}) : body(F16{});
}

template <class Kernel, class Args>
int start(Kernel kernel, Grid grid, int threads, std::size_t shared, LaunchOn on, const Args &args)
{
    return launch(kernel, grid, threads, shared, on.stream, args, startOf(on.early));
}

/// The caches in `HeadCaches` begin at the call's first sequence already.
RowsView viewOf(const SequenceRows &rows, std::int64_t firstPosition)
{
    return {0, rows.count, rows.positions, firstPosition};
}

/// Whole 16-byte units of a row of `bytes`; otherwise smaller ones.
bool hasVectors(std::int64_t bytes)
{
    return bytes % static_cast<std::int64_t>(sizeof(Vec16)) == 0;
}

} // namespace

int launchEmbed(DType type, const EmbedArgs &args, const void *table, LaunchOn on)
{
    const EmbedKernelArgs kernel = {args.tokens, table, args.out, args.table->columns, args.scale};
    return withType(type, [&](auto value) {
        return start(embed<decltype(value)>, {static_cast<unsigned>(args.count)}, embedThreads, 0, on, kernel);
    });
}

int launchRmsNorm(const RmsNormArgs &args, LaunchOn on)
{
    const RmsNormKernelArgs kernel = {args.in, args.weight, args.out, args.width, args.epsilon, args.residual};
    return withType(args.type, [&](auto value) {
        return start(rmsNorm<decltype(value)>, {static_cast<unsigned>(args.tokens)}, rmsNormThreads(args.width),
                     rmsNormSharedBytes, on, kernel);
    });
}

int launchSwiGlu(const SwiGluArgs &args, LaunchOn on)
{
    const SwiGluKernelArgs kernel = {args.gate, args.up, args.out, args.count, args.activation == GatedActivation::GeluTanh};
    return withType(args.type, [&](auto value) {
        return start(swiGlu<decltype(value)>, {swiGluBlocks(args.count)}, swiGluThreads, 0, on, kernel);
    });
}

int launchSoftCap(const SoftCapArgs &args, LaunchOn on)
{
    const SoftCapKernelArgs kernel = {args.values, args.count, args.cap};
    return start(softCap<>, {softCapBlocks(args.count)}, softCapThreads, 0, on, kernel);
}

/// Queries and keys normed over their width, where they lie.
static int launchWidthNorms(const RopeAppendArgs &args, LaunchOn on)
{
    const auto norm = [&](void *rows, const float *weight, int heads) {
        const WidthNormKernelArgs kernel = {rows, weight, std::int64_t{heads} * args.headDim, args.epsilon};
        return withType(args.type, [&](auto value) {
            return start(widthNorm<decltype(value)>, {static_cast<unsigned>(args.tokens)}, widthNormThreads, widthNormSharedBytes,
                         on, kernel);
        });
    };
    const int status = norm(args.queries, args.queryNorm, args.queryHeads);
    // Keys are void afterwards, which their type does not say.
    return status != cudaSuccess ? status : norm(const_cast<void *>(args.keys), args.keyNorm, args.kvHeads);
}

int launchRopeAppend(const RopeAppendArgs &args, const HeadCaches &caches, LaunchOn on)
{
    if (args.normsWidth)
        if (const int status = launchWidthNorms(args, on); status != cudaSuccess)
            return status;
    const RopeAppendKernelArgs kernel = {.queries = args.queries,
                                         .keys = args.keys,
                                         .values = args.values,
                                         .queryNorm = args.normsWidth ? nullptr : args.queryNorm,
                                         .keyNorm = args.normsWidth ? nullptr : args.keyNorm,
                                         .cosSin = args.cosSin,
                                         .queryHeads = args.queryHeads,
                                         .kvHeads = args.kvHeads,
                                         .headDim = args.headDim,
                                         .epsilon = args.epsilon,
                                         .keyScale = args.scales.key,
                                         .valueScale = args.scales.value,
                                         .rows = viewOf(args.rows, args.firstPosition),
                                         .caches = caches,
                                         .rotaryDim = args.rotaryDim,
                                         .interleaved = args.interleaved,
                                         .queryScales = args.queryScales};
    const Grid grid = {static_cast<unsigned>(args.tokens), ropeAppendBlocksPerRow(args.queryHeads, args.kvHeads)};
    const auto append = [&](auto kernelOf) { return start(kernelOf, grid, ropeAppendThreads, 0, on, kernel); };
    if (args.type != DType::F32 && takesRopeRows(kernel, args.tokens)) {
        const Grid rowsGrid = {ropeRowsBlocks(args.tokens, args.queryHeads, args.kvHeads, args.headDim)};
        const auto appendRows = [&](auto kernelOf) {
            return start(kernelOf, rowsGrid, ropeRowsThreads, 0, on, RopeRowsArgs{kernel, args.tokens});
        };
        if (args.cacheType == DType::F8)
            return args.type == DType::BF16 ? appendRows(ropeAppendRows<Bf16, F8>) : appendRows(ropeAppendRows<F16, F8>);
        return args.type == DType::BF16 ? appendRows(ropeAppendRows<Bf16, Bf16>) : appendRows(ropeAppendRows<F16, F16>);
    }
    if (args.cacheType == DType::F8)
        return args.type == DType::BF16 ? append(ropeAppend<Bf16, F8>)
            : args.type == DType::F16   ? append(ropeAppend<F16, F8>)
                                        : static_cast<int>(cudaErrorInvalidValue);
    return withType(args.cacheType, [&](auto value) { return append(ropeAppend<decltype(value), decltype(value)>); });
}

int launchCommit(const CommitArgs &args, const HeadCaches &caches, LaunchOn on)
{
    const std::int64_t rowBytes = args.headDim * bytesOf(args.cacheType);
    const auto moveIn = [&](auto unit) {
        using Unit = decltype(unit);
        const int units = static_cast<int>(rowBytes / static_cast<std::int64_t>(sizeof(Unit)));
        const CommitKernelArgs kernel = {args.tokens, units, viewOf(args.rows, args.firstPosition), caches};
        const Grid grid = {commitBlocks(args.tokens, units), static_cast<unsigned>(args.heads.size()), 2};
        return start(commit<Unit>, grid, commitThreads, 0, on, kernel);
    };
    if (hasVectors(rowBytes))
        return moveIn(Vec16{});
    return rowBytes % 4 == 0 ? moveIn(std::uint32_t{}) : moveIn(std::uint16_t{}); // head_dim is even
}

int launchCopyHeads(const CopyHeadsArgs &args, LaunchOn on)
{
    if (args.heads.size() > static_cast<std::size_t>(maxCopiedHeads))
        return cudaErrorInvalidValue;
    const std::int64_t headBytes = args.headDim * bytesOf(args.type);
    const bool vectors = hasVectors(headBytes);
    CopyHeadsKernelArgs kernel
        = {.in = args.in,
           .out = args.out,
           .rows = args.tokens,
           .inHeads = args.inHeads,
           .outHeads = args.outHeads,
           .headUnits = static_cast<int>(headBytes / static_cast<std::int64_t>(vectors ? sizeof(Vec16) : sizeof(std::uint32_t))),
           .count = static_cast<int>(args.heads.size()),
           .scatter = args.scatter,
           .heads = {}};
    std::ranges::transform(args.heads, kernel.heads, [](int head) { return static_cast<std::uint16_t>(head); });
    const Grid grid = {copyHeadsBlocks(kernel.rows, kernel.count, kernel.headUnits)};
    return vectors ? start(copyHeads<Vec16>, grid, copyHeadsThreads, 0, on, kernel)
                   : start(copyHeads<std::uint32_t>, grid, copyHeadsThreads, 0, on, kernel);
}

int launchNextToken(const NextTokenArgs &args, LaunchOn on)
{
    const NextTokenKernelArgs kernel = {args.logits, args.vocabulary, args.tokens, args.positions, args.history, args.context};
    return start(nextToken<>, {static_cast<unsigned>(args.rows)}, nextTokenThreads, nextTokenSharedBytes, on, kernel);
}

int launchAddBias(DType type, void *out, const float *bias, float scale, std::int64_t tokens, std::int64_t rows, LaunchOn on)
{
    const AddBiasKernelArgs kernel = {out, bias, tokens * rows, rows, scale};
    return withType(type, [&](auto value) {
        return start(addBias<decltype(value)>, {addBiasBlocks(kernel.count)}, addBiasThreads, 0, on, kernel);
    });
}

} // namespace zigzag::gpu
