// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/attention_view.h"

#include "views/models/colors.h"
#include "views/models/csv.h"
#include "views/models/text.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace zigzag {

QString pieceText(const std::string &piece)
{
    QString shown;
    for (const QChar each : QString::fromUtf8(piece.data(), static_cast<qsizetype>(piece.size())))
        shown += each == QLatin1Char('\n')         ? QStringLiteral("\\n")
            : each == QLatin1Char('\t')            ? QStringLiteral("\\t")
            : each.isPrint() || each.isSurrogate() ? QString(each)
                                                   : QString(QChar::ReplacementCharacter);
    return QStringLiteral("“%1”").arg(shown);
}

namespace {

/// Weights differ by orders of magnitude: a key at a thousandth is still seen.
double shade(float weight)
{
    constexpr double least = 1e-4;
    const double value = static_cast<double>(weight);
    return value <= least ? 0.0 : std::clamp(1.0 - std::log10(value) / std::log10(least), 0.0, 1.0);
}

} // namespace

AttentionView::AttentionView(QWidget *parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAccessibleName(tr("Attention of one head"));
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    policy.setHeightForWidth(false);
    setSizePolicy(policy);
}

void AttentionView::show(std::shared_ptr<const jobs::AttentionPictures> pictures)
{
    m_pictures = std::move(pictures);
    m_head = m_pictures ? m_pictures->farthest() : 0;
    m_query = m_pictures ? m_pictures->prompt.firstAsked() : 0;
    updateGeometry();
    changed();
}

void AttentionView::setHead(std::size_t index)
{
    if (!m_pictures || index >= m_pictures->heads.size())
        return;
    m_head = index;
    changed();
}

void AttentionView::setLargest(bool largest)
{
    m_largest = largest;
    update();
}

void AttentionView::setQuery(std::int64_t query)
{
    if (!m_pictures)
        return;
    m_query = std::clamp<std::int64_t>(query, 0, picture()->tokens - 1);
    changed();
}

void AttentionView::changed()
{
    setAccessibleDescription(described());
    update();
    Q_EMIT chosen();
}

QString AttentionView::described() const
{
    if (!m_pictures)
        return {};
    const auto &pieces = m_pictures->prompt.pieces;
    const AttentionPicture &shown = *picture();
    const AttentionShares &shares = shown.shares[static_cast<std::size_t>(m_query)];
    QString text = tr("Query %1, at %2: %3 on sinks, %4 in the window, %5 beyond both")
                       .arg(m_query)
                       .arg(pieceText(pieces[static_cast<std::size_t>(m_query)]), percentText(static_cast<double>(shares.sink)),
                            percentText(static_cast<double>(shares.window)), percentText(static_cast<double>(shares.beyond)));
    const KeyRange kept = patternOf(HeadKind::Streaming, shown.window).visibleKeys(m_query);
    for (const StrongKey &key : shown.strongestOf(m_query)) {
        if (key.position < 0)
            break;
        const QString where = key.position < kept.sinkEnd ? tr("sink")
            : key.position < kept.windowBegin             ? tr("beyond")
                                                          : tr("window");
        const bool isNeedle = key.position >= m_pictures->prompt.needleBegin && key.position < m_pictures->prompt.needleEnd;
        text += tr("\n%1 %2 at %3 (%4)")
                    .arg(percentText(static_cast<double>(key.weight)), pieceText(pieces[static_cast<std::size_t>(key.position)]))
                    .arg(key.position)
                    .arg(isNeedle ? tr("%1, the needle").arg(where) : where);
    }
    return text;
}

QSize AttentionView::sizeHint() const
{
    return {280, 280};
}

QSize AttentionView::minimumSizeHint() const
{
    return {160, 160};
}

/// A square at the left, as large as there is room under and beside the names of its axes.
QRect AttentionView::square(const QSize &size) const
{
    const int line = fontMetrics().height();
    const int side = std::max(16, std::min(size.width() - line - 4, size.height() - line - 4));
    return {line + 2, 2, side, side};
}

QImage AttentionView::image() const
{
    const AttentionPicture &shown = *picture();
    QImage image(shown.bins, shown.bins, QImage::Format_RGB32);
    const QColor ground = palette().color(QPalette::Base), beyond = palette().color(QPalette::AlternateBase);
    const std::vector<float> &weights = m_largest ? shown.largest : shown.mean;
    for (int row = 0; row < shown.bins; ++row)
        for (int column = 0; column < shown.bins; ++column) {
            const float weight = weights[static_cast<std::size_t>(row) * static_cast<std::size_t>(shown.bins)
                                         + static_cast<std::size_t>(column)];
            image.setPixelColor(column, row,
                                column > row ? beyond : mixed(ground, palette().color(QPalette::Text), shade(weight)));
        }
    return image;
}

void AttentionView::paint(QPainter &painter, const QSize &size, bool focused) const
{
    painter.fillRect(QRect(QPoint(), size), palette().color(QPalette::Base));
    if (!m_pictures)
        return;
    const AttentionPicture &shown = *picture();
    const QRect box = square(size);
    painter.drawImage(box, image());
    const double scale = static_cast<double>(box.width()) / static_cast<double>(shown.tokens);
    const auto x = [&](std::int64_t key) { return box.left() + scale * static_cast<double>(key); };
    const auto y = [&](std::int64_t query) { return box.top() + scale * static_cast<double>(query); };
    const auto end = shown.tokens;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setClipRect(box);
    // What a streaming head would not see: between the sinks and the window, which walks along the diagonal.
    const std::int64_t first = std::int64_t{shown.window.sink} + shown.window.recent;
    const QColor line(0xd5, 0x5e, 0x00);
    if (first < end) {
        const QPolygonF hidden{QPointF(x(shown.window.sink), y(first)), QPointF(x(end - shown.window.recent), y(end)),
                               QPointF(x(shown.window.sink), y(end))};
        painter.setPen(QPen(line, 1.5));
        painter.setBrush(Qt::NoBrush);
        painter.drawPolygon(hidden);
    }
    const auto &prompt = m_pictures->prompt;
    if (prompt.isNeedle()) {
        painter.setPen(QPen(QColor(0x00, 0x72, 0xb2), 1, Qt::DashLine));
        const double at = x((prompt.needleBegin + prompt.needleEnd) / 2);
        painter.drawLine(QPointF(at, y(prompt.needleEnd)), QPointF(at, y(end)));
    }
    painter.setPen(QPen(palette().color(QPalette::Highlight), 1.5));
    const double chosenAt = y(m_query) + scale / 2;
    painter.drawLine(QPointF(box.left(), chosenAt), QPointF(x(m_query + 1), chosenAt));
    for (const StrongKey &key : shown.strongestOf(m_query))
        if (key.position >= 0)
            painter.drawEllipse(QPointF(x(key.position) + scale / 2, chosenAt), 3, 3);
    painter.restore();
    painter.setPen(palette().color(focused ? QPalette::Highlight : QPalette::Mid));
    painter.drawRect(box.adjusted(-1, -1, 0, 0));
    if (focused)
        painter.drawRect(box.adjusted(-2, -2, 1, 1));
    painter.setPen(palette().color(QPalette::Text));
    const int height = fontMetrics().height();
    painter.drawText(QRect(box.left(), box.bottom() + 3, box.width(), height), Qt::AlignLeft, tr("keys →"));
    painter.drawText(QRect(box.left(), box.bottom() + 3, box.width(), height), Qt::AlignRight, contextText(end));
    painter.save();
    painter.translate(0, box.bottom());
    painter.rotate(-90);
    painter.drawText(QRect(0, 0, box.height(), height), Qt::AlignRight, tr("← queries"));
    painter.restore();
    // Beside the picture, where there is room, what its lines are.
    const QRect beside(box.right() + height / 2, box.top(), size.width() - box.right() - height, box.height());
    if (beside.width() < 12 * fontMetrics().averageCharWidth())
        return;
    QString key = tr("Query head %1 of layer %2").arg(shown.queryHead).arg(shown.layer) + QStringLiteral("\n\n")
        + (isDark(palette()) ? tr("Light: much attention; each step of 10 × is as much lighter.")
                             : tr("Dark: much attention; each step of 10 × is as much darker."))
        + QStringLiteral("\n\n")
        + tr("Orange: what a streaming head with %1 sink and %2 recent tokens does not see.")
              .arg(shown.window.sink)
              .arg(shown.window.recent);
    if (prompt.isNeedle())
        key += tr("\n\nBlue: the needle.");
    painter.drawText(beside, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, key);
}

void AttentionView::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setFont(font());
    paint(painter, size(), hasFocus());
}

void AttentionView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() == Qt::LeftButton)
        mouseMoveEvent(event);
}

void AttentionView::mouseMoveEvent(QMouseEvent *event)
{
    if (!m_pictures || !(event->buttons() & Qt::LeftButton))
        return;
    const QRect box = square(size());
    setQuery(
        static_cast<std::int64_t>((event->position().y() - box.top()) / box.height() * static_cast<double>(picture()->tokens)));
}

void AttentionView::keyPressEvent(QKeyEvent *event)
{
    const std::int64_t page = m_pictures ? std::max<std::int64_t>(1, picture()->tokens / 16) : 1;
    switch (event->key()) {
    case Qt::Key_Up:
        return setQuery(m_query - 1);
    case Qt::Key_Down:
        return setQuery(m_query + 1);
    case Qt::Key_PageUp:
        return setQuery(m_query - page);
    case Qt::Key_PageDown:
        return setQuery(m_query + page);
    case Qt::Key_Home:
        return setQuery(0);
    case Qt::Key_End:
        return setQuery(m_pictures ? picture()->tokens - 1 : 0);
    default:
        QWidget::keyPressEvent(event);
    }
}

void AttentionView::focusInEvent(QFocusEvent *event)
{
    QWidget::focusInEvent(event);
    update();
}

void AttentionView::focusOutEvent(QFocusEvent *event)
{
    QWidget::focusOutEvent(event);
    update();
}

bool AttentionView::event(QEvent *event)
{
    if (event->type() != QEvent::ToolTip || !m_pictures)
        return QWidget::event(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    const QRect box = square(size());
    const AttentionPicture &shown = *picture();
    const auto bin = [&](int at, int from) { return (at - from) * shown.bins / std::max(1, box.width()); };
    const int row = bin(help->pos().y(), box.top()), column = bin(help->pos().x(), box.left());
    if (!box.contains(help->pos()) || column > row || row >= shown.bins) {
        QToolTip::hideText();
        return true;
    }
    const auto span = [&](int of) {
        const std::int64_t begin = shown.binBegin(of), last = shown.binBegin(of + 1) - 1;
        return begin == last ? QString::number(begin) : tr("%1 to %2").arg(begin).arg(last);
    };
    const std::size_t index
        = static_cast<std::size_t>(row) * static_cast<std::size_t>(shown.bins) + static_cast<std::size_t>(column);
    QToolTip::showText(help->globalPos(),
                       tr("Queries %1, keys %2: mean %3, largest %4")
                           .arg(span(row), span(column))
                           .arg(static_cast<double>(shown.mean[index]), 0, 'g', 2)
                           .arg(static_cast<double>(shown.largest[index]), 0, 'g', 2),
                       this);
    return true;
}

QString AttentionView::csv() const
{
    QString text = csvLine({QStringLiteral("first query"), QStringLiteral("last query"), QStringLiteral("first key"),
                            QStringLiteral("last key"), QStringLiteral("mean weight"), QStringLiteral("largest weight")});
    if (!m_pictures)
        return text;
    const AttentionPicture &shown = *picture();
    for (int row = 0; row < shown.bins; ++row)
        for (int column = 0; column <= row; ++column) {
            const std::size_t index
                = static_cast<std::size_t>(row) * static_cast<std::size_t>(shown.bins) + static_cast<std::size_t>(column);
            text += csvLine({QString::number(shown.binBegin(row)), QString::number(shown.binBegin(row + 1) - 1),
                             QString::number(shown.binBegin(column)), QString::number(shown.binBegin(column + 1) - 1),
                             csvNumber(static_cast<double>(shown.mean[index])),
                             csvNumber(static_cast<double>(shown.largest[index]))});
        }
    return text;
}

Exhibit AttentionView::exhibit()
{
    return {tr("the attention picture"), QStringLiteral("attention"), [] { return documentSize; },
            [this](QPainter &painter, const QSize &size) {
                painter.setFont(font());
                paint(painter, size, false);
            },
            [this] { return csv(); }};
}

} // namespace zigzag
