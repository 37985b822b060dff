// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QPainter;

namespace zigzag {

/// What the colours and glyphs of the head map mean, and how to edit it. Breaks into as many lines as its width needs.
class ScoreLegend : public QWidget
{
    Q_OBJECT
public:
    explicit ScoreLegend(QWidget *parent = nullptr);
    void setScored(bool scored);
    /// Which bars of time stand beside the layers: the colours of their ops are named.
    void setTimes(bool predicted, bool measured);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override { return layOut(nullptr, width, true); }
    /// What the colours mean, without how to edit, for a picture; returns its height. Draws nothing without a painter.
    int paintKey(QPainter *painter, int width) const { return layOut(painter, width, false); }

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    /// Draws, where there is a painter; returns the height that a width takes.
    int layOut(QPainter *painter, int width, bool withHint) const;

    bool m_scored = false;
    bool m_predicted = false, m_measured = false;
};

} // namespace zigzag
