// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/widgets/head_map_view.h"

#include "views/models/csv.h"
#include "views/models/glossary.h"
#include "views/models/head_map_model.h"
#include "views/widgets/accessible_grid.h"
#include "views/widgets/score_legend.h"

#include <QFontMetrics>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>

namespace zigzag {

HeadMapView::HeadMapView(HeadMapModel *model, QWidget *parent)
    : QAbstractScrollArea(parent)
    , m_model(model)
    , m_selection(new QItemSelectionModel(model, this))
{
    makeAccessible(this,
                   {m_model, m_selection,
                    [this](int layer, int head) { return visibleCell(layer, head).translated(viewport()->pos()); },
                    [](int layer) { return tr("layer %1").arg(layer); }, [](int head) { return tr("KV head %1").arg(head); },
                    [this](int layer, int head) { flip(layer, head); },
                    [this](int layer) {
                        if (m_editable)
                            Q_EMIT layerToggled(layer);
                    }});
    setFocusPolicy(Qt::StrongFocus);
    setFrameShape(QFrame::NoFrame);
    setAccessibleName(tr("Head map"));
    viewport()->setBackgroundRole(QPalette::Base);
    viewport()->setMouseTracking(true);
    const auto repaint = [this] { viewport()->update(); };
    connect(m_model, &QAbstractItemModel::dataChanged, this, repaint);
    connect(m_model, &QAbstractItemModel::dataChanged, this, &HeadMapView::describeCurrent);
    connect(m_model, &QAbstractItemModel::headerDataChanged, this, &HeadMapView::layOutIfOrderChanged);
    connect(m_model, &QAbstractItemModel::headerDataChanged, this, repaint);
    connect(m_model, &QAbstractItemModel::modelReset, this, &HeadMapView::reset);
    connect(m_selection, &QItemSelectionModel::selectionChanged, this, repaint);
    connect(m_selection, &QItemSelectionModel::currentChanged, this, [this] {
        describeCurrent();
        viewport()->update();
    });
    layOut();
}

/// What a click does, for who presses a cell without a hand.
void HeadMapView::flip(int layer, int head)
{
    if (!m_editable || m_gesture != Gesture::None)
        return;
    const bool streams = m_model->index(layer, head).data(HeadMapModel::StreamingRole).toBool();
    Q_EMIT strokeBegan(streams ? HeadKind::Retrieval : HeadKind::Streaming);
    Q_EMIT strokeTouched(layer, head);
    Q_EMIT strokeEnded();
}

void HeadMapView::describeCurrent()
{
    setAccessibleDescription(m_selection->currentIndex().data(Qt::AccessibleDescriptionRole).toString());
}

void HeadMapView::reset()
{
    m_gesture = Gesture::None;
    m_selection->reset();
    if (m_model->rowCount() > 0 && m_model->columnCount() > 0)
        m_selection->setCurrentIndex(m_model->index(0, 0), QItemSelectionModel::NoUpdate);
    layOut();
    updateGeometry();
}

QPoint HeadMapView::offset() const
{
    return {horizontalScrollBar()->value(), verticalScrollBar()->value()};
}

HeadMapGeometry HeadMapView::geometryFor(const QSize &room) const
{
    const QFontMetrics metrics(font());
    const HeadMapGeometry::Font sizes{metrics.height(), metrics.horizontalAdvance(QLatin1Char('R')) + 2,
                                      metrics.horizontalAdvance(HeadMapPainter::layerTitle()),
                                      HeadMapPainter::widestWord(HeadMapPainter::lostTitle(), metrics)};
    const auto places = [&](int headingLines) {
        HeadMapGeometry geometry(m_model->rowCount(), m_model->columnCount(), sizes, room,
                                 {m_model->isScored(), m_model->hasAblation(), m_numbers && m_model->isScored()}, headingLines);
        if (m_byScore && m_model->ranking())
            geometry.setOrder(m_model->ranking()->order);
        return geometry;
    };
    const HeadMapGeometry usual = places(HeadMapGeometry::leastHeadingLines);
    const int lines = HeadMapPainter::linesOf(HeadMapPainter::headings(*m_model, usual, m_kvTitle, m_timeTitle), metrics);
    return lines > HeadMapGeometry::leastHeadingLines ? places(lines) : usual;
}

void HeadMapView::layOut()
{
    m_geometry = geometryFor(viewport()->size());
    const QSize content = m_geometry.contentSize();
    horizontalScrollBar()->setRange(0, std::max(0, content.width() - viewport()->width()));
    horizontalScrollBar()->setPageStep(viewport()->width());
    horizontalScrollBar()->setSingleStep(m_geometry.cellWidth());
    verticalScrollBar()->setRange(0, std::max(0, content.height() - viewport()->height()));
    verticalScrollBar()->setPageStep(viewport()->height());
    verticalScrollBar()->setSingleStep(m_geometry.rowHeight());
    viewport()->update();
}

void HeadMapView::layOutIfOrderChanged()
{
    const bool scored = m_model->ranking().has_value();
    if (scored != (m_geometry.score(0).width() > 0) || (m_byScore && scored && m_geometry.order() != m_model->ranking()->order)) {
        layOut();
        updateGeometry();
    }
}

void HeadMapView::setOrderedByScore(bool ordered)
{
    m_byScore = ordered;
    layOut();
    if (const QModelIndex current = m_selection->currentIndex(); current.isValid())
        reveal(current.row(), current.column());
}

void HeadMapView::setNumbersShown(bool shown)
{
    m_numbers = shown;
    layOut();
    updateGeometry();
}

QSize HeadMapView::minimumSizeHint() const
{
    constexpr int leastRows = 7; // fewer is no map; headings of three lines take one, and a bar that scrolls to the side
    const HeadMapGeometry least = geometryFor({0, 0});
    return {QAbstractScrollArea::minimumSizeHint().width(), least.headerHeight() + leastRows * least.rowHeight()};
}

void HeadMapView::setCostTitles(const QString &kv, const QString &time)
{
    m_kvTitle = kv;
    m_timeTitle = time;
    const int before = m_geometry.headerHeight();
    layOut(); // a column of losses comes with an ablation
    if (m_geometry.headerHeight() != before)
        updateGeometry();
}

std::vector<HeadMapPainter::Heading> HeadMapView::headings() const
{
    return HeadMapPainter::headings(*m_model, m_geometry, m_kvTitle, m_timeTitle);
}

QRect HeadMapView::visibleCell(int layer, int head) const
{
    return m_geometry.cell(layer, head).translated(-offset());
}

QRect HeadMapView::visibleLayer(int layer) const
{
    return m_geometry.layer(layer).translated(-offset());
}

QModelIndexList HeadMapView::targets() const
{
    QModelIndexList selected = m_selection->selectedIndexes();
    if (selected.isEmpty() && m_selection->currentIndex().isValid())
        selected.append(m_selection->currentIndex());
    return selected;
}

namespace {

std::vector<int> layersOf(const QModelIndexList &heads)
{
    std::vector<int> layers;
    for (const QModelIndex &index : heads)
        layers.push_back(index.row());
    std::sort(layers.begin(), layers.end());
    layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
    return layers;
}

} // namespace

std::vector<int> HeadMapView::targetLayers() const
{
    return layersOf(targets());
}

std::vector<int> HeadMapView::selectedLayers() const
{
    return layersOf(m_selection->selectedIndexes());
}

void HeadMapView::selectLayers(const std::vector<int> &layers)
{
    QItemSelection rows;
    for (const int layer : layers)
        if (layer < m_model->rowCount())
            rows.select(m_model->index(layer, 0), m_model->index(layer, m_model->columnCount() - 1));
    m_selection->select(rows, QItemSelectionModel::ClearAndSelect);
    if (!rows.isEmpty()) {
        m_selection->setCurrentIndex(rows.first().topLeft(), QItemSelectionModel::NoUpdate);
        m_anchor = QPoint(0, rows.first().top());
        reveal(m_anchor.y(), 0);
    }
}

void HeadMapView::paintEvent(QPaintEvent *)
{
    QPainter painter(viewport());
    painter.fillRect(viewport()->rect(), palette().color(QPalette::Base));
    if (m_model->rowCount() == 0)
        return;
    painter.setFont(font());
    painter.translate(-offset());
    HeadMapPainter rows(painter, *m_model, m_geometry, *m_selection, palette(), hasFocus());
    const int first = std::max(0, offset().y() / m_geometry.rowHeight());
    const int shown = viewport()->height() / m_geometry.rowHeight() + 2;
    for (int row = first; row < std::min(m_model->rowCount(), first + shown); ++row)
        rows.drawRow(m_geometry.layerAt(row));
    rows.drawCut();
    rows.drawHeadings(offset().y(), m_kvTitle, m_timeTitle);
}

Exhibit HeadMapView::exhibit(const ScoreLegend *legend)
{
    // As large as in the window, and in a small one as large as a document wants it.
    const auto geometry = [this] { return geometryFor(viewport()->size().expandedTo(documentSize)); };
    return {tr("the head map"), QStringLiteral("head-map"),
            [geometry, legend] {
                const QSize map = geometry().contentSize();
                return map + QSize(0, legend->paintKey(nullptr, map.width()));
            },
            [this, geometry, legend](QPainter &painter, const QSize &size) {
                painter.fillRect(QRect(QPoint(), size), palette().color(QPalette::Base));
                painter.setFont(font());
                painter.translate(0, legend->paintKey(&painter, size.width()));
                const QItemSelectionModel nothing(m_model);
                const HeadMapGeometry places = geometry();
                HeadMapPainter rows(painter, *m_model, places, nothing, palette(), false);
                for (int layer = 0; layer < m_model->rowCount(); ++layer)
                    rows.drawRow(layer);
                rows.drawCut();
                rows.drawHeadings(0, m_kvTitle, m_timeTitle);
            },
            [this] { return csvOf(*m_model); }};
}

void HeadMapView::resizeEvent(QResizeEvent *event)
{
    QAbstractScrollArea::resizeEvent(event);
    layOut();
}

void HeadMapView::changeEvent(QEvent *event)
{
    QAbstractScrollArea::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange)
        layOut();
}

void HeadMapView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() == Qt::RightButton && event->position().y() >= m_geometry.headerHeight())
        if (const auto under = m_geometry.hit(toContent(event->position().toPoint()));
            under.area == HeadMapGeometry::Area::Cell) {
            // What the context menu is asked about.
            const QModelIndex index = m_model->index(under.layer, under.head);
            m_selection->setCurrentIndex(
                index, m_selection->isSelected(index) ? QItemSelectionModel::NoUpdate : QItemSelectionModel::Clear);
        }
    // The sticky headings cover whatever scrolled beneath them.
    if (event->button() != Qt::LeftButton || event->position().y() < m_geometry.headerHeight())
        return;
    const auto hit = m_geometry.hit(toContent(event->position().toPoint()));
    const bool extend = event->modifiers() & Qt::ShiftModifier;
    const bool add = event->modifiers() & Qt::ControlModifier;
    if (hit.area == HeadMapGeometry::Area::None) {
        m_selection->clearSelection();
    } else if (hit.area != HeadMapGeometry::Area::Cell) {
        const QModelIndex row = m_model->index(hit.layer, 0);
        m_anchor = QPoint(0, hit.layer);
        m_selection->setCurrentIndex(
            row, QItemSelectionModel::Rows | (add || extend ? QItemSelectionModel::Select : QItemSelectionModel::ClearAndSelect));
    } else if (extend || add) {
        const QPoint cell(hit.head, hit.layer);
        const QModelIndex current = m_selection->currentIndex();
        m_gesture = Gesture::Select;
        m_last = cell;
        m_before = add ? m_selection->selection() : QItemSelection();
        m_anchor = extend && current.isValid() && !add ? QPoint(current.column(), current.row()) : cell;
        selectTo(cell, add ? QItemSelectionModel::Toggle : QItemSelectionModel::ClearAndSelect);
    } else if (m_editable) {
        const QModelIndex index = m_model->index(hit.layer, hit.head);
        m_selection->setCurrentIndex(index, QItemSelectionModel::Clear);
        m_gesture = Gesture::Brush;
        m_last = QPoint(hit.head, hit.layer);
        Q_EMIT strokeBegan(index.data(HeadMapModel::StreamingRole).toBool() ? HeadKind::Retrieval : HeadKind::Streaming);
        Q_EMIT strokeTouched(hit.layer, hit.head);
    }
}

void HeadMapView::brushTo(const QPoint &cell)
{
    // Every cell between two mouse events, so that a quick hand leaves no holes.
    const QPoint from(m_last.x(), m_geometry.rowOf(m_last.y())), to(cell.x(), m_geometry.rowOf(cell.y()));
    const int steps = std::max(std::abs(to.x() - from.x()), std::abs(to.y() - from.y()));
    for (int step = 1; step <= steps; ++step) {
        const QPoint passed = from + (to - from) * step / steps;
        Q_EMIT strokeTouched(m_geometry.layerAt(passed.y()), passed.x());
    }
    m_last = cell;
}

void HeadMapView::selectTo(const QPoint &cell, QItemSelectionModel::SelectionFlags flags)
{
    m_selection->select(cellsBetween(m_anchor, cell), flags);
}

QItemSelection HeadMapView::cellsBetween(const QPoint &one, const QPoint &other) const
{
    const auto [left, right] = std::minmax({one.x(), other.x()});
    const auto [top, bottom] = std::minmax({m_geometry.rowOf(one.y()), m_geometry.rowOf(other.y())});
    if (m_geometry.order().empty())
        return {m_model->index(top, left), m_model->index(bottom, right)};
    QItemSelection cells;
    for (int row = top; row <= bottom; ++row) {
        const int layer = m_geometry.layerAt(row);
        cells.select(m_model->index(layer, left), m_model->index(layer, right));
    }
    return cells;
}

void HeadMapView::mouseMoveEvent(QMouseEvent *event)
{
    if (m_gesture == Gesture::None)
        return;
    const QPoint cell = m_geometry.nearestCell(toContent(event->position().toPoint()));
    reveal(cell.y(), cell.x());
    if (m_gesture == Gesture::Brush)
        brushTo(cell);
    else
        dragSelectionTo(cell);
}

void HeadMapView::dragSelectionTo(const QPoint &cell)
{
    if (cell == m_last)
        return; // a hand that trembles within a cell clicks
    if (m_gesture == Gesture::Select) {
        // A click with Shift reaches from the current cell; a drag selects from where it began, as in every program.
        m_gesture = Gesture::Drag;
        m_anchor = m_last;
    }
    m_last = cell;
    m_selection->select(m_before, QItemSelectionModel::ClearAndSelect);
    selectTo(cell, QItemSelectionModel::Select);
    m_selection->setCurrentIndex(m_model->index(cell.y(), cell.x()), QItemSelectionModel::NoUpdate);
}

void HeadMapView::mouseReleaseEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton)
        return;
    if (m_gesture == Gesture::Brush)
        Q_EMIT strokeEnded();
    m_gesture = Gesture::None;
}

void HeadMapView::mouseDoubleClickEvent(QMouseEvent *event)
{
    const auto hit = m_geometry.hit(toContent(event->position().toPoint()));
    const bool onRows = event->position().y() >= m_geometry.headerHeight();
    if (onRows && hit.area == HeadMapGeometry::Area::Layer && event->button() == Qt::LeftButton && m_editable)
        Q_EMIT layerToggled(hit.layer);
    else
        mousePressEvent(event); // a quick second click on a cell is a click
}

void HeadMapView::reveal(int layer, int head)
{
    const QRect cell = visibleCell(layer, head);
    const auto moveBar = [](QScrollBar *bar, int low, int high, int begin, int end) {
        if (low < begin)
            bar->setValue(bar->value() + low - begin);
        else if (high > end)
            bar->setValue(bar->value() + high - end);
    };
    moveBar(verticalScrollBar(), cell.top(), cell.bottom(), m_geometry.headerHeight(), viewport()->height());
    moveBar(horizontalScrollBar(), cell.left(), cell.right(), m_geometry.layer(0).width(), viewport()->width());
}

void HeadMapView::moveCurrent(int layers, int heads, bool extend)
{
    const QModelIndex current = m_selection->currentIndex();
    const int row = (current.isValid() ? m_geometry.rowOf(current.row()) : 0) + layers;
    const int layer = m_geometry.layerAt(std::clamp(row, 0, m_model->rowCount() - 1));
    const int head = std::clamp((current.isValid() ? current.column() : 0) + heads, 0, m_model->columnCount() - 1);
    if (extend && !m_selection->hasSelection())
        m_anchor = QPoint(std::max(0, current.column()), std::max(0, current.row()));
    if (extend)
        selectTo(QPoint(head, layer), QItemSelectionModel::ClearAndSelect);
    m_selection->setCurrentIndex(m_model->index(layer, head),
                                 extend ? QItemSelectionModel::NoUpdate : QItemSelectionModel::Clear);
    reveal(layer, head);
}

void HeadMapView::keyPressEvent(QKeyEvent *event)
{
    if (m_model->rowCount() == 0)
        return QAbstractScrollArea::keyPressEvent(event);
    const bool extend = event->modifiers() & Qt::ShiftModifier;
    const int page = std::max(1, viewport()->height() / m_geometry.rowHeight() - 2);
    switch (event->key()) {
    case Qt::Key_Up:
        return moveCurrent(-1, 0, extend);
    case Qt::Key_Down:
        return moveCurrent(1, 0, extend);
    case Qt::Key_Left:
        return moveCurrent(0, -1, extend);
    case Qt::Key_Right:
        return moveCurrent(0, 1, extend);
    case Qt::Key_PageUp:
        return moveCurrent(-page, 0, extend);
    case Qt::Key_PageDown:
        return moveCurrent(page, 0, extend);
    case Qt::Key_Home:
        return moveCurrent(0, -m_model->columnCount(), extend);
    case Qt::Key_End:
        return moveCurrent(0, m_model->columnCount(), extend);
    case Qt::Key_Escape:
        if (m_gesture == Gesture::Brush) {
            m_gesture = Gesture::None;
            Q_EMIT strokeAbandoned();
            return;
        }
        break;
    default:
        break;
    }
    QAbstractScrollArea::keyPressEvent(event);
}

void HeadMapView::focusInEvent(QFocusEvent *event)
{
    QAbstractScrollArea::focusInEvent(event);
    viewport()->update();
}

void HeadMapView::focusOutEvent(QFocusEvent *event)
{
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

bool HeadMapView::viewportEvent(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QAbstractScrollArea::viewportEvent(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    const QString tip = tipAt(help->pos());
    if (tip.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), tip, this);
    return true;
}

QString HeadMapView::tipAt(const QPoint &viewportPoint) const
{
    const int x = toContent(viewportPoint).x();
    if (viewportPoint.y() < m_geometry.headerHeight()) { // what the words of the headings mean
        const auto over = [x](const QRect &column) { return x >= column.left() && x <= column.right(); };
        return m_model->rowCount() == 0 ? QString()
            : over(m_geometry.lost(0))  ? explained(Term::Flipped) + QLatin1Char('\n') + explained(Term::Demoted)
            : over(m_geometry.score(0)) ? explained(Term::Cut)
            : over(m_geometry.loss(0))  ? explained(Term::DistillationLoss)
            : over(m_geometry.kind(0))  ? explained(Term::MixedLayer)
            : m_geometry.isOverCells(x) ? explained(Term::Score)
                                        : QString();
    }
    const auto hit = m_geometry.hit(toContent(viewportPoint));
    if (hit.layer < 0)
        return {};
    return hit.area == HeadMapGeometry::Area::Cell ? m_model->index(hit.layer, hit.head).data(Qt::ToolTipRole).toString()
                                                   : m_model->headerData(hit.layer, Qt::Vertical, Qt::ToolTipRole).toString();
}

} // namespace zigzag
