// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/evaluate/answers_summary.h"

#include <QAbstractTableModel>
#include <QString>

namespace zigzag {

/// What maps cost in answers: a row for each map, task and length, and one for all of a map's.
class AnswersModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Map, Task, Length, Count, Full, Score, Difference, Worse, Better, Verdict, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    /// Null: nothing.
    void show(const AnswersRecord *record);
    /// The map of a row, its place in the record.
    std::size_t mapAt(int row) const { return m_rows[static_cast<std::size_t>(row)].map; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QString text(const AnswersRow &row, int column) const;
    QVariantList csvValues(const AnswersRow &row, int column) const;

    std::vector<AnswersRow> m_rows;
    QStringList m_maps; ///< names, of all of the record
};

/// The questions that a map of the record answered worse than full attention, to be read: HTML with the end of each question, the
/// right answer and what was said under both, and a link that asks it again ("ask:PLACE", its place in the record). At most
/// `most` of them.
inline constexpr const char *askedAgainScheme = "ask";
QString brokenHtml(const AnswersRecord &record, std::size_t map, int most);
/// All of them as a table; null: its headings alone.
QString brokenCsv(const AnswersRecord *record, std::size_t map);

} // namespace zigzag
