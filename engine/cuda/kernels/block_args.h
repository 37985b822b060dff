// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/matvec_args.h"

namespace zigzag::gpu {

// Quantised matrices as a GPU holds them (block_layout.h makes them of what files have). Rows lie in tiles of 8 and columns in
// groups of 128, four blocks of 32, so that a warp reads what lies together:
//     codes   [rows / 8][groups]: of a group its planes, one after another
//     params  [rows / 8][groups]: of a group, of each row what BlockParams says
// A lane of tensor cores' fragments has columns 4t … 4t + 3 and 16 + 4t … 16 + 4t + 3 of a block; [row of 8][t of 4] are:
//     4 bits: a word of each block, byte i of which has column 4t + i in its lower half and 16 + 4t + i in its upper half
//     6 bits: that plane of the codes' upper 4 bits; then a plane of two words, of which word s / 2 has of block s, in byte i,
//     the
//             lower two bits of column 4t + i at 4 · (s % 2), and of 16 + 4t + i two above
//     8 bits: two planes of four words: of block s the two words of its columns, in words 2 · (s % 2) of plane s / 2
// Codes of signed forms are in two's complement. E4M3 is two planes as well, where lane t has columns 8t … 8t + 7 of a block.

inline constexpr int blockGroup = 128; ///< columns
inline constexpr int blockTileRows = 8;
inline constexpr int blockMaxBatch = 8; ///< vectors of one launch

enum class BlockParams {
    Scale, ///< of each block its scale, F16
    Affine, ///< of each block scale and least value, F16
    Packed, ///< of each block a byte for its scale and one for its least value; then what those are multiplied with, F16 both
    Halves, ///< of each half of a block a signed byte for its scale; then what those are multiplied with, F32
    Zero, ///< of a group scale and zero, F16
    Float, ///< of a group its scale, F32
};

/// A number is scale · code (+ least), or scale · (code − zero) (Zero).
template <int codeBits, bool isSigned, BlockParams kind> struct BlockFormat {
    static constexpr int bits = codeBits;
    static constexpr bool codesAreSigned = isSigned;
    static constexpr BlockParams params = kind;
    static constexpr bool f8 = kind == BlockParams::Float;
    static constexpr int groupBytes = blockTileRows * blockGroup / 8 * bits; ///< codes
    static constexpr int paramWords = kind == BlockParams::Scale     ? 2
        : kind == BlockParams::Affine                                ? 4
        : kind == BlockParams::Packed || kind == BlockParams::Halves ? 3 // two of all rows, then one
                                                                     : 1;
    static constexpr int groupParams = blockTileRows * 4 * paramWords; ///< bytes
};

/// Groups of a warp's round: of 4 bits 128 bytes of a lane are on their way, and as many of more as registers allow.
template <class Format> inline constexpr int blockRoundGroups = Format::bits == 4 ? 4 : 2;

enum class HeldBlocks { Symmetric4, Symmetric8, Affine4, Affine8, Packed4, Packed8, Halves6, Zero4, F8 };

/// Calls `run` with the format of these.
template <class Run> auto withBlocks(HeldBlocks held, Run &&run)
{
    switch (held) {
    case HeldBlocks::Symmetric4:
        return run(BlockFormat<4, true, BlockParams::Scale>{});
    case HeldBlocks::Symmetric8:
        return run(BlockFormat<8, true, BlockParams::Scale>{});
    case HeldBlocks::Affine4:
        return run(BlockFormat<4, false, BlockParams::Affine>{});
    case HeldBlocks::Affine8:
        return run(BlockFormat<8, false, BlockParams::Affine>{});
    case HeldBlocks::Packed4:
        return run(BlockFormat<4, false, BlockParams::Packed>{});
    case HeldBlocks::Packed8:
        return run(BlockFormat<8, false, BlockParams::Packed>{});
    case HeldBlocks::Halves6:
        return run(BlockFormat<6, true, BlockParams::Halves>{});
    case HeldBlocks::Zero4:
        return run(BlockFormat<4, false, BlockParams::Zero>{});
    default:
        return run(BlockFormat<8, true, BlockParams::Float>{});
    }
}

struct BlockMatrix {
    const char *codes, *params;
    int groups;
};

struct BlockMatvecArgs {
    MatvecArgs base; ///< `weights` of its products are not read
    BlockMatrix matrices[matvecMaxProducts];
    int slots; ///< of a warp's ring (matvec_codes.cuh, whose launch sets this and the next)
    int teamWarps; ///< of a tile
    bool isBf16; ///< vectors and results that are no floats; otherwise F16
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
