// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/models/head_map_geometry.h"

#include <algorithm>
#include <utility>

namespace zigzag {

HeadMapGeometry::HeadMapGeometry(int layers, int heads, const Font &font, const QSize &room, const Shown &shown, int headingLines)
    : m_layers(layers)
    , m_heads(heads)
{
    m_gap = font.height / 2;
    m_headerHeight = std::max(headingLines, leastHeadingLines) * font.height + m_gap;
    m_layerWidth = std::max(4 * font.em, font.layerWord + font.em / 2);
    m_kindWidth = shown.scores ? 5 * font.em : 7 * font.em; // "mixed" in a badge
    m_scoreWidth = shown.scores ? 7 * font.em : 0; // a number and a short bar
    m_lostWidth = std::max(7 * font.em, font.lostWord);
    const int leastBar = 9 * font.em;
    const int mostBar = 24 * font.em;

    const int leastRow = font.height + font.height / 3;
    const int mostRow = 3 * font.height;
    m_rowHeight = layers > 0 ? std::clamp((room.height() - m_headerHeight - m_gap) / layers, leastRow, mostRow) : leastRow;

    // The cells take what the columns beside them leave, the bars take the rest.
    const int bars = shown.loss ? 3 : 2;
    const int gaps = (3 + bars + (shown.scores ? 1 : 0)) * m_gap;
    const int beside = m_layerWidth + m_kindWidth + m_scoreWidth + m_lostWidth + gaps;
    const int leastCell = shown.numbers ? 5 * font.em : std::max(font.em + font.em / 2, font.height);
    const int mostCell = 5 * font.em;
    m_cellWidth = heads > 0 ? std::clamp((room.width() - beside - bars * leastBar) / heads, leastCell, mostCell) : leastCell;
    const int bar = std::clamp((room.width() - beside - heads * m_cellWidth) / bars, leastBar, mostBar);

    m_kindX = m_layerWidth + heads * m_cellWidth + m_gap;
    m_scoreX = m_kindX + m_kindWidth + m_gap;
    m_lostX = m_scoreX + m_scoreWidth + (shown.scores ? m_gap : 0);
    m_lossX = m_lostX + m_lostWidth + m_gap;
    m_lossWidth = shown.loss ? bar : 0;
    m_kvX = m_lossX + m_lossWidth + (shown.loss ? m_gap : 0);
    m_kvWidth = bar;
    m_timeX = m_kvX + m_kvWidth + m_gap;
    m_timeWidth = bar;
}

void HeadMapGeometry::setOrder(std::vector<int> layers)
{
    m_order = std::move(layers);
    m_rows.assign(m_order.size(), 0);
    for (std::size_t row = 0; row < m_order.size(); ++row)
        m_rows[static_cast<std::size_t>(m_order[row])] = static_cast<int>(row);
}

HeadMapGeometry::Hit HeadMapGeometry::hit(const QPoint &point) const
{
    const int row = (point.y() - m_headerHeight) / m_rowHeight;
    if (point.x() < 0 || point.y() < m_headerHeight || row >= m_layers)
        return {};
    const int layer = layerAt(row);
    if (point.x() < m_layerWidth)
        return {Area::Layer, layer, -1};
    const int head = (point.x() - m_layerWidth) / m_cellWidth;
    return head < m_heads ? Hit{Area::Cell, layer, head} : Hit{Area::Side, layer, -1};
}

QPoint HeadMapGeometry::nearestCell(const QPoint &point) const
{
    const int row = std::clamp((point.y() - m_headerHeight) / m_rowHeight, 0, std::max(m_layers - 1, 0));
    const int head = (point.x() - m_layerWidth) / m_cellWidth;
    return {std::clamp(head, 0, std::max(m_heads - 1, 0)), m_layers > 0 ? layerAt(row) : 0};
}

} // namespace zigzag
