// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/score_sources.h"

#include "views/models/csv.h"
#include "views/models/text.h"

#include <algorithm>
#include <numeric>

namespace zigzag {

QString nameOf(SearchMethod method, Unit unit, SearchLoss loss)
{
    const bool layers = unit == Unit::Layer;
    switch (method) {
    case SearchMethod::Ablation:
        if (loss == SearchLoss::Answer)
            return layers ? tr("Answer loss of layers") : tr("Answer loss of heads");
        if (loss == SearchLoss::Kl)
            return layers ? tr("Ablation of layers by KL") : tr("Ablation of heads by KL");
        return layers ? tr("Ablation of layers") : tr("Ablation of heads");
    case SearchMethod::Greedy:
        if (loss == SearchLoss::Answer)
            return layers ? tr("Greedy search over layers by answer loss") : tr("Greedy search over heads by answer loss");
        if (loss == SearchLoss::Kl)
            return layers ? tr("Greedy search over layers by KL") : tr("Greedy search over heads by KL");
        return layers ? tr("Greedy search over layers") : tr("Greedy search over heads");
    case SearchMethod::Gates:
        return layers ? tr("Gates, one per layer") : tr("Gates, one per head");
    case SearchMethod::Attention:
        return tr("Attention to needles");
    case SearchMethod::Logits:
        return tr("Contribution of heads to the answer's logits");
    }
    return {};
}

ScoreSources::ScoreSources(QObject *parent)
    : QAbstractTableModel(parent)
{ }

int ScoreSources::add(FoundScores found)
{
    const auto same = std::find_if(m_found.begin(), m_found.end(), [&](const FoundScores &other) {
        return other.name == found.name && other.window == found.window;
    });
    if (same != m_found.end()) {
        *same = std::move(found);
        const int row = static_cast<int>(same - m_found.begin());
        Q_EMIT dataChanged(index(row, 0), index(row, ColumnCount - 1));
        return row;
    }
    const int row = rowCount();
    beginInsertRows({}, row, row);
    m_found.push_back(std::move(found));
    endInsertRows();
    return row;
}

void ScoreSources::clear()
{
    beginResetModel();
    m_found.clear();
    endResetModel();
}

int ScoreSources::rowOf(const HeadScores *scores) const
{
    const auto found = std::find_if(m_found.begin(), m_found.end(),
                                    [&](const FoundScores &each) { return scores && each.scores.get() == scores; });
    return found == m_found.end() ? -1 : static_cast<int>(found - m_found.begin());
}

const FoundScores *ScoreSources::ablation(StreamingWindow window) const
{
    const auto found = std::find_if(m_found.rbegin(), m_found.rend(), [&](const FoundScores &each) {
        return !each.effects.empty() && each.unit == Unit::Layer && each.window == window
            && (!each.scores || each.scores->engine.empty());
    });
    return found == m_found.rend() ? nullptr : &*found;
}

int ScoreSources::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_found.size());
}

int ScoreSources::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

namespace {

double meanSpread(const HeadScores &scores)
{
    return static_cast<double>(std::accumulate(scores.spread.begin(), scores.spread.end(), 0.0f))
        / static_cast<double>(scores.spread.size());
}

QVariantList csvValues(const FoundScores &found, int column)
{
    switch (column) {
    case ScoreSources::Source:
        return {found.name, found.isSearch ? QVariant(found.done) : QVariant(),
                found.isSearch ? QVariant(found.all) : QVariant()};
    case ScoreSources::Window:
        return found.isSearch ? QVariantList{found.window.sink, found.window.recent} : QVariantList();
    case ScoreSources::Spread:
        return found.scores->spread.empty() ? QVariantList() : QVariantList{meanSpread(*found.scores)};
    case ScoreSources::Effort:
        return found.isSearch ? QVariantList{found.forwardPasses, found.seconds} : QVariantList();
    default:
        return {};
    }
}

} // namespace

QVariant ScoreSources::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const FoundScores &found = at(index.row());
    if (role == csvRole)
        return csvValues(found, index.column());
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole)
        return {};
    const std::vector<float> &spread = found.scores->spread;
    const bool partial = found.done < found.all;
    const bool unanswered = found.scores->unanswered;
    if (role == Qt::ToolTipRole && unanswered)
        return tr("The model answered no prompt, not even with full attention: these scores say nothing of its heads.");
    if (role == Qt::ToolTipRole)
        return partial ? tr("Stopped after %1 of %2: start the same search again and it goes on.").arg(found.done).arg(found.all)
                       : tr("Choose this row to colour the map, and to assign, by these scores.");
    switch (index.column()) {
    case Source:
        return found.name + (partial ? tr(" (%1 of %2)").arg(found.done).arg(found.all) : QString())
            + (unanswered ? tr(", no prompt answered") : QString());
    case Window:
        return found.isSearch ? tr("%1 + %2").arg(found.window.sink).arg(found.window.recent) : tr("–");
    case Spread:
        return spread.empty() ? tr("–") : tr("± %1").arg(meanSpread(*found.scores), 0, 'f', 3);
    case Effort:
        return found.isSearch ? tr("%1 passes, %2").arg(found.forwardPasses, 0, 'f', 0).arg(timeText(1e3 * found.seconds))
                              : tr("–");
    default:
        return {};
    }
}

QVariant ScoreSources::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::DisplayRole)
        return QStringList{tr("Scores from"), tr("Sink + recent"), tr("Mean spread"), tr("Cost")}.at(section);
    if (role == csvRole)
        return QList<QStringList>{{tr("Scores from"), tr("Steps done"), tr("Steps in all")},
                                  {tr("Sink tokens"), tr("Recent tokens")},
                                  {tr("Mean spread of the scores")},
                                  {tr("Forward passes"), tr("Seconds")}}
            .at(section);
    if (role == Qt::ToolTipRole)
        return QStringList{tr("Where the scores come from"), tr("The window that a streaming head keeps in the search"),
                           tr("Standard error or deviation of the scores, mean over heads"),
                           tr("Forward passes (backward ones counted as two) and time")}
            .at(section);
    return {};
}

} // namespace zigzag
