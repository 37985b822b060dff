// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/attention_args.h"
#include "engine/cuda/kernels/matvec_args.h"
#include "engine/run/backend.h"

namespace zigzag::gpu {

// The ops' arguments as kernels take them.

/// All of a decode step's products that share their input: at most matvecMaxProducts, of matrices in this backend's memory.
MatvecArgs matvecOf(const MatmulArgs &args);

/// Two products of one shape whose only use may be SwiGLU.
bool mayBeGated(std::span<const Product> products);

/// `selected` is in the order in which its heads should run.
AttentionKernelArgs attentionOf(const AttentionArgs &args);

/// What attention does of it where it is put off (DecodeTurn). Not of norms over the width.
DecodeTurn turnOf(const RopeAppendArgs &args);

} // namespace zigzag::gpu
