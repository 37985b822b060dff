// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/map_difference_model.h"

#include "views/models/csv.h"
#include "views/models/glossary.h"
#include "views/models/text.h"

#include <QFont>

namespace zigzag {

namespace {

QString arrow(const QString &from, const QString &to)
{
    return from == to ? from : QStringLiteral("%1 → %2").arg(from, to);
}

} // namespace

void MapDifferenceModel::show(MapDifference difference, int heads, double bytesPerSlot)
{
    beginResetModel();
    m_difference = std::move(difference);
    m_heads = heads;
    m_bytesPerSlot = bytesPerSlot;
    endResetModel();
}

int MapDifferenceModel::layerAt(int row) const
{
    return row >= 0 && row < static_cast<int>(m_difference.layers.size())
        ? m_difference.layers[static_cast<std::size_t>(row)].layer
        : -1;
}

QString MapDifferenceModel::summary() const
{
    QString text = m_difference.layers.empty()
        ? tr("Every head is of the same kind in both.")
        : tr("%1 of %2 heads differ, in %n layers.", nullptr, static_cast<int>(m_difference.layers.size()))
              .arg(m_difference.heads)
              .arg(m_heads);
    if (m_difference.windowsDiffer)
        text += QLatin1Char(' ') + tr("Their windows differ.");
    return text;
}

int MapDifferenceModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() || m_difference.layers.empty() ? 0 : static_cast<int>(m_difference.layers.size()) + 1;
}

int MapDifferenceModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString MapDifferenceModel::kvText(const MapSide &side) const
{
    const auto slots = static_cast<double>(side.kvSlots);
    return m_bytesPerSlot > 0 ? bytesText(slots * m_bytesPerSlot) : keysText(slots);
}

QString MapDifferenceModel::text(int row, int column) const
{
    const bool whole = layerAt(row) < 0;
    const LayerDifference *layer = whole ? nullptr : &m_difference.layers[static_cast<std::size_t>(row)];
    const MapSide &a = whole ? m_difference.a : layer->a, &b = whole ? m_difference.b : layer->b;
    const bool scored = a.lost && b.lost;
    switch (column) {
    case Layer:
        return whole ? tr("all") : QString::number(layer->layer);
    case Heads: {
        if (whole)
            return tr("%n in all", nullptr, m_difference.heads);
        QStringList heads;
        for (const int head : layer->heads)
            heads += QString::number(head);
        return heads.join(QStringLiteral(", "));
    }
    case Streaming:
        return arrow(QString::number(a.streaming), QString::number(b.streaming));
    case Kv:
        return arrow(kvText(a), kvText(b));
    case Demoted:
        return scored ? arrow(QString::number(a.lost->demoted), QString::number(b.lost->demoted)) : QStringLiteral("–");
    case Transport:
        return scored ? arrow(QString::number(a.lost->transportCost, 'f', 2), QString::number(b.lost->transportCost, 'f', 2))
                      : QStringLiteral("–");
    default:
        return {};
    }
}

QVariantList MapDifferenceModel::csvValues(int row, int column) const
{
    const bool whole = layerAt(row) < 0;
    const LayerDifference *layer = whole ? nullptr : &m_difference.layers[static_cast<std::size_t>(row)];
    const MapSide &a = whole ? m_difference.a : layer->a, &b = whole ? m_difference.b : layer->b;
    const double unit = m_bytesPerSlot > 0 ? m_bytesPerSlot : 1.0;
    const bool scored = a.lost && b.lost;
    switch (column) {
    case Heads:
        return {whole ? m_difference.heads : static_cast<int>(layer->heads.size()), whole ? QString() : text(row, column)};
    case Streaming:
        return {a.streaming, b.streaming};
    case Kv:
        return {static_cast<double>(a.kvSlots) * unit, static_cast<double>(b.kvSlots) * unit};
    case Demoted:
        return scored ? QVariantList{a.lost->demoted, b.lost->demoted} : QVariantList();
    case Transport:
        return scored ? QVariantList{a.lost->transportCost, b.lost->transportCost} : QVariantList();
    default:
        return {text(row, column)};
    }
}

QVariant MapDifferenceModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    if (role == Qt::DisplayRole)
        return text(index.row(), index.column());
    if (role == csvRole)
        return csvValues(index.row(), index.column());
    if (role == Qt::TextAlignmentRole)
        return QVariant(index.column() == Heads ? Qt::AlignLeft | Qt::AlignVCenter : Qt::AlignRight | Qt::AlignVCenter);
    if (role == Qt::FontRole && layerAt(index.row()) < 0) {
        QFont bold;
        bold.setBold(true);
        return bold;
    }
    return {};
}

QVariant MapDifferenceModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount]
            = {tr("Layer"),   tr("Heads that differ"), tr("Streaming heads"), m_bytesPerSlot > 0 ? tr("KV bytes") : tr("KV keys"),
               tr("Demoted"), tr("Transport cost")};
        return titles[section];
    }
    if (role == csvRole) {
        const auto both = [](const QString &what) {
            return QStringList{tr("%1 of this map").arg(what), tr("%1 of the other map").arg(what)};
        };
        const QStringList names[ColumnCount] = {{tr("Layer")},
                                                {tr("Heads that differ"), tr("which heads")},
                                                both(tr("Streaming heads")),
                                                both(m_bytesPerSlot > 0 ? tr("KV bytes") : tr("KV keys")),
                                                both(tr("Demoted heads")),
                                                both(tr("Transport cost"))};
        return names[section];
    }
    if (role == Qt::ToolTipRole) {
        const QString tips[ColumnCount]
            = {{},
               tr("KV heads that stream in one map and retrieve in the other"),
               tr("KV heads that stream: in this map → in the other"),
               tr("What the cache takes at the context that the window speaks of: this map → the other"),
               explained(Term::Demoted) + tr(" This map → the other."),
               explained(Term::TransportCost) + tr(" This map → the other.")};
        return tips[section];
    }
    return {};
}

} // namespace zigzag
