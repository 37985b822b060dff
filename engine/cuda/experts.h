// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/block_layout.h"
#include "engine/cuda/kernels/experts_args.h"
#include "engine/run/backend.h"

#include <array>
#include <cstddef>
#include <optional>

namespace zigzag::gpu {

/// The same matrix of each expert, in a GPU's memory.
struct ExpertList {
    std::int64_t rows = 0, columns = 0;
    std::array<std::optional<HeldBlocks>, maxExperts> held = {}; ///< of quantised ones their form
    /// With what all quantised ones have in common; that holds where they are of one form (isUniform).
    ExpertMatrices all = {};

    void add(int expert, const void *data, std::optional<HeldBlocks> form);
    /// `all`, with what `expert` and those of its form have in common.
    ExpertMatrices of(int expert) const;
    bool isUniform(int experts) const;
};

struct ExpertWeights {
    ExpertList gates, ups, downs;

    /// Whether a kernel can take each matrix as it lies.
    bool areUniform(int experts) const;
};

/// Memory for what lies between an op's launches: results, and quantised matrices as plain numbers (none without such).
struct ExpertMemory {
    void *scratch;
    std::size_t scratchBytes;
    void *widened = nullptr;
    std::size_t widenedBytes = 0;
};

} // namespace zigzag::gpu
