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
    void fill(Series series, const PlottedMaps &plotted);
    void fit();
    QString valueTitle() const { return m_unitTicker->titled(m_valueTitle); }
    void titleValues();
    QString describe(std::int64_t context) const;

    Quantity m_quantity;
    bool m_logarithmic;
    std::array<Lines, allSeries.size()> m_lines;
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
/// The dashes of a series' predictions in plot and legend.
QPen dashesOf(Series series, const QColor &color);
/// The marker of a series in plot and legend.
QCPScatterStyle markerOf(Series series, const QColor &color, double size);

} // namespace zigzag
