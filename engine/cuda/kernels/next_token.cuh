// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"

namespace zigzag::gpu {

/// NextTokenArgs of engine/run/backend.h.
struct NextTokenKernelArgs {
    const float *logits; // [rows, vocabulary]
    std::int64_t vocabulary; ///< at least 1
    std::int32_t *tokens; // [rows]
    std::int32_t *positions; // [rows]
    std::int32_t *history; // [rows, context]
    std::int64_t context;
};

inline constexpr int nextTokenThreads = 1024;
inline constexpr int nextTokenSharedBytes = nextTokenThreads / warpSize * 8; // a candidate for each warp

struct Candidate {
    float logit;
    std::int32_t id;
};

/// The larger logit, the lower id among equals. Not-a-number never wins.
ZZ_DEVICE Candidate better(Candidate a, Candidate b)
{
    return b.logit > a.logit || (b.logit == a.logit && b.id < a.id) ? b : a;
}

ZZ_DEVICE Candidate bestOfWarp(Candidate best)
{
    for (int mask = warpSize / 2; mask > 0; mask /= 2) {
        const float logit = shuffleXor(best.logit, mask);
        best = better(best, {logit, shuffleXor(best.id, mask)});
    }
    return best;
}

/// The greedy choice, noted where the next step reads it. A template only so that a header can hold it. Grid: a block for
/// each row.
template <int threads = nextTokenThreads> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(threads, 1) void nextToken(ZZ_ARGS NextTokenKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const std::int64_t row = blockIdx().x;
    const float *logits = args.logits + row * args.vocabulary;
    constexpr std::int32_t none = 0x7fffffff;
    const Candidate nothing = {floatOfBits(0xff800000u), none}; // minus infinity
    Candidate best = nothing;
    // Four at a time from the first address that allows it.
    std::int64_t head = (16 - static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(logits) % 16)) % 16 / 4;
    head = head < args.vocabulary ? head : args.vocabulary;
    const std::int64_t quads = (args.vocabulary - head) / 4, tail = head + 4 * quads;
    const auto try1 = [&](std::int64_t i) { best = better(best, {logits[i], static_cast<std::int32_t>(i)}); };
    if (threadIdx().x < head)
        try1(threadIdx().x);
    ZZ_UNROLL_BY(4)
    for (std::int64_t q = threadIdx().x; q < quads; q += threads) {
        const std::int64_t i = head + 4 * q;
        const Vec16 four = load16(logits + i);
        ZZ_UNROLL
        for (int k = 0; k < 4; ++k)
            best = better(best, {floatOfBits(four.w[k]), static_cast<std::int32_t>(i + k)});
    }
    if (tail + threadIdx().x < args.vocabulary)
        try1(tail + threadIdx().x);

    auto *candidates = sharedMemory<Candidate>(); // [warps]
    best = bestOfWarp(best);
    if (laneId() == 0)
        candidates[warpId()] = best;
    syncThreads();
    if (warpId() > 0)
        return;
    best = bestOfWarp(laneId() < threads / warpSize ? candidates[laneId()] : nothing);
    if (laneId() > 0)
        return;
    const std::int32_t token = best.id == none ? 0 : best.id, position = args.positions[row] + 1;
    args.tokens[row] = token;
    args.positions[row] = position;
    if (position < args.context)
        args.history[row * args.context + position] = token;
}

} // namespace zigzag::gpu
