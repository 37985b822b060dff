// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/needle_model.h"

#include "views/models/csv.h"
#include "views/models/text.h"

#include <algorithm>

namespace zigzag {

namespace {

template <class T> std::vector<T> sortedOnce(std::vector<T> values)
{
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

} // namespace

NeedleModel::NeedleModel(QObject *parent)
    : QAbstractTableModel(parent)
{ }

void NeedleModel::showDifference(const NeedleResult *of, const NeedleResult *than)
{
    NeedleResult both;
    std::vector<double> differences;
    for (std::size_t i = 0; of && than && i < of->grid.size(); ++i) {
        const NeedleCell &mine = of->grid[i];
        const auto other = std::find_if(than->grid.begin(), than->grid.end(), [&](const NeedleCell &each) {
            return each.context == mine.context && each.depth == mine.depth;
        });
        if (other == than->grid.end() || mine.trials == 0 || other->trials == 0)
            continue;
        both.grid.push_back(mine);
        differences.push_back(mine.accuracy() - other->accuracy());
        both.accuracy += differences.back();
    }
    if (!differences.empty())
        both.accuracy /= static_cast<double>(differences.size());
    set(&both, std::move(differences), true);
}

void NeedleModel::show(const NeedleResult *result)
{
    set(result, {}, false);
}

void NeedleModel::set(const NeedleResult *result, std::vector<double> differences, bool isDifference)
{
    beginResetModel();
    m_differences = std::move(differences);
    m_isDifference = isDifference;
    m_cells = result ? result->grid : std::vector<NeedleCell>();
    m_planned = result ? result->planned : 0;
    m_accuracy = !result || isDifference || trials() == 0 ? 0 : static_cast<double>(found()) / trials();
    if (result && isDifference)
        m_accuracy = result->accuracy;
    m_contexts.clear();
    m_depths.clear();
    for (const NeedleCell &each : m_cells) {
        m_contexts.push_back(each.context);
        m_depths.push_back(each.depth);
    }
    m_contexts = sortedOnce(std::move(m_contexts));
    m_depths = sortedOnce(std::move(m_depths));
    endResetModel();
}

int NeedleModel::found() const
{
    int sum = 0;
    for (const NeedleCell &each : m_cells)
        sum += each.found;
    return sum;
}

int NeedleModel::trials() const
{
    int sum = 0;
    for (const NeedleCell &each : m_cells)
        sum += each.trials;
    return sum;
}

bool NeedleModel::isPartial() const
{
    int most = 0;
    for (const NeedleCell &each : m_cells)
        most = std::max(most, each.trials);
    const bool unequal
        = std::any_of(m_cells.begin(), m_cells.end(), [most](const NeedleCell &each) { return each.trials < most; });
    const auto cells = std::ssize(m_cells);
    return unequal || cells < m_planned || cells < std::ssize(m_contexts) * std::ssize(m_depths);
}

int NeedleModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_depths.size());
}

int NeedleModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_contexts.size());
}

const NeedleCell *NeedleModel::cell(int row, int column) const
{
    const double depth = m_depths[static_cast<std::size_t>(row)];
    const std::int64_t context = m_contexts[static_cast<std::size_t>(column)];
    const auto found = std::find_if(m_cells.begin(), m_cells.end(),
                                    [&](const NeedleCell &each) { return each.depth == depth && each.context == context; });
    return found == m_cells.end() ? nullptr : &*found;
}

QVariant NeedleModel::data(const QModelIndex &index, int role) const
{
    const NeedleCell *asked = index.isValid() ? cell(index.row(), index.column()) : nullptr;
    if (!asked)
        return {};
    if (role == csvRole)
        return QVariantList{data(index, AccuracyRole)};
    if (asked->trials == 0) // a run that goes on, or was stopped, has not come to it
        return role == Qt::ToolTipRole || role == Qt::AccessibleTextRole
            ? tr("Context %1, depth %2: not asked yet").arg(contextText(asked->context), percentText(asked->depth))
            : role == Qt::DisplayRole ? QVariant(QStringLiteral("…"))
                                      : QVariant();
    if (m_isDifference) {
        const double difference = m_differences[static_cast<std::size_t>(asked - m_cells.data())];
        switch (role) {
        case Qt::DisplayRole:
            return signedPercentText(difference);
        case AccuracyRole:
            return difference;
        case Qt::ToolTipRole:
        case Qt::AccessibleTextRole:
            return tr("Context %1, depth %2: %3 keys found against full attention")
                .arg(contextText(asked->context), percentText(asked->depth), signedPercentText(difference));
        default:
            return {};
        }
    }
    switch (role) {
    case Qt::DisplayRole:
        return percentText(asked->accuracy());
    case AccuracyRole:
        return asked->accuracy();
    case Qt::ToolTipRole:
    case Qt::AccessibleTextRole:
        return tr("Context %1, depth %2: %3 of %4 keys found")
            .arg(contextText(asked->context), percentText(asked->depth))
            .arg(asked->found)
            .arg(asked->trials);
    default:
        return {};
    }
}

QVariant NeedleModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (section < 0 || section >= (orientation == Qt::Horizontal ? columnCount() : rowCount()))
        return {};
    if (role == csvRole)
        return orientation == Qt::Vertical
            ? QStringList{csvNumber(m_depths[static_cast<std::size_t>(section)])}
            : QStringList{(m_isDifference ? tr("difference of the share found at %1 tokens") : tr("share found at %1 tokens"))
                              .arg(m_contexts[static_cast<std::size_t>(section)])};
    if (role != Qt::DisplayRole)
        return {};
    if (orientation == Qt::Horizontal)
        return section < columnCount() ? QVariant(contextText(m_contexts[static_cast<std::size_t>(section)])) : QVariant();
    return section < rowCount() ? QVariant(percentText(m_depths[static_cast<std::size_t>(section)])) : QVariant();
}

} // namespace zigzag
