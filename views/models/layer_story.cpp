// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/layer_story.h"

#include "engine/map/criterion.h"
#include "views/models/csv.h"
#include "views/models/head_map_model.h"
#include "views/models/layer_ranking.h"
#include "views/models/plotted_maps.h"
#include "views/models/score_sources.h"
#include "views/models/text.h"

#include <QFont>

#include <array>
#include <cmath>
#include <numeric>
#include <utility>

namespace zigzag {

namespace {

QString titleOf(const HeadMap &map, int layer)
{
    switch (map.layerKind(layer)) {
    case LayerKind::Retrieval:
        return tr("Layer %1 retrieves").arg(layer);
    case LayerKind::Streaming:
        return tr("Layer %1 streams").arg(layer);
    case LayerKind::Local:
        return tr("Layer %1 is local").arg(layer);
    case LayerKind::Mixed:
        break;
    }
    return tr("Layer %1 is mixed: %2").arg(layer).arg(QString::fromStdString(map.letters(layer)));
}

std::vector<LayerStory::Opinion> opinionsOf(int layer, const StoryAsked &asked)
{
    const auto at = static_cast<std::size_t>(layer);
    std::vector<LayerStory::Opinion> opinions;
    const auto add = [&](const QString &source, const HeadScores &scores) -> LayerStory::Opinion * {
        if (scores.model.layers != asked.map.layers() || scores.model.kvHeads != asked.map.kvHeads())
            return nullptr;
        const LayerRanking ranking = rankLayers(scores, asked.map);
        LayerStory::Opinion opinion{.source = source,
                                    .score = ranking.scores[at],
                                    .rank = ranking.ranks[at],
                                    .ranked = ranking.ranked,
                                    .retrieving = ranking.retrieving,
                                    .inFront = &scores == asked.scores};
        if (ranking.cut)
            opinion.margin = opinion.score - *ranking.cut;
        opinions.push_back(opinion);
        return &opinions.back();
    };
    if (asked.scores && asked.sources.rowOf(asked.scores) < 0)
        add(QString::fromStdString(asked.scores->method), *asked.scores);
    for (int row = 0; row < asked.sources.rowCount(); ++row) {
        const FoundScores &found = asked.sources.at(row);
        LayerStory::Opinion *opinion = found.scores ? add(found.name, *found.scores) : nullptr;
        if (opinion && found.unit == Unit::Layer && at < found.effects.size()) {
            opinion->loss = found.effects[at].loss;
            opinion->lossError = found.effects[at].lossError;
        }
    }
    return opinions;
}

/// The map with this layer the one way.
HeadMap with(const HeadMap &map, int layer, HeadKind kind)
{
    HeadMap other = map;
    other.setLayer(layer, kind);
    return other;
}

/// One quantity of the three maps; nothing where the function has nothing.
template <class Of>
LayerStory::Row rowOf(const QString &what, LayerStory::Row::Unit unit, const std::array<HeadMap, 3> &ways, Of of)
{
    return {.what = what, .unit = unit, .now = of(ways[0]), .streaming = of(ways[1]), .retrieving = of(ways[2])};
}

std::vector<LayerStory::Row> rowsOf(int layer, const StoryAsked &asked)
{
    using Unit = LayerStory::Row::Unit;
    const auto at = static_cast<std::size_t>(layer);
    const PlottedMaps &plotted = asked.plotted;
    const std::array<HeadMap, 3> ways{asked.map, with(asked.map, layer, HeadKind::Streaming),
                                      with(asked.map, layer, HeadKind::Retrieval)};
    const QString context = contextText(asked.context);
    const Unit kv = plotted.hasBytes() ? Unit::Bytes : Unit::Keys;
    using Value = std::optional<double>;
    std::vector<LayerStory::Row> rows;
    rows.push_back(rowOf(tr("Layer: KV at %1").arg(context), kv, ways,
                         [&](const HeadMap &map) -> Value { return plotted.layerKv(map, layer, asked.context); }));
    for (const auto &[phase, name] : {std::pair(Phase::Decode, tr("TPOT")), std::pair(Phase::Prefill, tr("TTFT"))}) {
        if (plotted.hasTimes()) {
            const Workload work{.phase = phase, .context = asked.context};
            rows.push_back(rowOf(tr("Layer: %1 predicted").arg(name), Unit::Milliseconds, ways, [&](const HeadMap &map) -> Value {
                const std::vector<double> layers = plotted.cost().estimate(map, work).layerMs;
                return at < layers.size() ? Value(layers[at]) : Value();
            }));
            rows.back().isPredicted = true;
        }
        LayerStory::Row measured
            = rowOf(tr("Layer: %1 measured").arg(name), Unit::Milliseconds, ways, [&, phase = phase](const HeadMap &map) {
                  const auto trace = plotted.measurements().trace(map, phase, asked.context);
                  const LayerTimes times = trace ? layerTimes(*trace) : LayerTimes();
                  return at < times.ms.size() ? Value(times.layerMs(layer)) : Value();
              });
        if (measured.now || measured.streaming || measured.retrieving)
            rows.push_back(std::move(measured));
    }
    rows.push_back(rowOf(tr("Map: KV at %1").arg(context), kv, ways,
                         [&](const HeadMap &map) -> Value { return plotted.kv(map, asked.context); }));
    for (const auto &[phase, name] : {std::pair(Phase::Decode, tr("TPOT")), std::pair(Phase::Prefill, tr("TTFT"))}) {
        if (plotted.hasTimes()) {
            rows.push_back(rowOf(tr("Map: %1 predicted").arg(name), Unit::Milliseconds, ways,
                                 [&, phase = phase](const HeadMap &map) -> Value {
                                     return plotted.cost().estimate(map, {.phase = phase, .context = asked.context}).ms;
                                 }));
            rows.back().isPredicted = true;
        }
        LayerStory::Row measured
            = rowOf(tr("Map: %1 measured").arg(name), Unit::Milliseconds, ways, [&, phase = phase](const HeadMap &map) {
                  const BenchRecord *record = plotted.measurements().find(map, phase, asked.context);
                  return record ? Value(record->medianMs) : Value();
              });
        if (measured.now || measured.streaming || measured.retrieving)
            rows.push_back(std::move(measured));
    }
    if (asked.scores)
        rows.push_back(rowOf(tr("Heads demoted in it"), Unit::Heads, ways,
                             [&](const HeadMap &map) -> Value { return sacrificed(map, *asked.scores).layers[at].demoted; }));
    return rows;
}

/// How the layer stands to the cut of the scores in front.
QString standing(const LayerStory::Opinion &opinion)
{
    QString score
        = tr("Its score is %1, number %2 of %3 layers.").arg(opinion.score, 0, 'f', 3).arg(opinion.rank).arg(opinion.ranked);
    if (!opinion.margin)
        return score;
    const QString where = opinion.keeps() ? tr("%1 %2 above the cut between the %3 layers that retrieve and the others.")
                                          : tr("%1 %2 below the cut between the %3 layers that retrieve and the others.");
    return where.arg(score, tr("It lies %1").arg(std::abs(*opinion.margin), 0, 'f', 3)).arg(opinion.retrieving);
}

/// What a layer's heads give the right answer's logit, by the newest source that knows it; empty: none does.
QString logitsOf(int layer, const ScoreSources &sources)
{
    for (int row = sources.rowCount() - 1; row >= 0; --row) {
        const HeadScores &scores = *sources.at(row).scores;
        const auto heads = static_cast<std::size_t>(scores.model.kvHeads), first = static_cast<std::size_t>(layer) * heads;
        if (scores.unanswered || scores.logits.size() < first + heads || scores.logitsBeyond.size() < first + heads)
            continue;
        const auto sum = [&](const std::vector<float> &of) {
            return static_cast<double>(std::accumulate(of.begin() + static_cast<std::ptrdiff_t>(first),
                                                       of.begin() + static_cast<std::ptrdiff_t>(first + heads), 0.0f));
        };
        return tr("Its heads add, directly, %1 to the logit of the right answers, %2 of it out of tokens that a streaming head "
                  "would not see.")
            .arg(sum(scores.logits), 0, 'f', 2)
            .arg(sum(scores.logitsBeyond), 0, 'f', 2);
    }
    return {};
}

} // namespace

LayerStory tellLayer(int layer, const StoryAsked &asked)
{
    LayerStory story;
    story.layer = layer;
    story.title = titleOf(asked.map, layer);
    if (asked.map.isLocal(layer)) {
        story.facts << tr("The model's own file gives it a window: no map changes it, and no search ranks it.");
        return story;
    }
    story.opinions = opinionsOf(layer, asked);
    for (const LayerStory::Opinion &opinion : story.opinions) {
        if (!opinion.inFront)
            continue;
        story.facts << standing(opinion);
        const LayerKind kind = asked.map.layerKind(layer);
        if (opinion.margin && kind != LayerKind::Mixed && (kind == LayerKind::Retrieval) != opinion.keeps())
            story.facts << (opinion.keeps() ? tr("By these scores alone it would retrieve.")
                                            : tr("By these scores alone it would stream."));
    }
    if (const QString logits = logitsOf(layer, asked.sources); !logits.isEmpty())
        story.facts << logits;
    if (!asked.scores)
        story.facts << tr("There are no scores yet: nothing says whether it needs to see everything.");
    const StreamingWindow window = asked.map.window(layer);
    story.facts << (asked.map.hasStreaming(layer) ? tr("Streaming heads of it keep %1 sink and %2 recent tokens.")
                                                  : tr("If it streams, it keeps %1 sink and %2 recent tokens."))
                       .arg(window.sink)
                       .arg(window.recent);
    if (asked.isLocked)
        story.facts << tr("It is locked: an assignment leaves it as it is.");
    story.rows = rowsOf(layer, asked);
    return story;
}

void LayerCostsModel::show(std::vector<LayerStory::Row> rows)
{
    beginResetModel();
    m_rows = std::move(rows);
    endResetModel();
}

int LayerCostsModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int LayerCostsModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

namespace {

QString valueText(double value, LayerStory::Row::Unit unit)
{
    switch (unit) {
    case LayerStory::Row::Unit::Bytes:
        return bytesText(value);
    case LayerStory::Row::Unit::Keys:
        return keysText(value);
    case LayerStory::Row::Unit::Milliseconds:
        return timeText(value);
    case LayerStory::Row::Unit::Heads:
        break;
    }
    return QString::number(value);
}

QString unitOf(LayerStory::Row::Unit unit)
{
    switch (unit) {
    case LayerStory::Row::Unit::Bytes:
        return QStringLiteral("bytes");
    case LayerStory::Row::Unit::Keys:
        return QStringLiteral("keys");
    case LayerStory::Row::Unit::Milliseconds:
        return QStringLiteral("ms");
    case LayerStory::Row::Unit::Heads:
        break;
    }
    return QStringLiteral("heads");
}

} // namespace

QVariant LayerCostsModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const LayerStory::Row &row = m_rows[static_cast<std::size_t>(index.row())];
    if (index.column() == What) {
        if (role == csvRole)
            return QVariantList{row.what, unitOf(row.unit)};
        return role == Qt::DisplayRole ? QVariant(row.what) : QVariant();
    }
    const std::optional<double> &value = index.column() == Now ? row.now
        : index.column() == Streaming                          ? row.streaming
                                                               : row.retrieving;
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter));
    if (role == csvRole)
        return QVariantList{value ? QVariant(*value) : QVariant()};
    if (role != Qt::DisplayRole)
        return {};
    if (!value)
        return QStringLiteral("–");
    const QString text = valueText(*value, row.unit);
    const QString change = index.column() != Now && row.now && row.unit != LayerStory::Row::Unit::Heads && *value != *row.now
        ? changeText(*value, *row.now)
        : QString();
    return change.isEmpty() ? text : QStringLiteral("%1  (%2)").arg(text, change);
}

QVariant LayerCostsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == csvRole && section == What)
        return QStringList{QStringLiteral("quantity"), QStringLiteral("unit")};
    if (role == csvRole) { // in the row's unit
        const char *const names[] = {"", "cost now", "cost if it streams", "cost if it retrieves"};
        return QStringList{QString::fromLatin1(names[section])};
    }
    if (role != Qt::DisplayRole)
        return {};
    switch (static_cast<Column>(section)) {
    case What:
        return QString();
    case Now:
        return tr("Now");
    case Streaming:
        return tr("If it streams");
    case Retrieving:
        return tr("If it retrieves");
    case ColumnCount:
        break;
    }
    return {};
}

void LayerOpinionsModel::show(std::vector<LayerStory::Opinion> opinions)
{
    beginResetModel();
    m_opinions = std::move(opinions);
    endResetModel();
}

int LayerOpinionsModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_opinions.size());
}

int LayerOpinionsModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant LayerOpinionsModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const LayerStory::Opinion &opinion = m_opinions[static_cast<std::size_t>(index.row())];
    if (role == Qt::FontRole && opinion.inFront) {
        QFont font;
        font.setBold(true); // whose cut the head map shows
        return font;
    }
    if (role == Qt::TextAlignmentRole && index.column() > Says)
        return QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter));
    if (role == Qt::ToolTipRole && opinion.inFront)
        return tr("The scores in front, whose cut the head map shows");
    if (role != Qt::DisplayRole)
        return {};
    switch (static_cast<Column>(index.column())) {
    case Source:
        return opinion.source;
    case Says:
        return !opinion.margin ? QStringLiteral("–") : opinion.keeps() ? tr("retrieves") : tr("streams");
    case Score:
        return QString::number(opinion.score, 'f', 3);
    case Margin:
        return !opinion.margin ? QStringLiteral("–")
                               : QStringLiteral("%1%2")
                                     .arg(*opinion.margin < 0 ? QStringLiteral("−") : QStringLiteral("+"))
                                     .arg(std::abs(*opinion.margin), 0, 'f', 3);
    case Rank:
        return tr("%1 of %2").arg(opinion.rank).arg(opinion.ranked);
    case Loss:
        return !opinion.loss
            ? QStringLiteral("–")
            : QStringLiteral("%1 ± %2").arg(*opinion.loss, 0, 'g', 3).arg(opinion.lossError.value_or(0), 0, 'g', 2);
    case ColumnCount:
        break;
    }
    return {};
}

QVariant LayerOpinionsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::ToolTipRole && section == Says)
        return tr("What the layer would do by this source, at as many retrieving layers as the map has now");
    if (role != Qt::DisplayRole)
        return {};
    switch (static_cast<Column>(section)) {
    case Source:
        return tr("Source");
    case Says:
        return tr("It");
    case Score:
        return tr("Score");
    case Margin:
        return tr("From the cut");
    case Rank:
        return tr("Rank");
    case Loss:
        return tr("Loss alone");
    case ColumnCount:
        break;
    }
    return {};
}

} // namespace zigzag
