// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/gradient_launches.h"

#include "engine/cuda/gpu/launch.h"
#include "engine/cuda/kernels/attention_gradient.cuh"
#include "engine/cuda/kernels/attention_gradient_simple.cuh"
#include "engine/cuda/kernels/blend.cuh"
#include "engine/cuda/kernels/gradient_ops.cuh"

#include <algorithm>

namespace zigzag::gpu {

namespace {

template <class Body> int withType(DType type, Body &&body)
{
    return type == DType::F32 ? body(float{}) : type == DType::BF16 ? body(Bf16{}) : static_cast<int>(cudaErrorInvalidValue);
}

template <class Kernel, class Args>
int start(Kernel kernel, Grid grid, int threads, std::size_t shared, LaunchOn on, const Args &args)
{
    return launch(kernel, grid, threads, shared, on.stream, args, startOf(on.early));
}

/// What both blends have in common.
template <class Kernel, class Args> Kernel blendOf(const Args &args)
{
    Kernel kernel = {};
    kernel.full = args.full;
    kernel.streaming = args.streaming;
    kernel.tokens = static_cast<int>(args.tokens);
    kernel.kvHeads = static_cast<int>(args.gates.size());
    kernel.width = args.queryHeads / kernel.kvHeads * args.headDim;
    std::ranges::copy(args.gates, kernel.gates);
    return kernel;
}

} // namespace

int launchRmsNormGradient(const RmsNormGradientArgs &args, LaunchOn on)
{
    const RmsNormGradientKernelArgs kernel
        = {args.in, args.weight, args.gradOut, args.gradIn, args.width, args.epsilon, args.add};
    return start(rmsNormGradient<>, {static_cast<unsigned>(args.tokens)}, normGradientThreads, normGradientSharedBytes, on,
                 kernel);
}

int launchSwiGluGradient(const SwiGluGradientArgs &args, LaunchOn on)
{
    const SwiGluGradientKernelArgs kernel = {args.gate, args.up, args.gradOut, args.gradGate, args.gradUp, args.count};
    return withType(args.type, [&](auto value) {
        return start(swiGluGradient<decltype(value)>, {elementBlocks(args.count)}, elementThreads, 0, on, kernel);
    });
}

int launchRotateGradient(const RotateGradientArgs &args, LaunchOn on)
{
    const RotateGradientKernelArgs kernel = {.gradient = args.gradient,
                                             .in = args.in,
                                             .norm = args.norm,
                                             .cosSin = args.cosSin,
                                             .rows = args.tokens * args.heads,
                                             .firstPosition = args.firstPosition,
                                             .heads = args.heads,
                                             .headDim = args.headDim,
                                             .epsilon = args.epsilon,
                                             .rotaryDim = args.rotaryDim > 0 ? args.rotaryDim : args.headDim,
                                             .interleaved = args.interleaved};
    const auto blocks = static_cast<unsigned>((kernel.rows + rotateGradientWarps - 1) / rotateGradientWarps);
    return withType(args.type, [&](auto value) {
        return start(rotateGradient<decltype(value)>, {blocks}, rotateGradientWarps * warpSize, 0, on, kernel);
    });
}

int launchBlend(const BlendArgs &args, LaunchOn on)
{
    if (args.gates.empty() || args.gates.size() > static_cast<std::size_t>(maxKvHeads))
        return cudaErrorInvalidValue;
    auto kernel = blendOf<BlendKernelArgs>(args);
    kernel.out = args.out;
    const Grid grid = {blendChunks(kernel.tokens), static_cast<unsigned>(kernel.kvHeads)};
    return withType(args.type, [&](auto value) { return start(blend<decltype(value)>, grid, blendThreads, 0, on, kernel); });
}

int blendSums(std::int64_t tokens)
{
    return static_cast<int>(blendChunks(static_cast<int>(tokens)));
}

int launchBlendGradient(const BlendGradientArgs &args, double *sums, LaunchOn on)
{
    if (args.gates.empty() || args.gates.size() > static_cast<std::size_t>(maxKvHeads))
        return cudaErrorInvalidValue;
    auto kernel = blendOf<BlendGradientKernelArgs>(args);
    kernel.gradOut = args.gradOut;
    kernel.gradFull = args.gradFull;
    kernel.gradStreaming = args.gradStreaming;
    kernel.sums = sums;
    const Grid grid = {blendChunks(kernel.tokens), static_cast<unsigned>(kernel.kvHeads)};
    return withType(args.type, [&](auto value) {
        return start(blendGradient<decltype(value)>, grid, blendThreads, blendSharedBytes, on, kernel);
    });
}

int launchAttentionGradient(DType type, const AttentionGradientKernelArgs &args, LaunchOn on)
{
    if (type == DType::BF16 && supportsTensorAttention(args.headDim))
        return launchAttentionGradientTiles<Bf16>(args, on.stream, startOf(on.early));
    return withType(
        type, [&](auto value) { return launchAttentionGradientSimple<decltype(value)>(args, on.stream, startOf(on.early)); });
}

int launchSinkLogitGradient(const AttentionGradientKernelArgs &args, double *out, LaunchOn on)
{
    const SinkLogitGradientArgs kernel = {args.rows, args.rowStride, args.tokens, args.sinkLogits, out};
    return start(sinkLogitGradient<>, {static_cast<unsigned>(args.queryHeads)}, sinkLogitThreads, sinkLogitSharedBytes, on,
                 kernel);
}

} // namespace zigzag::gpu
