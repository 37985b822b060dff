// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Matrix times a few vectors (1 to 8), with weights of 4 to 8 bits as block_args.h lays them out: matvec.cuh, in integers. Codes
// need no more than a mask to become bytes, and tensor cores multiply bytes. A vector's numbers become 16 bits of the largest in
// their block, more than a 16-bit float has of them: an upper and a lower byte, which are two of the eight vectors that an
// instruction has room for. Sums of a block are whole numbers; then its scales are applied, two products for 32 weights.

#include "engine/cuda/kernels/block_codes.cuh"
#include "engine/cuda/kernels/matvec.cuh"

namespace zigzag::gpu {

/// Four numbers of a vector, or weights of a norm, on their way.
struct FourNumbers {
    Vec16 words;

    template <class T> ZZ_DEVICE void load(const void *row, int column, bool valid)
    {
        words = {};
        if (!valid)
            return;
        if constexpr (sizeof(T) == 4) {
            words = load16(static_cast<const T *>(row) + column);
        } else {
            const Float2 both = loadAs<Float2>(static_cast<const T *>(row) + column);
            words.w[0] = bitsOfFloat(both.x);
            words.w[1] = bitsOfFloat(both.y);
        }
    }
    template <class T> ZZ_DEVICE void unpack(float (&to)[4]) const
    {
        ZZ_UNROLL for (int i = 0; i < 2; ++i)
        {
            const Float2 both = sizeof(T) == 4 ? Float2{floatOfBits(words.w[2 * i]), floatOfBits(words.w[2 * i + 1])}
                                               : unpack2<std::conditional_t<sizeof(T) == 4, F16, T>>(words.w[i]);
            to[2 * i] = both.x;
            to[2 * i + 1] = both.y;
        }
    }
};

/// A block's vectors in shared memory. Words of bytes: [pair of blocks][part: a vector's upper, then its lower bytes][lane t of
/// 4] [block of 2][half]; then of blocks of `length` numbers, [block][vector]: what a whole number says, and the sum of all.
template <class T, class Format> struct CodeInput {
    static constexpr int length = Format::params == BlockParams::Zero ? blockGroup : 32;
    static constexpr int largest = 127 * 256;
    static constexpr int each = 4; ///< loads of a thread on their way
    char *shared;
    int columns, batch; ///< columns: whole groups

    ZZ_DEVICE Float2 *scales() const { return reinterpret_cast<Float2 *>(shared + columns * batch * 2); }

    /// The weights of the norm that every vector meets first; they may be read before the kernel waits.
    ZZ_DEVICE static void loadEarly(const MatvecArgs &args, FourNumbers (&weights)[each])
    {
        ZZ_UNROLL for (int i = 0; i < each; ++i)
        {
            const int c = (static_cast<int>(threadIdx().x) + i * matvecThreads) * 4;
            weights[i].template load<float>(args.normWeight, c, args.normWeight && c < args.columns);
        }
    }
    /// All vectors. With a norm (arXiv 1910.07467) but for the division by the root mean square, which is one factor of the whole
    /// vector: it waits until the products are written (normScale). Leaves the sums of squares in `squares`.
    ZZ_DEVICE void fill(const MatvecArgs &args, const FourNumbers (&early)[each], float *squares) const
    {
        if (args.normWeight)
            fillFrom<float, true>(args, early, squares);
        else
            fillFrom<T, false>(args, early, squares);
    }

private:
    template <class From, bool norm>
    ZZ_DEVICE void fillFrom(const MatvecArgs &args, const FourNumbers (&early)[each], float *squares) const
    {
        const int thread = static_cast<int>(threadIdx().x);
        for (int row = 0; row < batch; ++row) {
            const From *in = static_cast<const From *>(args.in) + static_cast<std::int64_t>(row) * args.columns;
            float sum = 0;
            for (int first = 0; first < columns; first += each * matvecThreads * 4) {
                FourNumbers numbers[each], weights[each];
                ZZ_UNROLL for (int i = 0; i < each; ++i)
                {
                    const int c = first + (thread + i * matvecThreads) * 4;
                    numbers[i].template load<From>(in, c, c < args.columns);
                    if (norm && first == 0)
                        weights[i] = early[i];
                    else if (norm)
                        weights[i].template load<float>(args.normWeight, c, c < args.columns);
                }
                ZZ_UNROLL for (int i = 0; i < each; ++i)
                {
                    const int c = first + (thread + i * matvecThreads) * 4;
                    if (c >= columns) // all of a warp: it has a group
                        break;
                    float x[4], w[4];
                    numbers[i].template unpack<From>(x);
                    if constexpr (norm) {
                        weights[i].template unpack<float>(w);
                        ZZ_UNROLL for (int k = 0; k < 4; ++k)
                        {
                            sum += x[k] * x[k];
                            x[k] *= w[k];
                        }
                    }
                    store(row, c, x);
                }
            }
            if constexpr (norm) {
                sum = warpSum(sum);
                if (laneId() == 0)
                    squares[row * matvecWarps + static_cast<int>(warpId())] = sum;
            }
        }
    }
    ZZ_DEVICE void store(int row, int column, const float (&x)[4]) const
    {
        float most = 0, sum = 0;
        ZZ_UNROLL for (int k = 0; k < 4; ++k)
        {
            most = maxOf(most, x[k] < 0 ? -x[k] : x[k]);
            sum += x[k];
        }
        ZZ_UNROLL for (int mask = 1; mask < length / 4; mask *= 2)
        {
            most = maxOf(most, shuffleXor(most, mask));
            sum += shuffleXor(sum, mask);
        }
        const float inverse = most > 1e-30f ? static_cast<float>(largest) / most : 0.0f;
        std::uint32_t bits[4], rounded[4];
        ZZ_UNROLL for (int k = 0; k < 4; ++k)
        {
            // Beside 1.5 · 2^23 a float's last bit is one.
            bits[k] = bitsOfFloat(x[k] * inverse + 12582912.0f);
            rounded[k] = bits[k] + 128u; // to the upper byte, so that the lower one is signed
        }
        const int pair = column / 64, block = column / 32 % 2, half = column / 16 % 2, t = column / 4 % 4;
        char *to = shared + ((pair * 2 * batch + 2 * row) * 4 + t) * 16 + block * 8 + half * 4;
        storeAs(to, pickBytes(pickBytes(rounded[0], rounded[1], 0x0051u), pickBytes(rounded[2], rounded[3], 0x0051u), 0x5410u));
        storeAs(to + 64, pickBytes(pickBytes(bits[0], bits[1], 0x0040u), pickBytes(bits[2], bits[3], 0x0040u), 0x5410u));
        // What is no number leaves no trace in the bytes, but in the sum, and so here.
        if (column % length == 0)
            storeAs(scales() + column / length * batch + row,
                    Float2{most * (1.0f / static_cast<float>(largest)) + 0.0f * sum, sum});
    }
};

/// batchTiles: of four vectors.
template <class T, class Format, int batchTiles, bool gated>
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(matvecThreads, matvecBlocksPerSm) void matvecCodes(ZZ_ARGS BlockMatvecArgs args)
{
    constexpr int roundGroups = blockRoundGroups<Format>;
    constexpr bool byGroup = Format::params == BlockParams::Zero, byHalf = Format::params == BlockParams::Halves;
    constexpr bool addsLeast = !Format::codesAreSigned;
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), g = lane / 4, t = lane % 4;
    const int groups = args.matrices[0].groups, rounds = (groups + matvecWarps * roundGroups - 1) / (matvecWarps * roundGroups);

    BlockCodes<Format> codes[roundGroups][2];
    BlockScales<Format> scales[roundGroups][2];
    const char *codesAt[2] = {}, *scalesAt[2] = {};
    const auto find = [&](int tile) {
        const int which = gated ? 0 : MatvecRows<T, 1, gated>::productOf(args.base, tile);
        const int local = tile - (which == 0 ? 0 : args.base.tileEnd[which - 1]);
        ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            const BlockMatrix &matrix = args.matrices[gated ? half : which];
            const std::int64_t first = static_cast<std::int64_t>(gated ? local : 2 * local + half) * groups;
            codesAt[half] = matrix.codes + first * Format::groupBytes;
            scalesAt[half] = matrix.params + first * Format::groupParams;
        }
    };
    const auto groupOf = [&](int i, int round) { return (round * roundGroups + i) * matvecWarps + warp; };
    const auto load = [&](int i, int round, bool valid) {
        const int group = groupOf(i, round);
        ZZ_UNROLL for (int half = 0; half < 2; ++half)
        {
            codes[i][half].load(codesAt[half] + group * Format::groupBytes, lane, valid && group < groups);
            scales[i][half].load(scalesAt[half] + group * Format::groupParams, g, valid && group < groups);
        }
    };
    int tile = static_cast<int>(blockIdx().x);
    find(tile);
    ZZ_UNROLL for (int i = 0; i < roundGroups; ++i) load(i, 0, true);
    using Input = CodeInput<T, Format>;
    FourNumbers normWeights[Input::each];
    Input::loadEarly(args.base, normWeights);
    allowNext();
    waitForPrevious();

    constexpr int partFloats = matvecWarps * 16 * 8;
    auto *results = sharedMemory<float>(); // [2, warps, rows, vectors]
    float *squares = results + 2 * partFloats;
    const Input input{reinterpret_cast<char *>(squares + matvecMaxBatch * matvecWarps), groups * blockGroup, args.base.batch};
    input.fill(args.base, normWeights, squares);
    syncThreads();

    const int parts = 2 * args.base.batch;
    const char *bytes[batchTiles];
    const Float2 *inputScales[batchTiles];
    ZZ_UNROLL for (int j = 0; j < batchTiles; ++j)
    {
        const int part = 8 * j + g, vector = 4 * j + t;
        bytes[j] = input.shared + (part < parts ? part : 0) * 64 + t * 16;
        inputScales[j] = input.scales() + (vector < args.base.batch ? vector : 0);
    }
    int buffer = 0;
    for (; tile < args.base.tiles; tile += static_cast<int>(gridDim().x)) {
        float sums[batchTiles][2] = {};
        for (int round = 0; round < rounds; ++round) {
            const bool lastRound = round + 1 == rounds;
            const int next = lastRound ? 0 : round + 1;
            const bool more = !lastRound || tile + static_cast<int>(gridDim().x) < args.base.tiles;
            if (lastRound && more)
                find(tile + static_cast<int>(gridDim().x));
            ZZ_UNROLL for (int i = 0; i < roundGroups; ++i)
            {
                if (const int group = groupOf(i, round); group < groups) {
                    const BlockCodes<Format> &low = codes[i][0], &high = codes[i][1];
                    int products[batchTiles][2][4] = {};
                    const auto apply = [&](int s) {
                        ZZ_UNROLL for (int j = 0; j < batchTiles; ++j)
                        {
                            const Float2 in
                                = loadAs<Float2>(inputScales[j] + (byGroup ? group : group * 4 + s) * args.base.batch);
                            ZZ_UNROLL for (int row = 0; row < 2; ++row)
                            {
                                const auto whole = [&](int half) {
                                    const int *both = products[j][half] + 2 * row;
                                    return static_cast<float>(both[0] * 256 + both[1]);
                                };
                                const BlockScales<Format> &of = scales[i][row];
                                if constexpr (byHalf) {
                                    sums[j][row]
                                        += (whole(0) * of.ofHalf(s, 0) + whole(1) * of.ofHalf(s, 1)) * (in.x * of.whole());
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
                        const std::uint32_t a[4] = {low.bytes(s, 0), high.bytes(s, 0), low.bytes(s, 1), high.bytes(s, 1)};
                        ZZ_UNROLL for (int j = 0; j < batchTiles; ++j)
                        {
                            const Vec16 x = load16(bytes[j] + (group * 2 + s / 2) * parts * 64);
                            const std::uint32_t b[2] = {x.w[s % 2 * 2], x.w[s % 2 * 2 + 1]};
                            if constexpr (!byGroup) {
                                ZZ_UNROLL for (int half = 0; half < 2; ++half) ZZ_UNROLL for (int k = 0; k < 4; ++k)
                                    products[j][half][k]
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
                load(i, next, more);
            }
        }
        float *mine = results + buffer * partFloats + warp * 16 * 8;
        ZZ_UNROLL for (int j = 0; j < batchTiles; ++j) ZZ_UNROLL for (int row = 0; row < 2; ++row)
            mine[(g + row * 8) * 8 + 4 * j + t]
            = sums[j][row] * codeScale<Format>;
        syncThreads();
        finishMatvecTile<T, 1, 1, gated>(args.base, tile, results + buffer * partFloats,
                                         args.base.normWeight ? squares : nullptr);
        buffer ^= 1;
    }
}

/// `plan`: planBlocks of this launch's products. Fills in the tiles. Returns a cudaError_t.
template <class T, class Format> int launchMatvecCodes(BlockMatvecArgs args, const MatvecPlan &plan, Stream stream, Start start)
{
    for (int i = 0; i < matvecMaxProducts; ++i)
        args.base.tileEnd[i] = plan.tileEnd[static_cast<std::size_t>(i)];
    args.base.tiles = plan.tiles;
    const auto run = [&](auto kernel) {
        return launch(kernel, {plan.blocks, 1, 1}, matvecThreads, plan.sharedBytes, stream, args, start);
    };
    const auto pick = [&]<int batchTiles>() {
        return plan.gated ? run(matvecCodes<T, Format, batchTiles, true>) : run(matvecCodes<T, Format, batchTiles, false>);
    };
    return args.base.batch > 4 ? pick.template operator()<2>() : pick.template operator()<1>();
}

} // namespace zigzag::gpu
