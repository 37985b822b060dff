// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"
#include "engine/cuda/gpu/heuristics.h"

namespace zigzag::gpu {

inline constexpr int maxCopiedHeads = maxQueryHeads;

struct CopyHeadsKernelArgs {
    const void *in; // [rows, in_heads, head units]
    void *out; // [rows, out_heads, head units]
    std::int64_t rows;
    int inHeads, outHeads;
    int headUnits; ///< units of a head: its bytes over the unit's
    int count;
    bool scatter; ///< false: out[row, i] = in[row, heads[i]]; true: out[row, heads[i]] = in[row, i]
    std::uint16_t heads[maxCopiedHeads]; // [count]
};

inline constexpr int copyHeadsThreads = 256;

inline unsigned copyHeadsBlocks(std::int64_t rows, int count, int headUnits)
{
    return static_cast<unsigned>((rows * count * headUnits + copyHeadsThreads - 1) / copyHeadsThreads);
}

/// Copies some heads of each row, in units of Vec16 where a head has whole ones, otherwise of uint32_t or uint16_t.
template <class Unit> ZZ_KERNEL ZZ_LAUNCH_BOUNDS(copyHeadsThreads, 1) void copyHeads(ZZ_ARGS CopyHeadsKernelArgs args)
{
    waitForPrevious();
    allowNext();
    const std::int64_t at = std::int64_t{blockIdx().x} * copyHeadsThreads + threadIdx().x;
    const std::int64_t row = at / (args.count * args.headUnits);
    if (row >= args.rows)
        return;
    const int inRow = static_cast<int>(at - row * args.count * args.headUnits);
    const int i = inRow / args.headUnits, unit = inRow - i * args.headUnits, head = args.heads[i];
    const std::int64_t from = row * args.inHeads + (args.scatter ? i : head);
    const std::int64_t to = row * args.outHeads + (args.scatter ? head : i);
    storeAs(static_cast<Unit *>(args.out) + to * args.headUnits + unit,
            loadAs<Unit>(static_cast<const Unit *>(args.in) + from * args.headUnits + unit));
}

} // namespace zigzag::gpu
