// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/op_table.h"
#include "views/models/plotted_maps.h"

#include <QString>
#include <QStringList>

class QAbstractItemModel;

namespace zigzag {

class HeadMapModel;

/// One line of CSV (RFC 4180: quotes around what holds a comma, a quote or a line break), with its line break.
QString csvLine(const QStringList &fields);
/// What a column of a table is in a file, where that is not its text: the heading's QStringList of names with their units (a
/// column may be several, or none), and for each cell a QVariantList of as many values; an invalid one is not known.
inline constexpr int csvRole = Qt::UserRole + 64;
/// A table with its header, sorted as it is shown; numbers with all their digits. With `rowHeading`, the headings of the rows
/// are the first column, under this name.
QString csvOf(const QAbstractItemModel &table, const QString &rowHeading = {});
/// A line per layer: kind, heads (R and S), their scores, what was sacrificed, what an ablation found, KV, and times in
/// milliseconds, in all and by group of ops, where they are known.
QString csvOf(const HeadMapModel &map);
/// A plot of the plotted: series, context, source (predicted, computed, measured), value and spread; times in milliseconds.
QString csvOf(const PlottedMaps &plotted, Quantity quantity);
/// The spans and kernels of a trace that lie in a stretch of time at least partly, a line each.
QString csvOf(const Trace &trace, const TimeRange &range);
/// A number with all its digits, independent of the language.
QString csvNumber(double value);

} // namespace zigzag
