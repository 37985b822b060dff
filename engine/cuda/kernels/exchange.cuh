// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"
#include "engine/cuda/kernels/exchange_args.h"

namespace zigzag::gpu {

inline unsigned exchangeBlocks(std::int64_t count)
{
    return static_cast<unsigned>((count + exchangeThreads - 1) / exchangeThreads);
}

ZZ_DEVICE std::uint64_t *wordOf(const ExchangeArgs &args, int at, int from, std::uint32_t call, std::int64_t i)
{
    return args.words[at] + (std::int64_t{call % 2} * args.ranks + from) * args.capacity + i;
}

/// Writes a number into the memory of all others.
ZZ_DEVICE void sendNumber(const ExchangeArgs &args, std::uint32_t call, std::int64_t i, float number)
{
    const std::uint64_t word = std::uint64_t{call} << 32 | bitsOfFloat(number);
    for (int to = 0; to < args.ranks; ++to)
        if (to != args.rank)
            *static_cast<volatile std::uint64_t *>(wordOf(args, to, args.rank, call, i)) = word;
}

/// Waits for a number of another rank.
ZZ_DEVICE float takeNumber(const ExchangeArgs &args, std::uint32_t call, int from, std::int64_t i)
{
    const volatile std::uint64_t *const place = wordOf(args, args.rank, from, call, i);
    for (std::uint32_t looks = 1;; ++looks) {
        const std::uint64_t word = *place;
        if (static_cast<std::uint32_t>(word >> 32) == call)
            return floatOfBits(static_cast<std::uint32_t>(word));
        if (looks % 4096 == 0 && *args.stopped != 0)
            return 0;
    }
}

/// The last block to end counts the call.
ZZ_DEVICE void endCall(const ExchangeArgs &args, std::uint32_t call, unsigned blocks)
{
    syncThreads();
    if (threadIdx().x != 0 || atomicAdd(args.state + 1, 1u) != blocks - 1)
        return;
    args.state[1] = 0;
    args.state[0] = call;
}

/// out = residual + Σ of all ranks' parts, in the order of the ranks. Grid: exchangeBlocks(count).
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(exchangeThreads, 1) void exchangeSum(ZZ_ARGS ExchangeArgs args)
{
    waitForPrevious();
    allowNext();
    const std::uint32_t call = args.state[0] + 1;
    const std::int64_t i = std::int64_t{blockIdx().x} * exchangeThreads + threadIdx().x;
    if (i < args.count) {
        const float own = args.part[i];
        if (args.phases & exchangeSends)
            sendNumber(args, call, i, own);
        if (args.phases & exchangeTakes) {
            float sum = args.residual ? args.residual[i] : 0.0f;
            for (int from = 0; from < args.ranks; ++from)
                sum += from == args.rank ? own : takeNumber(args, call, from, i);
            args.out[i] = sum;
        }
    }
    if (args.phases & exchangeTakes)
        endCall(args, call, gridDim().x);
}

/// Each rank's columns beside each other. Grid: exchangeBlocks(count).
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(exchangeThreads, 1) void exchangeGather(ZZ_ARGS ExchangeArgs args)
{
    waitForPrevious();
    allowNext();
    const std::uint32_t call = args.state[0] + 1;
    const std::int64_t i = std::int64_t{blockIdx().x} * exchangeThreads + threadIdx().x;
    if ((args.phases & exchangeSends) && i < args.counts[args.rank])
        sendNumber(args, call, i, args.part[args.first[args.rank] + i]);
    if (args.phases & exchangeTakes) {
        for (int from = 0; from < args.ranks; ++from)
            if (i < args.counts[from]) {
                const std::int64_t at = args.first[from] + i, width = args.widths[from];
                args.out[at / width * args.pitch + args.offsets[from] + at % width]
                    = from == args.rank ? args.part[at] : takeNumber(args, call, from, i);
            }
        endCall(args, call, gridDim().x);
    }
}

/// out = residual + part, eight numbers a thread. Grid: addPartsBlocks.
inline unsigned addPartsBlocks(std::int64_t count)
{
    return static_cast<unsigned>((count + 8 * exchangeThreads - 1) / (8 * exchangeThreads));
}

template <class T> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(exchangeThreads, 1) void addParts(ZZ_ARGS AddPartsArgs args)
{
    waitForPrevious();
    allowNext();
    const auto *part = static_cast<const T *>(args.part);
    const std::int64_t block = std::int64_t{blockIdx().x} * 8 * exchangeThreads;
    // Neighbours read neighbours: every load of a warp is one piece.
    for (int turn = 0; turn < 8; ++turn) {
        const std::int64_t i = block + turn * exchangeThreads + threadIdx().x;
        if (i < args.count)
            args.out[i] = (args.residual ? args.residual[i] : 0.0f) + toFloat(part[i]);
    }
}

} // namespace zigzag::gpu
