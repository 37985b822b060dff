// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace zigzag::gpu {

inline constexpr int matvecMaxProducts = 3;

/// out = scale · (in · weightsᵀ (+ bias)) (+ residual). T is the weights' type.
struct MatvecProduct {
    const void *weights; // T [rows, columns]
    const float *bias; // [rows] or null
    const float *residual; // [batch, rows] or null, may be `out`
    void *out; // [batch, rows], T or float
    int rows;
    bool floatOut;
    float scale; ///< 1 where gated
};

/// Products that share their input, as one launch.
struct MatvecArgs {
    const void *in; // T [batch, columns]; with normWeight: float [batch, columns], whose RMSNorm is the input
    const float *normWeight; // [columns] or null
    float epsilon;
    int batch, columns;
    MatvecProduct products[matvecMaxProducts]; ///< gated: gate, then up, and silu(gate) · up goes to the first one's `out`
    int tileEnd[matvecMaxProducts]; ///< the first tile of rows that is no longer of this product (MatvecPlan)
    int tiles;
};

} // namespace zigzag::gpu
