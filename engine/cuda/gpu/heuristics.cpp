// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cuda/gpu/heuristics.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace zigzag::gpu {

namespace {

std::int64_t ceilDivide(std::int64_t a, std::int64_t b)
{
    return (a + b - 1) / b;
}

std::size_t decodeSharedBytes(int headDim)
{
    const auto ring = static_cast<std::size_t>(decodeWarps * decodeStages<2> * 2 * decodeWarpKeys)
        * static_cast<std::size_t>(paddedRowBytes(headDim));
    const std::size_t warps = sizeof(float) * static_cast<std::size_t>(decodeWarps * decodeRows * (headDim + 8 + 2));
    return std::max(ring, warps);
}

} // namespace

bool supportsTensorDecode(int headDim, const GpuLimits &gpu)
{
    return supportsTensorAttention(headDim)
        || (headDim == 256 && decodeSharedBytes(headDim) <= static_cast<std::size_t>(gpu.sharedPerBlock));
}

DecodePlan planDecode(std::span<const std::int64_t> slots, std::int64_t length, int sequences, int group, int headDim,
                      const GpuLimits &gpu)
{
    DecodePlan plan;
    assert(slots.size() < plan.firstBlock.size());
    plan.slices = static_cast<unsigned>(ceilDivide(group, decodeRows));
    const int perSm = decodeBlocksPerSm(headDim);
    plan.sharedBytes = decodeSharedBytes(headDim);

    std::vector<std::int64_t> steps;
    for (const std::int64_t s : slots)
        steps.push_back(std::max<std::int64_t>(1, ceilDivide(std::min(s, length), decodeKeys)));
    const std::int64_t copies = static_cast<std::int64_t>(sequences) * plan.slices;
    const std::int64_t resident = static_cast<std::int64_t>(perSm) * gpu.multiprocessors;
    const std::int64_t longest = *std::max_element(steps.begin(), steps.end());
    // Time is the waves of blocks times the steps of the longest one; starting and joining cost about a step and a half.
    std::int64_t most = longest, least = 0; // steps of a block, and its time
    for (std::int64_t splits = 1; splits <= std::min<std::int64_t>(longest, decodeMaxSplits); ++splits) {
        const std::int64_t stepsEach = ceilDivide(longest, splits);
        std::int64_t blocks = 0;
        for (const std::int64_t s : steps)
            blocks += ceilDivide(s, stepsEach);
        const std::int64_t waves = ceilDivide(blocks * copies, resident), time = waves * (2 * stepsEach + 3);
        if (splits > 1 && waves > decodeMaxWaves)
            break;
        if (least == 0 || time * 100 < least * 97) { // a split more must be worth its scratch
            least = time;
            most = stepsEach;
        }
    }
    for (std::size_t i = 0; i < steps.size(); ++i)
        plan.firstBlock[i + 1] = static_cast<std::uint16_t>(plan.firstBlock[i] + ceilDivide(steps[i], most));
    plan.blocks = plan.firstBlock[slots.size()];
    const std::size_t parts = plan.blocks * static_cast<std::size_t>(copies);
    const auto rows = static_cast<std::size_t>(std::min(group, decodeRows));
    const bool isSplit = plan.blocks > slots.size();
    plan.partials = !isSplit ? 0 : parts * rows * static_cast<std::size_t>(headDim);
    plan.partialStates = !isSplit ? 0 : parts * rows * 2;
    plan.steps = most;
    plan.joins = !isSplit ? 0 : static_cast<unsigned>(slots.size() * rows);
    return plan;
}

PrefillPlan planPrefill(int tokens, int heads, int headDim, const GpuLimits &gpu)
{
    PrefillPlan plan;
    plan.blocks = static_cast<unsigned>(ceilDivide(tokens, prefillQueries) * heads);
    constexpr int tables = 512; // PrefillWork
    const auto bytes = [&](int stages) { return (prefillQueries + stages * 2 * prefillKeys) * paddedRowBytes(headDim) + tables; };
    // Two blocks on a multiprocessor, so that one multiplies while the other computes weights; 1 KiB of each is the system's.
    plan.stages = 2 * (bytes(2) + 1024) <= gpu.sharedPerMultiprocessor ? 2 : 1;
    plan.sharedBytes = static_cast<std::size_t>(bytes(plan.stages));
    return plan;
}

PrefillPlan planPrefillF8(int tokens, int heads, int headDim)
{
    PrefillPlan plan;
    plan.blocks = static_cast<unsigned>(ceilDivide(tokens, prefillQueries) * heads);
    plan.stages = 1;
    constexpr int tables = 512; // PrefillWork
    const int bytes = (prefillQueries + 2 * prefillKeys) * paddedRowBytes(headDim) + 2 * prefillKeys * headDim + tables;
    plan.sharedBytes = static_cast<std::size_t>(bytes);
    return plan;
}

PrefillPlan planHopper(int tokens, int heads, int headDim, std::int64_t mostKeys, bool isF8, const GpuLimits &gpu)
{
    PrefillPlan plan;
    plan.isWide = mostKeys > hopperNarrowWindow;
    const HopperLayout layout = hopperLayout(headDim, plan.isWide, isF8);
    plan.blocks = static_cast<unsigned>(ceilDivide(tokens, prefillQueries) * heads);
    plan.stages = layout.stages;
    plan.sharedBytes = static_cast<std::size_t>(layout.bytes);
    plan.resident = static_cast<unsigned>(gpu.multiprocessors);
    return plan;
}

ExpertPlan planExperts(const ExpertShape &shape, std::size_t scratchBytes)
{
    const auto [tokens, experts, perToken, hidden, intermediate, elementBytes, needsPlain] = shape;
    ExpertPlan plan;
    plan.grouped = (tokens * perToken > experts || needsPlain) && elementBytes == 2 && hidden % 8 == 0 && intermediate % 8 == 0;
    constexpr std::int64_t alignment = 256, mostPairs = 32768; // of a grid's second direction, with room
    const auto padded = [](std::int64_t bytes) { return ceilDivide(bytes, alignment) * alignment; };
    const std::int64_t pairBytes = 12 + std::int64_t{elementBytes} * (std::int64_t{intermediate} + (plan.grouped ? hidden : 0));
    const std::int64_t room = static_cast<std::int64_t>(scratchBytes) - padded(std::int64_t{4} * (experts + 1)) - 5 * alignment;
    const std::int64_t most = std::max<std::int64_t>(1, std::min(room / pairBytes, mostPairs) / perToken);
    plan.tokens = static_cast<int>(ceilDivide(tokens, ceilDivide(tokens, most))); // pieces of one size
    const std::int64_t pairs = std::int64_t{plan.tokens} * perToken;
    plan.rowTiles = static_cast<unsigned>(pairs / expertTileRows + std::min<std::int64_t>(experts, pairs));
    constexpr int tileBytes = expertTileStages * (expertTileRows + expertTileWeights) * paddedRowBytes(expertTileColumns);
    plan.sharedBytes = static_cast<std::size_t>(tileBytes);
    std::int64_t at = 0;
    const auto place = [&](std::int64_t bytes) { return static_cast<std::size_t>(std::exchange(at, at + padded(bytes))); };
    place(4 * pairs); // the chosen
    plan.weights = place(4 * pairs);
    plan.order = place(4 * pairs);
    plan.first = place(std::int64_t{4} * (experts + 1));
    plan.middle = place(pairs * intermediate * elementBytes);
    plan.parts = place(plan.grouped ? pairs * hidden * elementBytes : 0);
    plan.bytes = static_cast<std::size_t>(at);
    return plan;
}

MatvecPlan planMatvec(std::span<const int> rows, int columns, int batch, bool gated, const GpuLimits &gpu)
{
    assert(supportsMatvec(batch, columns) && !rows.empty() && rows.size() <= 3);
    MatvecPlan plan;
    plan.gated = gated;
    plan.batchTiles = batch > 8 ? 2 : 1;
    // With many vectors a block takes twice the rows, so that it reads the vectors half as often.
    plan.rowTiles = batch > 4 ? 2 : 1;
    const int tileRows = plan.rowTiles * (gated ? 8 : 16);
    for (std::size_t i = 0; i < plan.tileEnd.size(); ++i) {
        if (i < (gated ? 1 : rows.size()))
            plan.tiles += static_cast<int>(ceilDivide(rows[i], tileRows));
        plan.tileEnd[i] = plan.tiles;
    }
    // As many blocks as run together, each with the same number of tiles.
    const int resident = matvecBlocksPerSm * gpu.multiprocessors;
    const auto waves = ceilDivide(plan.tiles, resident);
    plan.blocks = static_cast<unsigned>(ceilDivide(plan.tiles, waves));

    const std::int64_t roundColumns = matvecRoundColumns(plan.rowTiles, plan.batchTiles);
    const std::int64_t parts = std::int64_t{4} * matvecWarps * (2 * plan.rowTiles * 16 * plan.batchTiles * 8 + matvecMaxBatch);
    const std::int64_t wholeBytes = parts + batch * (ceilDivide(columns, roundColumns) * roundColumns * 2 + 64);
    const std::int64_t most = std::min(static_cast<std::int64_t>(gpu.sharedPerMultiprocessor) / matvecBlocksPerSm - 1024,
                                       static_cast<std::int64_t>(gpu.sharedPerBlock));
    plan.whole = wholeBytes <= most;
    plan.sharedBytes
        = static_cast<std::size_t>(plan.whole ? wholeBytes : parts + std::int64_t{2} * batch * (roundColumns * 2 + 64));
    return plan;
}

namespace {

/// A block's shared memory but for its vectors.
constexpr std::int64_t blockParts(const CodesRing &ring, int slots, int batch)
{
    if (ring.slotBytes == 0)
        return std::int64_t{4} * matvecWarps * (2 * 16 * 8 + matvecMaxBatch);
    return slots * ring.slotBytes + std::int64_t{4} * codesWarps * (2 * 16 * (batch > 4 ? 8 : 4) + 8);
}

/// Of one vector: numbers of 16 bits and a padding; of codes' two floats for each 32 of them as well.
constexpr std::int64_t blockVectorBytes(std::int64_t paddedColumns, const CodesRing &ring)
{
    return ring.slotBytes == 0 ? paddedColumns * 2 + 64 : paddedColumns / 128 * (codesVectorPitch + 32);
}

} // namespace

int CodesRing::slotsFor(std::int64_t paddedColumns, const GpuLimits &gpu) const
{
    for (const int count : {slots, 2, 1})
        if (count <= slots && blockParts(*this, count, 1) + blockVectorBytes(paddedColumns, *this) <= gpu.sharedPerBlock)
            return count;
    return 0;
}

int mostBlockVectors(std::int64_t paddedColumns, const CodesRing &ring, const GpuLimits &gpu)
{
    const int slots = ring.slotsFor(paddedColumns, gpu);
    if (ring.slotBytes > 0 && slots == 0)
        return 0;
    const auto fitting = [&](int batch) {
        return static_cast<int>((gpu.sharedPerBlock - blockParts(ring, slots, batch)) / blockVectorBytes(paddedColumns, ring));
    };
    return fitting(1) <= 4 ? fitting(1) : std::max(4, fitting(8)); // more than four need more room for their results
}

MatvecPlan planBlocks(std::span<const int> rows, std::int64_t paddedColumns, int batch, bool gated, const CodesRing &ring,
                      const GpuLimits &gpu)
{
    assert(!rows.empty() && rows.size() <= 3);
    MatvecPlan plan;
    plan.gated = gated;
    const int tileRows = gated ? 8 : 16;
    for (std::size_t i = 0; i < plan.tileEnd.size(); ++i) {
        if (i < (gated ? 1 : rows.size()))
            plan.tiles += static_cast<int>(ceilDivide(rows[i], tileRows));
        plan.tileEnd[i] = plan.tiles;
    }
    plan.slots = ring.slotsFor(paddedColumns, gpu);
    plan.sharedBytes
        = static_cast<std::size_t>(blockParts(ring, plan.slots, batch) + batch * blockVectorBytes(paddedColumns, ring));
    plan.whole = batch <= mostBlockVectors(paddedColumns, ring, gpu);
    const bool two = ring.slotBytes == 0 // one block a multiprocessor has more shared memory than two
        && static_cast<std::int64_t>(plan.sharedBytes) <= gpu.sharedPerMultiprocessor / matvecBlocksPerSm - 1024;
    const auto waves = ceilDivide(plan.tiles, std::int64_t{two ? matvecBlocksPerSm : 1} * gpu.multiprocessors);
    plan.blocks = static_cast<unsigned>(ceilDivide(plan.tiles, waves));
    // The warps of a tile meet at its end, one of them adds up what they have, and the next tile's first sums wait for that: two
    // tiles at once are faster, as far as a block has two.
    plan.teamWarps = waves > 1 ? codesWarps / 2 : codesWarps;
    return plan;
}

} // namespace zigzag::gpu
