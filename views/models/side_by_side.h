// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/jobs/side_by_side_job.h"

#include <QAbstractTableModel>
#include <QString>
#include <memory>
#include <string_view>

namespace zigzag {

/// A token as it may stand in a line of text: line breaks as a sign, bytes that are no character in angle brackets.
QString shownToken(std::string_view bytes, int token);

/// Two answers to one prompt as a table: a row per place, a column per map. It grows while they are generated.
class SideBySideModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    using QAbstractTableModel::QAbstractTableModel;

    /// Another question: nothing is said yet.
    void clear();
    /// What there is by now: of the answers that are shown, or of others where these are not their beginning.
    void show(std::shared_ptr<const jobs::SideBySide> both);
    const jobs::SideBySide *both() const { return m_both.get(); }
    bool isEmpty() const { return rowCount() == 0; }

    /// Null where this answer has ended before.
    const jobs::AnsweredToken *token(int row, int column) const;
    /// The row of the first token that is not the same, or −1.
    int partingRow() const;
    /// Where they part and how sure each was, in one sentence or two; that they do not; empty while nothing is said.
    QString verdict() const;
    /// What both maps thought at a place, a line for each: shown beside the answers, and as the tooltip.
    QString thoughts(int row, int column) const;
    /// The name of a side, with how its answer ended.
    QString heading(int column) const;
    /// All of it, to be pasted elsewhere. `prompt` as it was asked.
    QString asText(const QString &prompt) const;

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

private:
    QString nameOf(int column) const;
    bool goesOn(const jobs::SideBySide &next) const;

    std::shared_ptr<const jobs::SideBySide> m_both;
    int m_rows = 0; ///< that views know of
};

} // namespace zigzag
