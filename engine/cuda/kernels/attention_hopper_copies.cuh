// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// The copying group of attention_hopper.cuh. Keys and values of 16 bits are copied by the tensor memory accelerator, one
// instruction a tile. It cannot tell where a segment ends: rows behind it are hidden from queries, but their values are
// multiplied by zero, so they must be numbers. Where memory behind a segment was perhaps never written, threads copy the tile,
// with zeros there. F8 is copied as it lies, by threads that then widen what they copied themselves.

#include "engine/cuda/kernels/attention_hopper_shared.cuh"

namespace zigzag::gpu {

/// One warp copies tiles of 16 bits.
template <int headDim, bool isWide, class K> struct HopperCopies {
    using Shared = HopperShared<headDim, isWide, K>;

    const Shared &shared;
    const HopperArgs &args;
    const int lane = static_cast<int>(laneId());

    ZZ_DEVICE HopperCopies(const Shared &s, const HopperArgs &a)
        : shared(s)
        , args(a)
    {
        if (lane == 0) {
            hopper::prefetchMap(a.queries);
            hopper::prefetchMap(a.slots);
        }
    }

    ZZ_DEVICE void start(bool isValue, const PrefillSegment &s, int key, int stage, int phase)
    {
        syncWarp(); // no lane falls so far behind that the phase which it waits for has passed twice
        hopper::waitFor((isValue ? shared.valuesLeft : shared.keysLeft) + stage, phase ^ 1);
        char *to = (isValue ? shared.values : shared.keys) + stage * Shared::tileBytes;
        std::uint64_t *here = (isValue ? shared.valuesHere : shared.keysHere) + stage;
        const char *from = (isValue ? s.values : s.keys) + static_cast<std::int64_t>(key - s.begin) * Shared::cacheRow;
        if (s.written - (key - s.begin) >= Shared::tileKeys) {
            if (lane == 0) {
                const char *begin = s.staged ? args.stagedBegin : args.slotsBegin;
                hopper::arriveExpecting(here, Shared::tileBytes);
                hopper::copyBox(to, s.staged ? args.staged : args.slots, 0, static_cast<int>((from - begin) / Shared::cacheRow),
                                0, here);
            }
            return;
        }
        constexpr int chunks = headDim / 8;
        for (int at = lane; at < Shared::tileKeys * chunks; at += warpSize) {
            const int row = at / chunks, chunk = at % chunks;
            copyAsync16(to + chunk / 8 * Shared::keyColumn + row * Shared::rowBytes + ((chunk % 8 ^ row % 8) << 4),
                        from + static_cast<std::int64_t>(row) * Shared::cacheRow + chunk * 16, row < s.end - key);
        }
        copyAsyncCommit();
        copyAsyncWait<0>();
        hopper::fenceForProducts();
        syncWarp();
        if (lane == 0)
            hopper::arrive(here);
    }
    ZZ_DEVICE void finish() { }
};

/// Four warps copy and widen tiles of F8 to F16.
template <int headDim, bool isWide> struct HopperCopies<headDim, isWide, F8> {
    using Shared = HopperShared<headDim, isWide, F8>;
    static constexpr int lag = Shared::rawTiles - 1; ///< tiles that are on their way before the oldest is widened
    static constexpr int rowChunks = headDim / 16,
                         step = hopper::groupThreads / rowChunks; ///< rows from a thread's chunk to its next
    static constexpr int chunks = Shared::tileKeys / step; ///< of a thread, 16 bytes each
    static_assert(step % 8 == 0, "a thread's rows are equal modulo 8, so one swizzle serves all");

    struct Pending {
        bool is = false, isValue = false;
        int stage = 0, phase = 0;
    };

    const Shared &shared;
    Pending pending[lag]; ///< the oldest first
    int slot = 0; ///< of the raw tiles, the next one
    const int thread = static_cast<int>(threadIdx().x), row = thread / rowChunks, column = thread % rowChunks;

    ZZ_DEVICE HopperCopies(const Shared &s, const HopperArgs &)
        : shared(s)
    { }

    ZZ_DEVICE char *rawAt(int which) const { return shared.raw + which * Shared::rawBytes + thread * 16; }

    ZZ_DEVICE void start(bool isValue, const PrefillSegment &s, int key, int stage, int phase)
    {
        const char *from = (isValue ? s.values : s.keys) + static_cast<std::int64_t>(key - s.begin) * headDim + thread * 16;
        char *to = rawAt(slot);
        ZZ_UNROLL
        for (int i = 0; i < chunks; ++i)
            copyAsync16(to + i * hopper::groupThreads * 16, from + i * hopper::groupThreads * 16, row + i * step < s.end - key);
        copyAsyncCommit();
        slot = slot + 1 == Shared::rawTiles ? 0 : slot + 1;
        copyAsyncWait<lag>();
        widen(pending[0], slot);
        ZZ_UNROLL
        for (int i = 0; i + 1 < lag; ++i)
            pending[i] = pending[i + 1];
        pending[lag - 1] = {true, isValue, stage, phase};
    }
    /// Everything that was started arrives.
    ZZ_DEVICE void finish()
    {
        copyAsyncWait<0>();
        ZZ_UNROLL
        for (int i = 0; i < lag; ++i) {
            slot = slot + 1 == Shared::rawTiles ? 0 : slot + 1;
            widen(pending[i], slot);
            pending[i].is = false;
        }
        slot = slot + 1 == Shared::rawTiles ? 0 : slot + 1; // where it was
    }
    ZZ_DEVICE void widen(const Pending &tile, int from)
    {
        if (!tile.is)
            return;
        hopper::waitFor((tile.isValue ? shared.valuesLeft : shared.keysLeft) + tile.stage, tile.phase ^ 1);
        const char *raw = rawAt(from);
        char *to = (tile.isValue ? shared.values : shared.keys) + tile.stage * Shared::tileBytes + column / 4 * Shared::keyColumn
            + row * Shared::rowBytes;
        // Neighbours in the next column of 64 begin with the other half: they would meet in the same banks.
        const int first = column / 4 % 2, low = (((column % 4 * 2 + first) ^ (row % 8)) << 4), high = low ^ 16;
        ZZ_UNROLL_BY(2)
        for (int i = 0; i < chunks; ++i) {
            const Vec16 narrow = load16(raw + i * hopper::groupThreads * 16);
            Vec16 half[2];
            ZZ_UNROLL
            for (int h = 0; h < 2; ++h)
                half[h] = {{f8PairToF16(narrow.w[2 * h]), f8PairToF16(narrow.w[2 * h] >> 16), f8PairToF16(narrow.w[2 * h + 1]),
                            f8PairToF16(narrow.w[2 * h + 1] >> 16)}};
            store16(to + low, first ? half[1] : half[0]);
            store16(to + high, first ? half[0] : half[1]);
            to += step * Shared::rowBytes;
        }
        hopper::fenceForProducts();
        syncWarp();
        if (laneId() == 0)
            hopper::arrive((tile.isValue ? shared.valuesHere : shared.keysHere) + tile.stage);
    }
};

/// All that the copying group does. K: the cache's type. Where one warp copies keys and values, another finds the pieces of work
/// and copies their queries, so that the first one's copies never wait for the end of a piece.
template <int headDim, bool isWide, class K>
ZZ_DEVICE void copyForHopper(const HopperShared<headDim, isWide, K> &shared, const HopperArgs &args)
{
    using Shared = HopperShared<headDim, isWide, K>;
    constexpr int planned = 3; // a named barrier: a piece is known
    constexpr bool byOne = Shared::copyWarps == 1;
    const int warp = static_cast<int>(warpId()), sequences = args.prefill.attention.rows.count;
    const auto workOf = [&](const HopperQueue &queue) -> PrefillWork & { return shared.works[queue.round % hopperWorks]; };
    const auto plan = [&](const HopperQueue &queue) {
        if (laneId() == 0)
            workOf(queue).find(args.prefill, Shared::cacheRow, queue.item() / sequences, queue.item() % sequences);
        syncWarp();
    };
    const auto copyQueries = [&](const HopperQueue &queue) {
        const PrefillWork &work = workOf(queue);
        hopper::waitFor(shared.queriesLeft, (queue.round & 1) ^ 1);
        hopper::arriveExpecting(shared.queriesHere, Shared::queryBytes);
        hopper::copyBox(shared.queries, args.queries, 0, work.sequence * args.prefill.attention.tokens + work.firstToken,
                        work.queryHead * Shared::columns, shared.queriesHere);
    };
    if (warp >= Shared::copyWarps) {
        if (warp == Shared::planWarp)
            for (HopperQueue queue(args); queue.has(); ++queue.round) {
                plan(queue);
                barrier(planned, 2 * warpSize);
                if (laneId() == 0)
                    copyQueries(queue);
                syncWarp();
            }
        return;
    }
    HopperCopies<headDim, isWide, K> copies(shared, args);
    HopperStage<Shared::stages> stage;
    for (HopperQueue queue(args); queue.has(); ++queue.round) {
        if (warp == Shared::planWarp)
            plan(queue);
        barrier(planned, byOne ? 2 * warpSize : Shared::copyWarps * warpSize);
        const PrefillWork &work = workOf(queue);
        bool waits = !byOne; // for the queries, which come behind the first keys
        for (int segment = 0; segment < work.segments; ++segment) {
            const PrefillSegment s = work.segment[segment];
            for (int key = s.begin; key < s.end; key += Shared::tileKeys, stage.next()) {
                copies.start(false, s, key, stage.index, stage.phase);
                if (waits && threadIdx().x == 0)
                    copyQueries(queue);
                waits = false;
                copies.start(true, s, key, stage.index, stage.phase);
            }
        }
        copies.finish();
    }
}

} // namespace zigzag::gpu
