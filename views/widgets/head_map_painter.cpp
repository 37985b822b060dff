// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/head_map_painter.h"

#include "views/models/colors.h"
#include "views/models/head_map_model.h"
#include "views/models/op_colors.h"
#include "views/models/text.h"

#include <QCoreApplication>
#include <QFontMetrics>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace zigzag {

namespace {

void drawPadlock(QPainter &painter, const QRectF &box)
{
    const double side = box.width();
    const QRectF body(box.left() + side * 0.15, box.top() + side * 0.45, side * 0.7, side * 0.5);
    painter.fillRect(body, painter.pen().color());
    painter.setBrush(Qt::NoBrush);
    painter.drawArc(QRectF(box.left() + side * 0.28, box.top() + side * 0.08, side * 0.44, side * 0.7), 0, 180 * 16);
}

/// ".07", "1.0": two digits without the zero that they all begin with.
QString shortScore(double score)
{
    const int hundredths = static_cast<int>(std::lround(100 * std::clamp(score, 0.0, 1.0)));
    return hundredths == 100 ? QStringLiteral("1.0") : QStringLiteral(".%1").arg(hundredths, 2, 10, QLatin1Char('0'));
}

} // namespace

HeadMapPainter::HeadMapPainter(QPainter &painter, const HeadMapModel &model, const HeadMapGeometry &geometry,
                               const QItemSelectionModel &selection, const QPalette &palette, bool focused)
    : m_painter(painter)
    , m_model(model)
    , m_geometry(geometry)
    , m_selection(selection)
    , m_palette(palette)
    , m_quiet(mixed(palette.color(QPalette::Text), palette.color(QPalette::Base), 0.3))
    , m_focused(focused)
    , m_fonts{painter.font(), painter.font()}
{
    m_fonts[0].setBold(false);
    m_fonts[1].setBold(true);
    m_roomForScore = QFontMetrics(m_fonts[1]).horizontalAdvance(QStringLiteral("R .00"));
}

void HeadMapPainter::drawRow(int layer)
{
    if (m_geometry.rowOf(layer) % 2)
        m_painter.fillRect(m_geometry.row(layer), m_palette.color(QPalette::AlternateBase));
    drawLayer(layer);
    for (int head = 0; head < m_model.columnCount(); ++head)
        drawCell(layer, head);
    drawKind(layer);
    drawScore(layer);
    drawLost(layer);
    drawLoss(layer);
    drawKv(layer);
    drawTime(layer);
}

std::vector<HeadMapPainter::Heading> HeadMapPainter::headings(const HeadMapModel &model, const HeadMapGeometry &geometry,
                                                              const QString &kvTitle, const QString &timeTitle)
{
    std::vector<Heading> all{
        {geometry.kind(0), tr("Kind"), Qt::AlignHCenter},
        {geometry.lost(0), lostTitle(), Qt::AlignHCenter},
        {geometry.kv(0), kvTitle, Qt::AlignLeft},
        {geometry.time(0), timeTitle, Qt::AlignLeft},
    };
    if (model.hasAblation())
        all.push_back({geometry.loss(0), tr("loss if it alone streams, log"), Qt::AlignLeft});
    if (model.isScored())
        all.push_back({geometry.score(0), tr("Score and cut"), Qt::AlignLeft});
    return all;
}

int HeadMapPainter::widestWord(const QString &title, const QFontMetrics &metrics)
{
    int widest = 0;
    for (const QString &word : title.split(QLatin1Char(' ')))
        widest = std::max(widest, metrics.horizontalAdvance(word));
    return widest;
}

int HeadMapPainter::linesOf(const std::vector<Heading> &headings, const QFontMetrics &metrics)
{
    int most = 0;
    for (const Heading &each : headings) {
        const QRect room(0, 0, each.column.width(), 1 << 12);
        const int needed = metrics.boundingRect(room, Qt::TextWordWrap, each.title).height();
        most = std::max(most, (needed + metrics.height() - 1) / metrics.height());
    }
    return most;
}

void HeadMapPainter::drawHeadings(int top, const QString &kvTitle, const QString &timeTitle)
{
    const int height = m_geometry.headerHeight();
    m_painter.fillRect(QRect(0, top, m_geometry.contentSize().width(), height), m_palette.color(QPalette::Base));
    m_painter.setPen(m_quiet);
    const int line = m_painter.fontMetrics().height();
    const auto heading = [&](const QRect &column, const QString &title, Qt::Alignment alignment) {
        m_painter.drawText(QRect(column.left(), top, column.width(), height - line / 4),
                           static_cast<int>(alignment | Qt::AlignBottom) | Qt::TextWordWrap, title);
    };
    heading(m_geometry.layer(0), layerTitle(), Qt::AlignHCenter);
    const int heads = m_model.columnCount();
    const int widest = m_painter.fontMetrics().horizontalAdvance(QString::number(heads)) + 2;
    const int step = m_geometry.cellWidth() >= widest ? 1 : 4; // narrow cells: every fourth number
    for (int head = 0; head < heads; head += step)
        heading(m_geometry.cell(0, head).adjusted(-widest, 0, widest, 0), QString::number(head), Qt::AlignHCenter);
    if (heads > 0) {
        const QRect cells = m_geometry.cell(0, 0).united(m_geometry.cell(0, heads - 1));
        m_painter.drawText(QRect(cells.left(), top, std::max(cells.width(), m_geometry.cellWidth() * 4), height - line * 5 / 4),
                           static_cast<int>(Qt::AlignLeft | Qt::AlignBottom),
                           heads * m_geometry.cellWidth() > 60 ? tr("KV head") : QString());
    }
    for (const Heading &each : headings(m_model, m_geometry, kvTitle, timeTitle))
        heading(each.column, each.title, each.alignment);
    m_painter.setPen(m_palette.color(QPalette::Mid));
    m_painter.drawLine(0, top + height - 1, m_geometry.contentSize().width(), top + height - 1);
}

void HeadMapPainter::drawLayer(int layer)
{
    const QRect box = m_geometry.layer(layer);
    if (m_selection.rowIntersectsSelection(layer)) {
        m_painter.fillRect(QRect(box.left(), box.top(), box.width() / 12, box.height()), m_palette.color(QPalette::Highlight));
    }
    m_painter.setPen(m_palette.color(QPalette::Text));
    m_painter.drawText(box, Qt::AlignCenter, QString::number(layer));
    if (m_model.isLocked(layer)) {
        const double side = std::min<double>(box.height() * 0.5, box.width() * 0.25);
        drawPadlock(m_painter, QRectF(box.right() - side * 1.2, box.center().y() - side / 2, side, side));
    }
}

const HeadMapPainter::Look &HeadMapPainter::lookOf(const QColor &color)
{
    auto found = m_looks.find(color.rgba());
    if (found == m_looks.end()) // Either end of the scale fades into the ground of one theme: the frame is seen on both.
        found = m_looks.insert(
            color.rgba(),
            {standingOut(color, {m_palette.color(QPalette::Base), m_palette.color(QPalette::AlternateBase)}), inkOn(color)});
    return *found;
}

void HeadMapPainter::drawWord(const QRect &cell, const QString &word, bool bold)
{
    auto found = m_words[bold].find(word);
    if (found == m_words[bold].end()) {
        QStaticText text(word);
        text.setTextFormat(Qt::PlainText);
        text.prepare({}, m_fonts[bold]);
        found = m_words[bold].insert(word, text);
    }
    const QFont before = m_painter.font();
    m_painter.setFont(m_fonts[bold]);
    const QSizeF size = found->size();
    m_painter.drawStaticText(
        QPointF(cell.left() + (cell.width() - size.width()) / 2, cell.top() + (cell.height() - size.height()) / 2), *found);
    m_painter.setFont(before);
}

void HeadMapPainter::drawCell(int layer, int head)
{
    const QModelIndex index = m_model.index(layer, head);
    const QRect cell = m_geometry.cell(layer, head);
    const QRect inner = cell.adjusted(1, 1, -1, -1);
    const QVariant score = index.data(HeadMapModel::ScoreRole);
    const bool streams = index.data(HeadMapModel::StreamingRole).toBool();
    // Without scores the kinds alone speak, in a colour that is not on the scale.
    const QColor unscored = mixed(m_palette.color(QPalette::Base), m_palette.color(QPalette::Text), 0.55);
    const QColor color = score.isValid() ? scoreColor(score.toDouble()) : unscored;
    const Look look = lookOf(color);
    const QColor frame = look.frame;
    m_painter.fillRect(inner, frame);
    if (!streams && frame != color)
        m_painter.fillRect(inner.adjusted(1, 1, -1, -1), color);

    // A retrieval head is a full block; a streaming head is hollow, as its cache is.
    QColor ink = look.ink;
    const int border = std::max(2, std::min(inner.width(), inner.height()) / 6);
    if (streams) {
        const QRect chip = inner.adjusted(border, border, -border, -border);
        m_painter.fillRect(chip, m_palette.color(QPalette::Base));
        ink = m_palette.color(QPalette::Text);
    }
    m_painter.setPen(ink);
    // Where there is room the score stands beside the letter: colours near each other look alike.
    const QString letter = index.data().toString();
    const bool roomy = score.isValid() && inner.width() - 2 * border >= m_roomForScore;
    drawWord(inner, roomy ? letter + QLatin1Char(' ') + shortScore(score.toDouble()) : letter, !streams);

    if (m_selection.isSelected(index)) {
        m_painter.setPen(QPen(m_palette.color(QPalette::Highlight), 2));
        m_painter.setBrush(Qt::NoBrush);
        m_painter.drawRect(cell.adjusted(1, 1, -1, -1));
    }
    if (m_focused && m_selection.currentIndex() == index) {
        m_painter.setBrush(Qt::NoBrush);
        // Dots of both, because a cell may be as dark or as light as either.
        for (const auto &[role, line] : {std::pair(QPalette::Base, Qt::SolidLine), std::pair(QPalette::Text, Qt::DotLine)}) {
            m_painter.setPen(QPen(m_palette.color(role), 2, line));
            m_painter.drawRect(cell.adjusted(1, 1, -1, -1));
        }
    }
}

void HeadMapPainter::drawKind(int layer)
{
    const auto kind = static_cast<LayerKind>(m_model.headerData(layer, Qt::Vertical, HeadMapModel::LayerKindRole).toInt());
    const QRect column = m_geometry.kind(layer);
    const QString name = kind == LayerKind::Retrieval ? tr("R")
        : kind == LayerKind::Streaming                ? tr("S")
        : kind == LayerKind::Local                    ? tr("L")
                                                      : tr("mixed");
    const QFontMetrics metrics = m_painter.fontMetrics();
    const int width = std::min(column.width(), metrics.horizontalAdvance(name) + metrics.height());
    QRect badge(0, 0, width, metrics.height() + 2);
    badge.moveCenter(column.center());
    const QColor ink = m_palette.color(QPalette::Text);
    m_painter.save();
    m_painter.setRenderHint(QPainter::Antialiasing);
    m_painter.setPen(QPen(kind == LayerKind::Mixed ? ink : m_quiet, 1, kind == LayerKind::Mixed ? Qt::DashLine : Qt::SolidLine));
    m_painter.setBrush(kind == LayerKind::Retrieval ? QBrush(m_quiet) : QBrush(Qt::NoBrush));
    m_painter.drawRoundedRect(QRectF(badge).adjusted(0.5, 0.5, -0.5, -0.5), badge.height() / 2.0, badge.height() / 2.0);
    m_painter.setPen(kind == LayerKind::Retrieval ? inkOn(m_quiet) : ink);
    m_painter.drawText(badge, Qt::AlignCenter, name);
    m_painter.restore();
}

QRect HeadMapPainter::scoreBar(int layer, double score) const
{
    const QRect column = m_geometry.score(layer);
    const int number = m_painter.fontMetrics().horizontalAdvance(QStringLiteral(".00 "));
    const int room = std::max(1, column.width() - number);
    const double share = score / std::max(1e-9, m_model.ranking()->highest); // which share of the highest counts, not of 1
    const int thickness = std::max(4, column.height() * 2 / 5);
    return {column.left(), column.center().y() - thickness / 2, static_cast<int>(room * std::clamp(share, 0.0, 1.0)), thickness};
}

void HeadMapPainter::drawScore(int layer)
{
    const std::optional<LayerRanking> &ranking = m_model.ranking();
    if (!ranking || ranking->ranks[static_cast<std::size_t>(layer)] == 0)
        return; // no map decides a local layer
    const double score = ranking->scores[static_cast<std::size_t>(layer)];
    const QRect box = scoreBar(layer, score);
    // Above the cut full, below it hollow, as the heads are that the scores would make of it.
    if (ranking->isAboveCut(layer)) {
        m_painter.fillRect(box, m_quiet);
    } else {
        m_painter.setPen(m_quiet);
        m_painter.setBrush(Qt::NoBrush);
        m_painter.drawRect(box.adjusted(0, 0, -1, -1));
    }
    label(m_geometry.score(layer), shortScore(score));
}

void HeadMapPainter::drawCut()
{
    const std::optional<LayerRanking> &ranking = m_model.ranking();
    if (!ranking || !ranking->cut)
        return;
    m_painter.setPen(QPen(m_palette.color(QPalette::Text), 1, Qt::DashLine));
    const int x = scoreBar(0, *ranking->cut).left() + scoreBar(0, *ranking->cut).width();
    const int rows = m_model.rowCount();
    m_painter.drawLine(x, m_geometry.headerHeight(), x, m_geometry.headerHeight() + rows * m_geometry.rowHeight());
    if (m_geometry.order().empty())
        return;
    const QRect below = m_geometry.row(ranking->order[static_cast<std::size_t>(ranking->retrieving)]);
    m_painter.drawLine(below.left(), below.top(), below.right(), below.top());
}

void HeadMapPainter::drawLost(int layer)
{
    const QVariant flipped = m_model.headerData(layer, Qt::Vertical, HeadMapModel::FlippedRole);
    const QVariant demoted = m_model.headerData(layer, Qt::Vertical, HeadMapModel::DemotedRole);
    const bool anything = flipped.toInt() > 0 || demoted.toInt() > 0;
    m_painter.setPen(anything ? m_palette.color(QPalette::Text) : m_quiet);
    const QString numbers = !flipped.isValid() ? QStringLiteral("–")
        : anything                             ? QStringLiteral("%1 / %2").arg(flipped.toInt()).arg(demoted.toInt())
                                               : QStringLiteral("·");
    m_painter.drawText(m_geometry.lost(layer), Qt::AlignCenter, numbers);
}

int HeadMapPainter::labelWidth() const
{
    return m_painter.fontMetrics().horizontalAdvance(QStringLiteral("9999 KiB "));
}

QRect HeadMapPainter::bar(const QRect &column, double share) const
{
    const int room = std::max(0, column.width() - labelWidth());
    const int thickness = std::max(4, column.height() * 2 / 5);
    return {column.left(), column.center().y() - thickness / 2, std::max(1, static_cast<int>(room * std::clamp(share, 0.0, 1.0))),
            thickness};
}

void HeadMapPainter::label(const QRect &column, const QString &number)
{
    m_painter.setPen(m_palette.color(QPalette::Text));
    m_painter.drawText(column, static_cast<int>(Qt::AlignRight | Qt::AlignVCenter), number);
}

void HeadMapPainter::drawLoss(int layer)
{
    const LayerCost *cost = m_model.cost(layer);
    if (!cost || cost->largestLoss <= 0)
        return;
    const QRect column = m_geometry.loss(layer);
    const QColor ink = mixed(QColor(0xd5, 0x5e, 0x00), m_palette.color(QPalette::Text), isDark(m_palette) ? 0.2 : 0.0);
    const QRect box = bar(column, cost->lossShare(cost->loss));
    m_painter.fillRect(box, ink);
    // A measurement shows its spread: a whisker of one standard error to each side.
    const int low = bar(column, cost->lossShare(cost->loss - cost->lossError)).right();
    const int high = bar(column, cost->lossShare(cost->loss + cost->lossError)).right();
    m_painter.setPen(QPen(m_palette.color(QPalette::Text), 1));
    m_painter.drawLine(low, box.center().y(), high, box.center().y());
    for (const int end : {low, high})
        m_painter.drawLine(end, box.center().y() - 2, end, box.center().y() + 2);
    label(column, QString::number(cost->loss, 'g', 2));
}

void HeadMapPainter::drawKv(int layer)
{
    const LayerCost *cost = m_model.cost(layer);
    if (!cost || cost->fullKv <= 0)
        return;
    const QRect column = m_geometry.kv(layer);
    m_painter.fillRect(bar(column, 1.0), mixed(m_palette.color(QPalette::Base), m_palette.color(QPalette::Text), 0.12));
    m_painter.fillRect(bar(column, cost->kv / cost->fullKv), m_quiet);
    label(column, m_model.map().model().headDim > 0 ? bytesText(cost->kv) : keysText(cost->kv));
}

void HeadMapPainter::drawTime(int layer)
{
    const LayerCost *cost = m_model.cost(layer);
    if (!cost || cost->longestMs <= 0)
        return;
    // Both stacked by group of ops. Measured: solid. Predicted: hatched within a dashed outline, never solid; below the other.
    const QRect column = m_geometry.time(layer);
    const QRect whole = bar(column, 1.0);
    const bool both = cost->measuredMs && cost->predictedMs;
    const int thickness = both ? whole.height() * 2 / 3 + 1 : whole.height();
    const int middle = whole.center().y();
    const auto stack = [&](const LayerTimes::Stack &parts, int top, bool measured) {
        double from = 0;
        int left = column.left();
        for (std::size_t group = 0; group < barGroups.size(); ++group) {
            from += parts[group];
            const int right = std::max(left, bar(column, from / cost->longestMs).right());
            const QColor color = groupColor(barGroups[group]);
            const QRect part(left, top, right - left, thickness);
            m_painter.fillRect(part, measured ? color : mixed(m_palette.color(QPalette::Base), color, 0.35));
            if (!measured)
                m_painter.fillRect(part, QBrush(color, Qt::BDiagPattern));
            left = right;
        }
        if (measured)
            return;
        m_painter.setPen(QPen(m_quiet, 1, Qt::DashLine));
        m_painter.setBrush(Qt::NoBrush);
        m_painter.drawRect(QRect(column.left(), top, std::max(1, left - column.left() - 1), thickness - 1));
    };
    if (cost->measuredMs)
        stack(*cost->measuredMs, both ? middle - thickness : whole.top(), true);
    if (cost->predictedMs)
        stack(*cost->predictedMs, both ? middle + 2 : whole.top(), false);
    label(column, timeText(sumOf(cost->measuredMs ? *cost->measuredMs : cost->predictedMs.value_or(LayerTimes::Stack()))));
}

} // namespace zigzag
