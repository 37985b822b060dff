// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/glossary.h"

#include "engine/map/criterion.h"

#include <QCoreApplication>

#include <algorithm>
#include <utility>

namespace zigzag {

namespace {

QString text(const char *words)
{
    return QCoreApplication::translate("zigzag::Glossary", words);
}

/// Words of labels that explain themselves by a tooltip.
std::vector<GlossaryEntry> labelled()
{
    std::vector<GlossaryEntry> entries;
    for (const auto &[term, word] :
         {std::pair(Term::Score, text("Score")), std::pair(Term::StreamingHead, text("Streaming head")),
          std::pair(Term::MixedLayer, text("Mixed layer")), std::pair(Term::Flipped, text("Flipped")),
          std::pair(Term::Demoted, text("Demoted")), std::pair(Term::TransportCost, text("Transport cost")),
          std::pair(Term::Ties, text("Ties")), std::pair(Term::Disturbed, text("Disturbed")),
          std::pair(Term::FloorReached, text("Floor reached")), std::pair(Term::DistillationLoss, text("Distillation loss")),
          std::pair(Term::Criterion, text("Criterion")), std::pair(Term::Sparsity, text("Sparsity")),
          std::pair(Term::Sink, text("Sink")), std::pair(Term::Recent, text("Recent")), std::pair(Term::Cut, text("Cut"))})
        entries.push_back({word, explained(term)});
    return entries;
}

std::vector<GlossaryEntry> ofMapsAndEngines()
{
    return {
        {text("As served by"),
         text("The engine that will serve the map. Memory, needles, searches and sweeps are then as that engine runs the map: "
              "without "
              "sinks where it keeps none.")},
        {text("DuoAttention"),
         text("The method, and its maps, that choose head by head which ones stream (arXiv 2410.10819). Most layers come out "
              "mixed.")},
        {text("Exclusive map"),
         text("A map without mixed layers: every layer retrieves or streams as a whole, as serving engines run it.")},
        {text("Full attention"), text("Every head of every layer keeps every key; what each map is held against.")},
        {text("Frontier"),
         text("The maps than which no other is better in both, what it costs to serve and what it loses in quality.")},
        {text("Gate"),
         text("A score that was trained: how much of a head's full attention the model wants beside its streaming one.")},
        {text("Head map"),
         text("What a map is here: for each KV head of each layer whether it retrieves or streams, with its sinks and its "
              "window.")},
        {text("KV cache"), text("The keys and values of all tokens so far, which every new token reads. Also: KV memory.")},
        {text("KV head"),
         text("A head that has keys and values of its own. With grouped queries several query heads share one.")},
        {text("Local layer"),
         text("A layer to which the model's own files give a window (L). No map changes it, and budgets do not count it.")},
        {text("Locked layer"), text("A layer that assigning leaves as it is, because a person said so.")},
        {text("Retrieval head"),
         text("A KV head that keeps every key, and finds what was said long ago. Also: retrieval layer.")},
        {text("Stand-in"),
         text("What takes the place of sinks in engines that keep none: a sink logit for each query head and a bias behind the "
              "output, "
              "calibrated or fitted (the export granite-swa).")},
        {text("Verdict"), text("What an engine keeps of a map, said before it is exported: sinks, single heads, freed memory.")},
        {text("Window"), text("The latest tokens that a streaming head or a local layer keeps; see Recent.")},
        {text("Zigzag"), text("The method, and its maps, that choose whole layers (ZigzagAttention, arXiv 2508.12407).")},
    };
}

std::vector<GlossaryEntry> ofTimes()
{
    return {
        {text("Batch"), text("Sequences that are decoded at once.")},
        {text("Calibration"),
         text("A short measurement of this machine and model, to which the cost model behind all predictions is fitted.")},
        {text("Context"), text("How many tokens there are so far; what plots have on their lower axis.")},
        {text("Decode"), text("The phase in which tokens are generated one after the other; see TPOT.")},
        {text("Fused, two launches, reference"),
         text("Ways to run a mixed layer: in one launch with a key range for each head, in one launch for each kind of head, or "
              "as the "
              "published code does, with copies.")},
        {text("Kept"),
         text("Times of an earlier calibration, shown until this machine has been calibrated; with them stands where and when "
              "they were "
              "measured.")},
        {text("Measured"), text("Taken from runs on this machine; the bar is the interquartile range of the repeats.")},
        {text("Op"),
         text("One step of a layer, such as a matrix product or attention. Bars and traces are by op, or by group of ops.")},
        {text("Predicted"), text("Computed by the cost model; dashed in plots, hatched in bars.")},
        {text("Prefill"), text("The phase in which the prompt is read; see TTFT.")},
        {text("Span"), text("One op of one layer in a trace, from its beginning to its end.")},
        {text("Spread"), text("The interquartile range of a measurement's repeats. Differences within it say nothing.")},
        {text("Trace"), text("A recorded run: what every op of every layer did when.")},
        {text("TPOT"), text("Time per output token: of one step of decode at a context.")},
        {text("TTFT"), text("Time to first token: of the whole prefill.")},
    };
}

std::vector<GlossaryEntry> ofQuality()
{
    return {
        {text("Ablation"), text("A source of scores: each layer streams alone, and what that loses is its score.")},
        {text("Answer loss"),
         text("How much less likely the tokens of the right answer become when a layer streams (arXiv 2606.27791).")},
        {text("Attention to needles"),
         text("A source of scores: the attention that a head pays to a needle while it is asked for.")},
        {text("Depth"), text("Where in the text a needle lies: 0 at the beginning, 1 at the end.")},
        {text("Greedy search"), text("A source of scores: the layer that loses least streams first, then the next beside it.")},
        {text("KL"),
         text("Kullback-Leibler divergence: how far the distribution of the next token moves from that of full attention; 0 = "
              "not at all.")},
        {text("Needle"),
         text("A key hidden in long text and asked for at its end. Found is what is answered right to the last digit.")},
        {text("Perplexity"), text("How surprised the model is by a text: e to the mean loss of its tokens; lower is better.")},
        {text("RULER"), text("Published tasks for long contexts, made here from seeds at exactly the length asked for.")},
        {text("Sweep"), text("Many maps over layer counts and windows, each with what it loses and what a token takes.")},
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
                       .arg(text("Glossary"), text("Every word of ours that the window uses, as its tooltips say it."));
    for (const GlossaryEntry &entry : glossary())
        page += QStringLiteral("\n**%1**: %2\n").arg(entry.word, entry.meaning);
    return page;
}

QString explained(Term term)
{
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
