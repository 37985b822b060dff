// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace zigzag::gpu {

inline constexpr int maxExperts = 512; ///< of a layer
inline constexpr int maxExpertsPerToken = 32;

/// The same matrix of each expert, as a part of a kernel's arguments: by value, so that a launch needs no upload of its own and a
/// graph carries them along.
struct ExpertMatrices {
    const void *at[maxExperts]; // [experts]: plain numbers, or the codes of quantised ones (block_args.h)
    std::int64_t params = 0; ///< of quantised ones: bytes from an expert's codes to its params
    int groups = 0; ///< of quantised ones
};

/// A pair is a token and one of its experts: pair token · perToken + i is of the token's i-th.
struct RouteArgs {
    const float *routes; // [tokens, experts]
    std::int32_t *chosen; // [pairs]: experts, of each token the one with the largest route first
    float *weights; // [pairs]
    int tokens, experts, perToken;
    bool renormalises;
};

struct SortRoutesArgs {
    const std::int32_t *chosen; // [pairs]
    std::int32_t *first; // [experts + 1]: where an expert's pairs begin
    std::int32_t *order; // [pairs]: pairs by expert, those of one expert in ascending order
    int pairs, experts;
};

/// middle = silu(gate(in)) · up(in) of each pair. T is the type of weights and activations.
struct ExpertGateUpArgs {
    const void *in; // T [tokens, hidden]
    const std::int32_t *chosen; // [pairs]
    void *middle; // T [pairs, intermediate]
    int perToken, hidden, intermediate;
    ExpertMatrices gates, ups; // T [intermediate, hidden]
};

/// out += the sum over a token's pairs of weight · down(middle).
struct ExpertDownArgs {
    const void *middle; // T [pairs, intermediate]
    const std::int32_t *chosen; // [pairs]
    const float *weights; // [pairs]
    float *out; // [tokens, hidden]
    int perToken, hidden, intermediate;
    ExpertMatrices downs; // T [hidden, intermediate]
};

/// Products of all pairs, sorted by expert, with their experts' matrices; gated: silu(gate(in)) · up(in).
struct ExpertTilesArgs {
    const void *in; // T; gated: [tokens, columns]; otherwise [pairs, columns] as they are sorted
    void *out; // T; gated: [pairs, rows] as they are sorted; otherwise [pairs, rows]
    const std::int32_t *first, *order; // SortRoutesArgs
    int experts, perToken;
    int rows, columns; ///< of a matrix: multiples of 8
    int firstExpert = 0, lastExpert = 0; ///< which of them, the last excluded
    int firstRow = 0, lastRow = 0; ///< of their matrices, the last excluded: multiples of 8
    ExpertMatrices matrices = {}, ups = {}; // T [rows, columns], plain, from firstRow on; ups only where gated
};

/// Rows of quantised matrices as plain numbers, of those experts alone that have a token.
struct ExpertRowsArgs {
    const std::int32_t *first; // SortRoutesArgs
    void *out; // T [experts from firstExpert on][pitch]
    std::int64_t pitch; ///< numbers from one expert's to the next one's
    int firstExpert, firstRow, columns;
    ExpertMatrices matrices;
};

/// out += the sum over a token's pairs of weight · part.
struct ExpertSumArgs {
    const void *parts; // T [pairs, hidden]
    const float *weights; // [pairs]
    float *out; // [tokens, hidden]
    int tokens, perToken;
    int hidden; ///< a multiple of 8
};

} // namespace zigzag::gpu
