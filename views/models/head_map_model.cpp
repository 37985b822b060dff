// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/head_map_model.h"

#include "views/models/text.h"

#include <algorithm>
#include <cmath>

namespace zigzag {

QString nameOf(LayerKind kind)
{
    switch (kind) {
    case LayerKind::Retrieval:
        return tr("retrieval");
    case LayerKind::Streaming:
        return tr("streaming");
    case LayerKind::Mixed:
        return tr("mixed");
    case LayerKind::Local:
        return tr("local");
    }
    return {};
}

namespace {

/// What a head of a local layer keeps; a map without its model may not know.
QString localWindow(const HeadPattern &pattern)
{
    return pattern.recent() == HeadPattern::full().recent() ? HeadMapModel::tr("keeps a window")
                                                            : HeadMapModel::tr("keeps the last %1 tokens").arg(pattern.recent());
}

} // namespace

HeadMapModel::HeadMapModel(QObject *parent)
    : QAbstractTableModel(parent)
{ }

void HeadMapModel::show(const HeadMap &map, std::shared_ptr<const HeadScores> scores, std::vector<bool> locked)
{
    const bool reshaped = map.layers() != m_map.layers() || map.kvHeads() != m_map.kvHeads();
    if (reshaped) {
        beginResetModel();
        m_costs.clear();
    }
    locked.resize(static_cast<std::size_t>(map.layers()));
    m_map = map;
    m_scores = std::move(scores);
    m_locked = std::move(locked);
    m_ranking = m_scores ? std::optional(rankLayers(*m_scores, m_map)) : std::nullopt;
    m_sacrifice = m_scores ? std::optional(sacrificed(m_map, *m_scores)) : std::nullopt;
    if (reshaped) {
        endResetModel();
    } else if (rowCount() > 0 && columnCount() > 0) {
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
        Q_EMIT headerDataChanged(Qt::Vertical, 0, rowCount() - 1);
    }
}

void HeadMapModel::showCosts(std::vector<LayerCost> costs, CostBasis basis)
{
    Q_ASSERT(costs.empty() || static_cast<int>(costs.size()) == rowCount());
    m_basis = basis;
    m_costs = std::move(costs);
    if (rowCount() > 0)
        Q_EMIT headerDataChanged(Qt::Vertical, 0, rowCount() - 1);
}

double LayerCost::lossShare(double of) const
{
    if (largestLoss <= 0 || of <= 0)
        return 0;
    const double begin = std::log10(leastLoss) - 1.0 / 3.0;
    return std::clamp((std::log10(of) - begin) / (std::log10(largestLoss) - begin), 0.0, 1.0);
}

const LayerCost *HeadMapModel::cost(int layer) const
{
    return m_costs.empty() ? nullptr : &m_costs[static_cast<std::size_t>(layer)];
}

int HeadMapModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : m_map.layers();
}

int HeadMapModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : m_map.kvHeads();
}

QString HeadMapModel::describe(int layer, int head) const
{
    const HeadPattern pattern = m_map.pattern(layer, head);
    QString text = m_map.isLocal(layer) ? tr("Layer %1, KV head %2: local, %3, as the model's own file has it; no map changes it")
                                              .arg(layer)
                                              .arg(head)
                                              .arg(localWindow(pattern))
        : pattern.keepsEverything() ? tr("Layer %1, KV head %2: retrieval, keeps every token").arg(layer).arg(head)
                                    : tr("Layer %1, KV head %2: streaming, keeps %3 sink and %4 recent tokens")
                                          .arg(layer)
                                          .arg(head)
                                          .arg(pattern.sink())
                                          .arg(pattern.recent());
    if (m_scores) {
        text += tr("\nScore %1").arg(static_cast<double>(m_scores->at(layer, head)), 0, 'f', 3);
        if (!m_scores->spread.empty())
            text += tr(" ± %1").arg(static_cast<double>(m_scores->spreadAt(layer, head)), 0, 'f', 3);
        text += tr(" (%1)").arg(QString::fromStdString(m_scores->method));
    }
    return text;
}

/// As a screen reader says a cell, the shortest that tells it from its neighbours.
QString HeadMapModel::spoken(int layer, int head) const
{
    QString text = tr("layer %1, KV head %2: %3")
                       .arg(layer)
                       .arg(head)
                       .arg(m_map.isLocal(layer)                               ? tr("local")
                                : m_map.pattern(layer, head).keepsEverything() ? tr("retrieval")
                                                                               : tr("streaming"));
    if (m_scores)
        text += tr(", score %1").arg(static_cast<double>(m_scores->at(layer, head)), 0, 'f', 2);
    if (isLocked(layer))
        text += tr(", locked");
    return text;
}

QVariant HeadMapModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const int layer = index.row();
    const int head = index.column();
    const HeadPattern pattern = m_map.pattern(layer, head);
    switch (role) {
    case Qt::DisplayRole:
        return QString(QLatin1Char(pattern.letter()));
    case Qt::ToolTipRole:
    case Qt::AccessibleDescriptionRole:
        return describe(layer, head);
    case Qt::AccessibleTextRole:
        return spoken(layer, head);
    case StreamingRole:
        return !pattern.keepsEverything();
    case ScoreRole:
        return m_scores ? QVariant(static_cast<double>(m_scores->at(layer, head))) : QVariant();
    case SpreadRole:
        return m_scores && !m_scores->spread.empty() ? QVariant(static_cast<double>(m_scores->spreadAt(layer, head)))
                                                     : QVariant();
    default:
        return {};
    }
}

/// A layer's score beside the cut.
QString HeadMapModel::standing(int layer) const
{
    const double score = m_ranking->scores[static_cast<std::size_t>(layer)];
    const int rank = m_ranking->ranks[static_cast<std::size_t>(layer)];
    QString text = tr("\nMean score %1").arg(score, 0, 'f', 3);
    if (rank > 0)
        text += tr(", rank %1 of %2").arg(rank).arg(m_ranking->ranked);
    if (rank > 0 && m_ranking->cut)
        text += tr("; the cut at %1 retrieving layers lies at %2").arg(m_ranking->retrieving).arg(*m_ranking->cut, 0, 'f', 3);
    return text;
}

QVariant HeadMapModel::layerData(int layer, int role) const
{
    switch (role) {
    case Qt::DisplayRole:
        return layer;
    case LayerKindRole:
        return static_cast<int>(m_map.layerKind(layer));
    case LockedRole:
        return isLocked(layer);
    case FlippedRole:
        return m_sacrifice ? QVariant(m_sacrifice->layers[static_cast<std::size_t>(layer)].flipped) : QVariant();
    case MeanScoreRole:
        return m_scores ? QVariant(layerScore(*m_scores, layer)) : QVariant();
    case DemotedRole:
        return m_sacrifice ? QVariant(m_sacrifice->layers[static_cast<std::size_t>(layer)].demoted) : QVariant();
    case Qt::ToolTipRole: {
        QString text = tr("Layer %1: %2").arg(layer).arg(nameOf(m_map.layerKind(layer)));
        if (m_map.isLocal(layer))
            text += tr(": %1, as the model's own file has it; no map changes it").arg(localWindow(m_map.pattern(layer, 0)));
        if (isLocked(layer))
            text += tr(", locked against re-assignment");
        if (m_scores)
            text += standing(layer);
        if (m_sacrifice) {
            const Sacrifice &lost = m_sacrifice->layers[static_cast<std::size_t>(layer)];
            text += tr("\n%1 flipped, %2 demoted").arg(lost.flipped).arg(lost.demoted);
        }
        if (const LayerCost *cost = this->cost(layer); cost && cost->longestMs > 0) {
            const auto add = [&text](const QString &what, const std::optional<LayerTimes::Stack> &stack) {
                if (!stack)
                    return;
                const auto &[attention, projections, mlp, pointwise] = *stack;
                text += tr("\n%1 %2: attention %3, projections %4, MLP %5, norms and the like %6")
                            .arg(what, timeText(sumOf(*stack)), timeText(attention), timeText(projections), timeText(mlp),
                                 timeText(pointwise));
            };
            add(tr("predicted"), cost->predictedMs);
            add(tr("measured"), cost->measuredMs);
        }
        if (hasAblation()) {
            const LayerCost &costs = m_costs[static_cast<std::size_t>(layer)];
            text += tr("\nLoss when it alone streams: %1 ± %2 (standard error)")
                        .arg(costs.loss, 0, 'g', 3)
                        .arg(costs.lossError, 0, 'g', 2);
        }
        return text;
    }
    default:
        return {};
    }
}

QVariant HeadMapModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (section < 0 || section >= (orientation == Qt::Vertical ? rowCount() : columnCount()))
        return {};
    if (orientation == Qt::Vertical)
        return layerData(section, role);
    return role == Qt::DisplayRole ? QVariant(section) : QVariant();
}

} // namespace zigzag
