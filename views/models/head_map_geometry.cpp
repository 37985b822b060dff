// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/head_map_geometry.h"

#include <algorithm>

namespace zigzag {

HeadMapGeometry::HeadMapGeometry(int layers, int heads, const Font &font, const QSize &room, bool withLoss, int headingLines)
    : m_layers(layers)
    , m_heads(heads)
{
    m_gap = font.height / 2;
    m_headerHeight = std::max(headingLines, leastHeadingLines) * font.height + m_gap;
    m_layerWidth = 4 * font.em;
    m_kindWidth = 7 * font.em; // a badge and a number
    m_lostWidth = 7 * font.em;
    const int leastBar = 9 * font.em;
    const int mostBar = 24 * font.em;

    const int leastRow = font.height + font.height / 3;
    const int mostRow = 3 * font.height;
    m_rowHeight = layers > 0 ? std::clamp((room.height() - m_headerHeight - m_gap) / layers, leastRow, mostRow) : leastRow;

    // The cells take what the columns beside them leave, the bars take the rest.
    const int bars = withLoss ? 3 : 2;
    const int gaps = (3 + bars) * m_gap;
    const int beside = m_layerWidth + m_kindWidth + m_lostWidth + gaps;
    const int leastCell = std::max(font.em + font.em / 2, font.height);
    const int mostCell = 5 * font.em;
    m_cellWidth = heads > 0 ? std::clamp((room.width() - beside - bars * leastBar) / heads, leastCell, mostCell) : leastCell;
    const int bar = std::clamp((room.width() - beside - heads * m_cellWidth) / bars, leastBar, mostBar);

    m_kindX = m_layerWidth + heads * m_cellWidth + m_gap;
    m_lostX = m_kindX + m_kindWidth + m_gap;
    m_lossX = m_lostX + m_lostWidth + m_gap;
    m_lossWidth = withLoss ? bar : 0;
    m_kvX = m_lossX + m_lossWidth + (withLoss ? m_gap : 0);
    m_kvWidth = bar;
    m_timeX = m_kvX + m_kvWidth + m_gap;
    m_timeWidth = bar;
}

HeadMapGeometry::Hit HeadMapGeometry::hit(const QPoint &point) const
{
    const int layer = (point.y() - m_headerHeight) / m_rowHeight;
    if (point.x() < 0 || point.y() < m_headerHeight || layer >= m_layers)
        return {};
    if (point.x() < m_layerWidth)
        return {Area::Layer, layer, -1};
    const int head = (point.x() - m_layerWidth) / m_cellWidth;
    return head < m_heads ? Hit{Area::Cell, layer, head} : Hit{Area::Side, layer, -1};
}

QPoint HeadMapGeometry::nearestCell(const QPoint &point) const
{
    const int layer = (point.y() - m_headerHeight) / m_rowHeight;
    const int head = (point.x() - m_layerWidth) / m_cellWidth;
    return {std::clamp(head, 0, std::max(m_heads - 1, 0)), std::clamp(layer, 0, std::max(m_layers - 1, 0))};
}

} // namespace zigzag
