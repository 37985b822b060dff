// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/op_table.h"
#include "views/models/trace_model.h"
#include "views/widgets/exhibit.h"
#include "views/widgets/timeline_painter.h"

#include <QAbstractScrollArea>
#include <optional>

namespace zigzag {

/// A trace on a time axis: lanes of spans above, GPU kernels below. W and S (or Ctrl+wheel) zoom, A and D pan, F shows what is
/// selected or everything, a drag selects a stretch of time, arrows go from item to item.
class TimelineView : public QAbstractScrollArea
{
    Q_OBJECT
public:
    explicit TimelineView(TraceModel *model, QWidget *parent = nullptr);

    const TimeWindow &window() const { return m_window; }
    const std::optional<TimeRange> &area() const { return m_area; }
    void setArea(const std::optional<TimeRange> &area);
    const TraceModel::Item &current() const { return m_current; }
    /// Makes an item the current one and brings it into sight.
    void setCurrent(const TraceModel::Item &item);
    /// The selected stretch; else the current item, if it is not shown large already; else everything.
    void fit();
    void showWhole();
    void zoom(double factor, std::optional<double> atX = {});
    void pan(double pixels);
    /// Said in place of a timeline while there is no trace.
    void setHint(const QString &hint);
    /// Where an item lies in the viewport.
    QRect itemRect(const TraceModel::Item &item) const;
    /// Paints as the view does at another size, for a picture; the whole height of the lanes.
    void paintTo(QPainter &painter, const QSize &size) const;
    /// The lanes as they are zoomed now; the numbers are of the selected stretch, or else of what is in sight.
    Exhibit exhibit();
    /// What all lanes need, with the axis above them.
    int contentHeight() const
    {
        return m_geometry.axisHeight + m_geometry.contentHeight(static_cast<int>(m_model->lanes().size()));
    }
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void areaChanged();
    void currentChanged();
    void layersChosen(const std::vector<int> &layers);

protected:
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void mouseDoubleClickEvent(QMouseEvent *event) override;
    void wheelEvent(QWheelEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;
    bool viewportEvent(QEvent *event) override;

private:
    enum class Gesture { None, Press, Area, Pan };

    void reset();
    void layOut();
    TimelineGeometry geometryFor(const QFontMetrics &metrics, int offset) const;
    TraceModel::Item itemAt(const QPoint &point) const;
    double nsAt(int x) const;
    void choose(const TraceModel::Item &item);
    void moveCurrent(int items, int lanes);
    void reveal(const TraceModel::Item &item);

    TraceModel *m_model;
    TimeWindow m_window;
    TimelineGeometry m_geometry;
    TraceModel::Item m_current;
    std::optional<TimeRange> m_area;
    const Trace *m_shown = nullptr; ///< the trace that the window of time belongs to
    QString m_hint;
    Gesture m_gesture = Gesture::None;
    QPoint m_pressed, m_last;
};

} // namespace zigzag
