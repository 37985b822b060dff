// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/kv_layout.h"

namespace zigzag {

KvLayout::KvLayout(const HeadMap &map, std::int64_t context, DType type)
    : m_map(map)
    , m_context(context)
    , m_type(type)
{ }

std::int64_t KvLayout::layerBytes(int layer) const
{
    std::int64_t sum = 0;
    for (int head = 0; head < m_map.kvHeads(); ++head)
        sum += headBytes(layer, head);
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
