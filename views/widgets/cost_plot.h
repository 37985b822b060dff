// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "views/models/plotted_maps.h"
#include "views/widgets/exhibit.h"
#include "views/widgets/plot.h"
#include "views/widgets/plot_tickers.h"

namespace zigzag {

/// One quantity against context for every series: predictions dashed, measurements as markers with their spread. The arrow
/// keys walk along the contexts and say the numbers there, as the mouse does.
class CostPlot : public Plot
{
    Q_OBJECT
public:
    explicit CostPlot(Quantity quantity, QWidget *parent = nullptr);

    /// `waiting` is said in place of curves that are not there yet.
    void show(const PlottedMaps &plotted, const QString &waiting);
    /// The context that head map and headline speak of, as a line across.
    void markContext(std::int64_t context);
    /// The plot with its legend at a size for a document, and its curves and points.
    Exhibit exhibit();
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void changeEvent(QEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;

private:
    struct Marks {
        QCPGraph *points = nullptr;
        QCPErrorBars *spread = nullptr;
    };
    struct Lines {
        QCPGraph *predicted = nullptr;
        Marks measured;
        Marks disturbed; ///< measured while other programs slowed the machine: paler
    };

    void applyPalette();
    Lines addLines();
    void style(const Lines &lines, std::size_t curve);
    void fill(const Lines &lines, const std::vector<double> &predicted, const std::vector<PlottedMaps::Point> &measured);
    void fit();
    QString valueTitle() const { return m_unitTicker->titled(m_valueTitle); }
    void titleValues();
    QString describe(std::int64_t context) const;

    Quantity m_quantity;
    bool m_logarithmic;
    std::vector<Lines> m_lines; ///< of the series, and behind them of variants; those without a variant are empty
    std::vector<std::int64_t> m_contexts;
    QSharedPointer<ContextTicker> m_contextTicker;
    QSharedPointer<UnitTicker> m_unitTicker;
    QCPTextElement *m_title;
    QCPItemText *m_waiting;
    QCPItemStraightLine *m_marker;
    std::int64_t m_marked = 0;
    std::optional<std::size_t> m_told; ///< the context that the keys have walked to
    QString m_valueTitle; ///< of the upright axis, without its unit
    const PlottedMaps *m_plotted = nullptr; ///< the one shown last, which outlives the plots
};

QString nameOf(Series series, const PlottedMaps &plotted);
/// What is drawn of a plot: the series by their numbers, and behind them the variants.
QColor curveColor(std::size_t curve, bool dark);
/// The dashes of a curve's predictions in plot and legend.
QPen dashesOf(std::size_t curve, const QColor &color);
/// The marker of a curve in plot and legend.
QCPScatterStyle markerOf(std::size_t curve, const QColor &color, double size);

} // namespace zigzag
