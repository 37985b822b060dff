// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/glossary.h"

#include "engine/map/criterion.h"

#include <QCoreApplication>

namespace zigzag {

QString explained(Term term)
{
    const auto text = [](const char *words) { return QCoreApplication::translate("zigzag::Glossary", words); };
    const QString strong = QString::number(static_cast<double>(strongGate), 'g', 2);
    switch (term) {
    case Term::Score:
        return text("Score (or gate) of a KV head, 0 to 1: how much it needs to see every token. 1 = it retrieves.");
    case Term::Cut:
        return text("Score of a layer: the mean over its KV heads. Cut: between the layers that would retrieve and those that "
                    "would stream by these scores, at as many retrieving layers as the map has now. Full bars lie above it.");
    case Term::StreamingHead:
        return text("KV heads that keep only the first tokens (sink) and the latest ones (recent).");
    case Term::MixedLayer:
        return text("Layers with both kinds of heads: serving engines cannot run them as such.");
    case Term::Flipped:
        return text("Flipped: KV heads whose kind differs from what DuoAttention would choose at the same number of streaming "
                    "heads.");
    case Term::Demoted:
        return text("Demoted: KV heads that retrieve by their score (%1 or more) and yet stream in this map.").arg(strong);
    case Term::TransportCost:
        return text("Transport cost: how far the map is from the scores. The sum of the score over streaming heads and of "
                    "1 − score over retrieval heads; 0 = every head does what its score says.");
    case Term::Ties:
        return text("Decisions of the last assignment that fell to the tie rule (lower layer, then lower head), because the "
                    "scores are equal at the cut.");
    case Term::Disturbed:
        return text("Disturbed: other programs used the processor during this measurement, so that it took longer than the "
                    "machine needs when it is left alone.");
    case Term::FloorReached:
        return text("Floor reached: the least time that bytes and operations allow on the machine, over the measured time.");
    case Term::DistillationLoss:
        return text("Distillation loss: how far the last hidden states, where answers are predicted, move from those of full "
                    "attention; 0 = not at all.");
    case Term::Criterion:
        return text("The rule that chooses which heads stream: by what streaming each head or layer would give up.");
    case Term::Sparsity:
        return text("The share of KV heads that stream.");
    case Term::Sink:
        return text("Sink: how many of the first tokens a streaming head keeps.");
    case Term::Recent:
        return text("Recent: how many of the latest tokens a streaming head keeps.");
    }
    return {};
}

} // namespace zigzag
