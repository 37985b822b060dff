// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/matvec_args.h"

namespace zigzag::gpu {

// Quantised matrices as a GPU holds them (block_layout.h makes them of what files have). Codes are planes of four bits, one or
// two; rows lie in tiles of 8 and columns in groups of 128, so that a warp reads 512 bytes that lie together:
//     codes   [rows / 8][groups][planes][row of 8][lane t of 4][block s of 4]: a word of the 8 codes of columns
//             128 · group + 32 · s + 8 · t + c, of which column c is the four bits from 16 · (c % 2) + 4 · (c / 2) on
//     params  [rows / 8][groups][row of 8]: of the group's four blocks (BlockParams)
// E4M3 is two planes as well: block s has the bytes of its 8 columns in words 2 · (s % 2) and the next of plane s / 2.

inline constexpr int blockGroup = 128; ///< columns
inline constexpr int blockTileRows = 8;
inline constexpr int blockMaxBatch = 8; ///< vectors of one launch

enum class BlockParams {
    Scale, ///< of each block its scale, F16
    Affine, ///< of each block scale and least value, F16
    Halves, ///< of each half of a block its scale, F16
    Zero, ///< of a group scale and zero, F16
    Float, ///< of a group its scale, F32
};

/// A number is scale · (code − zero) (+ least); E4M3: scale · code.
template <int planeCount, BlockParams kind, int zeroCode, bool isF8 = false> struct BlockFormat {
    static constexpr int planes = planeCount, zero = zeroCode;
    static constexpr BlockParams params = kind;
    static constexpr bool f8 = isF8;
    static constexpr int paramWords = kind == BlockParams::Scale     ? 2
        : kind == BlockParams::Affine || kind == BlockParams::Halves ? 4
                                                                     : 1;
};

/// Groups of a warp's round.
template <class Format> inline constexpr int blockRoundGroups = Format::planes == 1 ? 4 : 2;

enum class HeldBlocks { Symmetric4, Symmetric8, Affine4, Affine8, Halves8, Zero4, F8 };

/// Calls `run` with the format of these.
template <class Run> auto withBlocks(HeldBlocks held, Run &&run)
{
    switch (held) {
    case HeldBlocks::Symmetric4:
        return run(BlockFormat<1, BlockParams::Scale, 8>{});
    case HeldBlocks::Symmetric8:
        return run(BlockFormat<2, BlockParams::Scale, 128>{});
    case HeldBlocks::Affine4:
        return run(BlockFormat<1, BlockParams::Affine, 0>{});
    case HeldBlocks::Affine8:
        return run(BlockFormat<2, BlockParams::Affine, 0>{});
    case HeldBlocks::Halves8:
        return run(BlockFormat<2, BlockParams::Halves, 32>{});
    case HeldBlocks::Zero4:
        return run(BlockFormat<1, BlockParams::Zero, 0>{});
    default:
        return run(BlockFormat<2, BlockParams::Float, 0, true>{});
    }
}

struct BlockMatrix {
    const char *codes, *params;
    int groups;
    float scale; ///< of the whole matrix
};

struct BlockMatvecArgs {
    MatvecArgs base; ///< `weights` of its products are not read
    BlockMatrix matrices[matvecMaxProducts];
};

/// Rows of a matrix as plain numbers: all from `first` on (widen), or those of tokens (embed).
struct BlockRowsArgs {
    BlockMatrix matrix;
    const std::int32_t *tokens; // [count], or null
    void *out; // T [count, columns]
    std::int64_t first;
    int columns;
    float scale;
};

} // namespace zigzag::gpu
