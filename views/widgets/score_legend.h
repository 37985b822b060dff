// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

namespace zigzag {

/// What the colours and glyphs of the head map mean, and how to edit it.
class ScoreLegend : public QWidget
{
    Q_OBJECT
public:
    explicit ScoreLegend(QWidget *parent = nullptr);
    void setScored(bool scored);
    /// Whether measured bars stand beside the layers: their colours are named.
    void setMeasured(bool measured);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    bool m_scored = false;
    bool m_measured = false;
};

} // namespace zigzag
