// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Tile sizes, splits and memory of the kernels: plain host code, which their launches and the memory plan share.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace zigzag::gpu {

/// What the plans need to know of a GPU.
struct GpuLimits {
    int multiprocessors = 132;
    int sharedPerMultiprocessor = 228 << 10; ///< bytes
    int sharedPerBlock = 227 << 10; ///< bytes, opted in
    int computeCapability = 90; ///< major · 10 + minor
};

// What the kernels are written for at most; DeviceInfo tells it, and a model beyond it is refused before anything is launched.
// KV heads: maxKvHeads (kernels/cache_view.h).
inline constexpr int maxHeadDim = 256;
inline constexpr int maxQueryHeads = 512; ///< of one layer

/// The head dimensions that the tensor-core kernels take, in 16-bit types; attention_simple.cuh takes the others.
constexpr bool supportsTensorAttention(int headDim)
{
    return headDim == 32 || headDim == 64 || headDim == 80 || headDim == 96 || headDim == 128;
}

/// Calls `run` with the head dimension, one of those above, as its template argument.
template <class Run> auto withHeadDim(int headDim, Run &&run)
{
    switch (headDim) {
    case 32:
        return run.template operator()<32>();
    case 64:
        return run.template operator()<64>();
    case 80:
        return run.template operator()<80>();
    case 96:
        return run.template operator()<96>();
    default:
        return run.template operator()<128>();
    }
}

/// Decode holds one row of a tile where prefill holds two, and takes 256 as well, where a block's keys fit (planDecode).
bool supportsTensorDecode(int headDim, const GpuLimits &gpu);

/// withHeadDim for decode.
template <class Run> auto withDecodeHeadDim(int headDim, Run &&run)
{
    return headDim == 256 ? run.template operator()<256>() : withHeadDim(headDim, run);
}

/// A row of keys or values in shared memory: 16 bytes of padding make its length an odd number of 16-byte units, so that
/// the 8 rows of a matrix that one instruction reads lie in different banks.
constexpr int paddedRowBytes(int headDim)
{
    return 2 * headDim + 16;
}
template <int headDim> inline constexpr int paddedRow = paddedRowBytes(headDim);

// Decode (attention_decode.cuh).

inline constexpr int decodeWarps = 4;
inline constexpr int decodeThreads = decodeWarps * 32;
inline constexpr int decodeRows = 16; ///< query heads of a block: one matrix tile
inline constexpr int decodeWarpKeys = 16; ///< keys of a warp's step
inline constexpr int decodeKeys = decodeWarps * decodeWarpKeys; ///< keys of a block's step
/// Of a warp's ring: more would take first-level cache from the next kernel (launch.h). All but one are on their way, so with
/// half the bytes a key it takes one more to have as many bytes there.
template <std::size_t elementBytes> inline constexpr int decodeStages = elementBytes == 1 ? 3 : 2;
inline constexpr float decodeLowest = -1e30f; ///< below every score and finite: no difference of infinities
inline constexpr float decodeHidden = -1e38f;
inline constexpr int decodeMaxSplits = 128; ///< of one head
inline constexpr int decodeJoinThreads = 256; ///< of the block that joins them

inline constexpr int decodeMaxWaves = 6; ///< of split blocks: scratch is for no more

constexpr int decodeBlocksPerSm(int headDim)
{
    return headDim <= 64 ? 4 : headDim <= 128 ? 2 : 1;
}

/// How one decode launch is cut. With `selected` heads in this order: block x works on head i with
/// firstBlock[i] <= x < firstBlock[i + 1].
struct DecodePlan {
    unsigned blocks = 0; ///< grid.x; grid.y = sequences
    unsigned slices = 1; ///< grid.z: 16 query heads of a group each
    std::size_t sharedBytes = 0;
    std::array<std::uint16_t, 65> firstBlock = {};
    std::size_t partials = 0, partialStates = 0; ///< floats of scratch
    std::int64_t steps = 0; ///< of the block that has the most, each of decodeKeys keys
    unsigned joins = 0; ///< grid.x of attentionJoin, where some head is split
};

/// `slots`: of each selected head, at most 64; `length`: the longest context that the launch is planned for (it serves
/// every other). Where they can, all blocks run at once, and the one with the most keys has as few as can be.
DecodePlan planDecode(std::span<const std::int64_t> slots, std::int64_t length, int sequences, int group, int headDim,
                      const GpuLimits &gpu);

// Prefill (attention_prefill.cuh).

inline constexpr int prefillWarps = 4;
inline constexpr int prefillThreads = prefillWarps * 32;
inline constexpr int prefillWarpQueries = 32;
inline constexpr int prefillQueries = prefillWarps * prefillWarpQueries; ///< of one query head, a block's
inline constexpr int prefillKeys = 64; ///< of a tile
inline constexpr float prefillLowest = -1e30f; ///< below every score and finite: no difference of infinities
inline constexpr float prefillHidden = -1e38f;

struct PrefillPlan {
    unsigned blocks = 0; ///< grid.x; grid.y = sequences
    int stages = 2;
    std::size_t sharedBytes = 0;
    unsigned resident = 0; ///< planHopper's: grid.x at most
    bool isWide = true; ///< planHopper's
};

/// `heads`: query heads of the selected KV heads.
PrefillPlan planPrefill(int tokens, int heads, int headDim, const GpuLimits &gpu);

/// The same for an F8 cache (attention_prefill_f8.cuh).
PrefillPlan planPrefillF8(int tokens, int heads, int headDim);

// Prefill on Hopper (attention_hopper.cuh): as many queries in a block, by other instructions. Blocks stay, one on each
// multiprocessor, and take one piece of work after another.

inline constexpr int hopperThreads = 3 * 128; ///< a group of warps that copies, two that multiply
/// Of a thread: 64 K of a multiprocessor. Who widens F8 needs more.
template <bool isF8> inline constexpr int hopperCopyRegisters = isF8 ? 56 : 40;
template <bool isF8> inline constexpr int hopperProductRegisters = isF8 ? 224 : 232;
/// Pieces of work in shared memory: of the groups that end one, of the copies that begin the next, of the one that is planned,
/// and one between them.
inline constexpr int hopperWorks = 4, hopperWorkBytes = 320;

/// Shared memory of a block: the queries of its piece, stages of keys and of values, and where the cache is F8, tiles as they lie
/// there, on their way.
struct HopperLayout {
    int keys = 0; ///< of a tile
    int stages = 0; ///< tiles of keys, and of values
    int rawTiles = 0; ///< of keys or values in F8
    int bytes = 0;
};

/// `isWide`: tiles of 128 keys, where registers allow them.
constexpr HopperLayout hopperLayout(int headDim, bool isWide, bool isF8)
{
    constexpr int alignment = 1024, most = 227 << 10, mostStages = 6, works = hopperWorks * hopperWorkBytes;
    constexpr int barriers = 8 * (2 + 4 * mostStages);
    HopperLayout layout;
    layout.keys = isWide && headDim <= 128 ? 128 : 64;
    layout.rawTiles = !isF8 ? 0 : headDim <= 128 ? 4 : 2;
    const int tile = layout.keys * headDim * 2;
    const int fixed = alignment + prefillQueries * headDim * 2 + layout.rawTiles * (tile / 2) + works + barriers;
    layout.stages = (most - fixed) / (2 * tile) < mostStages ? (most - fixed) / (2 * tile) : mostStages;
    layout.bytes = fixed + layout.stages * 2 * tile;
    return layout;
}

/// Where its instructions are (compute capability 9.0 alone) and its layouts fit, a block has enough queries, and there is no
/// faster one: over F8 with head_dim 128 those who widen keep the others waiting (327 TFLOP/s for 343; with 64 it is 403 for
/// 291).
constexpr bool prefersHopper(int tokens, int headDim, bool isF8, const GpuLimits &gpu)
{
    return gpu.computeCapability == 90 && (headDim == 64 || headDim == 256 || (headDim == 128 && !isF8))
        && tokens >= prefillQueries / 2;
}

/// Windows of a few hundred keys are mostly edges, which smaller tiles cut closer (8,192 tokens on an H200, head_dim 128: sink 64
/// and recent 256 take 161 µs for 174; 4 and 1,024 take 356 for 332).
inline constexpr int hopperNarrowWindow = 512;

/// `heads`: query heads of the selected KV heads; `mostKeys`: what one query of one of them sees at most. `blocks` are of one
/// sequence, and no more than `resident` of all of them start.
PrefillPlan planHopper(int tokens, int heads, int headDim, std::int64_t mostKeys, bool isF8, const GpuLimits &gpu);

// Matrix times a few vectors (matvec.cuh).

inline constexpr int matvecWarps = 8;
inline constexpr int matvecThreads = matvecWarps * 32;
inline constexpr int matvecBlocksPerSm = 2;
inline constexpr int matvecMaxBatch = 16;

/// Columns of a warp's round, in steps of 32: 16 loads of 16 bytes in flight per lane, or as many as registers allow.
constexpr int matvecSteps(int rowTiles, int batchTiles)
{
    return batchTiles == 2 ? 3 : 8 / rowTiles;
}
constexpr int matvecRoundColumns(int rowTiles, int batchTiles)
{
    return matvecWarps * matvecSteps(rowTiles, batchTiles) * 32;
}
// As constants, which device code may read (it cannot call host functions).
template <int rowTiles, int batchTiles> inline constexpr int matvecStepCount = matvecSteps(rowTiles, batchTiles);
template <int rowTiles, int batchTiles> inline constexpr int matvecRound = matvecRoundColumns(rowTiles, batchTiles);

/// Rows of weights start at multiples of 16 bytes.
constexpr bool supportsMatvec(int batch, int columns)
{
    return batch >= 1 && batch <= matvecMaxBatch && columns % 8 == 0;
}

struct MatvecPlan {
    unsigned blocks = 0;
    int rowTiles = 1, batchTiles = 1; ///< of 16 rows, of 8 vectors
    bool whole = true; ///< all vectors fit in shared memory; only then can the norm be fused
    bool gated = false;
    int tiles = 0;
    std::array<int, 3> tileEnd = {};
    std::size_t sharedBytes = 0;
    int slots = 0; ///< of a warp's ring (CodesRing)
    int teamWarps = 0; ///< of a block of matvec_codes.cuh that have a tile together
};

/// `rows`: of each product, at most three; gated: of the gate, which up's equal.
MatvecPlan planMatvec(std::span<const int> rows, int columns, int batch, bool gated, const GpuLimits &gpu);

// The same for quantised weights: tiles of 16 rows, of vectors that are `paddedColumns` wide in shared memory. `whole` is false
// where they do not fit there: then as many fit as mostBlockVectors says.

/// A block of matvec_codes.cuh has a multiprocessor to itself: it reads its vectors once there, and two of one kernel never share
/// one while others have none.
inline constexpr int codesWarps = 16;
inline constexpr int codesThreads = codesWarps * 32;
inline constexpr int codesVectorPitch = 256 + 32; ///< bytes of a vector's group, where there are several vectors
/// Groups of a warp on their way, where there is shared memory for them.
template <int bits> inline constexpr int codesSlots = bits == 4 ? 4 : bits == 6 ? 3 : 2;

/// The weights on their way to a block's shared memory.
struct CodesRing {
    std::int64_t slotBytes = 0; ///< 0: there are none (matvec_blocks.cuh)
    int slots = 0; ///< at most

    /// As many slots as leave room for a vector: all, two or one; 0 where not even that fits.
    int slotsFor(std::int64_t paddedColumns, const GpuLimits &gpu) const;
};

MatvecPlan planBlocks(std::span<const int> rows, std::int64_t paddedColumns, int batch, bool gated, const CodesRing &ring,
                      const GpuLimits &gpu);
int mostBlockVectors(std::int64_t paddedColumns, const CodesRing &ring, const GpuLimits &gpu);

// Experts of a feed-forward (experts.cuh, expert_tiles.cuh).

inline constexpr int expertTileRows = 64; ///< pairs of token and expert
inline constexpr int expertTileWeights = 128; ///< rows of weights; gated: half of them the gate's, half up's
inline constexpr int expertTileColumns = 64; ///< of a round
inline constexpr int expertTileStages = 3;
inline constexpr int expertTileThreads = 8 * 32;

/// How experts are run. Tokens are taken in pieces whose results in between fit into the scratch.
struct ExpertPlan {
    bool grouped = false; ///< pairs sorted by expert, in tiles; otherwise each pair by itself
    int tokens = 0; ///< of a piece
    unsigned rowTiles = 0; ///< tiles of pairs that a piece may need
    std::size_t sharedBytes = 0; ///< of a tile's block
    std::size_t weights = 0, order = 0, first = 0, middle = 0, parts = 0; ///< where in the scratch: RouteArgs::chosen is at 0
    std::size_t bytes = 0; ///< of scratch
};

struct ExpertShape {
    std::int64_t tokens;
    int experts, perToken, hidden, intermediate;
    int elementBytes; ///< of activations
    bool needsPlain = false; ///< matrices in forms that no kernel for few tokens takes together
};

/// Grouped where an expert has more than one token, as far as it can be.
ExpertPlan planExperts(const ExpertShape &shape, std::size_t scratchBytes);

} // namespace zigzag::gpu
