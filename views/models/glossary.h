// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace zigzag {

/// A word of ours that a newcomer does not know, wherever the window uses it.
enum class Term {
    Score,
    Cut,
    StreamingHead,
    MixedLayer,
    Flipped,
    Demoted,
    TransportCost,
    Ties,
    Disturbed,
    FloorReached,
    DistillationLoss,
    Criterion,
    Sparsity,
    Sink,
    Recent,
};

/// What it means, in a sentence or two; the one place that says so. Shown as the tooltip and the what's-this of the very
/// label that bears the word.
QString explained(Term term);

} // namespace zigzag
