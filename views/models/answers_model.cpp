// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/answers_model.h"

#include "views/models/csv.h"
#include "views/models/text.h"

#include <QFont>

#include <algorithm>

namespace zigzag {

namespace {

QString html(const std::string &text)
{
    constexpr qsizetype longest = 2000; // letters of one answer that are shown
    QString shown = QString::fromStdString(text);
    if (shown.size() > longest)
        shown = shown.left(longest) + QStringLiteral("…");
    return shown.toHtmlEscaped().replace(QLatin1Char('\n'), QLatin1String("<br>"));
}

} // namespace

void AnswersModel::show(const AnswersRecord *record)
{
    beginResetModel();
    m_rows = record ? summaryOf(*record) : std::vector<AnswersRow>();
    m_maps.clear();
    if (record)
        for (const AnswersOfMap &map : record->maps)
            m_maps += map.engine.empty()
                ? QString::fromStdString(map.map)
                : tr("%1 as %2 runs it").arg(QString::fromStdString(map.map), QString::fromStdString(map.engine));
    endResetModel();
}

int AnswersModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int AnswersModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString AnswersModel::text(const AnswersRow &row, int column) const
{
    const PairedTest &test = row.test;
    switch (column) {
    case Map:
        return m_maps.value(static_cast<qsizetype>(row.map));
    case Task:
        return row.task.empty() ? tr("all") : QString::fromStdString(row.task);
    case Length:
        return row.context > 0 ? contextText(row.context) : QStringLiteral("–");
    case Count:
        return QString::number(test.count);
    case Full:
        return percentText(row.full);
    case Score:
        return percentText(row.mean);
    case Difference:
        return tr("%1 (%2 to %3)")
            .arg(signedPercentText(test.difference), signedPercentText(test.low), signedPercentText(test.high));
    case Worse:
        return QString::number(test.worse);
    case Better:
        return QString::number(test.better);
    case Verdict:
        return QString::fromStdString(pairedText(test));
    default:
        return {};
    }
}

QVariantList AnswersModel::csvValues(const AnswersRow &row, int column) const
{
    switch (column) {
    case Length:
        return {row.context > 0 ? QVariant(static_cast<qlonglong>(row.context)) : QVariant()};
    case Full:
        return {row.full};
    case Score:
        return {row.mean};
    case Difference:
        return {row.test.difference, row.test.low, row.test.high, row.test.p};
    default:
        return {text(row, column)};
    }
}

QVariant AnswersModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const AnswersRow &row = m_rows[static_cast<std::size_t>(index.row())];
    if (role == Qt::DisplayRole)
        return text(row, index.column());
    if (role == csvRole)
        return csvValues(row, index.column());
    if (role == Qt::ToolTipRole)
        return text(row, Verdict);
    if (role == Qt::TextAlignmentRole) {
        const bool isText = index.column() == Map || index.column() == Task || index.column() == Verdict;
        return QVariant((isText ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    if (role == Qt::FontRole && row.task.empty()) {
        QFont bold;
        bold.setBold(true);
        return bold;
    }
    return {};
}

QVariant AnswersModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount]
            = {tr("Map"),   tr("Task"),   tr("Tokens"),    tr("Questions"), tr("Full"), tr("Score"), tr("Difference (95 %)"),
               tr("Worse"), tr("Better"), tr("Is it one?")};
        return titles[section];
    }
    if (role == csvRole) {
        const QStringList names[ColumnCount] = {{tr("Map")},
                                                {tr("Task")},
                                                {tr("Tokens")},
                                                {tr("Questions (count)")},
                                                {tr("Score of full attention")},
                                                {tr("Score of the map")},
                                                {tr("Difference of score"), tr("Difference of score (low)"),
                                                 tr("Difference of score (high)"), tr("Share of chance (p)")},
                                                {tr("Worse (count)")},
                                                {tr("Better (count)")},
                                                {tr("Is it one?")}};
        return names[section];
    }
    if (role == Qt::ToolTipRole) {
        const QString tips[ColumnCount]
            = {{},
               tr("As the file or RULER calls it"),
               tr("What the question was made for, the answer's room included"),
               tr("That every map answered"),
               tr("Mean score of full attention, by each task's own rule"),
               tr("Mean score of this map"),
               tr("This map less full attention, with its 95 % interval"),
               tr("Questions whose score fell"),
               tr("Questions whose score rose"),
               tr("McNemar's exact test where answers are right or wrong, else a bootstrap over questions")};
        return tips[section];
    }
    return {};
}

QString brokenHtml(const AnswersRecord &record, std::size_t map, int most)
{
    if (map == 0 || map >= record.maps.size())
        return {};
    const std::vector<std::size_t> broken = brokenBy(record, map);
    QString text
        = QStringLiteral("<p><b>%1</b></p>")
              .arg(tr("%1: %2 of %3 questions were answered worse than under full attention")
                       .arg(html(record.maps[map].map), QString::number(broken.size()), QString::number(record.answered())));
    for (std::size_t i = 0; i < std::min(broken.size(), static_cast<std::size_t>(std::max(0, most))); ++i) {
        const AskedQuestion &question = record.questions[broken[i]];
        const QuestionAnswer &full = record.maps.front().answers[broken[i]], &mine = record.maps[map].answers[broken[i]];
        QStringList right;
        for (const std::string &reference : question.references)
            right += html(reference);
        text += QStringLiteral("<hr><p><b>%1 %2</b>, %3</p><p>…%4</p><table cellpadding=\"2\">")
                    .arg(html(question.task), html(question.id), tr("%1 tokens").arg(mine.promptTokens), html(question.end));
        const auto row = [&](const QString &what, const QString &said) {
            text += QStringLiteral("<tr><td><b>%1</b></td><td>%2</td></tr>").arg(what, said);
        };
        row(tr("right"), right.join(QStringLiteral(" | ")));
        row(tr("full attention, %1").arg(percentText(full.score)), html(full.text));
        row(tr("this map, %1").arg(percentText(mine.score)), html(mine.text));
        text += QStringLiteral("</table><p><a href=\"%1:%2\">%3</a></p>")
                    .arg(QLatin1String(askedAgainScheme), QString::number(broken[i]), tr("Show both answers token by token"));
    }
    if (broken.size() > static_cast<std::size_t>(std::max(0, most)))
        text += QStringLiteral("<p>%1</p>")
                    .arg(tr("… and %1 more, in the record's file").arg(broken.size() - static_cast<std::size_t>(most)));
    return text;
}

QString brokenCsv(const AnswersRecord *record, std::size_t map)
{
    QString text = csvLine({tr("Task"), tr("Question"), tr("Prompt tokens"), tr("Right"), tr("Score of full attention"),
                            tr("Answer of full attention"), tr("Score of the map"), tr("Answer of the map")});
    if (!record || map == 0 || map >= record->maps.size())
        return text;
    for (const std::size_t place : brokenBy(*record, map)) {
        const AskedQuestion &question = record->questions[place];
        const QuestionAnswer &full = record->maps.front().answers[place], &mine = record->maps[map].answers[place];
        QStringList right;
        for (const std::string &reference : question.references)
            right += QString::fromStdString(reference);
        text += csvLine({QString::fromStdString(question.task), QString::fromStdString(question.id),
                         QString::number(mine.promptTokens), right.join(QStringLiteral(" | ")), csvNumber(full.score),
                         QString::fromStdString(full.text), csvNumber(mine.score), QString::fromStdString(mine.text)});
    }
    return text;
}

} // namespace zigzag
