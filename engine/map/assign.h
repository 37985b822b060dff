// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/map/head_scores.h"
#include "engine/map/target.h"

#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What was decided: the map, and how many decisions at the cut fell to the tie rule (lower layer, then lower head).
struct Assignment {
    HeadMap map;
    /// Units (heads or layers) that give up as much as the last one chosen, itself not counted; 0 when all of them stream,
    /// because then the rule decided nothing.
    int ties = 0;
    std::vector<int> layerTies; ///< [layers]: units of this layer that stand in such a tie, chosen or not
};

struct AssignRequest {
    std::string criterion;
    Target target = SparsityTarget{};
    int sink = defaultSink;
    int recent = defaultRecent;
    /// Layers that keep the heads that `base` has: [layers], or empty for none.
    std::vector<bool> locked;
    const HeadMap *base = nullptr; ///< must be there where a layer is locked
    std::vector<StreamingWindow> windows = {}; ///< [layers], in the place of sink and recent; empty: these are every layer's
};

/// The map that meets the target and gives up least, and its provenance. Bad input is refused; so is a target out of reach,
/// with how far the best map is from it. A sparsity is met as nearly as locked layers allow. Layers that the model's own file
/// makes local (scores.model) are nobody's to choose: sparsity and layer counts are of the others, locking one changes nothing,
/// and budgets count what they take.
Result<Assignment> assignHeads(const HeadScores &scores, const AssignRequest &request);
/// The same for a sparsity without locked layers.
Result<Assignment> assignHeads(const HeadScores &scores, std::string_view criterion, double sparsity, int sink, int recent);

} // namespace zigzag
