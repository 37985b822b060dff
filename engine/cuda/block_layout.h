// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/cuda/gpu/heuristics.h"
#include "engine/cuda/kernels/block_args.h"
#include "engine/model/weights.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace zigzag::gpu {

/// The form in which a GPU holds matrices of a type, or none. Q5_0, Q5_1 and Q5_K have eight bits for a code there.
std::optional<HeldBlocks> heldBlocks(WeightType type);

/// Refuses what no form has room for: rows that are no whole eights, scales that change within a group.
Result<void> checkBlocks(const TensorView &matrix);

/// Where the parts of a matrix in this form lie: codes from 0 on, then its params.
struct BlockLayout {
    HeldBlocks held = HeldBlocks::F8;
    std::int64_t groups = 0; ///< of 128 columns, the last of which may be short of some
    std::int64_t tiles = 0; ///< of 8 rows; an even number, as a kernel's tile is two
    std::int64_t tileCodes = 0, tileParams = 0; ///< bytes of a tile

    BlockLayout(HeldBlocks form, std::int64_t rows, std::int64_t columns);
    std::int64_t codeBytes() const { return tiles * tileCodes; }
    std::int64_t bytes() const { return tiles * (tileCodes + tileParams); }
};

/// Puts tiles [first, first + count) in that form. `codes` and `params` begin at the first one's, and are written whole.
void layOutBlocks(const TensorView &matrix, const BlockLayout &layout, std::int64_t first, std::int64_t count, std::byte *codes,
                  std::byte *params);

/// Columns of a launch's vectors in shared memory: whole groups, of F8 whole rounds. `held`: of its matrices.
std::int64_t blockPaddedColumns(HeldBlocks held, std::int64_t columns);
/// What a block of matvec_codes.cuh has in shared memory of such matrices, or nothing: they are not its.
CodesRing codesRing(HeldBlocks held);

} // namespace zigzag::gpu
