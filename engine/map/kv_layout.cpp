// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/kv_layout.h"

#include <array>

namespace zigzag {

KvLayout::KvLayout(const HeadMap &map, std::int64_t context, DType type)
    : m_map(map)
    , m_context(context)
    , m_type(type)
{ }

std::int64_t KvLayout::layerBytes(int layer) const
{
    // A layer's heads of one kind keep alike, and plots ask this of every layer at every context with each edit.
    std::array<std::int64_t, 2> ofKind{-1, -1};
    std::int64_t sum = 0;
    for (int head = 0; head < m_map.kvHeads(); ++head) {
        std::int64_t &bytes = ofKind[m_map.at(layer, head) == HeadKind::Streaming];
        if (bytes < 0)
            bytes = headBytes(layer, head);
        sum += bytes;
    }
    return sum;
}

std::int64_t KvLayout::bytes() const
{
    std::int64_t sum = 0;
    for (int layer = 0; layer < m_map.layers(); ++layer)
        sum += layerBytes(layer);
    return sum;
}

std::int64_t kvBytes(const HeadMap &map, std::int64_t context, DType type)
{
    return KvLayout(map, context, type).bytes();
}

} // namespace zigzag
