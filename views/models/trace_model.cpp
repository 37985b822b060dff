// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/trace_model.h"

#include "profiler/trace/lane_time.h"
#include "views/models/head_map_model.h"
#include "views/models/op_colors.h"
#include "views/models/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace zigzag {

namespace {

constexpr auto opCount = opNames.size();

TraceLane::Entry entryOf(const TraceSpan &span, std::size_t index)
{
    return {span.beginNs, span.endNs(), static_cast<std::int32_t>(index), toneOf(span.op)};
}

std::vector<LayerRun> layerRuns(const Trace &trace)
{
    std::vector<LayerRun> runs;
    std::int32_t parent = -2;
    for (const TraceSpan &span : trace.spans) {
        if (span.layer < 0 || span.depth > 1) {
            if (span.depth <= 1)
                parent = -2; // outside the layers: the next one begins anew
            continue;
        }
        if (parent == span.parent && !runs.empty() && runs.back().layer == span.layer)
            runs.back().endNs = std::max(runs.back().endNs, span.endNs());
        else
            runs.push_back({span.beginNs, span.endNs(), span.row, span.layer, span.kind});
        parent = span.parent;
    }
    return runs;
}

void addLane(std::vector<TraceLane> &lanes, const QString &name, TraceItem item, std::vector<TraceLane::Entry> entries)
{
    if (entries.empty())
        return;
    std::stable_sort(entries.begin(), entries.end(), [](const auto &a, const auto &b) { return a.beginNs < b.beginNs; });
    lanes.emplace_back(name, item, std::move(entries));
}

} // namespace

QString nameOfOp(Op op)
{
    const std::string_view name = nameOf(op);
    return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size())).replace(QLatin1Char('_'), QLatin1Char(' '));
}

QString rateText(double perSecond, const QString &unit)
{
    constexpr std::array prefixes = {"", "k", "M", "G", "T", "P"};
    std::size_t prefix = 0;
    for (; perSecond >= 999.5 && prefix + 1 < prefixes.size(); ++prefix)
        perSecond /= 1000.0;
    return QStringLiteral("%1 %2%3/s")
        .arg(QString::number(perSecond, 'f',
                             perSecond < 9.95       ? 2
                                 : perSecond < 99.5 ? 1
                                                    : 0),
             QLatin1String(prefixes[prefix]), unit);
}

void TraceModel::show(std::shared_ptr<const Trace> trace)
{
    if (trace == m_trace)
        return;
    m_trace = std::move(trace);
    layOut();
}

void TraceModel::setOrder(LaneOrder order)
{
    if (order == m_order)
        return;
    m_order = order;
    layOut();
}

QString TraceModel::laneName(const QString &name, std::uint16_t row) const
{
    return m_trace->info.gpus > 1 ? tr("rank %1: %2").arg(row).arg(name) : name;
}

/// The spans of one rank, or all where there is but one.
void TraceModel::layOutSpans(std::uint16_t row)
{
    const Trace &trace = *m_trace;
    const bool isOneOfSeveral = trace.info.gpus > 1;
    const auto isHere = [&](const auto &each) { return !isOneOfSeveral || each.row == row; };
    const auto add = [&](const QString &name, TraceItem item, std::vector<TraceLane::Entry> &entries) {
        addLane(m_lanes, laneName(name, row), item, std::move(entries));
    };
    std::vector<std::vector<TraceLane::Entry>> byDepth, byOp(opCount);
    for (std::size_t index = 0; index < trace.spans.size(); ++index) {
        const TraceSpan &span = trace.spans[index];
        if (!isHere(span))
            continue;
        if (m_order == LaneOrder::ByOp) {
            byOp[static_cast<std::size_t>(span.op)].push_back(entryOf(span, index));
        } else {
            byDepth.resize(std::max<std::size_t>(byDepth.size(), span.depth + 1u));
            byDepth[span.depth].push_back(entryOf(span, index));
        }
    }
    std::vector<TraceLane::Entry> layers;
    for (std::size_t index = 0; index < m_layerRuns.size(); ++index)
        if (isHere(m_layerRuns[index]))
            layers.push_back({m_layerRuns[index].beginNs, m_layerRuns[index].endNs, static_cast<std::int32_t>(index),
                              toneOf(m_layerRuns[index].kind)});
    if (m_order == LaneOrder::ByOp) {
        constexpr auto pass = static_cast<std::size_t>(Op::Pass);
        add(nameOfOp(Op::Pass), TraceItem::Span, byOp[pass]);
        add(tr("layer"), TraceItem::Layer, layers);
        for (std::size_t op = 0; op < opCount; ++op)
            if (op != pass)
                add(nameOfOp(static_cast<Op>(op)), TraceItem::Span, byOp[op]);
    } else {
        if (!byDepth.empty())
            add(tr("pass"), TraceItem::Span, byDepth[0]);
        if (byDepth.size() > 1)
            add(tr("layer"), TraceItem::Layer, layers);
        for (std::size_t depth = 1; depth < byDepth.size(); ++depth)
            add(depth == 1 ? tr("op") : tr("inside op"), TraceItem::Span, byDepth[depth]);
    }
    std::vector<TraceLane::Entry> between; // of each collective its wait, and what follows
    for (std::size_t index = 0; index < trace.collectives.size(); ++index) {
        const CollectiveSpan &each = trace.collectives[index];
        if (!isHere(each))
            continue;
        const auto source = static_cast<std::int32_t>(2 * index);
        const std::int64_t all = each.beginNs + each.waitNs;
        if (each.waitNs > 0)
            between.push_back({each.beginNs, all, source, waitingTone});
        between.push_back({all, each.endNs(), source + 1, exchangeTone});
    }
    add(tr("between ranks"), TraceItem::Collective, between);
}

const CollectiveSpan &TraceModel::collectiveOf(std::int32_t source, bool &isWait) const
{
    isWait = source % 2 == 0;
    return m_trace->collectives[static_cast<std::size_t>(source / 2)];
}

void TraceModel::layOut()
{
    m_lanes.clear();
    m_layerRuns.clear();
    if (m_trace) {
        const Trace &trace = *m_trace;
        m_layerRuns = layerRuns(trace);
        for (std::uint16_t row = 0; row < std::max(1, trace.info.gpus); ++row)
            layOutSpans(row);
        // Calls of other programs contain calls: those lie in lanes of their own, below.
        const LaneTimes nesting = trace.info.isForeign ? laneTimes(trace) : LaneTimes();
        std::map<std::pair<int, int>, std::vector<TraceLane::Entry>> kernels; // by row and depth
        for (std::size_t index = 0; index < trace.kernels.size(); ++index) {
            const KernelSpan &kernel = trace.kernels[index];
            const std::uint8_t tone
                = kernel.span < 0 ? unknownTone : toneOf(trace.spans[static_cast<std::size_t>(kernel.span)].op);
            const int depth = trace.info.isForeign ? nesting.depth[index] : 0;
            kernels[{kernel.row, depth}].push_back({kernel.beginNs, kernel.endNs(), static_cast<std::int32_t>(index), tone});
        }
        for (auto &[place, entries] : kernels)
            addLane(m_lanes,
                    place.second == 0 ? QString::fromStdString(trace.rows[static_cast<std::size_t>(place.first)]) : tr("inside"),
                    TraceItem::Kernel, std::move(entries));
    }
    emphasise();
    Q_EMIT changed();
}

void TraceModel::setSearch(const QString &text)
{
    const QString search = text.simplified();
    if (search == m_search)
        return;
    m_search = search;
    m_words = search.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    emphasise();
    Q_EMIT emphasisChanged();
}

void TraceModel::setLayers(const std::vector<int> &layers)
{
    if (layers == m_layers)
        return;
    m_layers = layers;
    emphasise();
    Q_EMIT emphasisChanged();
}

void TraceModel::setOps(const std::vector<Op> &ops)
{
    if (ops == m_ops)
        return;
    m_ops = ops;
    emphasise();
    Q_EMIT emphasisChanged();
}

bool TraceModel::matchesSearch(const QString &text) const
{
    return std::all_of(m_words.begin(), m_words.end(),
                       [&](const QString &word) { return text.contains(word, Qt::CaseInsensitive); });
}

void TraceModel::emphasise()
{
    m_matches = 0;
    if (!hasEmphasis()) {
        for (TraceLane &lane : m_lanes)
            lane.setEmphasis({});
        return;
    }
    // An item's text depends on its op, layer and kind alone, and of a kernel on its name too: each text is looked at once.
    std::map<std::pair<std::uint32_t, std::uint32_t>, bool> known;
    const auto wanted = [this](const Item &item, const std::optional<Op> &op) {
        const bool isLayer = m_lanes[static_cast<std::size_t>(item.lane)].item() == TraceItem::Layer;
        return (m_layers.empty() || std::binary_search(m_layers.begin(), m_layers.end(), layerOf(item)))
            && (m_ops.empty() || isLayer || (op && std::find(m_ops.begin(), m_ops.end(), *op) != m_ops.end()));
    };
    for (std::size_t lane = 0; lane < m_lanes.size(); ++lane) {
        const TraceLane &of = m_lanes[lane];
        std::vector<bool> emphasised(of.entries().size());
        for (std::size_t entry = 0; entry < emphasised.size(); ++entry) {
            const Item item{static_cast<int>(lane), static_cast<std::int32_t>(entry)};
            const auto op = opOf(item);
            bool matches = m_words.isEmpty() && wanted(item, op);
            if (!m_words.isEmpty()) {
                const auto kind = kindOf(item);
                const std::int32_t source = this->entry(item).source;
                std::uint32_t kernel = 0; // what tells its label from others'
                if (of.item() == TraceItem::Kernel) {
                    kernel = m_trace->kernels[static_cast<std::size_t>(source)].name + 1;
                } else if (of.item() == TraceItem::Collective) {
                    bool isWait = false;
                    const CollectiveSpan &each = collectiveOf(source, isWait);
                    kernel = isWait ? ~0u : ~1u - static_cast<std::uint32_t>(each.kind);
                }
                const auto place = (op ? static_cast<std::uint32_t>(*op) : 255u) << 24
                    | (kind ? static_cast<std::uint32_t>(*kind) : 255u) << 16 | static_cast<std::uint16_t>(layerOf(item));
                const auto [found, isNew] = known.try_emplace({kernel, place}, false);
                if (isNew) {
                    QString text = op ? nameOfOp(*op) : QString();
                    if (kind)
                        text += tr(" layer %1 %2").arg(layerOf(item)).arg(zigzag::nameOf(*kind));
                    if (kernel > 0)
                        text += QLatin1Char(' ') + label(item);
                    found->second = matchesSearch(text);
                }
                matches = found->second;
            }
            emphasised[entry] = matches;
            if (matches && of.item() != TraceItem::Layer)
                ++m_matches;
        }
        m_lanes[lane].setEmphasis(emphasised);
    }
}

const TraceLane::Entry &TraceModel::entry(const Item &item) const
{
    return m_lanes[static_cast<std::size_t>(item.lane)].entries()[static_cast<std::size_t>(item.entry)];
}

const TraceSpan *TraceModel::span(const Item &item) const
{
    const auto source = static_cast<std::size_t>(entry(item).source);
    switch (m_lanes[static_cast<std::size_t>(item.lane)].item()) {
    case TraceItem::Span:
        return &m_trace->spans[source];
    case TraceItem::Layer:
        return nullptr;
    case TraceItem::Collective: {
        bool isWait = false;
        const std::int32_t around = collectiveOf(entry(item).source, isWait).span;
        return around < 0 ? nullptr : &m_trace->spans[static_cast<std::size_t>(around)];
    }
    case TraceItem::Kernel: {
        const std::int32_t launcher = m_trace->kernels[source].span;
        return launcher < 0 ? nullptr : &m_trace->spans[static_cast<std::size_t>(launcher)];
    }
    }
    return nullptr;
}

std::optional<Op> TraceModel::opOf(const Item &item) const
{
    const TraceSpan *found = span(item);
    return found ? std::optional(found->op) : std::nullopt;
}

int TraceModel::layerOf(const Item &item) const
{
    if (m_lanes[static_cast<std::size_t>(item.lane)].item() == TraceItem::Layer)
        return layerRun(entry(item).source).layer;
    const TraceSpan *found = span(item);
    return found ? found->layer : -1;
}

std::optional<LayerKind> TraceModel::kindOf(const Item &item) const
{
    if (m_lanes[static_cast<std::size_t>(item.lane)].item() == TraceItem::Layer)
        return layerRun(entry(item).source).kind;
    const TraceSpan *found = span(item);
    return found && found->layer >= 0 ? std::optional(found->kind) : std::nullopt;
}

QString TraceModel::label(const Item &item) const
{
    const auto source = static_cast<std::size_t>(entry(item).source);
    switch (m_lanes[static_cast<std::size_t>(item.lane)].item()) {
    case TraceItem::Layer:
        return tr("layer %1").arg(layerRun(static_cast<std::int32_t>(source)).layer);
    case TraceItem::Kernel:
        return QString::fromStdString(m_trace->kernelNames[m_trace->kernels[source].name]);
    case TraceItem::Collective: {
        bool isWait = false;
        const CollectiveSpan &each = collectiveOf(static_cast<std::int32_t>(source), isWait);
        return isWait ? tr("waiting") : each.kind == CollectiveKind::Sum ? tr("all-reduce") : tr("all-gather");
    }
    case TraceItem::Span:
        break;
    }
    const TraceSpan &found = m_trace->spans[source];
    if (found.op == Op::Pass)
        return found.tokens > 1 ? tr("prefill %1–%2").arg(found.firstPosition).arg(found.firstPosition + found.tokens - 1)
                                : tr("decode at %1").arg(found.firstPosition);
    return nameOfOp(found.op);
}

QString TraceModel::describe(const Item &item) const
{
    const TraceLane::Entry &place = entry(item);
    const TraceItem what = m_lanes[static_cast<std::size_t>(item.lane)].item();
    QStringList lines{label(item)};
    const double ns = static_cast<double>(place.endNs - place.beginNs);
    if (const auto kind = kindOf(item))
        lines << tr("layer %1, %2").arg(layerOf(item)).arg(zigzag::nameOf(*kind));
    lines << tr("%1, begins at %2").arg(durationText(ns), durationText(static_cast<double>(place.beginNs - m_trace->beginNs())));
    const TraceSpan *found = span(item);
    if (what == TraceItem::Collective) {
        bool isWait = false;
        const CollectiveSpan &each = collectiveOf(place.source, isWait);
        if (found)
            lines << tr("in %1").arg(nameOfOp(found->op));
        if (isWait)
            lines << tr("until the last rank has come");
        else if (ns > 0)
            lines << tr("%1, %2").arg(bytesText(static_cast<double>(each.bytes)),
                                      rateText(static_cast<double>(each.bytes) / (ns * 1e-9), QStringLiteral("B")));
        return lines.join(QLatin1Char('\n'));
    }
    if (what == TraceItem::Kernel && !m_trace->info.isForeign)
        lines << (found ? tr("launched by %1").arg(nameOfOp(found->op)) : tr("launched by an unknown span"));
    else if (found && ns > 0) {
        const double seconds = ns * 1e-9;
        if (found->bytes > 0)
            lines << tr("%1, %2").arg(bytesText(static_cast<double>(found->bytes)),
                                      rateText(static_cast<double>(found->bytes) / seconds, QStringLiteral("B")));
        if (found->flops > 0)
            lines << rateText(static_cast<double>(found->flops) / seconds, QStringLiteral("FLOP"));
        if (found->floorNs > 0)
            lines << tr("floor %1: %2 of it reached")
                         .arg(durationText(static_cast<double>(found->floorNs)),
                              percentText(static_cast<double>(found->floorNs) / ns));
    }
    return lines.join(QLatin1Char('\n'));
}

TraceModel::Item TraceModel::nextMatch(const Item &from, bool backwards) const
{
    Item best;
    for (std::size_t lane = 0; lane < m_lanes.size(); ++lane) {
        const TraceLane &of = m_lanes[lane];
        const auto &entries = of.entries();
        if (of.item() == TraceItem::Layer || of.emphasised(0, static_cast<std::int32_t>(entries.size())) == 0)
            continue;
        // In the order of (begin, lane), so that every match has its turn.
        const auto key
            = [&](std::int32_t index, int of_) { return std::pair(entries[static_cast<std::size_t>(index)].beginNs, of_); };
        const auto here = static_cast<int>(lane);
        const auto bound = from.isValid() ? std::pair(entry(from).beginNs, from.lane)
            : backwards                   ? std::pair(std::numeric_limits<std::int64_t>::max(), 0)
                                          : std::pair(std::numeric_limits<std::int64_t>::min(), 0);
        auto index = static_cast<std::int32_t>(std::partition_point(entries.begin(), entries.end(),
                                                                    [&](const TraceLane::Entry &each) {
                                                                        const auto at = std::pair(each.beginNs, here);
                                                                        return backwards ? at < bound : at <= bound;
                                                                    })
                                               - entries.begin());
        // The prefix sums say where the next emphasised entry lies.
        const auto count = static_cast<std::int32_t>(entries.size());
        std::int32_t low = backwards ? 0 : index, high = backwards ? index : count;
        if (of.emphasised(low, high) == 0)
            continue;
        while (high - low > 1) {
            const std::int32_t middle = low + (high - low) / 2;
            const bool later = backwards ? of.emphasised(middle, high) > 0 : of.emphasised(low, middle) == 0;
            (later ? low : high) = middle;
        }
        const Item candidate{here, low};
        if (!best.isValid()
            || (backwards ? key(low, here) > std::pair(entry(best).beginNs, best.lane)
                          : key(low, here) < std::pair(entry(best).beginNs, best.lane)))
            best = candidate;
    }
    return best;
}

} // namespace zigzag
