// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/layer_changes.h"

#include "engine/map/run_alike.h"
#include "views/models/csv.h"
#include "views/models/glossary.h"
#include "views/models/layer_times.h"
#include "views/models/text.h"

#include <QFont>

#include <algorithm>

namespace zigzag {

namespace {

constexpr std::array phases = {Phase::Prefill, Phase::Decode};

QString none()
{
    return QStringLiteral("–");
}

QString arrow(const QString &from, const QString &to)
{
    return from == to ? from : QStringLiteral("%1 → %2").arg(from, to);
}

/// What the heads of a layer keep.
QString keptBy(const HeadMap &map, int layer)
{
    const std::vector<HeadPattern> patterns = map.patterns(layer);
    const auto all
        = std::count_if(patterns.begin(), patterns.end(), [](const HeadPattern &each) { return each.keepsEverything(); });
    if (all == std::ssize(patterns))
        return LayerChangesModel::tr("all");
    const auto window
        = std::find_if(patterns.begin(), patterns.end(), [](const HeadPattern &each) { return !each.keepsEverything(); });
    const QString kept = QStringLiteral("%1 + %2").arg(window->sink()).arg(window->recent());
    return all == 0 ? kept : LayerChangesModel::tr("all in %1 of %2 heads, else %3").arg(all).arg(patterns.size()).arg(kept);
}

/// Per phase and layer: recorded where both maps were traced at this context, else predicted.
struct Times {
    std::array<std::array<LayerTimes, 2>, 2> of; // [phase][side]
    bool isMeasured = true;
};

Times timesOf(const PlottedMaps &plotted, const std::array<HeadMap, 2> &maps, std::int64_t context)
{
    Times times;
    for (std::size_t phase = 0; phase < phases.size(); ++phase)
        for (std::size_t side = 0; side < 2; ++side) {
            const auto trace = plotted.measurements().trace(maps[side], phases[phase], context);
            times.isMeasured = times.isMeasured && trace;
            if (trace)
                times.of[phase][side] = layerTimes(*trace);
        }
    if (times.isMeasured)
        return times;
    for (std::size_t phase = 0; phase < phases.size(); ++phase)
        for (std::size_t side = 0; side < 2; ++side)
            times.of[phase][side] = layerTimes(plotted.cost(), maps[side], {.phase = phases[phase], .context = context});
    return times;
}

std::optional<double> highestScore(const std::array<HeadMap, 2> &maps, const HeadScores &scores, int layer)
{
    std::optional<double> highest;
    for (int head = 0; head < maps[0].kvHeads(); ++head)
        if (maps[0].pattern(layer, head) != maps[1].pattern(layer, head))
            highest = std::max(highest.value_or(0), static_cast<double>(scores.at(layer, head)));
    return highest;
}

} // namespace

LayerChanges layerChanges(const PlottedMaps &plotted, const std::array<HeadMap, 2> &maps, std::int64_t context,
                          const HeadScores *scores, const FoundScores *ablation)
{
    LayerChanges changes;
    if (maps[0].layers() != maps[1].layers() || maps[0].kvHeads() != maps[1].kvHeads())
        return changes;
    if (scores && (scores->model.layers != maps[0].layers() || scores->model.kvHeads != maps[0].kvHeads()))
        scores = nullptr;
    const Times times = timesOf(plotted, maps, context);
    changes.isMeasured = times.isMeasured;
    std::array<SacrificeReport, 2> lost;
    for (std::size_t side = 0; scores && side < 2; ++side)
        lost[side] = sacrificed(maps[side], *scores);
    LayerChange whole;
    for (int layer = 0; layer < maps[0].layers(); ++layer) {
        LayerChange one;
        one.layer = layer;
        for (std::size_t side = 0; side < 2; ++side) {
            LayerChange::Side &its = one.sides[side];
            its.keeps = keptBy(maps[side], layer);
            its.kv = plotted.layerKv(maps[side], layer, context);
            whole.sides[side].kv += its.kv;
            for (std::size_t phase = 0; phase < phases.size(); ++phase) {
                const LayerTimes &known = times.of[phase][side];
                if (layer >= std::ssize(known.ms))
                    continue;
                its.ms[phase] = known.layerMs(layer);
                whole.sides[side].ms[phase] = whole.sides[side].ms[phase].value_or(0) + *its.ms[phase];
            }
            if (scores)
                its.lost = lost[side].layers[static_cast<std::size_t>(layer)];
        }
        if (compareLayer(maps[0], maps[1], layer) == std::strong_ordering::equal)
            continue;
        if (scores)
            one.score = highestScore(maps, *scores, layer);
        if (ablation && layer < std::ssize(ablation->effects))
            one.effect = ablation->effects[static_cast<std::size_t>(layer)];
        changes.layers.push_back(std::move(one));
    }
    if (changes.layers.empty())
        return changes;
    for (std::size_t side = 0; scores && side < 2; ++side)
        whole.sides[side].lost = lost[side].total;
    changes.layers.push_back(std::move(whole));
    return changes;
}

void LayerChangesModel::show(LayerChanges changes, bool hasBytes, const QString &lossName)
{
    beginResetModel();
    m_changes = std::move(changes);
    m_hasBytes = hasBytes;
    m_lossName = lossName;
    endResetModel();
}

int LayerChangesModel::layerAt(int row) const
{
    return row >= 0 && row < rowCount() ? m_changes.layers[static_cast<std::size_t>(row)].layer : -1;
}

int LayerChangesModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_changes.layers.size());
}

int LayerChangesModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString LayerChangesModel::text(const LayerChange &change, int column) const
{
    const auto &a = change.sides[0], &b = change.sides[1]; // by name: clang 14 captures no bindings
    const auto time = [&](std::size_t phase) {
        return a.ms[phase] && b.ms[phase] ? arrow(timeText(*a.ms[phase]), timeText(*b.ms[phase])) : none();
    };
    switch (column) {
    case Layer:
        return change.layer < 0 ? tr("all") : QString::number(change.layer);
    case Keeps:
        return change.layer < 0 ? tr("%n layers differ", nullptr, rowCount() - 1) : arrow(a.keeps, b.keeps);
    case Kv:
        return m_hasBytes ? arrow(bytesText(a.kv), bytesText(b.kv)) : arrow(keysText(a.kv), keysText(b.kv));
    case Decode:
        return time(1);
    case Prefill:
        return time(0);
    case Score:
        return change.score ? QString::number(*change.score, 'f', 2) : change.layer < 0 ? QString() : none();
    case Demoted:
        return a.lost && b.lost ? arrow(QString::number(a.lost->demoted), QString::number(b.lost->demoted)) : none();
    case Effect:
        return change.effect
            ? QStringLiteral("%1 ± %2").arg(change.effect->loss, 0, 'g', 2).arg(change.effect->lossError, 0, 'g', 1)
            : change.layer < 0 ? QString()
                               : none();
    default:
        return {};
    }
}

QVariantList LayerChangesModel::csvValues(const LayerChange &change, int column) const
{
    const auto &a = change.sides[0], &b = change.sides[1]; // by name: clang 14 captures no bindings
    const auto time = [&](std::size_t phase) {
        return a.ms[phase] && b.ms[phase] ? QVariantList{*a.ms[phase], *b.ms[phase]} : QVariantList();
    };
    switch (column) {
    case Keeps:
        return change.layer < 0 ? QVariantList() : QVariantList{a.keeps, b.keeps};
    case Kv:
        return {a.kv, b.kv};
    case Decode:
        return time(1);
    case Prefill:
        return time(0);
    case Score:
        return change.score ? QVariantList{*change.score} : QVariantList();
    case Demoted:
        return a.lost && b.lost ? QVariantList{a.lost->demoted, b.lost->demoted} : QVariantList();
    case Effect:
        return change.effect ? QVariantList{change.effect->loss, change.effect->lossError} : QVariantList();
    default:
        return {text(change, column)};
    }
}

QVariant LayerChangesModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const LayerChange &change = m_changes.layers[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return text(change, index.column());
    case csvRole:
        return csvValues(change, index.column());
    case Qt::TextAlignmentRole:
        return QVariant(index.column() == Keeps ? Qt::AlignLeft | Qt::AlignVCenter : Qt::AlignRight | Qt::AlignVCenter);
    case Qt::FontRole:
        if (change.layer < 0) {
            QFont bold;
            bold.setBold(true);
            return bold;
        }
        return {};
    default:
        return {};
    }
}

QVariant LayerChangesModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    const QString times = m_changes.isMeasured ? tr("recorded") : tr("predicted");
    const QString loss = m_lossName.isEmpty() ? tr("Ablation") : m_lossName;
    const QString titles[ColumnCount] = {tr("Layer"),
                                         tr("Keeps"),
                                         m_hasBytes ? tr("KV bytes") : tr("KV keys"),
                                         tr("Decode, %1").arg(times),
                                         tr("Prefill, %1").arg(times),
                                         tr("Score"),
                                         tr("Demoted"),
                                         loss};
    if (role == Qt::DisplayRole)
        return titles[section];
    if (role == csvRole) { // one value a column, and no comma in its name
        const auto both = [](const QString &what) {
            return QStringList{tr("%1 of the left map").arg(what), tr("%1 of the right map").arg(what)};
        };
        const QStringList names[ColumnCount] = {{titles[Layer]},
                                                both(tr("tokens kept")),
                                                both(titles[Kv]),
                                                both(tr("decode ms (%1)").arg(times)),
                                                both(tr("prefill ms (%1)").arg(times)),
                                                {tr("highest score of heads that differ")},
                                                both(tr("demoted heads")),
                                                {tr("loss by %1").arg(loss), tr("standard error of the loss")}};
        return names[section];
    }
    if (role == Qt::ToolTipRole) {
        const QString tips[ColumnCount]
            = {tr("Layers in which the two maps keep other keys"),
               tr("What its heads keep: all tokens, or sink + recent. The left map → the right one."),
               tr("What the cache takes at the context that the window speaks of. The left map → the right one."),
               tr("Time of the layer in one output token. The left map → the right one."),
               tr("Time of the layer in the prefill. The left map → the right one."),
               tr("The highest score of the heads that differ. ") + explained(Term::Score),
               explained(Term::Demoted) + tr(" The left map → the right one."),
               m_lossName.isEmpty()
                   ? tr("What streaming this layer alone costs, once “Find layers” has ablated layers in this window.")
                   : tr("What streaming this layer alone costs in the answers' loss or distance, and its standard error.")};
        return tips[section];
    }
    return {};
}

} // namespace zigzag
