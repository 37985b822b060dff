// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/timeline_view.h"

#include "views/models/csv.h"

#include <QAccessible>
#include <QApplication>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace zigzag {

namespace {

constexpr double zoomStep = 1.35; // of a key or a notch of the wheel
constexpr int slack = 3; // pixels beside an item that still mean it

} // namespace

TimelineView::TimelineView(TraceModel *model, QWidget *parent)
    : QAbstractScrollArea(parent)
    , m_model(model)
{
    setFocusPolicy(Qt::StrongFocus);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setAccessibleName(tr("Timeline"));
    viewport()->setMouseTracking(true);
    viewport()->setAttribute(Qt::WA_OpaquePaintEvent);
    connect(m_model, &TraceModel::changed, this, &TimelineView::reset);
    connect(m_model, &TraceModel::emphasisChanged, viewport(), QOverload<>::of(&QWidget::update));
    connect(verticalScrollBar(), &QScrollBar::valueChanged, this, &TimelineView::layOut);
    layOut();
}

QSize TimelineView::sizeHint() const
{
    return {fontMetrics().averageCharWidth() * 120, fontMetrics().height() * 14};
}

QSize TimelineView::minimumSizeHint() const
{
    return {fontMetrics().averageCharWidth() * 40, fontMetrics().height() * 5};
}

void TimelineView::setHint(const QString &hint)
{
    m_hint = hint;
    viewport()->update();
}

void TimelineView::reset()
{
    const Trace *trace = m_model->trace();
    m_current = {};
    // Another order of the same trace keeps its place; another trace is shown whole.
    const double begin = trace ? static_cast<double>(trace->beginNs()) : 0, end = trace ? static_cast<double>(trace->endNs()) : 1;
    const TimeWindow before = m_window;
    m_window.setWhole(begin, end);
    if (trace == m_shown)
        m_window.show(before.beginNs(), before.endNs());
    else
        setArea({});
    m_shown = trace;
    layOut();
    Q_EMIT currentChanged();
}

TimelineGeometry TimelineView::geometryFor(const QFontMetrics &metrics, int offset) const
{
    TimelineGeometry geometry;
    int widest = 0;
    geometry.kernelLane = static_cast<int>(m_model->lanes().size());
    for (std::size_t lane = 0; lane < m_model->lanes().size(); ++lane) {
        widest = std::max(widest, metrics.horizontalAdvance(m_model->lanes()[lane].name()));
        if (m_model->lanes()[lane].item() == TraceItem::Kernel)
            geometry.kernelLane = std::min(geometry.kernelLane, static_cast<int>(lane));
    }
    geometry.labelWidth = std::min(widest, metrics.averageCharWidth() * 24) + 3 * metrics.averageCharWidth();
    geometry.axisHeight = metrics.height() + 4;
    geometry.laneHeight = metrics.height() + 4;
    geometry.gap = metrics.height() / 2;
    geometry.offset = offset;
    return geometry;
}

void TimelineView::layOut()
{
    m_geometry = geometryFor(QFontMetrics(font()), verticalScrollBar()->value());
    m_window.setWidth(viewport()->width() - m_geometry.labelWidth);
    const int lanes = static_cast<int>(m_model->lanes().size());
    const int room = viewport()->height() - m_geometry.axisHeight;
    verticalScrollBar()->setRange(0, std::max(0, m_geometry.contentHeight(lanes) - room));
    verticalScrollBar()->setPageStep(room);
    verticalScrollBar()->setSingleStep(m_geometry.laneHeight);
    viewport()->update();
}

void TimelineView::setArea(const std::optional<TimeRange> &area)
{
    if (!area && !m_area)
        return;
    m_area = area;
    viewport()->update();
    Q_EMIT areaChanged();
}

void TimelineView::setCurrent(const TraceModel::Item &item)
{
    m_current = item;
    if (item.isValid())
        reveal(item);
    setAccessibleDescription(item.isValid() ? m_model->describe(item) : QString());
    QAccessibleEvent changed(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&changed);
    viewport()->update();
    Q_EMIT currentChanged();
}

void TimelineView::reveal(const TraceModel::Item &item)
{
    const TraceLane::Entry &entry = m_model->entry(item);
    const double begin = static_cast<double>(entry.beginNs), end = static_cast<double>(entry.endNs);
    if (end < m_window.beginNs() || begin > m_window.endNs()) {
        const double span = std::max(m_window.spanNs(), (end - begin) * 1.2);
        m_window.show((begin + end - span) / 2, (begin + end + span) / 2);
    }
    const int top = m_geometry.laneTop(item.lane);
    if (top < m_geometry.axisHeight)
        verticalScrollBar()->setValue(verticalScrollBar()->value() + top - m_geometry.axisHeight);
    else if (top + m_geometry.laneHeight > viewport()->height())
        verticalScrollBar()->setValue(verticalScrollBar()->value() + top + m_geometry.laneHeight - viewport()->height());
}

void TimelineView::fit()
{
    const auto show = [this](double begin, double end, double margin) {
        const double beginBefore = m_window.beginNs(), endBefore = m_window.endNs();
        m_window.show(begin - (end - begin) * margin, end + (end - begin) * margin);
        viewport()->update();
        return std::abs(m_window.beginNs() - beginBefore) + std::abs(m_window.endNs() - endBefore) > m_window.spanNs() * 1e-3;
    };
    if (m_area && show(static_cast<double>(m_area->beginNs), static_cast<double>(m_area->endNs), 0.02))
        return;
    if (!m_area && m_current.isValid()) {
        const TraceLane::Entry &entry = m_model->entry(m_current);
        if (show(static_cast<double>(entry.beginNs), static_cast<double>(entry.endNs), 0.25))
            return;
    }
    showWhole();
}

void TimelineView::showWhole()
{
    m_window.showWhole();
    viewport()->update();
}

void TimelineView::zoom(double factor, std::optional<double> atX)
{
    const double cursor = viewport()->mapFromGlobal(QCursor::pos()).x() - m_geometry.labelWidth;
    const bool cursorInside = viewport()->underMouse() && cursor >= 0;
    m_window.zoom(factor, atX.value_or(cursorInside ? cursor : m_window.width() / 2.0));
    viewport()->update();
}

void TimelineView::pan(double pixels)
{
    m_window.pan(pixels);
    viewport()->update();
}

QRect TimelineView::itemRect(const TraceModel::Item &item) const
{
    const TraceLane::Entry &entry = m_model->entry(item);
    const double left = m_window.toX(static_cast<double>(entry.beginNs)), right = m_window.toX(static_cast<double>(entry.endNs));
    return QRectF(m_geometry.labelWidth + left, m_geometry.laneTop(item.lane), std::max(1.0, right - left), m_geometry.laneHeight)
        .toAlignedRect();
}

double TimelineView::nsAt(int x) const
{
    return m_window.toNs(std::clamp(x - m_geometry.labelWidth, 0, m_window.width()));
}

TraceModel::Item TimelineView::itemAt(const QPoint &point) const
{
    const int lane = m_geometry.laneAt(point.y(), static_cast<int>(m_model->lanes().size()));
    if (lane < 0 || point.x() < m_geometry.labelWidth)
        return {};
    const auto entry = m_model->lanes()[static_cast<std::size_t>(lane)].at(nsAt(point.x()), slack / m_window.pixelsPerNs());
    return entry < 0 ? TraceModel::Item() : TraceModel::Item{lane, entry};
}

void TimelineView::choose(const TraceModel::Item &item)
{
    setCurrent(item);
    const int layer = item.isValid() ? m_model->layerOf(item) : -1;
    Q_EMIT layersChosen(layer >= 0 ? std::vector<int>{layer} : std::vector<int>{});
}

void TimelineView::moveCurrent(int items, int lanes)
{
    const int count = static_cast<int>(m_model->lanes().size());
    if (count == 0)
        return;
    if (!m_current.isValid()) {
        const std::int32_t first = m_model->lanes().front().at((m_window.beginNs() + m_window.endNs()) / 2, m_window.spanNs());
        return first < 0 ? void() : choose({0, first});
    }
    const int lane = std::clamp(m_current.lane + lanes, 0, count - 1);
    const TraceLane &of = m_model->lanes()[static_cast<std::size_t>(lane)];
    std::int32_t entry = std::clamp<std::int32_t>(m_current.entry + items, 0, static_cast<std::int32_t>(of.entries().size()) - 1);
    if (lane != m_current.lane) {
        const TraceLane::Entry &from = m_model->entry(m_current);
        entry = of.at(static_cast<double>(from.beginNs) + 0.5, static_cast<double>(m_model->trace()->endNs()));
    }
    if (entry >= 0)
        choose({lane, entry});
}

void TimelineView::paintTo(QPainter &painter, const QSize &size) const
{
    painter.setFont(font());
    const TimelineGeometry geometry = geometryFor(QFontMetrics(font()), 0);
    TimeWindow window = m_window;
    window.setWidth(size.width() - geometry.labelWidth);
    TimelinePainter(painter, *m_model, window, geometry, palette()).draw(size, {m_current, m_area, false});
}

Exhibit TimelineView::exhibit()
{
    return {tr("the timeline"), QStringLiteral("timeline"),
            [this] {
                const int lanes = static_cast<int>(m_model->lanes().size());
                return QSize(std::max(viewport()->width(), documentSize.width()),
                             m_geometry.axisHeight + m_geometry.contentHeight(lanes) + 2);
            },
            [this](QPainter &painter, const QSize &size) { paintTo(painter, size); },
            [this] {
                const TimeRange sight{static_cast<std::int64_t>(m_window.beginNs()),
                                      static_cast<std::int64_t>(std::ceil(m_window.endNs()))};
                return m_model->trace() ? csvOf(*m_model->trace(), m_area.value_or(sight)) : csvOf(Trace(), sight);
            }};
}

void TimelineView::paintEvent(QPaintEvent *)
{
    QPainter painter(viewport());
    painter.setFont(font());
    if (m_model->lanes().empty()) {
        painter.fillRect(viewport()->rect(), palette().color(QPalette::Base));
        painter.setPen(palette().color(QPalette::PlaceholderText));
        painter.drawText(viewport()->rect(), Qt::AlignCenter | Qt::TextWordWrap, m_hint);
        return;
    }
    TimelinePainter(painter, *m_model, m_window, m_geometry, palette()).draw(viewport()->size(), {m_current, m_area, hasFocus()});
}

void TimelineView::resizeEvent(QResizeEvent *event)
{
    QAbstractScrollArea::resizeEvent(event);
    layOut();
}

void TimelineView::changeEvent(QEvent *event)
{
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange)
        layOut();
}

void TimelineView::mousePressEvent(QMouseEvent *event)
{
    const bool pans
        = event->button() == Qt::MiddleButton || (event->button() == Qt::LeftButton && event->modifiers() & Qt::ShiftModifier);
    if (m_model->lanes().empty() || (event->button() != Qt::LeftButton && !pans))
        return;
    m_pressed = m_last = event->position().toPoint();
    m_gesture = pans ? Gesture::Pan : Gesture::Press;
    if (pans)
        viewport()->setCursor(Qt::ClosedHandCursor);
}

void TimelineView::mouseMoveEvent(QMouseEvent *event)
{
    const QPoint here = event->position().toPoint();
    if (m_gesture == Gesture::Pan)
        pan(m_last.x() - here.x());
    else if (m_gesture == Gesture::Press && std::abs(here.x() - m_pressed.x()) >= QApplication::startDragDistance())
        m_gesture = Gesture::Area;
    m_last = here;
    if (m_gesture == Gesture::Area) {
        const auto [begin, end] = std::minmax({nsAt(m_pressed.x()), nsAt(here.x())});
        m_area = TimeRange{static_cast<std::int64_t>(begin), static_cast<std::int64_t>(std::ceil(end))};
        viewport()->update();
        QToolTip::showText(event->globalPosition().toPoint(), durationText(end - begin), this);
    }
}

void TimelineView::mouseReleaseEvent(QMouseEvent *event)
{
    const Gesture gesture = m_gesture;
    m_gesture = Gesture::None;
    viewport()->unsetCursor();
    if (gesture == Gesture::Area) {
        QToolTip::hideText();
        Q_EMIT areaChanged();
    } else if (gesture == Gesture::Press) {
        setArea({});
        choose(itemAt(event->position().toPoint()));
    }
}

void TimelineView::mouseDoubleClickEvent(QMouseEvent *event)
{
    if (const TraceModel::Item item = itemAt(event->position().toPoint()); item.isValid()) {
        choose(item);
        fit();
    }
}

void TimelineView::wheelEvent(QWheelEvent *event)
{
    const QPoint turn = event->angleDelta();
    constexpr double notch = 120.0;
    if (event->modifiers() & Qt::ControlModifier)
        zoom(std::pow(zoomStep, turn.y() / notch), event->position().x() - m_geometry.labelWidth);
    else if (event->modifiers() & Qt::ShiftModifier || std::abs(turn.x()) > std::abs(turn.y()))
        pan(-(turn.x() ? turn.x() : turn.y()) / notch * m_window.width() / 12.0);
    else
        return QAbstractScrollArea::wheelEvent(event);
    event->accept();
}

void TimelineView::keyPressEvent(QKeyEvent *event)
{
    if (event->modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier))
        return QAbstractScrollArea::keyPressEvent(event);
    const double step = m_window.width() / 10.0;
    switch (event->key()) {
    case Qt::Key_W:
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoom(zoomStep);
    case Qt::Key_S:
    case Qt::Key_Minus:
        return zoom(1.0 / zoomStep);
    case Qt::Key_A:
        return pan(-step);
    case Qt::Key_D:
        return pan(step);
    case Qt::Key_F:
    case Qt::Key_Return:
    case Qt::Key_Enter:
        return fit();
    case Qt::Key_Home:
        return showWhole();
    case Qt::Key_Left:
        return moveCurrent(-1, 0);
    case Qt::Key_Right:
        return moveCurrent(1, 0);
    case Qt::Key_Up:
        return moveCurrent(0, -1);
    case Qt::Key_Down:
        return moveCurrent(0, 1);
    case Qt::Key_Escape:
        if (m_area)
            return setArea({});
        if (m_current.isValid())
            return choose({});
        break;
    default:
        break;
    }
    QAbstractScrollArea::keyPressEvent(event);
}

void TimelineView::focusInEvent(QFocusEvent *event)
{
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
}

void TimelineView::focusOutEvent(QFocusEvent *event)
{
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

bool TimelineView::viewportEvent(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QAbstractScrollArea::viewportEvent(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    if (const TraceModel::Item item = itemAt(help->pos()); item.isValid())
        QToolTip::showText(help->globalPos(), m_model->describe(item), this);
    else
        QToolTip::hideText();
    return true;
}

} // namespace zigzag
