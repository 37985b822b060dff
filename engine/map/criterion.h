// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"

#include <span>
#include <string_view>
#include <vector>

namespace zigzag {

/// What a criterion decided: the map, and how many decisions at the cut fell to the tie rule (lower layer, then lower head).
struct Assignment {
    HeadMap map;
    /// Heads (duo) or layers (zigzag) that share the score of the last one chosen, itself not counted; 0 when all of them
    /// stream, because then the rule decided nothing.
    int ties = 0;
};

/// A way to choose which heads stream. One file per criterion; `criteria()` lists them all.
struct Criterion {
    std::string_view name;
    std::string_view description;
    /// `sparsity` in [0, 1]; deterministic.
    Assignment (*assign)(const HeadScores &scores, double sparsity, int sink, int recent);
};

std::span<const Criterion> criteria();

/// Checks sparsity, sink and recent, finds the criterion by name, and fills the map's provenance.
Result<Assignment> assignHeads(const HeadScores &scores, std::string_view criterion, double sparsity, int sink, int recent);

/// What one layer, or the whole map, gave up.
struct Sacrifice {
    int streaming = 0; ///< KV heads that stream
    int flipped = 0; ///< KV heads whose kind differs from `duo` at the same number of streaming heads
    int demoted = 0; ///< KV heads with gate >= 0.9 that stream
    double transportCost = 0.0; ///< Σ g over streaming heads + Σ (1 − g) over retrieval heads
};

struct SacrificeReport {
    Sacrifice total;
    std::vector<Sacrifice> layers;
};

SacrificeReport sacrificed(const HeadMap &map, const HeadScores &scores);

} // namespace zigzag
