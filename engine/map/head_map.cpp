// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/head_map.h"

#include <algorithm>

namespace zigzag {

void HeadMap::setLayer(int layer, HeadKind kind)
{
    for (int head = 0; head < kvHeads(); ++head)
        set(layer, head, kind);
}

LayerKind HeadMap::layerKind(int layer) const
{
    int streaming = 0;
    for (int head = 0; head < kvHeads(); ++head)
        streaming += at(layer, head) == HeadKind::Streaming;
    if (streaming == 0)
        return LayerKind::Retrieval;
    return streaming == kvHeads() ? LayerKind::Streaming : LayerKind::Mixed;
}

int HeadMap::streamingHeads() const
{
    return static_cast<int>(std::count(m_heads.begin(), m_heads.end(), HeadKind::Streaming));
}

int HeadMap::mixedLayers() const
{
    int mixed = 0;
    for (int layer = 0; layer < layers(); ++layer)
        mixed += layerKind(layer) == LayerKind::Mixed;
    return mixed;
}

double HeadMap::sparsity() const
{
    return m_heads.empty() ? 0.0 : static_cast<double>(streamingHeads()) / static_cast<double>(m_heads.size());
}

} // namespace zigzag
