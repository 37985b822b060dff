// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/cost_plot.h"

#include "views/models/colors.h"
#include "views/models/csv.h"
#include "views/models/text.h"
#include "views/widgets/series_legend.h"

#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <limits>

namespace zigzag {

QString nameOf(Series series, const PlottedMaps &plotted)
{
    switch (series) {
    case Series::Full:
        return CostPlot::tr("Full");
    case Series::Duo:
        return CostPlot::tr("DuoAttention %1").arg(percentText(plotted.sparsity()));
    case Series::Zigzag:
        return CostPlot::tr("Zigzag %1").arg(percentText(plotted.sparsity()));
    case Series::Current:
        return CostPlot::tr("This map");
    }
    return {};
}

QColor curveColor(std::size_t curve, bool dark)
{
    return curve < allSeries.size() ? seriesColor(allSeries[curve], dark) : variantColor(curve - allSeries.size(), dark);
}

QCPScatterStyle markerOf(std::size_t curve, const QColor &color, double size)
{
    constexpr std::array shapes = {QCPScatterStyle::ssDisc,       QCPScatterStyle::ssSquare, QCPScatterStyle::ssTriangle,
                                   QCPScatterStyle::ssDiamond,    QCPScatterStyle::ssCross,  QCPScatterStyle::ssTriangleInverted,
                                   QCPScatterStyle::ssPlusCircle, QCPScatterStyle::ssPlus,   QCPScatterStyle::ssCrossSquare,
                                   QCPScatterStyle::ssStar};
    const std::size_t shape
        = curve < allSeries.size() ? curve : allSeries.size() + (curve - allSeries.size()) % (shapes.size() - allSeries.size());
    return QCPScatterStyle(shapes[shape], QPen(color, 1.6), curve == 0 ? QBrush(color) : QBrush(Qt::NoBrush), size);
}

QPen dashesOf(std::size_t curve, const QColor &color)
{
    if (curve >= allSeries.size()) { // finer than any series', and with a dot between from the seventh on
        QPen pen(color, 1.8, Qt::CustomDashLine, Qt::FlatCap);
        pen.setDashPattern(curve - allSeries.size() < 6 ? QVector<qreal>{2, 1.5} : QVector<qreal>{5, 1.5, 1, 1.5});
        return pen;
    }
    // Curves often coincide. The dashes of the others fall into each other's gaps, and this map lies on top of them in short
    // thick ones, with room between that shows what is beneath.
    const Series series = allSeries[curve];
    const bool onTop = series == Series::Current;
    QPen pen(color, onTop ? 3.6 : 1.8, Qt::CustomDashLine, Qt::FlatCap);
    pen.setDashPattern(onTop ? QVector<qreal>{0.9, 2.7} : QVector<qreal>{4, 4});
    pen.setDashOffset(series == Series::Zigzag ? 4 : 0);
    return pen;
}

CostPlot::CostPlot(Quantity quantity, QWidget *parent)
    : Plot(parent)
    , m_quantity(quantity)
    , m_logarithmic(quantity != Quantity::Tpot)
    , m_contextTicker(new ContextTicker)
    , m_unitTicker(new UnitTicker)
{
    setNoAntialiasingOnDrag(true);
    m_title = new QCPTextElement(this);
    m_title->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
    m_title->setMargins(QMargins(0, 0, 0, 0));
    plotLayout()->insertRow(0);
    plotLayout()->addElement(0, 0, m_title);
    plotLayout()->setRowSpacing(0);

    xAxis->setScaleType(QCPAxis::stLogarithmic);
    xAxis->setTicker(m_contextTicker);
    yAxis->setTicker(m_unitTicker);
    yAxis->setScaleType(m_logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    xAxis->setLabel(tr("context (tokens)"));
    xAxis->setLabelPadding(1);
    yAxis->setLabelPadding(QFontMetrics(font()).height() / 4); // its title is turned: beside the numbers, not at their feet
    axisRect()->setMinimumMargins(
        QMargins(QFontMetrics(font()).horizontalAdvance(QStringLiteral("999 KiB")) + 2 * QFontMetrics(font()).height(),
                 QFontMetrics(font()).height() / 2, // the topmost number reaches above its axis
                 QFontMetrics(font()).height(), 0)); // the three plots share their left edge

    addLayer(QStringLiteral("variants"), layer(QStringLiteral("main")), limBelow); // this map lies on top of them
    addLayer(QStringLiteral("marks"), layer(QStringLiteral("main")));
    while (m_lines.size() < allSeries.size())
        m_lines.push_back(addLines());
    m_marker = new QCPItemStraightLine(this);
    m_marker->setVisible(false);
    m_marker->setLayer(QStringLiteral("grid"));
    m_waiting = new QCPItemText(this);
    m_waiting->position->setType(QCPItemPosition::ptAxisRectRatio);
    m_waiting->position->setCoords(0.5, 0.5);
    m_waiting->setVisible(false);
    applyPalette();
}

/// Predictions lie beneath all marks.
CostPlot::Lines CostPlot::addLines()
{
    Lines lines;
    lines.predicted = addGraph();
    for (Marks *marks : {&lines.disturbed, &lines.measured}) {
        marks->points = addGraph();
        marks->points->setLineStyle(QCPGraph::lsNone);
        marks->points->setLayer(QStringLiteral("marks"));
        marks->spread = new QCPErrorBars(xAxis, yAxis);
        marks->spread->setDataPlottable(marks->points);
        marks->spread->setSymbolGap(0);
        marks->spread->setLayer(QStringLiteral("marks"));
    }
    return lines;
}

void CostPlot::style(const Lines &lines, std::size_t curve)
{
    const double size = QFontMetrics(font()).height() * 0.5;
    const QColor color = curveColor(curve, isDark(palette()));
    lines.predicted->setPen(dashesOf(curve, color));
    const QColor pale = mixed(color, palette().color(QPalette::Base), 0.65);
    for (const auto &[marks, shade] : {std::pair(lines.measured, color), std::pair(lines.disturbed, pale)}) {
        marks.points->setScatterStyle(markerOf(curve, shade, size));
        marks.spread->setPen(QPen(shade, 1.2));
        marks.spread->setWhiskerWidth(size * 0.7);
    }
}

QSize CostPlot::sizeHint() const
{
    const QFontMetrics metrics(font());
    return {metrics.averageCharWidth() * 56, metrics.height() * 13};
}

QSize CostPlot::minimumSizeHint() const
{
    const QFontMetrics metrics(font());
    return {metrics.averageCharWidth() * 36, metrics.height() * 8};
}

void CostPlot::applyPalette()
{
    const QPalette colors = palette();
    const QColor ink = colors.color(QPalette::Text);
    const QColor quiet = mixed(ink, colors.color(QPalette::Base), 0.3);
    const QColor grid = mixed(ink, colors.color(QPalette::Base), 0.85);
    setBackground(colors.color(QPalette::Base));
    for (QCPAxis *axis : {xAxis, yAxis}) {
        axis->setLabelColor(quiet);
        axis->setTickLabelColor(ink);
        axis->setLabelFont(font());
        axis->setTickLabelFont(font());
        for (const QPen &pen : {QPen(quiet)}) {
            axis->setBasePen(pen);
            axis->setTickPen(pen);
            axis->setSubTickPen(pen);
        }
        axis->grid()->setPen(QPen(grid, 1));
        axis->grid()->setZeroLinePen(QPen(grid, 1));
    }
    QFont bold = font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_title->setTextColor(ink);
    m_waiting->setFont(font());
    m_waiting->setColor(quiet);
    m_marker->setPen(QPen(mixed(ink, colors.color(QPalette::Base), 0.55), 1, Qt::DotLine));

    for (std::size_t curve = 0; curve < m_lines.size(); ++curve)
        style(m_lines[curve], curve);
}

void CostPlot::changeEvent(QEvent *event)
{
    QCustomPlot::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        applyPalette();
        redraw();
    }
}

void CostPlot::fill(const Lines &lines, const std::vector<double> &predicted, const std::vector<PlottedMaps::Point> &measured)
{
    QVector<double> keys;
    for (std::size_t index = 0; index < predicted.size(); ++index)
        keys.append(static_cast<double>(m_contexts[index]));
    lines.predicted->setData(keys, QVector<double>(predicted.begin(), predicted.end()), true);

    for (const auto &[marks, disturbed] : {std::pair(lines.measured, false), std::pair(lines.disturbed, true)}) {
        QVector<double> contexts, medians, halves;
        for (const PlottedMaps::Point &point : measured)
            if (point.disturbed == disturbed) {
                contexts.append(static_cast<double>(point.context));
                medians.append(point.value);
                halves.append(point.spread / 2);
            }
        marks.points->setData(contexts, medians, true);
        marks.spread->setData(halves);
    }
}

void CostPlot::fit()
{
    double low = std::numeric_limits<double>::infinity(), high = 0;
    for (const Lines &lines : m_lines)
        for (const QCPGraph *graph : {lines.predicted, lines.measured.points, lines.disturbed.points})
            for (const QCPGraphData &point : *graph->data()) {
                low = std::min(low, point.value);
                high = std::max(high, point.value);
            }
    if (!(high > 0))
        low = 1, high = 10;
    if (m_logarithmic)
        yAxis->setRange(std::max(low, high * 1e-9) / 1.4, high * 1.6);
    else
        yAxis->setRange(0, high * 1.18);
    m_unitTicker->suit(low, high);
    titleValues();
    if (!m_contexts.empty())
        xAxis->setRange(static_cast<double>(m_contexts.front()) / 1.25, static_cast<double>(m_contexts.back()) * 1.25);
}

void CostPlot::titleValues()
{
    // A low plot has room for the unit alone: a longer title would run into that of the plot.
    const QFontMetrics metrics(font());
    m_unitTicker->setRoom((height() - 5 * metrics.height()) * 2 / (3 * metrics.height()));
    yAxis->setLabel(metrics.horizontalAdvance(valueTitle()) <= height() - 4 * metrics.height() ? valueTitle()
                                                                                               : m_unitTicker->unit());
}

void CostPlot::resizeEvent(QResizeEvent *event)
{
    titleValues();
    Plot::resizeEvent(event);
}

void CostPlot::show(const PlottedMaps &plotted, const QString &waiting)
{
    m_plotted = &plotted;
    m_contexts = plotted.contexts();
    m_contextTicker->setContexts(m_contexts);
    const bool bytes = plotted.hasBytes();
    m_unitTicker->show(m_quantity != Quantity::Kv ? UnitTicker::Unit::Time
                           : bytes                ? UnitTicker::Unit::Bytes
                                                  : UnitTicker::Unit::Keys,
                       m_logarithmic);
    const QString name = m_quantity == Quantity::Ttft ? tr("TTFT") : m_quantity == Quantity::Tpot ? tr("TPOT") : tr("KV memory");
    const QString what = m_quantity == Quantity::Ttft ? tr(": time to first token")
        : m_quantity == Quantity::Tpot                ? tr(": time per output token")
                                                      : QString();
    m_valueTitle = m_quantity == Quantity::Ttft ? tr("prefill time")
        : m_quantity == Quantity::Tpot          ? tr("time per token")
        : bytes                                 ? tr("KV memory")
                                                : tr("keys kept, all heads");
    const auto error = plotted.predictionError(m_quantity);
    constexpr double absurd = 10;
    if (plotted.isOnlyDisturbed(m_quantity))
        m_title->setText(tr("%1 · measured while others slowed it").arg(name));
    else if (error)
        m_title->setText(
            tr("%1 · prediction off by %2 (median)").arg(name, *error < absurd ? percentText(*error) : tr("over 1000 %")));
    else if (m_quantity != Quantity::Kv && plotted.isKept())
        m_title->setText(tr("%1 · kept, measured %2").arg(name, QString::fromStdString(plotted.cost().measured())));
    else if (m_quantity != Quantity::Kv && plotted.isUnreliable())
        m_title->setText(tr("%1 · predictions: disturbed calibration").arg(name));
    else if (const QString under = plotted.conditionsText(); !under.isEmpty())
        m_title->setText(tr("%1 · %2").arg(name, under));
    else
        m_title->setText(name + what);
    if (m_quantity == Quantity::Kv && !plotted.kvEngine().isEmpty())
        m_title->setText(tr("%1 in %2").arg(m_title->text(), plotted.kvEngine()));
    for (const Series series : allSeries)
        fill(m_lines[static_cast<std::size_t>(series)], plotted.predicted(series, m_quantity),
             plotted.measured(series, m_quantity));
    for (std::size_t curve = allSeries.size(); curve < std::max(m_lines.size(), allSeries.size() + plotted.variantCount());
         ++curve) {
        const std::size_t variant = curve - allSeries.size();
        if (curve == m_lines.size()) {
            m_lines.push_back(addLines());
            m_lines.back().predicted->setLayer(QStringLiteral("variants"));
            style(m_lines.back(), curve);
        }
        if (variant < plotted.variantCount())
            fill(m_lines[curve], plotted.predictedOfVariant(variant, m_quantity),
                 plotted.measured(plotted.variantMap(variant), m_quantity));
        else
            fill(m_lines[curve], {}, {}); // of a variant that is gone
    }
    const bool empty = plotted.predicted(Series::Full, m_quantity).empty();
    m_waiting->setText(waiting);
    m_waiting->setVisible(empty);
    yAxis->setTickLabels(!empty); // a scale without anything on it would be invented
    yAxis->setTicks(!empty);
    fit();
    markContext(m_marked);
}

void CostPlot::markContext(std::int64_t context)
{
    m_marked = context;
    m_marker->setVisible(context > 0);
    m_marker->point1->setCoords(static_cast<double>(context), yAxis->range().lower);
    m_marker->point2->setCoords(static_cast<double>(context), yAxis->range().upper);
    setAccessibleDescription(m_plotted && context > 0 ? describe(context) : QString());
    redraw();
}

QString CostPlot::describe(std::int64_t context) const
{
    QString text = tr("Context %1").arg(contextText(context));
    const auto place = std::find(m_contexts.begin(), m_contexts.end(), context);
    const auto add = [&](const QString &name, const std::vector<double> &values,
                         const std::vector<PlottedMaps::Point> &measured) {
        if (values.empty() || place == m_contexts.end())
            return;
        const double value = values[static_cast<std::size_t>(place - m_contexts.begin())];
        text += QStringLiteral("\n%1: %2 %3")
                    .arg(name, m_unitTicker->text(value),
                         m_quantity == Quantity::Kv      ? tr("computed")
                             : m_plotted->isKept()       ? tr("predicted, %1").arg(m_plotted->keptText())
                             : m_plotted->isUnreliable() ? tr("predicted, calibrated while disturbed")
                                                         : tr("predicted"));
        for (const PlottedMaps::Point &point : measured)
            if (point.context == context)
                text += m_quantity == Quantity::Kv
                    ? tr(", %1 allocated").arg(m_unitTicker->text(point.value))
                    : tr(", %1 measured (spread %2; prediction %3)%4")
                          .arg(m_unitTicker->text(point.value), m_unitTicker->text(point.spread), changeText(value, point.value),
                               point.disturbed ? tr(", while other programs slowed the machine") : QString());
    };
    for (const Series series : allSeries)
        add(nameOf(series, *m_plotted), m_plotted->predicted(series, m_quantity), m_plotted->measured(series, m_quantity));
    for (std::size_t variant = 0; variant < m_plotted->variantCount(); ++variant)
        add(m_plotted->variantName(variant), m_plotted->predictedOfVariant(variant, m_quantity),
            m_plotted->measured(m_plotted->variantMap(variant), m_quantity));
    return text;
}

Exhibit CostPlot::exhibit()
{
    const bool ttft = m_quantity == Quantity::Ttft, tpot = m_quantity == Quantity::Tpot;
    return {ttft       ? tr("the plot of TTFT")
                : tpot ? tr("the plot of TPOT")
                       : tr("the plot of KV memory"),
            ttft       ? QStringLiteral("ttft")
                : tpot ? QStringLiteral("tpot")
                       : QStringLiteral("kv-memory"),
            [] { return documentSize; },
            [this](QPainter &painter, const QSize &size) {
                painter.fillRect(QRect(QPoint(), size), palette().color(QPalette::Base));
                const int above = m_plotted ? paintSeriesLegend(*m_plotted, painter, font(), palette(), size.width()) : 0;
                painter.translate(0, above);
                yAxis->setLabel(valueTitle());
                m_unitTicker->setRoom(size.height() / (3 * fontMetrics().height()));
                paintPlot(*this, painter, size - QSize(0, above));
                titleValues();
            },
            [this] { return m_plotted ? csvOf(*m_plotted, m_quantity) : QString(); },
            false,
            true};
}

void CostPlot::mouseMoveEvent(QMouseEvent *event)
{
    QCustomPlot::mouseMoveEvent(event);
    if (!m_plotted || m_contexts.empty() || !axisRect()->rect().contains(event->position().toPoint())) {
        QToolTip::hideText();
        return;
    }
    const double at = std::log(xAxis->pixelToCoord(event->position().x()));
    const auto nearest = std::min_element(m_contexts.begin(), m_contexts.end(), [at](std::int64_t a, std::int64_t b) {
        return std::abs(std::log(static_cast<double>(a)) - at) < std::abs(std::log(static_cast<double>(b)) - at);
    });
    QToolTip::showText(event->globalPosition().toPoint(), describe(*nearest), this);
}

void CostPlot::keyPressEvent(QKeyEvent *event)
{
    const bool left = event->key() == Qt::Key_Left, right = event->key() == Qt::Key_Right;
    if (!m_plotted || m_contexts.empty() || !(left || right))
        return Plot::keyPressEvent(event);
    const std::size_t last = m_contexts.size() - 1;
    m_told = !m_told ? (left ? last : 0) : left ? (*m_told > 0 ? *m_told - 1 : 0) : std::min(*m_told + 1, last);
    const std::int64_t context = m_contexts[*m_told];
    const QString text = describe(context);
    setAccessibleDescription(text);
    const QPoint at(static_cast<int>(xAxis->coordToPixel(static_cast<double>(context))), axisRect()->center().y());
    QToolTip::showText(mapToGlobal(at), text, this);
}

void CostPlot::focusOutEvent(QFocusEvent *event)
{
    Plot::focusOutEvent(event);
    m_told.reset();
    QToolTip::hideText();
}

} // namespace zigzag
