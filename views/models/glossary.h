// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>
#include <vector>

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

/// A word and what it means, for a reader who looks it up.
struct GlossaryEntry {
    QString word, meaning;
};

/// Every word of ours that the window uses, those above among them, in the order of the alphabet and in the window's language.
std::vector<GlossaryEntry> glossary();

/// The same as a page of the guide, in Markdown. In English it is resources/guide/glossary.md, to the letter.
QString glossaryPage();

} // namespace zigzag
