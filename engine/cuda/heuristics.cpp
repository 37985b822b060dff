// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/heuristics.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace zigzag::gpu {

namespace {

std::int64_t ceilDivide(std::int64_t a, std::int64_t b)
{
    return (a + b - 1) / b;
}

std::size_t decodeSharedBytes(int headDim, int stages)
{
    const auto ring = static_cast<std::size_t>(decodeWarps * stages * 2 * decodeWarpKeys * paddedRowBytes(headDim));
    const std::size_t warps = sizeof(float) * static_cast<std::size_t>(decodeWarps * decodeRows * (headDim + 8 + 2));
    const std::size_t join = sizeof(float) * static_cast<std::size_t>(decodeRows * decodeMaxSplits);
    return std::max({ring, warps, join});
}

} // namespace

DecodePlan planDecode(std::span<const std::int64_t> slots, std::int64_t length, int sequences, int group, int headDim,
                      const GpuLimits &gpu)
{
    DecodePlan plan;
    assert(slots.size() < plan.firstBlock.size());
    plan.slices = static_cast<unsigned>(ceilDivide(group, decodeRows));
    const int perSm = decodeBlocksPerSm(headDim);
    // 1 KiB of each block's shared memory is the system's.
    const bool deep = (decodeSharedBytes(headDim, 3) + 1024) * static_cast<std::size_t>(perSm)
        <= static_cast<std::size_t>(gpu.sharedPerMultiprocessor);
    plan.stages = deep ? 3 : 2;
    plan.sharedBytes = decodeSharedBytes(headDim, plan.stages);

    std::vector<std::int64_t> steps;
    for (const std::int64_t s : slots)
        steps.push_back(std::max<std::int64_t>(1, ceilDivide(std::min(s, length), decodeKeys)));
    const std::int64_t copies = static_cast<std::int64_t>(sequences) * plan.slices;
    const std::int64_t budget = std::max<std::int64_t>(1, static_cast<std::int64_t>(perSm) * gpu.multiprocessors / copies);
    // The least number of steps a block must take for all blocks to be resident together, by bisection.
    const auto blocksFor = [&](std::int64_t most) {
        std::int64_t blocks = 0;
        for (const std::int64_t s : steps)
            blocks += ceilDivide(s, most);
        return blocks;
    };
    std::int64_t low = 1, high = 1; // the answer is in [low, high]
    for (const std::int64_t s : steps) {
        low = std::max(low, ceilDivide(s, decodeMaxSplits));
        high = std::max(high, s);
    }
    while (low < high) {
        const std::int64_t middle = (low + high) / 2;
        if (blocksFor(middle) <= budget)
            high = middle;
        else
            low = middle + 1;
    }
    for (std::size_t i = 0; i < steps.size(); ++i)
        plan.firstBlock[i + 1] = static_cast<std::uint16_t>(plan.firstBlock[i] + ceilDivide(steps[i], low));
    plan.blocks = plan.firstBlock[slots.size()];
    const std::size_t parts = plan.blocks * static_cast<std::size_t>(copies);
    const auto rows = static_cast<std::size_t>(std::min(group, decodeRows));
    plan.partials = parts * rows * static_cast<std::size_t>(headDim);
    plan.partialStates = parts * rows * 2;
    plan.arrivals = slots.size() * static_cast<std::size_t>(copies);
    return plan;
}

} // namespace zigzag::gpu
