// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/map/head_map.h"

#include "engine/map/checks.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

int ModelShape::localLayers() const
{
    return static_cast<int>(
        std::count_if(fileWindows.begin(), fileWindows.end(), [](std::int64_t window) { return window != 0; }));
}

HeadPattern patternIn(std::span<const std::int64_t> fileWindows, int layer, const HeadPattern &asked)
{
    const std::int64_t window = fileWindows.empty() ? 0 : fileWindows[static_cast<std::size_t>(layer)];
    if (window == 0)
        return asked;
    return HeadPattern::ofFile(window > 0 ? window : HeadPattern::full().recent()); // not told: at most everything
}

HeadMap::HeadMap(ModelShape model, HeadKind everywhere, int sink, int recent)
    : m_model(std::move(model))
    , m_windows(static_cast<std::size_t>(m_model.layers), {sink, recent})
    , m_heads(static_cast<std::size_t>(m_model.layers) * static_cast<std::size_t>(m_model.kvHeads), everywhere)
{
    settleLocalLayers();
}

void HeadMap::setModel(ModelShape model)
{
    assert(model.layers == m_model.layers && model.kvHeads == m_model.kvHeads);
    m_model = std::move(model);
    settleLocalLayers();
}

void HeadMap::settleLocalLayers()
{
    for (int layer = 0; layer < layers(); ++layer) {
        if (!isLocal(layer))
            continue;
        const std::int64_t recent = patternIn(m_model.fileWindows, layer, {}).recent();
        m_windows[indexOf(layer)] = {0, static_cast<int>(std::min<std::int64_t>(recent, maxWindow))};
        for (int head = 0; head < kvHeads(); ++head)
            m_heads[index(layer, head)] = HeadKind::Retrieval;
    }
}

void HeadMap::setWindow(int sink, int recent)
{
    m_windows.assign(m_windows.size(), {sink, recent});
    settleLocalLayers();
}

void HeadMap::setLayer(int layer, HeadKind kind)
{
    for (int head = 0; head < kvHeads(); ++head)
        set(layer, head, kind);
}

HeadMap HeadMap::withEvery(HeadKind kind) const
{
    HeadMap map = *this;
    map.m_heads.assign(m_heads.size(), kind);
    map.settleLocalLayers();
    map.m_provenance = {};
    return map;
}

std::optional<StreamingWindow> HeadMap::oneWindow() const
{
    std::optional<StreamingWindow> one;
    for (int layer = 0; layer < layers(); ++layer) {
        if (isLocal(layer))
            continue;
        if (one && *one != window(layer))
            return {};
        one = window(layer);
    }
    return one ? one : StreamingWindow{};
}

std::optional<StreamingWindow> HeadMap::oneStreamingWindow() const
{
    std::optional<StreamingWindow> one, first;
    for (int layer = 0; layer < layers(); ++layer) {
        if (!first && !isLocal(layer))
            first = window(layer);
        if (!hasStreaming(layer))
            continue;
        if (one && *one != window(layer))
            return {};
        one = window(layer);
    }
    return one ? one : first ? first : StreamingWindow{};
}

std::vector<HeadPattern> HeadMap::patterns(int layer) const
{
    std::vector<HeadPattern> all;
    all.reserve(static_cast<std::size_t>(kvHeads()));
    for (int head = 0; head < kvHeads(); ++head)
        all.push_back(pattern(layer, head));
    return all;
}

std::string HeadMap::letters(int layer) const
{
    std::string row;
    for (int head = 0; head < kvHeads(); ++head)
        row += pattern(layer, head).letter();
    return row;
}

bool HeadMap::hasStreaming(int layer) const
{
    const LayerKind kind = layerKind(layer);
    return kind == LayerKind::Streaming || kind == LayerKind::Mixed;
}

LayerKind HeadMap::layerKind(int layer) const
{
    if (isLocal(layer))
        return LayerKind::Local;
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
    const int heads = m_model.mappableHeads();
    return heads == 0 ? 0.0 : static_cast<double>(streamingHeads()) / heads;
}

std::string windowText(const HeadMap &map)
{
    const std::optional<StreamingWindow> one = map.oneStreamingWindow();
    return one ? fmt::format("sink {}, recent {}", one->sink, one->recent) : "a window for each layer";
}

} // namespace zigzag
