// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "profiler/trace/op_table.h"
#include "views/models/op_colors.h"
#include "views/models/trace_model.h"

#include <QImage>
#include <QPainter>
#include <QPalette>
#include <array>
#include <optional>

namespace zigzag {

/// Where the lanes of a timeline lie, in pixels of its viewport.
struct TimelineGeometry {
    int labelWidth = 0; ///< left of the lanes
    int axisHeight = 0; ///< above them
    int laneHeight = 1;
    int gap = 0; ///< between spans and kernels
    int kernelLane = 0; ///< the first lane of kernels; the number of lanes when there are none
    int offset = 0; ///< scrolled down by so many pixels

    int laneTop(int lane) const { return axisHeight + lane * laneHeight + (lane >= kernelLane ? gap : 0) - offset; }
    int contentHeight(int lanes) const { return lanes * laneHeight + (lanes > kernelLane ? gap : 0); }
    /// −1: between the lanes or outside.
    int laneAt(int y, int lanes) const;
};

/// Draws a timeline. Boxes where an item is at least two pixels wide; below that, columns one pixel wide in the colour of
/// their longest item, as strong as they are busy: a frame costs by its pixels, not by the spans of the trace.
class TimelinePainter
{
public:
    struct State {
        TraceModel::Item current; ///< keyboard and click
        std::optional<TimeRange> area; ///< selected stretch of time
        bool focused = false;
    };
    TimelinePainter(QPainter &painter, const TraceModel &model, const TimeWindow &window, const TimelineGeometry &geometry,
                    const QPalette &palette);

    void draw(const QSize &size, const State &state);

private:
    void drawAxis(int width);
    void drawLane(int lane, int bottom);
    void drawLabels(int height);
    void drawArea(const TimeRange &area, int height);
    void drawCurrent(const TraceModel::Item &current);

    QPainter &m_painter;
    const TraceModel &m_model;
    const TimeWindow &m_window;
    const TimelineGeometry &m_geometry;
    const QPalette &m_palette;
    QColor m_base, m_ink, m_quiet, m_grid;
    bool m_predicted = false; ///< hatched: a prediction never looks like a recording
    std::array<QRgb, toneCount> m_tones; ///< colour of each tone
    std::vector<TraceLane::Piece> m_pieces;
    QImage m_strip;
};

} // namespace zigzag
