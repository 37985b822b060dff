// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/glossary.h"

#include "engine/map/criterion.h"
#include "views/models/text.h"

#include <algorithm>
#include <utility>

namespace zigzag {

namespace {

/// Words of labels that explain themselves by a tooltip.
std::vector<GlossaryEntry> labelled()
{
    std::vector<GlossaryEntry> entries;
    for (const auto &[term, word] :
         {std::pair(Term::Score, tr("Score")), std::pair(Term::StreamingHead, tr("Streaming head")),
          std::pair(Term::MixedLayer, tr("Mixed layer")), std::pair(Term::Flipped, tr("Flipped")),
          std::pair(Term::Demoted, tr("Demoted")), std::pair(Term::TransportCost, tr("Transport cost")),
          std::pair(Term::Ties, tr("Ties")), std::pair(Term::Disturbed, tr("Disturbed")),
          std::pair(Term::FloorReached, tr("Floor reached")), std::pair(Term::DistillationLoss, tr("Distillation loss")),
          std::pair(Term::Criterion, tr("Criterion")), std::pair(Term::Sparsity, tr("Sparsity")),
          std::pair(Term::Sink, tr("Sink")), std::pair(Term::Recent, tr("Recent")), std::pair(Term::Cut, tr("Cut"))})
        entries.push_back({word, explained(term)});
    return entries;
}

std::vector<GlossaryEntry> ofMapsAndEngines()
{
    return {
        {tr("As served by"),
         tr("The engine that will serve the map. Memory, needles, searches and sweeps are then as that engine runs the map: "
            "without "
            "sinks where it keeps none.")},
        {tr("DuoAttention"),
         tr("The method, and its maps, that choose head by head which ones stream (arXiv 2410.10819). Most layers come out "
            "mixed.")},
        {tr("Exclusive map"),
         tr("A map without mixed layers: every layer retrieves or streams as a whole, as serving engines run it.")},
        {tr("Full attention"), tr("Every head of every layer keeps every key; what each map is held against.")},
        {tr("Frontier"),
         tr("The maps than which no other is better in both, what it costs to serve and what it loses in quality.")},
        {tr("Gate"),
         tr("A score that was trained: how much of a head's full attention the model wants beside its streaming one.")},
        {tr("Head map"),
         tr("What a map is here: for each KV head of each layer whether it retrieves or streams, with its sinks and its "
            "window.")},
        {tr("KV cache"), tr("The keys and values of all tokens so far, which every new token reads. Also: KV memory.")},
        {tr("KV head"), tr("A head that has keys and values of its own. With grouped queries several query heads share one.")},
        {tr("Local layer"),
         tr("A layer to which the model's own files give a window (L). No map changes it, and budgets do not count it.")},
        {tr("Locked layer"), tr("A layer that assigning leaves as it is, because a person said so.")},
        {tr("Retrieval head"), tr("A KV head that keeps every key, and finds what was said long ago. Also: retrieval layer.")},
        {tr("Stand-in"),
         tr("What takes the place of sinks in engines that keep none: a sink logit for each query head and a bias behind the "
            "output, "
            "calibrated or fitted (the export granite-swa).")},
        {tr("Verdict"), tr("What an engine keeps of a map, said before it is exported: sinks, single heads, freed memory.")},
        {tr("Window"), tr("The latest tokens that a streaming head or a local layer keeps; see Recent.")},
        {tr("Zigzag"), tr("The method, and its maps, that choose whole layers (ZigzagAttention, arXiv 2508.12407).")},
    };
}

std::vector<GlossaryEntry> ofTimes()
{
    return {
        {tr("Batch"), tr("Sequences that are decoded at once.")},
        {tr("Calibration"),
         tr("A short measurement of this machine and model, to which the cost model behind all predictions is fitted.")},
        {tr("Context"), tr("How many tokens there are so far; what plots have on their lower axis.")},
        {tr("Decode"), tr("The phase in which tokens are generated one after the other; see TPOT.")},
        {tr("Fused, two launches, reference"),
         tr("Ways to run a mixed layer: in one launch with a key range for each head, in one launch for each kind of head, or "
            "as the "
            "published code does, with copies.")},
        {tr("Kept"),
         tr("Times of an earlier calibration, shown until this machine has been calibrated; with them stands where and when "
            "they were "
            "measured.")},
        {tr("Measured"), tr("Taken from runs on this machine; the bar is the interquartile range of the repeats.")},
        {tr("Op"),
         tr("One step of a layer, such as a matrix product or attention. Bars and traces are by op, or by group of ops.")},
        {tr("Predicted"), tr("Computed by the cost model; dashed in plots, hatched in bars.")},
        {tr("Prefill"), tr("The phase in which the prompt is read; see TTFT.")},
        {tr("Span"), tr("One op of one layer in a trace, from its beginning to its end.")},
        {tr("Spread"), tr("The interquartile range of a measurement's repeats. Differences within it say nothing.")},
        {tr("Trace"), tr("A recorded run: what every op of every layer did when.")},
        {tr("TPOT"), tr("Time per output token: of one step of decode at a context.")},
        {tr("TTFT"), tr("Time to first token: of the whole prefill.")},
    };
}

std::vector<GlossaryEntry> ofQuality()
{
    return {
        {tr("Ablation"), tr("A source of scores: each layer streams alone, and what that loses is its score.")},
        {tr("Answer loss"),
         tr("How much less likely the tokens of the right answer become when a layer streams (arXiv 2606.27791).")},
        {tr("Attention to needles"), tr("A source of scores: the attention that a head pays to a needle while it is asked for.")},
        {tr("Depth"), tr("Where in the text a needle lies: 0 at the beginning, 1 at the end.")},
        {tr("Greedy search"), tr("A source of scores: the layer that loses least streams first, then the next beside it.")},
        {tr("KL"),
         tr("Kullback-Leibler divergence: how far the distribution of the next token moves from that of full attention; 0 = "
            "not at all.")},
        {tr("Needle"),
         tr("A key hidden in long text and asked for at its end. Found is what is answered right to the last digit.")},
        {tr("Perplexity"), tr("How surprised the model is by a text: e to the mean loss of its tokens; lower is better.")},
        {tr("RULER"), tr("Published tasks for long contexts, made here from seeds at exactly the length asked for.")},
        {tr("Sweep"), tr("Many maps over layer counts and windows, each with what it loses and what a token takes.")},
    };
}

} // namespace

std::vector<GlossaryEntry> glossary()
{
    std::vector<GlossaryEntry> all = labelled();
    for (const std::vector<GlossaryEntry> &more : {ofMapsAndEngines(), ofTimes(), ofQuality()})
        all.insert(all.end(), more.begin(), more.end());
    std::sort(all.begin(), all.end(), [](const GlossaryEntry &a, const GlossaryEntry &b) {
        return a.word.compare(b.word, Qt::CaseInsensitive) < 0; // the same order on every machine
    });
    return all;
}

QString glossaryPage()
{
    QString page = QStringLiteral("# %1\n\n%2\n")
                       .arg(tr("Glossary"), tr("Every word of ours that the window uses, as its tooltips say it."));
    for (const GlossaryEntry &entry : glossary())
        page += QStringLiteral("\n**%1**: %2\n").arg(entry.word, entry.meaning);
    return page;
}

QString explained(Term term)
{
    const QString strong = QString::number(static_cast<double>(strongGate), 'g', 2);
    switch (term) {
    case Term::Score:
        return tr("Score (or gate) of a KV head, 0 to 1: how much it needs to see every token. 1 = it retrieves.");
    case Term::Cut:
        return tr("Score of a layer: the mean over its KV heads. Cut: between the layers that would retrieve and those that "
                  "would stream by these scores, at as many retrieving layers as the map has now. Full bars lie above it.");
    case Term::StreamingHead:
        return tr("KV heads that keep only the first tokens (sink) and the latest ones (recent).");
    case Term::MixedLayer:
        return tr("Layers with both kinds of heads: serving engines cannot run them as such.");
    case Term::Flipped:
        return tr("Flipped: KV heads whose kind differs from what DuoAttention would choose at the same number of streaming "
                  "heads.");
    case Term::Demoted:
        return tr("Demoted: KV heads that retrieve by their score (%1 or more) and yet stream in this map.").arg(strong);
    case Term::TransportCost:
        return tr("Transport cost: how far the map is from the scores. The sum of the score over streaming heads and of "
                  "1 − score over retrieval heads; 0 = every head does what its score says.");
    case Term::Ties:
        return tr("Decisions of the last assignment that fell to the tie rule (lower layer, then lower head), because the "
                  "scores are equal at the cut.");
    case Term::Disturbed:
        return tr("Disturbed: other programs used the processor during this measurement, so that it took longer than the "
                  "machine needs when it is left alone.");
    case Term::FloorReached:
        return tr("Floor reached: the least time that bytes and operations allow on the machine, over the measured time.");
    case Term::DistillationLoss:
        return tr("Distillation loss: how far the last hidden states, where answers are predicted, move from those of full "
                  "attention; 0 = not at all.");
    case Term::Criterion:
        return tr("The rule that chooses which heads stream: by what streaming each head or layer would give up.");
    case Term::Sparsity:
        return tr("The share of KV heads that stream.");
    case Term::Sink:
        return tr("Sink: how many of the first tokens a streaming head keeps.");
    case Term::Recent:
        return tr("Recent: how many of the latest tokens a streaming head keeps.");
    }
    return {};
}

} // namespace zigzag
