// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/head_map.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

void HeadMap::setLayer(int layer, HeadKind kind)
{
    for (int head = 0; head < kvHeads(); ++head)
        set(layer, head, kind);
}

HeadMap HeadMap::withEvery(HeadKind kind) const
{
    HeadMap map = *this;
    map.m_heads.assign(m_heads.size(), kind);
    map.m_provenance = {};
    return map;
}

std::optional<StreamingWindow> HeadMap::oneWindow() const
{
    if (m_windows.empty())
        return StreamingWindow{};
    for (const StreamingWindow &window : m_windows)
        if (window != m_windows.front())
            return {};
    return m_windows.front();
}

std::optional<StreamingWindow> HeadMap::oneStreamingWindow() const
{
    std::optional<StreamingWindow> one;
    for (int layer = 0; layer < layers(); ++layer) {
        if (layerKind(layer) == LayerKind::Retrieval)
            continue;
        if (one && *one != window(layer))
            return {};
        one = window(layer);
    }
    return one ? one : m_windows.empty() ? StreamingWindow{} : m_windows.front();
}

std::vector<HeadPattern> HeadMap::patterns(int layer) const
{
    std::vector<HeadPattern> all;
    for (int head = 0; head < kvHeads(); ++head)
        all.push_back(pattern(layer, head));
    return all;
}

std::string HeadMap::letters(int layer) const
{
    std::string row;
    for (int head = 0; head < kvHeads(); ++head)
        row += patternOf(at(layer, head), window(layer)).letter();
    return row;
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

std::string windowText(const HeadMap &map)
{
    const std::optional<StreamingWindow> one = map.oneStreamingWindow();
    return one ? fmt::format("sink {}, recent {}", one->sink, one->recent) : "a window for each layer";
}

} // namespace zigzag
