// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/run_compare.h"

#include "views/models/op_colors.h"
#include "views/models/text.h"
#include "views/models/time_window.h"
#include "views/models/trace_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace zigzag {

namespace {

using Key = std::pair<int, int>; // layer, op; outside the layers is −1; "all" is −2
constexpr int all = -2;

struct Sums {
    std::map<Key, std::vector<double>> ms; // own time of each pass
    bool isPrefill = false;
};

Sums sumsOf(const Trace &trace, GroupBy by)
{
    Sums sums;
    sums.isPrefill = trace.info.phase == Phase::Prefill;
    std::vector<std::size_t> passOf(trace.spans.size());
    std::size_t passes = 0;
    const auto add = [&](Key key, std::size_t pass, std::int64_t ns) {
        std::vector<double> &values = sums.ms[key];
        values.resize(std::max(values.size(), pass + 1));
        values[pass] += static_cast<double>(ns) * 1e-6;
    };
    const auto keyOf = [by](const TraceSpan &span) {
        return Key(by == GroupBy::Op ? all : span.layer, by == GroupBy::Layer ? all : static_cast<int>(span.op));
    };
    for (std::size_t index = 0; index < trace.spans.size(); ++index) {
        const TraceSpan &span = trace.spans[index];
        const bool inside = span.parent >= 0;
        const auto parent = static_cast<std::size_t>(std::max(span.parent, 0));
        // The chunks of a prefill are one run of it.
        passOf[index] = sums.isPrefill ? 0 : inside ? passOf[parent] : passes++;
        add(keyOf(span), passOf[index], span.durationNs);
        if (inside)
            add(keyOf(trace.spans[parent]), passOf[index], -span.durationNs);
        else
            add({all, all}, passOf[index], span.durationNs);
    }
    for (auto &[key, values] : sums.ms)
        values.resize(sums.isPrefill ? 1 : passes);
    return sums;
}

void fill(const Sums &sums, const Key &key, double &ms, std::optional<double> &spread)
{
    const auto found = sums.ms.find(key);
    if (found == sums.ms.end()) {
        spread = 0.0; // a run that does not have the group at all is sure of it
        return;
    }
    ms = quantile(found->second, 0.5);
    if (found->second.size() > 1)
        spread = quantile(found->second, 0.75) - quantile(found->second, 0.25);
}

QString nameOfRow(const ComparedRow &row)
{
    QStringList parts;
    if (row.op)
        parts << nameOfOp(*row.op);
    if (row.layer)
        parts << (*row.layer < 0 ? RunCompareModel::tr("outside the layers") : RunCompareModel::tr("layer %1").arg(*row.layer));
    return parts.isEmpty() ? RunCompareModel::tr("the whole") : parts.join(QStringLiteral(" · "));
}

} // namespace

std::optional<bool> ComparedRow::isWithinSpread() const
{
    if (!spreadA || !spreadB)
        return {};
    return std::abs(difference()) <= (*spreadA + *spreadB) / 2.0;
}

std::vector<ComparedRow> compareRuns(const RunEntry &a, const RunEntry &b, GroupBy by)
{
    std::vector<ComparedRow> rows(1);
    rows.front().a = a.ms;
    rows.front().b = b.ms;
    if (a.spreadMs > 0)
        rows.front().spreadA = a.spreadMs;
    if (b.spreadMs > 0)
        rows.front().spreadB = b.spreadMs;
    if (!a.trace || !b.trace)
        return rows;
    const Sums ofA = sumsOf(*a.trace, by), ofB = sumsOf(*b.trace, by);
    std::map<Key, bool> keys;
    for (const Sums *sums : {&ofA, &ofB})
        for (const auto &[key, values] : sums->ms)
            keys[key] = true;
    for (const auto &[key, known] : keys) {
        if (key == Key(all, all))
            continue;
        ComparedRow row;
        if (key.first != all)
            row.layer = key.first;
        if (key.second != all)
            row.op = static_cast<Op>(key.second);
        fill(ofA, key, row.a, row.spreadA);
        fill(ofB, key, row.b, row.spreadB);
        rows.push_back(row);
    }
    return rows;
}

void RunCompareModel::show(std::vector<ComparedRow> rows)
{
    beginResetModel();
    m_rows = std::move(rows);
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

QVariant RunCompareModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const ComparedRow &row = m_rows[static_cast<std::size_t>(index.row())];
    const auto within = row.isWithinSpread();
    switch (role) {
    case Qt::TextAlignmentRole:
        return static_cast<int>(Qt::AlignVCenter
                                | (index.column() == Name || index.column() == Verdict ? Qt::AlignLeft : Qt::AlignRight));
    case Qt::DecorationRole:
        return index.column() == Name && row.op ? QVariant(opColor(*row.op)) : QVariant();
    case LayerRole:
        return row.layer.value_or(-1);
    case Qt::ToolTipRole: {
        const auto spread = [](const std::optional<double> &ms) { return ms ? timeText(*ms) : tr("not known: one pass"); };
        return tr("%1\nA %2, spread %3\nB %4, spread %5")
            .arg(nameOfRow(row), timeText(row.a), spread(row.spreadA), timeText(row.b), spread(row.spreadB));
    }
    case SortRole:
        switch (index.column()) {
        case A:
            return row.a;
        case B:
            return row.b;
        case Difference:
            return row.difference();
        case Change:
            return row.a > 0 ? row.b / row.a - 1.0 : row.b > 0 ? 1e9 : 0.0;
        case Verdict:
            return data(index, Qt::DisplayRole);
        default:
            return index.row();
        }
    case Qt::DisplayRole:
        switch (index.column()) {
        case Name:
            return nameOfRow(row);
        case A:
            return durationText(row.a * 1e6);
        case B:
            return durationText(row.b * 1e6);
        case Difference:
            return (row.difference() < 0 ? QStringLiteral("−") : QStringLiteral("+"))
                + durationText(std::abs(row.difference()) * 1e6);
        case Change:
            return row.a > 0 ? changeText(row.b, row.a) : tr("new");
        case Verdict: // the sign says it too, so that nothing depends on a colour
            return !within             ? tr("one sample")
                : *within              ? tr("≈ within the spread")
                : row.difference() > 0 ? tr("▲ grew")
                                       : tr("▼ shrank");
        default:
            return {};
        }
    default:
        return {};
    }
}

QVariant RunCompareModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(Qt::AlignVCenter | (section == Name || section == Verdict ? Qt::AlignLeft : Qt::AlignRight));
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return tr("Op");
    case A:
        return tr("A");
    case B:
        return tr("B");
    case Difference:
        return tr("Difference");
    case Change:
        return tr("Change");
    case Verdict:
        return tr("Verdict");
    default:
        return {};
    }
}

} // namespace zigzag
