// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/widgets/exhibit.h"
#include "views/widgets/plot.h"
#include "views/widgets/plot_tickers.h"

#include <optional>
#include <vector>

namespace zigzag {

/// One map of the Pareto plot.
struct ParetoPoint {
    double cost = 0; ///< milliseconds, bytes or keys
    double loss = 0, lossError = 0; ///< by what the quality axis shows (ParetoPlot::setQuality)
    bool inSet = false; ///< no other map is better in both
    bool isCurrent = false; ///< the map that is being edited
    QString text; ///< what a person reads of it
    double sparsity = 0; ///< of the map
    int sink = 0, recent = 0;
    double low = 0, high = 0; ///< of an axis that shows intervals in the place of standard errors; equal: there is none
    QString variant = {}; ///< names of the document's variants that are this map; empty: none is
};

/// Quality against time: a point per map, those that no other beats joined by a line. A click on a point asks for its map;
/// the arrow keys walk along the points and Enter asks.
class ParetoPlot : public Plot
{
    Q_OBJECT
public:
    explicit ParetoPlot(QWidget *parent = nullptr);
    /// What the points' losses are, for the next `show`: a title, and whether they are shares of answers, of which more is
    /// better. An empty title, and at first: the distillation loss.
    void setQuality(const QString &title, bool isShare);
    bool showsLoss() const { return m_quality.isEmpty(); }
    /// `waiting`: what to do where there are no points.
    void show(std::vector<ParetoPoint> points, const QString &costTitle, UnitTicker::Unit unit, const QString &waiting);
    /// What the quality axis is of, where it is not the distillation loss, and what stands above the plot.
    void setTitles(const QString &loss, const QString &above);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;
    const std::vector<ParetoPoint> &points() const { return m_points; }
    Exhibit exhibit();
    /// Where a point lies in the widget.
    QPointF pixelOf(int point) const;

Q_SIGNALS:
    void pointChosen(int point);

protected:
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void changeEvent(QEvent *event) override;

private:
    static QString lossTitle();
    void drawSeries();
    void nameVariants();
    void applyPalette();
    std::optional<int> pointAt(const QPointF &position) const;
    void mark(std::optional<int> point);
    double shownLoss(double loss) const;

    std::vector<ParetoPoint> m_points;
    QString m_costTitle; ///< without its unit
    QString m_quality; ///< what the quality axis shows; empty: the distillation loss
    bool m_isShare = false;
    UnitTicker::Unit m_unit = UnitTicker::Unit::Time;
    QSharedPointer<UnitTicker> m_costTicker;
    QCPGraph *m_others, *m_set, *m_current, *m_marked;
    QCPErrorBars *m_spread;
    QCPItemText *m_waiting;
    std::vector<QCPItemText *> m_names; ///< of variants, beside their points
    QCPTextElement *m_title;
    std::optional<int> m_mark;
    double m_leastLoss = 1e-9; ///< where a loss of zero is drawn on a logarithmic axis
};

} // namespace zigzag
