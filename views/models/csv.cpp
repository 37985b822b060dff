// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/csv.h"

#include "views/models/head_map_model.h"

#include <QAbstractItemModel>
#include <QLocale>

#include <array>
#include <cmath>
#include <optional>
#include <vector>

namespace zigzag {

QString csvNumber(double value)
{
    return QString::number(value, 'g', QLocale::FloatingPointShortest);
}

QString csvLine(const QStringList &fields)
{
    QStringList quoted;
    for (QString field : fields) {
        if (field.contains(QLatin1Char(',')) || field.contains(QLatin1Char('"')) || field.contains(QLatin1Char('\n')))
            field = QLatin1Char('"') + field.replace(QLatin1String("\""), QLatin1String("\"\"")) + QLatin1Char('"');
        quoted << field;
    }
    return quoted.join(QLatin1Char(',')) + QLatin1Char('\n');
}

namespace {

QString fieldOf(const QVariant &value)
{
    switch (value.typeId()) {
    case QMetaType::Double:
        return std::isfinite(value.toDouble()) ? csvNumber(value.toDouble()) : QString();
    case QMetaType::LongLong:
    case QMetaType::Int:
        return QString::number(value.toLongLong());
    default:
        return value.toString();
    }
}

/// The names of a heading: its text, where the model says nothing of files.
QStringList namesOf(const QAbstractItemModel &table, int section, Qt::Orientation orientation)
{
    const QVariant names = table.headerData(section, orientation, csvRole);
    return names.isValid() ? names.toStringList() : QStringList{table.headerData(section, orientation).toString()};
}

} // namespace

QString csvOf(const QAbstractItemModel &table, const QString &rowHeading)
{
    QStringList fields;
    std::vector<qsizetype> widths; // fields per column
    const bool headed = !rowHeading.isEmpty();
    if (headed)
        fields << rowHeading;
    for (int column = 0; column < table.columnCount(); ++column) {
        const QStringList names = namesOf(table, column, Qt::Horizontal);
        widths.push_back(names.size());
        fields << names;
    }
    QString text = csvLine(fields);
    for (int row = 0; row < table.rowCount(); ++row) {
        fields.clear();
        if (headed)
            fields << namesOf(table, row, Qt::Vertical);
        for (int column = 0; column < table.columnCount(); ++column) {
            const QModelIndex index = table.index(row, column);
            const QVariant values = index.data(csvRole);
            const QVariantList list = values.isValid() ? values.toList() : QVariantList{index.data()};
            for (qsizetype field = 0; field < widths[static_cast<std::size_t>(column)]; ++field)
                fields << fieldOf(list.value(field));
        }
        text += csvLine(fields);
    }
    return text;
}

QString csvOf(const Trace &trace, const TimeRange &range)
{
    const bool hasRanks = trace.info.gpus > 1;
    const auto line = [&](QStringList fields, int rank) {
        if (hasRanks)
            fields.append(QString::number(rank));
        return csvLine(fields);
    };
    QStringList heading{QStringLiteral("name"),     QStringLiteral("layer"),       QStringLiteral("kind"),
                        QStringLiteral("begin ns"), QStringLiteral("duration ns"), QStringLiteral("bytes"),
                        QStringLiteral("flops"),    QStringLiteral("floor ns")};
    if (hasRanks)
        heading << QStringLiteral("rank");
    QString text = csvLine(heading);
    const auto text8 = [](std::string_view name) { return QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size())); };
    const auto inside = [&](const auto &span) { return span.endNs() > range.beginNs && span.beginNs < range.endNs; };
    for (const TraceSpan &span : trace.spans)
        if (inside(span))
            text += line({text8(nameOf(span.op)), span.layer < 0 ? QString() : QString::number(span.layer), text8(kindName(span)),
                          QString::number(span.beginNs), QString::number(span.durationNs), QString::number(span.bytes),
                          QString::number(span.flops), csvNumber(static_cast<double>(span.floorNs))},
                         span.row);
    for (const KernelSpan &kernel : trace.kernels)
        if (inside(kernel))
            text += line({QString::fromStdString(trace.kernelNames[kernel.name]),
                          {},
                          {},
                          QString::number(kernel.beginNs),
                          QString::number(kernel.durationNs),
                          {},
                          {},
                          {}},
                         kernel.row);
    for (const CollectiveSpan &each : trace.collectives) { // the wait, and what follows
        const auto add = [&](std::string_view name, std::int64_t begin, std::int64_t lasts, std::int64_t bytes) {
            text += line({text8(name),
                          {},
                          {},
                          QString::number(begin),
                          QString::number(lasts),
                          bytes > 0 ? QString::number(bytes) : QString(),
                          {},
                          {}},
                         each.row);
        };
        if (!inside(each))
            continue;
        if (each.waitNs > 0)
            add("waiting", each.beginNs, each.waitNs, 0);
        add(nameOf(each.kind), each.beginNs + each.waitNs, each.durationNs - each.waitNs, each.bytes);
    }
    return text;
}

namespace {

// What the bars are stacked of, predicted and measured.
constexpr std::array costGroups = {"attention", "projections", "MLP", "norms and the like"};

QStringList headingsOf(const HeadMapModel &map)
{
    QStringList headings{QStringLiteral("layer"), QStringLiteral("kind"), QStringLiteral("heads")};
    if (map.isScored())
        for (const char *what : {"score", "spread"})
            for (int head = 0; head < map.columnCount(); ++head)
                headings << QStringLiteral("%1 of head %2").arg(QLatin1String(what)).arg(head);
    headings << QStringLiteral("flipped heads") << QStringLiteral("demoted heads") << QStringLiteral("loss if it alone streams")
             << QStringLiteral("standard error of the loss");
    const auto &[phase, context] = map.costBasis();
    headings << QStringLiteral("kv %1 at %2 tokens")
                    .arg(map.map().model().headDim > 0 ? QStringLiteral("bytes") : QStringLiteral("keys"))
                    .arg(context);
    const QString time = phase == Phase::Prefill ? QStringLiteral("TTFT") : QStringLiteral("TPOT");
    for (const char *source : {"predicted", "measured"}) {
        headings << QStringLiteral("%1 %2 ms at %3 tokens").arg(QLatin1String(source), time).arg(context);
        for (const char *group : costGroups)
            headings << QStringLiteral("%1 %2 ms").arg(QLatin1String(source), QLatin1String(group));
    }
    return headings;
}

} // namespace

QString csvOf(const HeadMapModel &map)
{
    QString text = csvLine(headingsOf(map));
    for (int layer = 0; layer < map.rowCount(); ++layer) {
        QString heads;
        for (int head = 0; head < map.columnCount(); ++head)
            heads += map.index(layer, head).data().toString();
        QStringList fields{QString::number(layer), nameOf(map.map().layerKind(layer)), heads};
        if (map.isScored())
            for (const int role : {HeadMapModel::ScoreRole, HeadMapModel::SpreadRole})
                for (int head = 0; head < map.columnCount(); ++head)
                    fields << fieldOf(map.index(layer, head).data(role));
        const auto of = [&](int role) { return map.headerData(layer, Qt::Vertical, role).toString(); };
        const LayerCost *cost = map.cost(layer);
        const bool ablated = cost && cost->largestLoss > 0;
        fields << of(HeadMapModel::FlippedRole) << of(HeadMapModel::DemotedRole) << (ablated ? csvNumber(cost->loss) : QString())
               << (ablated ? csvNumber(cost->lossError) : QString()) << (cost ? csvNumber(cost->kv) : QString());
        const std::optional<LayerTimes::Stack> none;
        for (const auto &stack : {cost ? cost->predictedMs : none, cost ? cost->measuredMs : none}) {
            fields << (stack ? csvNumber(sumOf(*stack)) : QString());
            for (std::size_t group = 0; group < costGroups.size(); ++group)
                fields << (stack ? csvNumber((*stack)[group]) : QString());
        }
        text += csvLine(fields);
    }
    return text;
}

QString csvOf(const PlottedMaps &plotted, Quantity quantity)
{
    constexpr std::array names = {"full", "duo", "zigzag", "this map"};
    const QString unit = quantity != Quantity::Kv ? QStringLiteral("ms")
        : plotted.hasBytes()                      ? QStringLiteral("bytes")
                                                  : QStringLiteral("keys");
    QString text = csvLine({QStringLiteral("series"), QStringLiteral("context tokens"), QStringLiteral("source"), unit,
                            QStringLiteral("spread ") + unit});
    const auto add
        = [&](const QString &name, const std::vector<double> &predicted, const std::vector<PlottedMaps::Point> &measured) {
              for (std::size_t index = 0; index < predicted.size(); ++index)
                  text += csvLine({name, QString::number(plotted.contexts()[index]),
                                   quantity == Quantity::Kv     ? QStringLiteral("computed")
                                       : plotted.isKept()       ? QStringLiteral("predicted (kept)")
                                       : plotted.isUnreliable() ? QStringLiteral("predicted (disturbed calibration)")
                                                                : QStringLiteral("predicted"),
                                   csvNumber(predicted[index]), QString()});
              for (const PlottedMaps::Point &point : measured)
                  text += csvLine({name, QString::number(point.context),
                                   quantity == Quantity::Kv ? QStringLiteral("allocated")
                                       : point.disturbed    ? QStringLiteral("measured (disturbed)")
                                                            : QStringLiteral("measured"),
                                   csvNumber(point.value), csvNumber(point.spread)});
          };
    for (const Series series : allSeries)
        add(QLatin1String(names[static_cast<std::size_t>(series)]), plotted.predicted(series, quantity),
            plotted.measured(series, quantity));
    for (std::size_t variant = 0; variant < plotted.variantCount(); ++variant)
        add(QStringLiteral("variant: ") + plotted.variantName(variant), plotted.predictedOfVariant(variant, quantity),
            plotted.measured(plotted.variantMap(variant), quantity));
    return text;
}

} // namespace zigzag
