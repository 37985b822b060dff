// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/op_table_model.h"

#include "views/models/csv.h"
#include "views/models/glossary.h"
#include "views/models/head_map_model.h"
#include "views/models/op_colors.h"
#include "views/models/text.h"
#include "views/models/time_window.h"
#include "views/models/trace_model.h"

#include <algorithm>

namespace zigzag {

namespace {

QString nameOfRow(const OpRow &row)
{
    QStringList parts;
    if (row.op)
        parts << nameOfOp(*row.op);
    if (row.layer)
        parts << (*row.layer < 0 ? OpTableModel::tr("outside the layers") : OpTableModel::tr("layer %1").arg(*row.layer));
    if (row.rank)
        parts << OpTableModel::tr("rank %1").arg(*row.rank);
    if (row.kind)
        parts << nameOf(*row.kind);
    else if (parts.isEmpty())
        parts << OpTableModel::tr("outside the layers");
    return parts.join(QStringLiteral(" · "));
}

} // namespace

void OpTableModel::show(std::vector<OpRow> rows)
{
    reset(std::move(rows), {});
}

void OpTableModel::showKernels(const std::vector<KernelRow> &kernels)
{
    std::vector<OpRow> rows;
    QStringList names;
    for (const KernelRow &kernel : kernels) {
        OpRow row;
        row.count = kernel.count;
        row.totalNs = kernel.totalNs;
        row.selfNs = kernel.selfNs;
        row.meanNs = kernel.meanNs;
        row.p50Ns = kernel.p50Ns;
        row.p99Ns = kernel.p99Ns;
        rows.push_back(row);
        names << QString::fromStdString(kernel.name);
    }
    reset(std::move(rows), names);
}

void OpTableModel::reset(std::vector<OpRow> rows, QStringList kernels)
{
    beginResetModel();
    m_rows = std::move(rows);
    m_kernels = std::move(kernels);
    m_selfNs = 0;
    for (const OpRow &row : m_rows)
        m_selfNs += static_cast<double>(row.selfNs);
    endResetModel();
}

int OpTableModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int OpTableModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString OpTableModel::name(int row) const
{
    return m_kernels.isEmpty() ? nameOfRow(m_rows[static_cast<std::size_t>(row)]) : m_kernels[row];
}

QString OpTableModel::text(int place, int column) const
{
    const OpRow &row = m_rows[static_cast<std::size_t>(place)];
    const auto known = [](double value, const QString &text) { return value > 0 ? text : QStringLiteral("–"); };
    switch (column) {
    case Name:
        return name(place);
    case Count:
        return QString::number(row.count);
    case Total:
        return durationText(static_cast<double>(row.totalNs));
    case Self:
        return durationText(static_cast<double>(row.selfNs));
    case Share:
        return m_selfNs > 0 ? QStringLiteral("%1 %").arg(static_cast<double>(row.selfNs) / m_selfNs * 100.0, 0, 'f', 1)
                            : QString();
    case Mean:
        return durationText(row.meanNs);
    case P50:
        return durationText(row.p50Ns);
    case P99:
        return durationText(row.p99Ns);
    case Bandwidth:
        return known(row.bytesPerSecond, rateText(row.bytesPerSecond, QStringLiteral("B")));
    case Rate:
        return known(row.flopsPerSecond, rateText(row.flopsPerSecond, QStringLiteral("FLOP")));
    case FloorReached:
        return known(row.floorRatio, percentText(row.floorRatio));
    case Waiting:
        return known(static_cast<double>(row.waitNs), durationText(static_cast<double>(row.waitNs)));
    case Exchange:
        return known(static_cast<double>(row.exchangeNs), durationText(static_cast<double>(row.exchangeNs)));
    case Kernels:
        return known(static_cast<double>(row.kernelNs), durationText(static_cast<double>(row.kernelNs)));
    default:
        return {};
    }
}

QVariant OpTableModel::number(int place, int column) const
{
    const OpRow &row = m_rows[static_cast<std::size_t>(place)];
    switch (column) {
    case Name: // ops in the order of the forward pass, layers in theirs, kernels by name
        if (!m_kernels.isEmpty())
            return m_kernels[place];
        return row.rank.value_or(0) * 65536 + row.layer.value_or(0) * 256 + (row.op ? static_cast<int>(*row.op) : 0) * 4
            + (row.kind ? static_cast<int>(*row.kind) : 0);
    case Count:
        return static_cast<qlonglong>(row.count);
    case Total:
        return static_cast<qlonglong>(row.totalNs);
    case Self:
    case Share:
        return static_cast<qlonglong>(row.selfNs);
    case Mean:
        return row.meanNs;
    case P50:
        return row.p50Ns;
    case P99:
        return row.p99Ns;
    case Bandwidth:
        return row.bytesPerSecond;
    case Rate:
        return row.flopsPerSecond;
    case FloorReached:
        return row.floorRatio;
    case Waiting:
        return static_cast<qlonglong>(row.waitNs);
    case Exchange:
        return static_cast<qlonglong>(row.exchangeNs);
    case Kernels:
        return static_cast<qlonglong>(row.kernelNs);
    default:
        return {};
    }
}

bool OpTableModel::isOfRanks() const
{
    return std::any_of(m_rows.begin(), m_rows.end(), [](const OpRow &row) { return row.waitNs > 0 || row.exchangeNs > 0; });
}

QStringList OpTableModel::csvHeading(int column) const
{
    const bool kernels = !m_kernels.isEmpty(); // these have their own time alone: nothing within, no bytes, no operations
    switch (column) {
    case Name:
        return {kernels ? tr("Kernel") : tr("Op")};
    case Count:
        return {tr("Count")};
    case Total:
        return {tr("Total ns")};
    case Self:
        return kernels ? QStringList() : QStringList{tr("Self ns")};
    case Share:
        return {kernels ? tr("Share of total %") : tr("Share of self %")};
    case Mean:
        return {tr("Mean ns")};
    case P50:
        return {tr("p50 ns")};
    case P99:
        return {tr("p99 ns")};
    case Bandwidth:
        return kernels ? QStringList() : QStringList{tr("Bandwidth B/s")};
    case Rate:
        return kernels ? QStringList() : QStringList{tr("Rate FLOP/s")};
    case FloorReached:
        return kernels ? QStringList() : QStringList{tr("Floor reached %")};
    case Waiting:
        return isOfRanks() ? QStringList{tr("Waiting ns")} : QStringList();
    case Exchange:
        return isOfRanks() ? QStringList{tr("Exchange ns")} : QStringList();
    case Kernels:
        return std::any_of(m_rows.begin(), m_rows.end(), [](const OpRow &row) { return row.kernelNs > 0; })
            ? QStringList{tr("Kernels ns")}
            : QStringList();
    default:
        return {};
    }
}

QVariantList OpTableModel::csvValues(int place, int column) const
{
    const OpRow &row = m_rows[static_cast<std::size_t>(place)];
    const auto known = [](double value) { return value > 0 ? QVariant(value) : QVariant(); };
    switch (column) {
    case Name:
        return {name(place)};
    case Share:
        return {m_selfNs > 0 ? QVariant(static_cast<double>(row.selfNs) / m_selfNs * 100.0) : QVariant()};
    case Bandwidth:
        return {known(row.bytesPerSecond)};
    case Rate:
        return {known(row.flopsPerSecond)};
    case FloorReached:
        return {known(row.floorRatio * 100.0)};
    default:
        return {number(place, column)};
    }
}

QVariant OpTableModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const OpRow &row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return text(index.row(), index.column());
    case Qt::DecorationRole:
        return index.column() == Name && row.op ? QVariant(opColor(*row.op)) : QVariant();
    case Qt::TextAlignmentRole:
        return static_cast<int>(Qt::AlignVCenter | (index.column() == Name ? Qt::AlignLeft : Qt::AlignRight));
    case SortRole:
        return number(index.row(), index.column());
    case csvRole:
        return csvValues(index.row(), index.column());
    case LayerRole:
        return row.layer.value_or(-1);
    case OpRole:
        return row.op ? QVariant(static_cast<int>(*row.op)) : QVariant();
    case KindRole:
        return row.kind ? QVariant(static_cast<int>(*row.kind)) : QVariant();
    case Qt::ToolTipRole: // names of kernels are long
        return index.column() == Name ? QVariant(name(index.row())) : QVariant();
    default:
        return {};
    }
}

QVariant OpTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(Qt::AlignVCenter | (section == Name ? Qt::AlignLeft : Qt::AlignRight));
    if (role == csvRole)
        return csvHeading(section);
    if (role == Qt::ToolTipRole)
        switch (section) {
        case Total:
            return tr("Time of the spans with what is inside them");
        case Self:
            return tr("Time of the spans without what is inside them");
        case Share:
            return tr("Share of the own time of all rows");
        case Bandwidth:
            return tr("Bytes that the op must move at least, over its time");
        case Rate:
            return tr("Operations of matrix products and attention, over their time");
        case FloorReached:
            return explained(Term::FloorReached);
        case Waiting:
            return tr("Time in which a rank waited for the last one, before they exchanged");
        case Exchange:
            return tr("Time in which the ranks exchanged their parts, once all had come");
        case Kernels:
            return tr("Time of the GPU kernels that the spans launched");
        default:
            return {};
        }
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return m_kernels.isEmpty() ? tr("Op") : tr("Kernel");
    case Count:
        return tr("Count");
    case Total:
        return tr("Total");
    case Self:
        return tr("Self");
    case Share:
        return tr("Share");
    case Mean:
        return tr("Mean");
    case P50:
        return tr("p50");
    case P99:
        return tr("p99");
    case Bandwidth:
        return tr("Bandwidth");
    case Rate:
        return tr("Rate");
    case FloorReached:
        return tr("Floor reached");
    case Waiting:
        return tr("Waiting");
    case Exchange:
        return tr("Exchange");
    case Kernels:
        return tr("Kernels");
    default:
        return {};
    }
}

} // namespace zigzag
