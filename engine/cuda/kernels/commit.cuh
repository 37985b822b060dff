// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/cache_slot.h"

namespace zigzag::gpu {

/// CommitArgs of engine/run/backend.h: one sequence's chunk.
struct CommitKernelArgs {
    std::int64_t tokens;
    int rowUnits; ///< units of a cached row: its bytes over the unit's
    RowsView rows; // count = 1
    HeadCaches caches; // [kv_heads]
};

inline constexpr int commitThreads = 256;

/// Blocks for one head's keys, or values.
inline unsigned commitBlocks(std::int64_t tokens, int rowUnits)
{
    return static_cast<unsigned>((tokens * rowUnits + commitThreads - 1) / commitThreads);
}

/// Moves a staged chunk into sinks and ring, in units of Vec16 where a row has whole ones, otherwise of uint32_t or uint16_t
/// (head_dim is even). Grid: commitBlocks, kv_heads, 2 (keys, values).
template <class Unit> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(commitThreads, 1) void commit(ZZ_ARGS CommitKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const HeadCacheView &cache = args.caches.heads[blockIdx().y];
    const std::int64_t at = std::int64_t{blockIdx().x} * commitThreads + threadIdx().x, row = at / args.rowUnits;
    if (!cache.stagedKeys || row >= args.tokens)
        return;
    const std::int64_t position = positionOf(args.rows, row);
    // Of a chunk longer than the ring only the last positions stay: blocks run in any order, so the others must not write.
    const std::int64_t end = position - row + args.tokens;
    if (position >= cache.sink && position + cache.slots - cache.sink < end)
        return;
    const bool isKey = blockIdx().z == 0;
    auto *memory = static_cast<unsigned char *>(isKey ? cache.keys : cache.values) + cacheOffset(args.caches, args.rows, row);
    const auto *from = static_cast<const Unit *>(isKey ? cache.stagedKeys : cache.stagedValues);
    const std::int64_t slot = cacheSlot(position, cache.slots, cache.sink);
    storeAs(reinterpret_cast<Unit *>(memory) + slot * args.rowUnits + at - row * args.rowUnits, loadAs<Unit>(from + at));
}

} // namespace zigzag::gpu
