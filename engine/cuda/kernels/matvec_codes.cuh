// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Matrix times a few vectors (1 to 8), with weights of 4 to 8 bits as block_args.h lays them out: matvec.cuh, in integers. Codes
// need no more than a mask to become bytes, and tensor cores multiply bytes. A vector's numbers become 16 bits of the largest in
// their block, more than a 16-bit float has of them: an upper and a lower byte, which are two of the eight vectors that an
// instruction has room for. Sums of a block are whole numbers; then its scales are applied, two products for 32 weights.

#include "engine/cuda/kernels/block_codes.cuh"
#include "engine/cuda/kernels/matvec.cuh"
#include "engine/cuda/kernels/swiglu.cuh"

namespace zigzag::gpu {

/// A block's vectors in shared memory. Words of bytes: [group][vector][upper bytes, lower bytes][block of 4][half of 2][lane t of
/// 4], with the halves of lower bytes the other way round, so that both parts' words of a half lie in different banks; then of
/// blocks of `length` numbers, [block][vector]: what a whole number says, and the sum of all.
template <class Format> struct CodeInput {
    static constexpr int length = Format::params == BlockParams::Zero ? blockGroup : 32;
    static constexpr int largest = 127 * 256;
    static constexpr int width = 8; ///< columns of a thread
    static constexpr int early = 1; ///< of them of a norm's weights before the kernel waits
    using Weights = Vec16[2 * early];
    char *shared;
    int columns, batch; ///< columns: whole groups

    /// Bytes from a vector's group to the next vector's: with several, those of four lie in different banks.
    ZZ_DEVICE int pitch() const { return batch == 1 ? 256 : codesVectorPitch; }
    ZZ_DEVICE Float2 *scales() const { return reinterpret_cast<Float2 *>(shared + columns / blockGroup * batch * pitch()); }
    /// Of lane t, the words of half 0 of a group; those of half 1 are 16 bytes on, or back.
    ZZ_DEVICE const char *wordsOf(int vector, int part, int block, int t) const
    {
        return shared + vector * pitch() + part * 128 + block * 32 + part * 16 + t * 4;
    }

    /// The weights of the norm that every vector meets first; they may be read before the kernel waits.
    ZZ_DEVICE static void loadEarly(const MatvecArgs &args, Weights &weights)
    {
        ZZ_UNROLL for (int i = 0; i < early; ++i)
            loadEight<float>(args.normWeight, columnOf(i), args.normWeight ? args.columns : 0, weights + 2 * i);
    }
    /// All vectors. With a norm (arXiv 1910.07467) but for the division by the root mean square, which is one factor of the whole
    /// vector: it waits until the products are written (normScale). Leaves the sums of squares in `squares`.
    template <class T> ZZ_DEVICE void fill(const MatvecArgs &args, const Weights &weights, float *squares) const
    {
        for (int row = 0; row < batch; ++row)
            if (args.normWeight)
                weigh(args, row, weights, squares);
            else
                copy<T>(args, row);
    }

private:
    static ZZ_DEVICE int columnOf(int i) { return (static_cast<int>(threadIdx().x) + i * codesThreads) * width; }
    /// Of some lane of this warp: the others come along.
    ZZ_DEVICE bool hasColumns(int i) const { return columnOf(i) - static_cast<int>(laneId()) * width < columns; }
    template <class T> static ZZ_DEVICE void loadEight(const void *row, int column, int columns, Vec16 *to)
    {
        constexpr int words = sizeof(T) / 2;
        ZZ_UNROLL for (int i = 0; i < words; ++i) to[i]
            = column < columns ? load16(static_cast<const T *>(row) + column + 4 * i) : Vec16{};
    }
    ZZ_DEVICE void weigh(const MatvecArgs &args, int row, const Weights &weights, float *squares) const
    {
        const float *in = static_cast<const float *>(args.in) + static_cast<std::int64_t>(row) * args.columns;
        float sum = 0;
        const auto take = [&](int c, const Vec16 *numbers, const Vec16 *by) {
            float x[width];
            ZZ_UNROLL for (int k = 0; k < width; ++k)
            {
                const float number = floatOfBits(numbers[k / 4].w[k % 4]);
                sum += number * number;
                x[k] = number * floatOfBits(by[k / 4].w[k % 4]);
            }
            store(row, c, x);
        };
        Vec16 numbers[2 * early];
        ZZ_UNROLL for (int i = 0; i < early; ++i) loadEight<float>(in, columnOf(i), args.columns, numbers + 2 * i);
        ZZ_UNROLL for (int i = 0; i < early; ++i) if (hasColumns(i)) take(columnOf(i), numbers + 2 * i, weights + 2 * i);
        for (int i = early; hasColumns(i); ++i) {
            Vec16 more[4];
            loadEight<float>(in, columnOf(i), args.columns, more);
            loadEight<float>(args.normWeight, columnOf(i), args.columns, more + 2);
            take(columnOf(i), more, more + 2);
        }
        sum = warpSum(sum);
        if (laneId() == 0)
            squares[row * codesWarps + static_cast<int>(warpId())] = sum;
    }
    template <class T> ZZ_DEVICE void copy(const MatvecArgs &args, int row) const
    {
        constexpr int each = 4; // on their way
        const T *in = static_cast<const T *>(args.in) + static_cast<std::int64_t>(row) * args.columns;
        for (int first = 0; hasColumns(first); first += each) {
            Vec16 numbers[each];
            ZZ_UNROLL for (int i = 0; i < each; ++i) loadEight<T>(in, columnOf(first + i), args.columns, numbers + i);
            ZZ_UNROLL for (int i = 0; i < each; ++i) if (hasColumns(first + i))
            {
                float x[width];
                ZZ_UNROLL for (int k = 0; k < width / 2; ++k)
                {
                    const Float2 both = unpack2<T>(numbers[i].w[k]);
                    x[2 * k] = both.x;
                    x[2 * k + 1] = both.y;
                }
                store(row, columnOf(first + i), x);
            }
        }
    }
    /// Zeros, of which nothing is stored, behind the last column.
    ZZ_DEVICE void store(int row, int column, const float (&x)[width]) const
    {
        float most = 0, sum = 0;
        ZZ_UNROLL for (int k = 0; k < width; ++k)
        {
            most = maxOf(most, x[k] < 0 ? -x[k] : x[k]);
            sum += x[k];
        }
        if (!(sum - sum == 0)) // what is no number would leave no trace in the bytes
            most = floatOfBits(0x7f800000u);
        ZZ_UNROLL for (int mask = 1; mask < length / width; mask *= 2)
        {
            most = maxOf(most, shuffleXor(most, mask));
            if constexpr (!Format::codesAreSigned)
                sum += shuffleXor(sum, mask);
        }
        const float inverse = most > 1e-30f ? static_cast<float>(largest) * rcpFast(most) : 0.0f;
        std::uint32_t upper[2], lower[2];
        ZZ_UNROLL for (int i = 0; i < 2; ++i)
        {
            std::uint32_t bits[4], rounded[4];
            ZZ_UNROLL for (int k = 0; k < 4; ++k)
            {
                // Beside 1.5 · 2^23 a float's last bit is one.
                bits[k] = bitsOfFloat(x[4 * i + k] * inverse + 12582912.0f);
                rounded[k] = bits[k] + 128u; // to the upper byte, so that the lower one is signed
            }
            upper[i] = pickBytes(pickBytes(rounded[0], rounded[1], 0x0051u), pickBytes(rounded[2], rounded[3], 0x0051u), 0x5410u);
            lower[i] = pickBytes(pickBytes(bits[0], bits[1], 0x0040u), pickBytes(bits[2], bits[3], 0x0040u), 0x5410u);
        }
        if (column >= columns)
            return;
        char *to = shared + (column / blockGroup * batch + row) * pitch() + column % blockGroup;
        storeAs(to, Float2{floatOfBits(upper[0]), floatOfBits(upper[1])});
        const int swapped = column % 32 < 16 ? 16 : -16;
        storeAs(to + 128 + swapped, Float2{floatOfBits(lower[0]), floatOfBits(lower[1])});
        if (column % length == 0)
            storeAs(scales() + column / length * batch + row, Float2{most * (1.0f / static_cast<float>(largest)), sum});
    }
};

/// A warp's groups on their way to shared memory, both eights of a tile's rows of each: what a lane multiplies waits there, so
/// that registers are left for another kernel's blocks, which may have their first weights when they start (launch.h).
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

    ZZ_DEVICE void find(const MatvecArgs &args, int tile, int which)
    {
        const int thread = static_cast<int>(threadIdx().x);
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
    template <class T, class Sum> ZZ_DEVICE void store(const MatvecArgs &args, int which, Sum sumOf) const
    {
        if (!exists)
            return;
        const MatvecProduct &product = args.products[which];
        const int local = static_cast<int>(threadIdx().x) % rows;
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
ZZ_KERNEL ZZ_LAUNCH_BOUNDS(codesThreads, 2) void matvecCodes(ZZ_ARGS BlockMatvecArgs args)
{
    constexpr int slots = codesSlots<Format::bits>, tiles = batchTiles > 0 ? batchTiles : 1, vectors = 4 * tiles;
    constexpr bool byGroup = Format::params == BlockParams::Zero, byHalf = Format::params == BlockParams::Halves;
    constexpr bool addsLeast = !Format::codesAreSigned;
    using Ring = CodeRing<Format>;
    const int lane = static_cast<int>(laneId()), warp = static_cast<int>(warpId()), g = lane / 4, t = lane % 4;
    const int groups = args.matrices[0].groups, step = static_cast<int>(gridDim().x);
    const auto productOf = [&](int tile) { return gated ? 0 : MatvecRows<Bf16, 1, gated>::productOf(args.base, tile); };

    char *shared = sharedMemory<char>();
    Ring ring{shared + warp * slots * Ring::slotBytes, {}, {}};
    int copyTile = static_cast<int>(blockIdx().x), copyGroup = warp;
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
        copyGroup += codesWarps;
        if (copyGroup >= groups) {
            copyGroup = warp;
            copyTile += step;
            find();
        }
    };
    find();
    ZZ_UNROLL for (int i = 0; i < slots; ++i) copyNext(i);
    using Input = CodeInput<Format>;
    typename Input::Weights normWeights;
    Input::loadEarly(args.base, normWeights);
    allowNext();
    waitForPrevious();

    auto *results = reinterpret_cast<float *>(shared + codesWarps * slots * Ring::slotBytes); // [2, warps, rows, vectors]
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
    for (int tile = static_cast<int>(blockIdx().x); tile < args.base.tiles; tile += step) {
        const int which = productOf(tile);
        CodeResult<gated> result;
        result.find(args.base, tile, which);
        float sums[tiles][2] = {};
        for (int group = warp; group < groups; group += codesWarps) {
            copyAsyncWait<slots - 1>();
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
                slot = slot + 1 == slots ? 0 : slot + 1;
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
        syncThreads();
        const auto sumOf = [&](int row) {
            float sum = 0;
            ZZ_UNROLL for (int w = 0; w < codesWarps; ++w) sum += mine[(w * 16 + row) * vectors + result.vector];
            return args.base.normWeight ? sum * normScale<codesWarps>(args.base, squares, result.vector) : sum;
        };
        if (args.isBf16)
            result.template store<Bf16>(args.base, which, sumOf);
        else
            result.template store<F16>(args.base, which, sumOf);
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
