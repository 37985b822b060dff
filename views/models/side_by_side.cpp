// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/side_by_side.h"

#include "engine/base/printable.h"
#include "views/models/text.h"

#include <algorithm>

namespace zigzag {

namespace {

QString quoted(std::string_view bytes, int token)
{
    return QStringLiteral("“%1”").arg(shownToken(bytes, token));
}

/// Small shares are what tells who has lost a token: 0.03 % is not 0 %.
QString shareText(double probability)
{
    const double percent = 100 * probability;
    if (percent > 0 && percent < 0.01)
        return tr("< 0.01 %");
    return QStringLiteral("%1 %").arg(percent, 0, 'f', percent >= 99.995 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2);
}

QString likelyText(const std::vector<jobs::LikelyToken> &likeliest)
{
    QStringList parts;
    for (const jobs::LikelyToken &each : likeliest)
        parts << QStringLiteral("%1 %2").arg(quoted(each.bytes, each.token), shareText(each.probability));
    return parts.join(QStringLiteral(" · "));
}

} // namespace

QString shownToken(std::string_view bytes, int token)
{
    if (bytes.empty())
        return tr("token %1").arg(token);
    QString text;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::string_view rest = bytes.substr(at);
        const std::size_t length = utf8Length(rest);
        const auto byte = static_cast<unsigned char>(rest.front());
        if (byte == '\n')
            text += QChar(0x21b5);
        else if (byte == '\t')
            text += QChar(0x21e5);
        else if (length == 0 || byte < 0x20 || byte == 0x7f)
            text += QStringLiteral("⟨%1⟩").arg(byte, 2, 16, QLatin1Char('0'));
        else
            text += plain(rest.substr(0, length));
        at += std::max<std::size_t>(length, 1);
    }
    return text;
}

void SideBySideModel::clear()
{
    beginResetModel();
    m_both.reset();
    m_rows = 0;
    endResetModel();
}

bool SideBySideModel::goesOn(const jobs::SideBySide &next) const
{
    if (!m_both)
        return false;
    for (std::size_t side = 0; side < 2; ++side) {
        const auto &before = m_both->answers[side], &after = next.answers[side];
        const auto same = [](const jobs::AnsweredToken &a, const jobs::AnsweredToken &b) { return a.token == b.token; };
        if (before.name != after.name || before.tokens.size() > after.tokens.size()
            || !std::equal(before.tokens.begin(), before.tokens.end(), after.tokens.begin(), same))
            return false;
    }
    return true;
}

void SideBySideModel::show(std::shared_ptr<const jobs::SideBySide> both)
{
    const auto rowsOf = [](const jobs::SideBySide &of) {
        return static_cast<int>(std::max(of.answers[0].tokens.size(), of.answers[1].tokens.size()));
    };
    const int rows = both ? rowsOf(*both) : 0;
    if (!both || !goesOn(*both)) {
        beginResetModel();
        m_both = std::move(both);
        m_rows = rows;
        endResetModel();
        return;
    }
    const int before = m_rows;
    if (rows > before)
        beginInsertRows({}, before, rows - 1);
    m_both = std::move(both);
    m_rows = rows;
    if (rows > before)
        endInsertRows();
    if (before > 0) // what the other map thinks of them may have come
        Q_EMIT dataChanged(index(0, 0), index(before - 1, 1));
}

const jobs::AnsweredToken *SideBySideModel::token(int row, int column) const
{
    if (!m_both || row < 0 || column < 0 || column > 1)
        return nullptr;
    const auto &tokens = m_both->answers[static_cast<std::size_t>(column)].tokens;
    return row < std::ssize(tokens) ? &tokens[static_cast<std::size_t>(row)] : nullptr;
}

int SideBySideModel::partingRow() const
{
    return m_both && m_both->parting ? static_cast<int>(*m_both->parting) : -1;
}

QString SideBySideModel::nameOf(int column) const
{
    if (!m_both)
        return column == 0 ? tr("First map") : tr("Second map");
    return plain(m_both->answers[static_cast<std::size_t>(column)].name);
}

QString SideBySideModel::verdict() const
{
    if (isEmpty())
        return {};
    const int row = partingRow();
    if (row < 0)
        return m_both->isComplete ? SideBySideModel::tr("Both say the same %n tokens.", nullptr, m_rows)
                                  : SideBySideModel::tr("The same so far: %n tokens.", nullptr, m_rows);
    QStringList sides;
    for (int column = 0; column < 2; ++column) {
        const jobs::AnsweredToken &its = *token(row, column);
        sides << tr("%1 says %2 with %3, to which %4 gives %5")
                     .arg(nameOf(column), its.isEnd ? tr("its end") : quoted(its.bytes, its.token), shareText(its.probability),
                          nameOf(1 - column), shareText(its.othersProbability.value_or(0)));
    }
    return tr("They part at token %1: %2.").arg(row + 1).arg(sides.join(QStringLiteral("; ")));
}

QString SideBySideModel::thoughts(int row, int column) const
{
    const jobs::AnsweredToken *its = token(row, column);
    if (!its)
        return {};
    QStringList lines;
    lines << tr("Token %1 of %2: %3%4")
                 .arg(row + 1)
                 .arg(nameOf(column), quoted(its->bytes, its->token),
                      its->isEnd                ? tr(", which ends it")
                          : row == partingRow() ? tr(", where they part")
                                                : QString());
    lines << tr("%1: %2 · likeliest: %3").arg(nameOf(column), shareText(its->probability), likelyText(its->likeliest));
    if (its->othersProbability)
        lines << tr("%1, after the same text: %2 · likeliest: %3")
                     .arg(nameOf(1 - column), shareText(*its->othersProbability), likelyText(its->othersLikeliest));
    else
        lines << tr("%1 has not read this text").arg(nameOf(1 - column));
    return lines.join(QLatin1Char('\n'));
}

QString SideBySideModel::heading(int column) const
{
    if (!m_both)
        return {};
    const jobs::MapAnswer &answer = m_both->answers[static_cast<std::size_t>(column)];
    QString tokens = SideBySideModel::tr("%n tokens", nullptr, static_cast<int>(answer.tokens.size()));
    switch (answer.end) {
    case jobs::MapAnswer::End::Stop:
        return tr("%1, ended").arg(tokens);
    case jobs::MapAnswer::End::Length:
        return tr("%1, limit reached").arg(tokens);
    case jobs::MapAnswer::End::None:
        return tokens;
    }
    return {};
}

QString SideBySideModel::asText(const QString &prompt) const
{
    QString all = tr("Prompt:") + QLatin1Char('\n') + prompt + QStringLiteral("\n\n");
    for (int column = 0; m_both && column < 2; ++column)
        all += tr("%1 (%2):").arg(nameOf(column), heading(column)) + QLatin1Char('\n')
            + plain(m_both->answers[static_cast<std::size_t>(column)].text()) + QStringLiteral("\n\n");
    return all + verdict() + QLatin1Char('\n');
}

int SideBySideModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : m_rows;
}

int SideBySideModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : 2;
}

QVariant SideBySideModel::data(const QModelIndex &index, int role) const
{
    const jobs::AnsweredToken *its = index.isValid() ? token(index.row(), index.column()) : nullptr;
    if (!its)
        return {};
    switch (role) {
    case Qt::DisplayRole:
        return shownToken(its->bytes, its->token);
    case Qt::ToolTipRole:
    case Qt::AccessibleDescriptionRole:
        return thoughts(index.row(), index.column());
    case Qt::AccessibleTextRole:
        return tr("%1, %2%3")
            .arg(shownToken(its->bytes, its->token), shareText(its->probability),
                 index.row() == partingRow() ? tr(", they part here") : QString());
    default:
        return {};
    }
}

QVariant SideBySideModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (role != Qt::DisplayRole)
        return {};
    return orientation == Qt::Horizontal ? QVariant(nameOf(section)) : QVariant(section + 1);
}

} // namespace zigzag
