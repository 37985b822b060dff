// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/kernels/cache_view.h"
#include "engine/run/backend.h"

namespace zigzag::gpu {

/// The caches of the KV heads as kernels read them, from the first sequence of the call on. `selected`: the heads to work on,
/// which the view has in the order in which they should run.
HeadCaches viewOf(std::span<const HeadCache> heads, std::span<const int> selected, const SequenceRows &rows);

} // namespace zigzag::gpu
