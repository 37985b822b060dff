// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// What the groups of a block of attention_hopper.cuh share.

#include "engine/cuda/gpu/hopper.h"
#include "engine/cuda/kernels/attention_hopper_args.h"
#include "engine/cuda/kernels/attention_prefill.cuh"

namespace zigzag::gpu {

/// Shared memory of a block. Matrices are columns of 64 numbers, swizzled (hopper.h). K is the cache's type.
template <int headDim, bool isWide, class K> struct HopperShared {
    static constexpr bool isF8 = std::is_same_v<K, F8>;
    static constexpr HopperLayout layout = hopperLayout(headDim, isWide, isF8);
    static constexpr int tileKeys = layout.keys, stages = layout.stages, rawTiles = layout.rawTiles;
    static constexpr int columns = headDim / 64, rowBytes = 128;
    static constexpr int queryColumn = prefillQueries * rowBytes, keyColumn = tileKeys * rowBytes;
    static constexpr int queryBytes = columns * queryColumn, tileBytes = columns * keyColumn, rawBytes = tileBytes / 2;
    static constexpr int cacheRow = headDim * static_cast<int>(sizeof(K)); ///< bytes of a key, or value, in the cache
    static constexpr int copyWarps = isF8 ? 4 : 1, productWarps = 8;
    static constexpr int planWarp = isF8 ? 0 : 1; ///< of the copying group: who finds the next piece of work

    char *queries, *keys, *values, *raw; // values: behind all stages of keys
    std::uint64_t *queriesHere, *queriesLeft, *keysHere, *valuesHere, *keysLeft, *valuesLeft; // [stages], but for the queries'
    PrefillWork *works; // [hopperWorks]

    ZZ_DEVICE explicit HopperShared(char *shared)
    {
        queries = shared + (1024 - sharedAddress(shared) % 1024) % 1024;
        keys = queries + queryBytes;
        values = keys + stages * tileBytes;
        raw = values + stages * tileBytes;
        queriesHere = reinterpret_cast<std::uint64_t *>(raw + rawTiles * rawBytes);
        queriesLeft = queriesHere + 1;
        keysHere = queriesLeft + 1;
        valuesHere = keysHere + stages;
        keysLeft = valuesHere + stages;
        valuesLeft = keysLeft + stages;
        works = reinterpret_cast<PrefillWork *>(valuesLeft + stages);
    }
    /// By one thread; a barrier of the block follows.
    ZZ_DEVICE void initBarriers() const
    {
        hopper::initBarrier(queriesHere, 1);
        hopper::initBarrier(queriesLeft, productWarps);
        for (int i = 0; i < stages; ++i) {
            hopper::initBarrier(keysHere + i, copyWarps);
            hopper::initBarrier(valuesHere + i, copyWarps);
            hopper::initBarrier(keysLeft + i, productWarps);
            hopper::initBarrier(valuesLeft + i, productWarps);
        }
        hopper::fenceBarrierInit();
    }
};

/// Walks the stages of the ring.
template <int stages> struct HopperStage {
    int index = 0, phase = 0;

    ZZ_DEVICE void next()
    {
        if (++index == stages) {
            index = 0;
            phase ^= 1;
        }
    }
};

/// The pieces of work of one block: every so many-th, there and back again, so that each block has some of the long ones, which
/// come first, and some of the short ones.
struct HopperQueue {
    int round = 0, count; ///< count: of all sequences

    ZZ_DEVICE explicit HopperQueue(const HopperArgs &args)
        : count(args.blocks * args.prefill.attention.rows.count)
    { }
    ZZ_DEVICE int item() const
    {
        const int block = static_cast<int>(blockIdx().x), blocks = static_cast<int>(gridDim().x);
        return round * blocks + (round % 2 == 0 ? block : blocks - 1 - block);
    }
    ZZ_DEVICE bool has() const { return item() < count; }
};

} // namespace zigzag::gpu
