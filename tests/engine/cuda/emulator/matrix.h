// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// mma and ldmatrix for a whole warp, written from the layouts that the PTX ISA documents.

#include "tests/engine/cuda/emulator/block.h"

namespace zigzag::gpu::emulator {

/// One lane's part of d += a · b.
struct Fragments {
    float *d; // [4]
    const std::uint32_t *a; // [4]
    const std::uint32_t *b; // [2]
};

/// Combine functions for meetWarp; lanes are Fragments. The sum over k is exact to float64 and rounded once: hardware adds
/// in an order of its own, and kernels must not depend on it.
void multiplyBf16(void *const *lanes);
void multiplyF16(void *const *lanes);

/// The same of bytes over 32 columns, or 16: half the registers. Lanes are ByteFragments.
struct ByteFragments {
    int *d; // [4]
    const std::uint32_t *a; // [columns / 8]
    const std::uint32_t *b; // [columns / 16]
    int columns;
};
void multiplyBytes(void *const *lanes); ///< a's are not signed
void multiplySignedBytes(void *const *lanes);

/// ldmatrix: `count` matrices of 8 x 8, a row address from each of the first 8 · count lanes.
void loadMatrices(const char *name, std::uint32_t *registers, const void *row, int count, bool transposed, Site site);

} // namespace zigzag::gpu::emulator
