// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPoint>
#include <QRect>
#include <QSize>

#include <vector>

namespace zigzag {

/// Where everything of a head map lies, in content coordinates: from sizes of the font and the room there is, without a
/// widget. Cells grow with the room and never below what a glyph needs; what does not fit scrolls.
class HeadMapGeometry
{
public:
    struct Font {
        int height = 1;
        int em = 1; ///< width of a wide letter
        int layerWord = 0,
            lostWord = 0; ///< widths of the longest words over these two columns, which other languages have longer
    };
    enum class Area { None, Layer, Cell, Side };
    struct Hit {
        Area area = Area::None;
        int layer = -1;
        int head = -1;
    };

    /// What stands in the map besides what always does.
    struct Shown {
        bool scores = false; ///< a column of bars for the scores of layers
        bool loss = false; ///< a column of bars for what each layer alone loses
        bool numbers = false; ///< room for a score in every cell
    };

    HeadMapGeometry() = default;
    /// `headingLines`: of the highest heading.
    HeadMapGeometry(int layers, int heads, const Font &font, const QSize &room, const Shown &shown,
                    int headingLines = leastHeadingLines);
    /// The layers from top to bottom, each once; empty: as they are numbered.
    void setOrder(std::vector<int> layers);
    const std::vector<int> &order() const { return m_order; }
    int rowOf(int layer) const { return m_rows.empty() ? layer : m_rows[static_cast<std::size_t>(layer)]; }
    int layerAt(int row) const { return m_order.empty() ? row : m_order[static_cast<std::size_t>(row)]; }

    static constexpr int leastHeadingLines = 2; ///< what the cells are, and their numbers

    QSize contentSize() const { return {m_timeX + m_timeWidth + m_gap, m_headerHeight + m_layers * m_rowHeight + m_gap}; }
    int headerHeight() const { return m_headerHeight; }
    int rowHeight() const { return m_rowHeight; }
    int cellWidth() const { return m_cellWidth; }

    // Where a layer is, by its own number, whichever row it has.
    QRect row(int layer) const { return column(layer, 0, contentSize().width()); }
    QRect layer(int layer) const { return column(layer, 0, m_layerWidth); }
    QRect cell(int layer, int head) const { return column(layer, m_layerWidth + head * m_cellWidth, m_cellWidth); }
    QRect kind(int layer) const { return column(layer, m_kindX, m_kindWidth); }
    QRect score(int layer) const { return column(layer, m_scoreX, m_scoreWidth); } ///< without width where there is none
    QRect lost(int layer) const { return column(layer, m_lostX, m_lostWidth); }
    QRect loss(int layer) const { return column(layer, m_lossX, m_lossWidth); } ///< without width where there is none
    QRect kv(int layer) const { return column(layer, m_kvX, m_kvWidth); }
    QRect time(int layer) const { return column(layer, m_timeX, m_timeWidth); }

    bool isOverCells(int x) const { return x >= m_layerWidth && x < m_layerWidth + m_heads * m_cellWidth; }
    Hit hit(const QPoint &point) const;
    /// The cell nearest to a point, for drags that leave the cells.
    QPoint nearestCell(const QPoint &point) const; ///< x = head, y = layer

private:
    QRect column(int layer, int x, int width) const
    {
        return {x, m_headerHeight + rowOf(layer) * m_rowHeight, width, m_rowHeight};
    }

    int m_layers = 0, m_heads = 0;
    int m_gap = 0, m_headerHeight = 0, m_rowHeight = 1, m_cellWidth = 1;
    int m_layerWidth = 0, m_kindX = 0, m_kindWidth = 0, m_lostX = 0, m_lostWidth = 0;
    int m_scoreX = 0, m_scoreWidth = 0, m_lossX = 0, m_lossWidth = 0;
    int m_kvX = 0, m_kvWidth = 0, m_timeX = 0, m_timeWidth = 0;
    std::vector<int> m_order, m_rows; // [layers] or empty: layers by row, rows by layer
};

} // namespace zigzag
