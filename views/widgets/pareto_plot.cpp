// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/pareto_plot.h"

#include "views/models/colors.h"
#include "views/models/csv.h"
#include "views/models/glossary.h"
#include "views/widgets/cost_plot.h"

#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace zigzag {

QString ParetoPlot::lossTitle()
{
    return tr("Quality against speed   ▲ no map is better in both   ○ other maps   ◇ this map   (full attention: loss 0, at the "
              "bottom)");
}

ParetoPlot::ParetoPlot(QWidget *parent)
    : Plot(parent)
    , m_costTicker(new UnitTicker)
{
    m_title = new QCPTextElement(this);
    m_title->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
    m_title->setMargins(QMargins(0, 0, 0, 0));
    m_title->setText(lossTitle());
    plotLayout()->insertRow(0);
    plotLayout()->addElement(0, 0, m_title);
    plotLayout()->setRowSpacing(0);
    xAxis->setTicker(m_costTicker);
    yAxis->setScaleType(QCPAxis::stLogarithmic);
    yAxis->setTicker(QSharedPointer<QCPAxisTickerLog>(new QCPAxisTickerLog));
    yAxis->setNumberFormat(QStringLiteral("gb"));
    yAxis->setNumberPrecision(1);
    yAxis->setLabel(tr("distillation loss"));
    xAxis->setLabelPadding(1);
    yAxis->setLabelPadding(QFontMetrics(font()).height() / 4);
    m_costTicker->setRoom(12);

    m_others = addGraph();
    m_set = addGraph();
    m_current = addGraph();
    m_marked = addGraph();
    for (QCPGraph *graph : {m_others, m_current, m_marked})
        graph->setLineStyle(QCPGraph::lsNone);
    m_spread = new QCPErrorBars(xAxis, yAxis);
    m_spread->setDataPlottable(m_set);
    m_spread->setSymbolGap(0);
    m_waiting = new QCPItemText(this);
    m_waiting->position->setType(QCPItemPosition::ptAxisRectRatio);
    m_waiting->position->setCoords(0.5, 0.5);
    setAccessibleName(tr("Quality against speed"));
    setWhatsThis(explained(Term::DistillationLoss));
    applyPalette();
}

QSize ParetoPlot::sizeHint() const
{
    const QFontMetrics metrics(font());
    return {metrics.averageCharWidth() * 70, metrics.height() * 15};
}

QSize ParetoPlot::minimumSizeHint() const
{
    const QFontMetrics metrics(font());
    return {metrics.averageCharWidth() * 36, metrics.height() * 9};
}

void ParetoPlot::applyPalette()
{
    const QPalette colors = palette();
    const QColor ink = colors.color(QPalette::Text), base = colors.color(QPalette::Base);
    const QColor quiet = mixed(ink, base, 0.3), grid = mixed(ink, base, 0.85);
    setBackground(base);
    for (QCPAxis *axis : {xAxis, yAxis}) {
        axis->setLabelColor(quiet);
        axis->setTickLabelColor(ink);
        axis->setLabelFont(font());
        axis->setTickLabelFont(font());
        axis->setBasePen(QPen(quiet));
        axis->setTickPen(QPen(quiet));
        axis->setSubTickPen(QPen(quiet));
        axis->grid()->setPen(QPen(grid, 1));
        axis->grid()->setZeroLinePen(QPen(grid, 1));
    }
    m_title->setFont(font());
    m_title->setTextColor(ink);
    m_waiting->setFont(font());
    m_waiting->setColor(quiet);
    const double size = QFontMetrics(font()).height() * 0.5;
    const QColor set = seriesColor(Series::Zigzag, isDark(colors)), current = seriesColor(Series::Current, isDark(colors));
    m_others->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(quiet, 1.2), QBrush(Qt::NoBrush), size * 0.8));
    m_set->setPen(QPen(set, 1.4, Qt::DashLine)); // its times are predictions
    m_set->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssTriangle, QPen(set, 1.6), QBrush(set), size));
    m_current->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDiamond, QPen(current, 2.4), QBrush(Qt::NoBrush), size * 1.9));
    m_marked->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(ink, 1.6), QBrush(Qt::NoBrush), size * 1.9));
    m_spread->setPen(QPen(set, 1));
}

void ParetoPlot::changeEvent(QEvent *event)
{
    QCustomPlot::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        applyPalette();
        nameVariants();
        redraw();
    }
}

void ParetoPlot::setQuality(const QString &title, bool isShare)
{
    m_quality = title;
    m_isShare = isShare;
    yAxis->setLabel(title.isEmpty() ? tr("distillation loss") : title);
    yAxis->setScaleType(isShare ? QCPAxis::stLinear : QCPAxis::stLogarithmic);
    if (isShare)
        yAxis->setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
    else
        yAxis->setTicker(QSharedPointer<QCPAxisTickerLog>(new QCPAxisTickerLog));
    yAxis->setNumberFormat(isShare ? QStringLiteral("f") : QStringLiteral("gb"));
    yAxis->setNumberPrecision(isShare ? 2 : 1);
    m_title->setText(title.isEmpty()
                         ? lossTitle()
                         : tr("Quality against speed   ▲ no map is better in both   ○ other maps   ◇ this map   (bars: "
                              "95 % intervals)"));
}

void ParetoPlot::show(std::vector<ParetoPoint> points, const QString &costTitle, UnitTicker::Unit unit, const QString &waiting)
{
    m_points = std::move(points);
    m_mark.reset();
    m_costTicker->show(unit, false);
    m_costTitle = costTitle;
    m_unit = unit;
    m_waiting->setText(waiting);
    m_waiting->setVisible(m_points.empty());
    for (QCPAxis *axis : {xAxis, yAxis}) {
        axis->setTicks(!m_points.empty()); // a scale without anything on it would be invented
        axis->setTickLabels(!m_points.empty());
    }
    setAccessibleDescription(
        m_points.empty() ? waiting : tr("%1 maps; arrow keys walk along them, Enter applies one").arg(m_points.size()));
    drawSeries();
}

Exhibit ParetoPlot::exhibit()
{
    return {tr("the plot of quality against speed"),
            QStringLiteral("quality"),
            [] { return documentSize; },
            [this](QPainter &painter, const QSize &size) { paintPlot(*this, painter, size); },
            [this] {
                const QString unit = m_unit == UnitTicker::Unit::Time ? QStringLiteral("ms")
                    : m_unit == UnitTicker::Unit::Bytes               ? QStringLiteral("bytes")
                                                                      : QStringLiteral("keys");
                QStringList columns{tr("streaming heads %"), tr("sink tokens"), tr("recent tokens"),
                                    m_costTitle + QLatin1Char(' ') + unit};
                if (m_quality.isEmpty())
                    columns << yAxis->label() << tr("standard error of the loss");
                else
                    columns << m_quality << tr("low end of its 95 % interval") << tr("high end of its 95 % interval");
                QString text = csvLine(columns << tr("pareto") << tr("this map"));
                for (const ParetoPoint &point : m_points) {
                    QStringList fields{csvNumber(100.0 * point.sparsity), QString::number(point.sink),
                                       QString::number(point.recent), csvNumber(point.cost), csvNumber(point.loss)};
                    if (m_quality.isEmpty())
                        fields << csvNumber(point.lossError);
                    else
                        fields << csvNumber(point.low) << csvNumber(point.high);
                    text += csvLine(fields << QString::number(point.inSet) << QString::number(point.isCurrent));
                }
                return text;
            },
            false,
            true};
}

void ParetoPlot::setTitles(const QString &loss, const QString &above)
{
    yAxis->setLabel(loss);
    m_title->setText(above);
}

double ParetoPlot::shownLoss(double loss) const
{
    return m_isShare ? loss : std::max(loss, m_leastLoss);
}

void ParetoPlot::drawSeries()
{
    double least = 0, most = 0, cheapest = 0, dearest = 0;
    for (const ParetoPoint &point : m_points) {
        if (point.loss > 0)
            least = least > 0 ? std::min(least, point.loss) : point.loss;
        most = std::max(most, point.loss);
        cheapest = cheapest > 0 ? std::min(cheapest, point.cost) : point.cost;
        dearest = std::max(dearest, point.cost);
    }
    m_leastLoss = least > 0 ? least / 4 : 1e-9; // full attention loses nothing: below all others
    QVector<double> setX, setY, otherX, otherY, currentX, currentY, below, above;
    std::vector<const ParetoPoint *> set;
    for (const ParetoPoint &point : m_points) {
        if (point.isCurrent) {
            currentX.append(point.cost);
            currentY.append(shownLoss(point.loss));
        }
        if (point.inSet) {
            set.push_back(&point);
        } else {
            otherX.append(point.cost);
            otherY.append(shownLoss(point.loss));
        }
    }
    std::sort(set.begin(), set.end(), [](const ParetoPoint *a, const ParetoPoint *b) { return a->cost < b->cost; });
    for (const ParetoPoint *point : set) {
        setX.append(point->cost);
        setY.append(shownLoss(point->loss));
        const bool hasInterval = point->high > point->low;
        const double error = point->loss > 0 ? point->lossError : 0.0;
        below.append(hasInterval ? point->loss - point->low : error);
        above.append(hasInterval ? point->high - point->loss : error);
    }
    m_set->setData(setX, setY, true);
    m_spread->setData(below, above);
    m_others->setData(otherX, otherY);
    m_current->setData(currentX, currentY);
    m_marked->setData({}, {});
    const double room = dearest > cheapest ? 0.08 * (dearest - cheapest) : 0.1 * dearest;
    if (!m_points.empty()) {
        xAxis->setRange(std::max(0.0, cheapest - room), dearest + room);
        m_costTicker->suit(xAxis->range().lower, xAxis->range().upper);
        if (m_isShare)
            yAxis->setRange(-0.03, 1.03);
        else
            yAxis->setRange(m_leastLoss / 2, std::max(most, m_leastLoss) * 3);
    }
    xAxis->setLabel(m_points.empty() ? m_costTitle : m_costTicker->titled(m_costTitle));
    nameVariants();
    redraw();
}

/// Names of the person's variants beside the points that they are.
void ParetoPlot::nameVariants()
{
    std::size_t used = 0;
    for (const ParetoPoint &point : m_points) {
        if (point.variant.isEmpty())
            continue;
        if (used == m_names.size()) {
            m_names.push_back(new QCPItemText(this));
            m_names.back()->setPositionAlignment(Qt::AlignLeft | Qt::AlignBottom);
            m_names.back()->setPadding(QMargins(QFontMetrics(font()).height() / 2, 0, 0, QFontMetrics(font()).height() / 4));
        }
        QCPItemText &name = *m_names[used++];
        constexpr qsizetype longest = 40;
        name.setText(point.variant.size() > longest ? point.variant.left(longest - 1) + QStringLiteral("…") : point.variant);
        name.setFont(font());
        name.setColor(palette().color(QPalette::Text));
        name.position->setCoords(point.cost, shownLoss(point.loss));
        name.setVisible(true);
    }
    for (; used < m_names.size(); ++used)
        m_names[used]->setVisible(false);
}

QPointF ParetoPlot::pixelOf(int point) const
{
    const ParetoPoint &at = m_points[static_cast<std::size_t>(point)];
    return {xAxis->coordToPixel(at.cost), yAxis->coordToPixel(shownLoss(at.loss))};
}

std::optional<int> ParetoPlot::pointAt(const QPointF &position) const
{
    std::optional<int> nearest;
    double least = QFontMetrics(font()).height() * 0.8;
    for (int point = 0; point < static_cast<int>(m_points.size()); ++point) {
        const QPointF away = pixelOf(point) - position;
        // Of points that lie on each other, one of the Pareto set is meant.
        const double distance = std::hypot(away.x(), away.y()) - (m_points[static_cast<std::size_t>(point)].inSet ? 1.0 : 0.0);
        if (distance < least) {
            least = distance;
            nearest = point;
        }
    }
    return nearest;
}

void ParetoPlot::mark(std::optional<int> point)
{
    if (point == m_mark)
        return;
    m_mark = point;
    if (point) {
        const ParetoPoint &at = m_points[static_cast<std::size_t>(*point)];
        m_marked->setData({at.cost}, {shownLoss(at.loss)});
    } else {
        m_marked->setData({}, {});
    }
    setCursor(point ? Qt::PointingHandCursor : Qt::ArrowCursor);
    redraw();
}

void ParetoPlot::mouseMoveEvent(QMouseEvent *event)
{
    QCustomPlot::mouseMoveEvent(event);
    const auto point = pointAt(event->position());
    mark(point);
    if (point)
        QToolTip::showText(event->globalPosition().toPoint(), m_points[static_cast<std::size_t>(*point)].text, this);
    else
        QToolTip::hideText();
}

void ParetoPlot::mouseReleaseEvent(QMouseEvent *event)
{
    QCustomPlot::mouseReleaseEvent(event);
    if (event->button() == Qt::LeftButton)
        if (const auto point = pointAt(event->position()))
            Q_EMIT pointChosen(*point);
}

void ParetoPlot::keyPressEvent(QKeyEvent *event)
{
    const int count = static_cast<int>(m_points.size());
    const bool forward = event->key() == Qt::Key_Right || event->key() == Qt::Key_Up;
    const bool back = event->key() == Qt::Key_Left || event->key() == Qt::Key_Down;
    if (count == 0 || !(forward || back || event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter))
        return Plot::keyPressEvent(event);
    if (!forward && !back) {
        if (m_mark)
            Q_EMIT pointChosen(*m_mark);
        return;
    }
    std::vector<int> byCost(m_points.size());
    for (int point = 0; point < count; ++point)
        byCost[static_cast<std::size_t>(point)] = point;
    std::stable_sort(byCost.begin(), byCost.end(), [this](int a, int b) {
        return m_points[static_cast<std::size_t>(a)].cost < m_points[static_cast<std::size_t>(b)].cost;
    });
    const auto at = m_mark ? std::find(byCost.begin(), byCost.end(), *m_mark) - byCost.begin() : (forward ? -1 : count);
    const int next = byCost[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(at + (forward ? 1 : -1), 0, count - 1))];
    mark(next);
    QToolTip::showText(mapToGlobal(pixelOf(next).toPoint()), m_points[static_cast<std::size_t>(next)].text, this);
}

} // namespace zigzag
