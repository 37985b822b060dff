// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/run_compare.h"

#include "views/models/csv.h"
#include "views/models/op_colors.h"
#include "views/models/text.h"
#include "views/models/time_window.h"
#include "views/models/trace_model.h"

#include <QFont>

#include <cmath>

namespace zigzag {

namespace {

QString nameOfRow(const Difference &row)
{
    QStringList parts;
    if (row.op)
        parts << nameOfOp(*row.op);
    if (row.layer)
        parts << (*row.layer < 0 ? RunCompareModel::tr("outside the layers") : RunCompareModel::tr("layer %1").arg(*row.layer));
    return parts.isEmpty() ? QString::fromStdString(row.name) : parts.join(QStringLiteral(" · "));
}

std::vector<BenchRecord> recordsOf(const std::vector<RunEntry> &runs)
{
    std::vector<BenchRecord> records;
    records.reserve(runs.size());
    for (const RunEntry &run : runs)
        records.push_back(run.record);
    return records;
}

int alignmentOf(int column)
{
    const bool words = column == RunCompareModel::Name || column == RunCompareModel::Says;
    return static_cast<int>(Qt::AlignVCenter | (words ? Qt::AlignLeft : Qt::AlignRight));
}

} // namespace

std::vector<Difference> compareRuns(const std::vector<RunEntry> &a, const std::vector<RunEntry> &b, GroupBy by)
{
    if (a.size() != 1 || b.size() != 1)
        return compareRecords(recordsOf(a), recordsOf(b));
    if (a[0].trace && b[0].trace)
        return compareTraces(*a[0].trace, *b[0].trace, by);
    return {compareRecord(a[0].record, b[0].record)};
}

void RunCompareModel::show(std::vector<Difference> rows, bool predictedA, bool predictedB)
{
    beginResetModel();
    m_rows = std::move(rows);
    m_predictedA = predictedA;
    m_predictedB = predictedB;
    endResetModel();
}

int RunCompareModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int RunCompareModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString RunCompareModel::describe(const Difference &row) const
{
    const auto side = [](bool lacks, double ms, const std::optional<double> &spread, bool predicted) {
        return lacks    ? tr("not there")
            : predicted ? tr("%1, predicted").arg(timeText(ms))
            : spread    ? tr("%1, spread %2").arg(timeText(ms), timeText(*spread))
                        : tr("%1, one sample").arg(timeText(ms));
    };
    return tr("%1\nA %2\nB %3")
        .arg(nameOfRow(row), side(row.onlyB, row.a, row.spreadA, m_predictedA),
             side(row.onlyA, row.b, row.spreadB, m_predictedB));
}

QString RunCompareModel::text(const Difference &row, int column) const
{
    const bool lacking = row.onlyA || row.onlyB;
    const auto time
        = [](double ms, bool predicted) { return (predicted ? QStringLiteral("~") : QString()) + durationText(ms * 1e6); };
    switch (column) {
    case Name:
        return nameOfRow(row);
    case A:
        return row.onlyB ? QStringLiteral("–") : time(row.a, m_predictedA);
    case B:
        return row.onlyA ? QStringLiteral("–") : time(row.b, m_predictedB);
    case Change:
        return lacking
            ? QStringLiteral("–")
            : (row.absolute() < 0 ? QStringLiteral("−") : QStringLiteral("+")) + durationText(std::abs(row.absolute()) * 1e6);
    case Relative:
        return lacking || row.a <= 0 ? QStringLiteral("–") : changeText(row.b, row.a);
    case Says: { // the sign says it too, so that nothing depends on a colour
        const bool againstPrediction = m_predictedA != m_predictedB;
        switch (row.verdict()) {
        case Verdict::Within:
            return tr("≈ within the spread");
        case Verdict::Grew:
            return !againstPrediction ? tr("▲ grew") : m_predictedB ? tr("▲ predicted more") : tr("▲ measured more");
        case Verdict::Shrank:
            return !againstPrediction ? tr("▼ shrank") : m_predictedB ? tr("▼ predicted less") : tr("▼ measured less");
        case Verdict::Single:
            return tr("one sample");
        case Verdict::OnlyA:
            return tr("only in A");
        case Verdict::OnlyB:
            return tr("only in B");
        }
        return {};
    }
    default:
        return {};
    }
}

QVariant RunCompareModel::number(const Difference &row, int column, int place) const
{
    switch (column) {
    case Name: // the whole, then layers in theirs and ops in the order of the forward pass
        return !row.op && !row.layer ? place - static_cast<int>(m_rows.size())
                                     : (row.layer.value_or(0) + 1) * 256 + (row.op ? static_cast<int>(*row.op) : 0);
    case A:
        return row.a;
    case B:
        return row.b;
    case Change:
        return row.absolute();
    case Relative:
        return row.onlyB ? 1e9 : row.relative();
    default:
        return text(row, column);
    }
}

QStringList RunCompareModel::csvHeading(int column) const
{
    const auto side = [](const QString &name, bool predicted) {
        return QStringList{predicted ? tr("%1 predicted ms").arg(name) : tr("%1 ms").arg(name), tr("%1 spread ms").arg(name)};
    };
    switch (column) {
    case Name:
        return {tr("What")};
    case A:
        return side(QStringLiteral("A"), m_predictedA);
    case B:
        return side(QStringLiteral("B"), m_predictedB);
    case Change:
        return {tr("B − A ms")};
    case Relative:
        return {tr("Change %")};
    case Says:
        return {tr("Verdict")};
    default:
        return {};
    }
}

QVariantList RunCompareModel::csvValues(const Difference &row, int column) const
{
    const bool lacking = row.onlyA || row.onlyB;
    const auto side = [](double ms, const std::optional<double> &spread, bool lacks) {
        return lacks ? QVariantList() : QVariantList{ms, spread ? QVariant(*spread) : QVariant()};
    };
    switch (column) {
    case A:
        return side(row.a, row.spreadA, row.onlyB);
    case B:
        return side(row.b, row.spreadB, row.onlyA);
    case Change:
        return lacking ? QVariantList() : QVariantList{row.absolute()};
    case Relative:
        return lacking || row.a <= 0 ? QVariantList() : QVariantList{row.relative() * 100.0};
    default:
        return {text(row, column)};
    }
}

QVariant RunCompareModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const Difference &row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return text(row, index.column());
    case Qt::TextAlignmentRole:
        return alignmentOf(index.column());
    case Qt::DecorationRole:
        return index.column() == Name && row.op ? QVariant(opColor(*row.op)) : QVariant();
    case Qt::FontRole:
        if ((index.column() == A && m_predictedA) || (index.column() == B && m_predictedB)) {
            QFont font;
            font.setItalic(true);
            return font;
        }
        return {};
    case Qt::ToolTipRole:
        return describe(row);
    case csvRole:
        return csvValues(row, index.column());
    case LayerRole:
        return row.layer.value_or(-1);
    case SortRole:
        return number(row, index.column(), index.row());
    default:
        return {};
    }
}

QVariant RunCompareModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return alignmentOf(section);
    if (role == csvRole)
        return csvHeading(section);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return tr("What");
    case A:
        return m_predictedA ? tr("A, predicted") : tr("A");
    case B:
        return m_predictedB ? tr("B, predicted") : tr("B");
    case Change:
        return tr("B − A");
    case Relative:
        return tr("Change");
    case Says:
        return tr("Verdict");
    default:
        return {};
    }
}

} // namespace zigzag
