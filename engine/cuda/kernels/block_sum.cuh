// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/cuda/gpu/gpu.h"

namespace zigzag::gpu {

/// The sum over all threads of a block, in every one of them; the same order of additions in each. `shared`: [warps], which
/// nobody reads or writes otherwise; called once with it, or with a barrier in between.
template <class T> ZZ_DEVICE T blockSum(T value, T *shared, int warps)
{
    for (int mask = warpSize / 2; mask > 0; mask /= 2)
        value += shuffleXor(value, mask);
    if (laneId() == 0)
        shared[warpId()] = value;
    syncThreads();
    T sum = 0;
    for (int i = 0; i < warps; ++i)
        sum += shared[i];
    return sum;
}

} // namespace zigzag::gpu
