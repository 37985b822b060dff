// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/plot.h"

#include <QPicture>

namespace zigzag {

Plot::Plot(QWidget *parent)
    : QCustomPlot(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAutoAddPlottableToLegend(false);
}

void Plot::redraw()
{
    m_stale = !isVisible();
    if (!m_stale)
        replot(QCustomPlot::rpQueuedReplot);
}

void Plot::showEvent(QShowEvent *event)
{
    QCustomPlot::showEvent(event);
    if (m_stale)
        redraw();
}

void Plot::paintEvent(QPaintEvent *event)
{
    QCustomPlot::paintEvent(event);
    if (!hasFocus())
        return;
    QPainter painter(this);
    paintFocus(painter, *this);
}

void Plot::focusInEvent(QFocusEvent *event)
{
    QCustomPlot::focusInEvent(event);
    update();
}

void Plot::focusOutEvent(QFocusEvent *event)
{
    QCustomPlot::focusOutEvent(event);
    update();
}

void paintFocus(QPainter &painter, const QWidget &widget)
{
    painter.setPen(QPen(widget.palette().color(QPalette::Highlight), 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(widget.rect().adjusted(1, 1, -1, -1));
}

void paintPlot(QCustomPlot &plot, QPainter &painter, const QSize &size)
{
    QPicture picture; // QCustomPlot wants a painter of its own kind; a picture stays vectors
    QCPPainter own;
    own.begin(&picture);
    plot.toPainter(&own, size.width(), size.height());
    own.end();
    painter.drawPicture(0, 0, picture);
}

} // namespace zigzag
