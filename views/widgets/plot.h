// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/widgets/plot_header.h"

namespace zigzag {

/// A plot that the keyboard reaches.
class Plot : public QCustomPlot
{
    Q_OBJECT
public:
    explicit Plot(QWidget *parent = nullptr);
    /// Draws at the end of this turn of the event loop, or when it is seen again: behind another page nobody looks.
    void redraw();

protected:
    void showEvent(QShowEvent *event) override;

private:
    bool m_stale = false;
};

/// Paints any plot with another painter, as vectors.
void paintPlot(QCustomPlot &plot, QPainter &painter, const QSize &size);

} // namespace zigzag
