// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/timeline_painter.h"

#include "views/models/colors.h"
#include "views/models/op_colors.h"

#include <QCoreApplication>
#include <QFontMetrics>

#include <algorithm>
#include <cmath>

namespace zigzag {

namespace {

constexpr float leastBusy = 0.3f; // of the colour: a column that is hardly busy can still be seen
constexpr int leastLetters = 5; // of a name that is cut short: fewer say nothing
constexpr float pale = 0.8f; // towards the background, of what a search or a selection leaves out

/// Kernels that no span is known for.
const QColor unknownColor(0x8a, 0x93, 0x9e);

/// What ranks exchange: none of the ops' colours, because it lies beside them.
const QColor exchangeColor(0x5b, 0x4b, 0xa8);

/// As mixed(), for the thousands of columns of a frame.
QRgb blend(QRgb from, QRgb to, float share)
{
    const int part = static_cast<int>(share * 256.0f);
    const auto channel = [part](int a, int b) { return a + (b - a) * part / 256; };
    return qRgb(channel(qRed(from), qRed(to)), channel(qGreen(from), qGreen(to)), channel(qBlue(from), qBlue(to)));
}

} // namespace

int TimelineGeometry::laneAt(int y, int lanes) const
{
    if (y < axisHeight)
        return -1;
    for (int lane = 0; lane < lanes; ++lane)
        if (y >= laneTop(lane) && y < laneTop(lane) + laneHeight)
            return lane;
    return -1;
}

TimelinePainter::TimelinePainter(QPainter &painter, const TraceModel &model, const TimeWindow &window,
                                 const TimelineGeometry &geometry, const QPalette &palette)
    : m_painter(painter)
    , m_model(model)
    , m_window(window)
    , m_geometry(geometry)
    , m_palette(palette)
    , m_base(palette.color(QPalette::Base))
    , m_ink(palette.color(QPalette::Text))
    , m_quiet(mixed(m_ink, m_base, 0.3))
    , m_grid(mixed(m_ink, m_base, 0.88))
    , m_strip(std::max(1, window.width()), 1, QImage::Format_RGB32)
{
    m_predicted = model.trace() && model.trace()->info.predicted;
    m_tones.fill(unknownColor.rgb());
    for (std::size_t op = 0; op < opNames.size(); ++op)
        m_tones[op] = opColor(static_cast<Op>(op)).rgb();
    m_tones[exchangeTone] = exchangeColor.rgb();
    m_tones[waitingTone] = mixed(m_quiet, m_base, 0.55).rgb();
    // As in the head map: a retrieval layer is full, a streaming or local one is light, a mixed one between.
    m_tones[toneOf(LayerKind::Retrieval)] = m_quiet.rgb();
    m_tones[toneOf(LayerKind::Mixed)] = mixed(m_quiet, m_base, 0.35).rgb();
    m_tones[toneOf(LayerKind::Streaming)] = m_tones[toneOf(LayerKind::Local)] = mixed(m_quiet, m_base, 0.7).rgb();
}

void TimelinePainter::draw(const QSize &size, const State &state)
{
    m_painter.fillRect(QRect(QPoint(), size), m_base);
    const int lanes = static_cast<int>(m_model.lanes().size());
    m_painter.save();
    m_painter.setClipRect(QRect(m_geometry.labelWidth, 0, m_window.width(), size.height()));
    drawAxis(size.width());
    m_painter.setClipRect(QRect(m_geometry.labelWidth, m_geometry.axisHeight, m_window.width(), size.height()));
    for (int lane = 0; lane < lanes; ++lane)
        drawLane(lane, size.height());
    if (state.area)
        drawArea(*state.area, size.height());
    if (state.current.isValid() && state.focused)
        drawCurrent(state.current);
    m_painter.restore();
    drawLabels(size.height());
}

void TimelinePainter::drawAxis(int width)
{
    const QFontMetrics metrics = m_painter.fontMetrics();
    const TimeTicks ticks = timeTicks(m_window, metrics.horizontalAdvance(QStringLiteral("+99999.9 ms ")));
    m_painter.setPen(m_grid);
    m_painter.drawLine(0, m_geometry.axisHeight - 1, width, m_geometry.axisHeight - 1);
    for (const TimeTick &tick : ticks.ticks) {
        const int x = m_geometry.labelWidth + static_cast<int>(std::lround(m_window.toX(tick.ns)));
        m_painter.setPen(m_grid);
        m_painter.drawLine(x, m_geometry.axisHeight - 4, x, 1 << 14);
        if (x + 3 + metrics.horizontalAdvance(tick.text) > width) // half a number would be another number
            continue;
        m_painter.setPen(m_quiet);
        m_painter.drawText(QRect(x + 3, 0, width, m_geometry.axisHeight - 2), Qt::AlignLeft | Qt::AlignVCenter, tick.text);
    }
    m_painter.setClipping(false);
    m_painter.setPen(m_quiet);
    m_painter.drawText(QRect(0, 0, m_geometry.labelWidth - metrics.averageCharWidth(), m_geometry.axisHeight - 2),
                       Qt::AlignRight | Qt::AlignVCenter, ticks.anchorText);
    m_painter.setClipping(true);
}

void TimelinePainter::drawLane(int lane, int bottom)
{
    const int top = m_geometry.laneTop(lane);
    if (top > bottom || top + m_geometry.laneHeight < m_geometry.axisHeight)
        return;
    const TraceLane &of = m_model.lanes()[static_cast<std::size_t>(lane)];
    of.piecesIn(m_window, m_pieces);
    const int height = m_geometry.laneHeight - 2;
    const int textRoom = m_painter.fontMetrics().averageCharWidth() * 4;
    auto *const strip = reinterpret_cast<QRgb *>(m_strip.scanLine(0));
    const QRgb base = m_base.rgb();
    int stripBegin = -1, stripEnd = -1;
    const auto flush = [&] {
        if (stripBegin < stripEnd)
            m_painter.drawImage(QRect(m_geometry.labelWidth + stripBegin, top + 1, stripEnd - stripBegin, height), m_strip,
                                QRect(stripBegin, 0, stripEnd - stripBegin, 1));
        stripBegin = stripEnd = -1;
    };
    for (const TraceLane::Piece &piece : m_pieces) {
        QRgb color = m_tones[of.entries()[static_cast<std::size_t>(piece.longest)].tone];
        const bool out = of.hasEmphasis() && of.emphasised(piece.first, piece.last) == 0;
        if (out)
            color = blend(color, base, pale);
        const bool isBox = piece.last == piece.first + 1 && piece.right - piece.left > 1.0f;
        if (!isBox) {
            const int x = std::clamp(static_cast<int>(piece.left), 0, m_strip.width() - 1);
            if (x != stripEnd) {
                flush();
                stripBegin = x;
            }
            strip[x] = blend(base, color, leastBusy + (1.0f - leastBusy) * piece.busy);
            stripEnd = x + 1;
            continue;
        }
        const int left = m_geometry.labelWidth + static_cast<int>(std::floor(piece.left));
        const int width = std::max(1,
                                   m_geometry.labelWidth + static_cast<int>(std::floor(piece.right)) - left
                                       - (piece.right - piece.left >= 4.0f ? 1 : 0));
        const QRect box(left, top + 1, width, height);
        if (m_predicted) {
            m_painter.fillRect(box, QColor::fromRgb(blend(color, base, 0.75f)));
            m_painter.fillRect(box, QBrush(QColor::fromRgb(color), Qt::BDiagPattern));
        } else if (of.entries()[static_cast<std::size_t>(piece.longest)].tone == waitingTone) { // nothing is done there
            m_painter.fillRect(box, QColor::fromRgb(blend(color, base, 0.6f)));
            m_painter.setPen(QColor::fromRgb(color));
            m_painter.drawRect(box.adjusted(0, 0, -1, -1));
        } else {
            m_painter.fillRect(box, QColor::fromRgb(color));
        }
        if (width < textRoom)
            continue;
        QString label = m_model.label({lane, piece.longest});
        const QRect inner = box.adjusted(3, 0, -2, 0);
        const bool fits = m_painter.fontMetrics().horizontalAdvance(label) <= inner.width();
        if (!fits)
            label = m_painter.fontMetrics().elidedText(label, Qt::ElideRight, inner.width());
        if (!fits && label.size() < leastLetters)
            continue;
        const bool isPale = m_predicted || of.entries()[static_cast<std::size_t>(piece.longest)].tone == waitingTone;
        m_painter.setPen(out ? m_quiet : isPale ? m_ink : inkOn(QColor::fromRgb(color)));
        m_painter.drawText(inner, Qt::AlignVCenter | (fits ? Qt::AlignHCenter : Qt::AlignLeft), label);
    }
    flush();
}

void TimelinePainter::drawArea(const TimeRange &area, int height)
{
    const int left = m_geometry.labelWidth + static_cast<int>(m_window.toX(static_cast<double>(area.beginNs)));
    const int right = m_geometry.labelWidth + static_cast<int>(m_window.toX(static_cast<double>(area.endNs)));
    QColor fill = m_palette.color(QPalette::Highlight);
    m_painter.setPen(QPen(fill, 1));
    fill.setAlphaF(0.15f);
    m_painter.fillRect(QRect(left, m_geometry.axisHeight, right - left, height), fill);
    m_painter.drawLine(left, m_geometry.axisHeight, left, height);
    m_painter.drawLine(right, m_geometry.axisHeight, right, height);
}

void TimelinePainter::drawCurrent(const TraceModel::Item &current)
{
    const TraceLane::Entry &entry = m_model.entry(current);
    const double left = std::max(-2.0, m_window.toX(static_cast<double>(entry.beginNs)));
    const double right = std::min(m_window.width() + 2.0, m_window.toX(static_cast<double>(entry.endNs)));
    m_painter.setPen(QPen(m_ink, 2));
    m_painter.setBrush(Qt::NoBrush);
    m_painter.drawRect(QRectF(m_geometry.labelWidth + left, m_geometry.laneTop(current.lane) + 1, std::max(3.0, right - left),
                              m_geometry.laneHeight - 2));
}

void TimelinePainter::drawLabels(int height)
{
    const int em = m_painter.fontMetrics().averageCharWidth();
    m_painter.setClipRect(QRect(0, m_geometry.axisHeight, m_geometry.labelWidth, height));
    const int lanes = static_cast<int>(m_model.lanes().size());
    for (int lane = 0; lane < lanes; ++lane) {
        const QRect box(em, m_geometry.laneTop(lane), m_geometry.labelWidth - 2 * em, m_geometry.laneHeight);
        m_painter.setPen(m_ink);
        m_painter.drawText(box, Qt::AlignRight | Qt::AlignVCenter,
                           m_painter.fontMetrics().elidedText(m_model.lanes()[static_cast<std::size_t>(lane)].name(),
                                                              Qt::ElideMiddle, box.width()));
    }
    if (m_geometry.kernelLane < lanes && m_geometry.kernelLane > 0) {
        m_painter.setPen(m_grid);
        m_painter.setClipping(false);
        const int y = m_geometry.laneTop(m_geometry.kernelLane) - m_geometry.gap / 2;
        if (y > m_geometry.axisHeight)
            m_painter.drawLine(0, y, m_geometry.labelWidth + m_window.width(), y);
        m_painter.setClipping(true);
    }
    m_painter.setClipping(false);
}

} // namespace zigzag
