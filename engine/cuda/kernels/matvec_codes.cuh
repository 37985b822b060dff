// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Matrix times a few vectors (1 to 8), with weights of 4 to 8 bits as block_args.h lays them out: matvec.cuh, in integers. Codes
// need no more than a mask to become bytes, and tensor cores multiply bytes. A vector's numbers become 16 bits of the largest in
// their block, more than a 16-bit float has of them: an upper and a lower byte, which are two of the eight vectors that an
// instruction has room for. Sums of a block are whole numbers; then its scales are applied, two products for 32 weights.

#include "engine/cuda/kernels/block_codes.cuh"
#include "engine/cuda/kernels/code_input.cuh"
#include "engine/cuda/kernels/matvec.cuh"
#include "engine/cuda/kernels/swiglu.cuh"

namespace zigzag::gpu {

/// A warp's groups on their way to shared memory, both eights of a tile's rows of each: more of them than registers have room
/// for, and past the first-level cache.
template <class Format> struct CodeRing {
    static constexpr int halfBytes = Format::groupBytes + Format::groupParams, slotBytes = 2 * halfBytes;
    static constexpr int paramChunks = Format::groupParams / 16;
    char *shared; ///< this warp's
    const char *codes[2], *params[2]; ///< of the tile whose groups are copied

    /// Starts copying a group, or nothing: a group of copies of its own either way.
    ZZ_DEVICE void copy(int slot, int group, bool valid) const
    {
        const int lane = static_cast<int>(laneId());
        if (valid) {
            char *to = shared + slot * slotBytes;
            ZZ_UNROLL for (int half = 0; half < 2; ++half) ZZ_UNROLL for (int p = 0; p < BlockCodes<Format>::planes; ++p)
                copyAsync16(to + half * halfBytes + p * 512 + lane * 16,
                            codes[half] + static_cast<std::int64_t>(group) * Format::groupBytes + p * 512 + lane * 16, true);
            if constexpr (Format::bits == 6) {
                const int at = 512 + lane % 16 * 16;
                copyAsync16(to + lane / 16 * halfBytes + at,
                            (lane < 16 ? codes[0] : codes[1]) + static_cast<std::int64_t>(group) * Format::groupBytes + at, true);
            }
            if (lane < 2 * paramChunks) {
                const bool first = lane < paramChunks;
                const int at = (first ? lane : lane - paramChunks) * 16;
                copyAsync16(to + (first ? 0 : halfBytes) + Format::groupBytes + at,
                            (first ? params[0] : params[1]) + static_cast<std::int64_t>(group) * Format::groupParams + at, true);
            }
        }
        copyAsyncCommit();
    }
};

/// What a thread of the last step of a tile writes, one row and one vector of it. What does not depend on the sum is read early.
template <bool gated> struct CodeResult {
    static constexpr int rows = gated ? 8 : 16;
    int row, vector;
    std::int64_t at;
    float bias[2], residual;
    bool exists;

    /// `thread`: of those that have the tile.
    ZZ_DEVICE void find(const MatvecArgs &args, int tile, int which, int thread)
    {
        const MatvecProduct &product = args.products[which];
        vector = thread / rows;
        row = (tile - (which == 0 ? 0 : args.tileEnd[which - 1])) * rows + thread % rows;
        exists = vector < args.batch && row < product.rows;
        at = static_cast<std::int64_t>(vector) * product.rows + row;
        bias[0] = exists && product.bias ? product.bias[row] : 0.0f;
        bias[1] = gated && exists && args.products[1].bias ? args.products[1].bias[row] : 0.0f;
        residual = exists && product.residual ? product.residual[at] : 0.0f;
    }
    /// `sumOf(row of 16)`: of this vector.
    template <class T, class Sum> ZZ_DEVICE void store(const MatvecArgs &args, int which, int thread, Sum sumOf) const
    {
        if (!exists)
            return;
        const MatvecProduct &product = args.products[which];
        const int local = thread % rows;
        if constexpr (gated)
            storeMatvec(product, at, silu(sumOf(local) + bias[0]) * (sumOf(local + 8) + bias[1]), T{});
        else
            storeMatvec(product, at, (sumOf(local) + bias[0]) * product.scale + residual, T{});
    }
};

/// Of one row and one block of a group, as they lie in shared memory.
template <class Format> struct CodeScale {
    float scale, least; ///< Halves: what both halves' scales are multiplied with, and nothing
    float halves[2];

    ZZ_DEVICE void load(const char *group, int row, int block)
    {
        least = halves[0] = halves[1] = 0;
        if constexpr (Format::params == BlockParams::Scale) {
            scale = toFloat(loadAs<F16>(group + row * 8 + block * 2));
        } else if constexpr (Format::params == BlockParams::Affine) {
            const Float2 both = unpack2<F16>(loadAs<std::uint32_t>(group + row * 16 + block * 4));
            scale = both.x;
            least = both.y;
        } else {
            const std::uint32_t bytes = loadAs<std::uint16_t>(group + row * 8 + block * 2);
            const auto last = loadAs<std::uint32_t>(group + blockTileRows * 8 + row * 4);
            if constexpr (Format::params == BlockParams::Packed) {
                const Float2 both = unpack2<F16>(last);
                scale = both.x * static_cast<float>(bytes & 255u);
                least = -both.y * static_cast<float>(bytes >> 8);
            } else {
                scale = floatOfBits(last);
                halves[0] = static_cast<float>(static_cast<std::int8_t>(bytes));
                halves[1] = static_cast<float>(static_cast<std::int8_t>(bytes >> 8));
            }
        }
    }
};

/// What a group's products add to the sums of one vector. The instruction's eight vectors are the two bytes of each of the four
/// blocks, and each block's product has its own ones alone: its sums come out in lane t = block, so that a group's scales are
/// applied at once.
template <class Format>
ZZ_DEVICE void addOneVector(float (&sums)[2], const BlockCodes<Format> (&codes)[2], const CodeScale<Format> (&scales)[2],
                            std::uint32_t x0, std::uint32_t x1, Float2 in)
{
    const int block = static_cast<int>(laneId()) / 8;
    int products[2][4] = {}; // of halves; or of every second block, which need not wait for each other
    ZZ_UNROLL for (int s = 0; s < 4; ++s)
    {
        const std::uint32_t b[2] = {s == block ? x0 : 0u, s == block ? x1 : 0u};
        if constexpr (Format::params == BlockParams::Halves) {
            ZZ_UNROLL for (int half = 0; half < 2; ++half)
                mma16816Bytes(products[half], {codes[0].bytes(s, half), codes[1].bytes(s, half)}, b[half]);
        } else {
            mma16832<Format::codesAreSigned>(
                products[s % 2], {codes[0].bytes(s, 0), codes[1].bytes(s, 0), codes[0].bytes(s, 1), codes[1].bytes(s, 1)}, b);
        }
    }
    if constexpr (Format::params != BlockParams::Halves) {
        ZZ_UNROLL for (int k = 0; k < 4; ++k) products[0][k] += products[1][k];
    }
    ZZ_UNROLL for (int row = 0; row < 2; ++row)
    {
        const auto whole
            = [&](int half) { return static_cast<float>(products[half][2 * row] * 256 + products[half][2 * row + 1]); };
        float product = whole(0);
        if constexpr (Format::params == BlockParams::Halves)
            product = product * scales[row].halves[0] + whole(1) * scales[row].halves[1];
        sums[row] += product * (in.x * scales[row].scale);
        if constexpr (!Format::codesAreSigned)
            sums[row] += scales[row].least * in.y;
    }
}

/// batchTiles: of four vectors; 0: one vector.
template <class Format, int batchTiles, bool gated>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(codesThreads, 1) void matvecCodes(ZZ_ARGS BlockMatvecArgs args)
{
    constexpr int slots = codesSlots<Format::bits>, tiles = batchTiles > 0 ? batchTiles : 1, vectors = 4 * tiles;
    constexpr bool byGroup = Format::params == BlockParams::Zero, byHalf = Format::params == BlockParams::Halves;
    constexpr bool addsLeast = !Format::codesAreSigned;
    using Ring = CodeRing<Format>;
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), g = lane / 4, t = lane % 4;
    // Warps that have a tile together: each should have several groups of it before they meet.
    const int mates = args.teamWarps, team = warp / mates, mate = warp % mates, thread = mate * warpSize + lane;
    const int groups = args.matrices[0].groups,
              firstTile = static_cast<int>(blockIdx().x + gridDim().x * static_cast<unsigned>(team)),
              step = static_cast<int>(gridDim().x) * (codesWarps / mates);
    const auto productOf = [&](int tile) { return gated ? 0 : MatvecRows<Bf16, 1, gated>::productOf(args.base, tile); };

    char *shared = sharedMemory<char>();
    Ring ring{shared + warp * args.slots * Ring::slotBytes, {}, {}};
    int copyTile = firstTile, copyGroup = mate;
    const auto find = [&] {
        if (copyTile >= args.base.tiles)
            return;
        const int which = productOf(copyTile), local = copyTile - (which == 0 ? 0 : args.base.tileEnd[which - 1]);
        ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            const BlockMatrix &matrix = args.matrices[gated ? half : which];
            const std::int64_t first = static_cast<std::int64_t>(gated ? local : 2 * local + half) * groups;
            ring.codes[half] = matrix.codes + first * Format::groupBytes;
            ring.params[half] = matrix.params + first * Format::groupParams;
        }
    };
    const auto copyNext = [&](int slot) {
        ring.copy(slot, copyGroup, copyTile < args.base.tiles && copyGroup < groups);
        copyGroup += mates;
        if (copyGroup >= groups) {
            copyGroup = mate;
            copyTile += step;
            find();
        }
    };
    find();
    ZZ_UNROLL for (int i = 0; i < slots; ++i) if (i < args.slots) copyNext(i);
    using Input = CodeInput<Format>;
    typename Input::Weights normWeights;
    Input::loadEarly(args.base, normWeights);
    allowNext();
    waitForPrevious();

    auto *results = reinterpret_cast<float *>(shared + codesWarps * args.slots * Ring::slotBytes); // [2, warps, rows, vectors]
    constexpr int partFloats = codesWarps * 16 * vectors;
    float *squares = results + 2 * partFloats; // [blockMaxBatch, warps]
    const Input input{reinterpret_cast<char *>(squares + blockMaxBatch * codesWarps), groups * blockGroup, args.base.batch};
    if (args.isBf16)
        input.template fill<Bf16>(args.base, normWeights, squares);
    else
        input.template fill<F16>(args.base, normWeights, squares);
    syncThreads();

    const char *words[tiles]; // of half 0 of this lane's part and vector; one vector: of block g / 2
    const Float2 *inputScales[tiles];
    ZZ_UNROLL for (int j = 0; j < tiles; ++j)
    {
        const int column = 4 * j + g / 2, vector = 4 * j + t;
        words[j] = batchTiles == 0 ? input.wordsOf(0, g % 2, g / 2, t)
                                   : input.wordsOf(column < args.base.batch ? column : 0, g % 2, 0, t);
        inputScales[j] = input.scales() + (vector < args.base.batch ? vector : 0);
    }
    const int otherHalf = g % 2 == 0 ? 16 : -16, groupPitch = args.base.batch * input.pitch();
    int buffer = 0, slot = 0;
    const int vector = thread / CodeResult<gated>::rows; // this thread's of results
    const float norm
        = args.base.normWeight && vector < args.base.batch ? normScale<codesWarps>(args.base, squares, vector) : 1.0f;
    for (int tile = firstTile; tile < args.base.tiles; tile += step) {
        const int which = productOf(tile);
        CodeResult<gated> result;
        result.find(args.base, tile, which, thread);
        float sums[tiles][2] = {};
        for (int group = mate; group < groups; group += mates) {
            if (args.slots == slots)
                copyAsyncWait<slots - 1>();
            else if (args.slots == 2)
                copyAsyncWait<1>();
            else
                copyAsyncWait<0>();
            syncWarp(); // the group is here, the other lanes' parts as well
            const char *const from = ring.shared + slot * Ring::slotBytes;
            BlockCodes<Format> codes[2];
            ZZ_UNROLL for (int half = 0; half < 2; ++half) codes[half].loadShared(from + half * Ring::halfBytes, lane);
            const auto loadScales = [&](auto &scales, int block) {
                ZZ_UNROLL for (int half = 0; half < 2; ++half) scales[half].load(
                    from + half * Ring::halfBytes + Format::groupBytes, g, block);
            };
            const auto leave = [&] {
                syncWarp(); // and has been read
                copyNext(slot);
                slot = slot + 1 == args.slots ? 0 : slot + 1;
            };
            if constexpr (batchTiles == 0) {
                CodeScale<Format> scales[2];
                loadScales(scales, t);
                leave();
                const char *const x = words[0] + group * groupPitch;
                addOneVector<Format>(sums[0], codes, scales, loadAs<std::uint32_t>(x), loadAs<std::uint32_t>(x + otherHalf),
                                     loadAs<Float2>(input.scales() + group * 4 + t));
                continue;
            }
            BlockScales<Format> scales[2];
            loadScales(scales, 0);
            leave();
            int products[tiles][2][4] = {};
            const auto apply = [&](int s) {
                ZZ_UNROLL for (int j = 0; j < tiles; ++j)
                {
                    const Float2 in = loadAs<Float2>(inputScales[j] + (byGroup ? group : group * 4 + s) * args.base.batch);
                    ZZ_UNROLL for (int row = 0; row < 2; ++row)
                    {
                        const auto whole = [&](int half) {
                            const int *both = products[j][half] + 2 * row;
                            return static_cast<float>(both[0] * 256 + both[1]);
                        };
                        const BlockScales<Format> &of = scales[row];
                        if constexpr (byHalf) {
                            sums[j][row] += (whole(0) * of.ofHalf(s, 0) + whole(1) * of.ofHalf(s, 1)) * (in.x * of.whole());
                        } else {
                            const Float2 scale = of.of(s);
                            sums[j][row] += whole(0) * (in.x * scale.x);
                            if constexpr (addsLeast)
                                sums[j][row] += scale.y * in.y;
                        }
                    }
                }
            };
            ZZ_UNROLL for (int s = 0; s < 4; ++s)
            {
                const std::uint32_t a[4]
                    = {codes[0].bytes(s, 0), codes[1].bytes(s, 0), codes[0].bytes(s, 1), codes[1].bytes(s, 1)};
                ZZ_UNROLL for (int j = 0; j < tiles; ++j)
                {
                    const char *const x = words[j] + group * groupPitch + s * 32;
                    const std::uint32_t b[2] = {loadAs<std::uint32_t>(x), loadAs<std::uint32_t>(x + otherHalf)};
                    if constexpr (!byGroup) {
                        ZZ_UNROLL for (int half = 0; half < 2; ++half) ZZ_UNROLL for (int k = 0; k < 4; ++k) products[j][half][k]
                            = 0;
                    }
                    if constexpr (byHalf) {
                        mma16816Bytes(products[j][0], {a[0], a[1]}, b[0]);
                        mma16816Bytes(products[j][1], {a[2], a[3]}, b[1]);
                    } else {
                        mma16832<Format::codesAreSigned>(products[j][0], a, b);
                    }
                }
                if (!byGroup || s == 3)
                    apply(s);
            }
        }
        if constexpr (batchTiles == 0) { // of the four blocks
            ZZ_UNROLL for (int row = 0; row < 2; ++row) ZZ_UNROLL for (int mask = 1; mask < 4; mask *= 2) sums[0][row]
                += shuffleXor(sums[0][row], mask);
        }
        float *mine = results + buffer * partFloats;
        ZZ_UNROLL for (int j = 0; j < tiles; ++j) ZZ_UNROLL for (int row = 0; row < 2; ++row)
            mine[(warp * 16 + g + row * 8) * vectors + 4 * j + t]
            = sums[j][row] * codeScale<Format>;
        barrier(1 + team, mates * warpSize);
        const auto sumOf = [&](int row) {
            float sum = 0;
            ZZ_UNROLL for (int w = 0; w < codesWarps; ++w) if (w < mates) sum
                += mine[((team * mates + w) * 16 + row) * vectors + result.vector];
            return sum * norm;
        };
        if (args.isBf16)
            result.template store<Bf16>(args.base, which, thread, sumOf);
        else
            result.template store<F16>(args.base, which, thread, sumOf);
        buffer ^= 1; // who is still reading this one has not met the next barrier
    }
    copyAsyncWait<0>();
}

/// `plan`: planCodes of this launch's products. Fills in the tiles. Returns a cudaError_t.
template <class Format> int launchMatvecCodes(BlockMatvecArgs args, const MatvecPlan &plan, Stream stream, Start start)
{
    for (int i = 0; i < matvecMaxProducts; ++i)
        args.base.tileEnd[i] = plan.tileEnd[static_cast<std::size_t>(i)];
    args.base.tiles = plan.tiles;
    args.slots = plan.slots;
    args.teamWarps = plan.teamWarps;
    const auto run = [&](auto kernel) {
        return launch(kernel, {plan.blocks, 1, 1}, codesThreads, plan.sharedBytes, stream, args, start);
    };
    const auto pick = [&]<int batchTiles>() {
        return plan.gated ? run(matvecCodes<Format, batchTiles, true>) : run(matvecCodes<Format, batchTiles, false>);
    };
    if constexpr (Format::params != BlockParams::Zero) // its blocks are summed as whole numbers
        if (args.base.batch == 1)
            return pick.template operator()<0>();
    return args.base.batch > 4 ? pick.template operator()<2>() : pick.template operator()<1>();
}

} // namespace zigzag::gpu
