// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/needle_model.h"

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
        if (other == than->grid.end())
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
    m_accuracy = result ? result->accuracy : 0;
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
    if (role != Qt::DisplayRole || section < 0)
        return {};
    if (orientation == Qt::Horizontal)
        return section < columnCount() ? QVariant(contextText(m_contexts[static_cast<std::size_t>(section)])) : QVariant();
    return section < rowCount() ? QVariant(percentText(m_depths[static_cast<std::size_t>(section)])) : QVariant();
}

} // namespace zigzag
