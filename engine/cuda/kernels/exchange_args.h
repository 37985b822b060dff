// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"

#include <cstdint>

namespace zigzag::gpu {

inline constexpr int exchangeThreads = 256;
inline constexpr int mostExchanging = 8; ///< GPUs

/// What the GPUs of a group write into each other's memory: numbers with the number of the call that they are of beside them, in
/// words of eight bytes, which arrive whole or not at all. So a rank knows what has come by looking, and nobody waits for
/// anything else. Two sets of words take turns: nobody begins a call before all have ended the one before the last, because it
/// needs what they send in the last one.
struct ExchangeArgs {
    std::uint64_t *words[mostExchanging]; // of each rank: [2, ranks, capacity], all zero before the first call
    std::uint32_t *state; // this rank's: the calls so far, and the blocks of this call that have ended. [2]
    const volatile int *stopped; ///< not 0: nobody is waited for
    const float *part; // [count]: this rank's numbers
    float *out;
    const float *residual; // [count], may be `out`; null: 0. Of sums
    std::int64_t count; ///< of a gather, the most that a rank has; at most `capacity`
    std::int64_t capacity;
    // Of gathers: number i of rank r is at out[i / widths[r] · pitch + offsets[r] + i % widths[r]].
    std::int64_t counts[mostExchanging], first[mostExchanging]; ///< numbers of a rank in this call, and of its calls before
    std::int64_t widths[mostExchanging], offsets[mostExchanging], pitch;
    int rank, ranks;
    int phases; ///< of `ExchangePhase`; both, but where ranks run one after the other
};

enum ExchangePhase : int { exchangeSends = 1, exchangeTakes = 2 };

struct AddPartsArgs {
    const void *part; // [count], of the kernel's type
    float *out;
    const float *residual; // [count], may be `out`; null: 0
    std::int64_t count;
};

} // namespace zigzag::gpu
