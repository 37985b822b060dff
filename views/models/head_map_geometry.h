// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPoint>
#include <QRect>
#include <QSize>

namespace zigzag {

/// Where everything of a head map lies, in content coordinates: from sizes of the font and the room there is, without a
/// widget. Cells grow with the room and never below what a glyph needs; what does not fit scrolls.
class HeadMapGeometry
{
public:
    struct Font {
        int height = 1;
        int em = 1; ///< width of a wide letter
    };
    enum class Area { None, Layer, Cell, Side };
    struct Hit {
        Area area = Area::None;
        int layer = -1;
        int head = -1;
    };

    HeadMapGeometry() = default;
    /// `withLoss`: with a column of bars for what each layer alone loses. `headingLines`: of the highest heading.
    HeadMapGeometry(int layers, int heads, const Font &font, const QSize &room, bool withLoss = false,
                    int headingLines = leastHeadingLines);

    static constexpr int leastHeadingLines = 2; ///< what the cells are, and their numbers

    QSize contentSize() const { return {m_timeX + m_timeWidth + m_gap, m_headerHeight + m_layers * m_rowHeight + m_gap}; }
    int headerHeight() const { return m_headerHeight; }
    int rowHeight() const { return m_rowHeight; }
    int cellWidth() const { return m_cellWidth; }

    QRect row(int layer) const { return {0, m_headerHeight + layer * m_rowHeight, contentSize().width(), m_rowHeight}; }
    QRect layer(int layer) const { return column(layer, 0, m_layerWidth); }
    QRect cell(int layer, int head) const { return column(layer, m_layerWidth + head * m_cellWidth, m_cellWidth); }
    QRect kind(int layer) const { return column(layer, m_kindX, m_kindWidth); }
    QRect lost(int layer) const { return column(layer, m_lostX, m_lostWidth); }
    QRect loss(int layer) const { return column(layer, m_lossX, m_lossWidth); } ///< without width where there is none
    QRect kv(int layer) const { return column(layer, m_kvX, m_kvWidth); }
    QRect time(int layer) const { return column(layer, m_timeX, m_timeWidth); }

    bool isOverCells(int x) const { return x >= m_layerWidth && x < m_layerWidth + m_heads * m_cellWidth; }
    Hit hit(const QPoint &point) const;
    /// The cell nearest to a point, for drags that leave the cells.
    QPoint nearestCell(const QPoint &point) const; ///< x = head, y = layer

private:
    QRect column(int layer, int x, int width) const { return {x, m_headerHeight + layer * m_rowHeight, width, m_rowHeight}; }

    int m_layers = 0, m_heads = 0;
    int m_gap = 0, m_headerHeight = 0, m_rowHeight = 1, m_cellWidth = 1;
    int m_layerWidth = 0, m_kindX = 0, m_kindWidth = 0, m_lostX = 0, m_lostWidth = 0;
    int m_lossX = 0, m_lossWidth = 0;
    int m_kvX = 0, m_kvWidth = 0, m_timeX = 0, m_timeWidth = 0;
};

} // namespace zigzag
