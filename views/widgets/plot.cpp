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
