// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/head_pattern.h"

#include <cassert>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zigzag {

/// In the place of a window that is there, but not how wide it is: a map says "L" of a layer, and nobody gave the model.
inline constexpr std::int64_t unknownWindow = -1;

/// What a head map or a score file says of the model that it is for.
struct ModelShape {
    std::string name;
    int layers = 0;
    int queryHeads = 0; ///< 0 when not known: a bare score file says nothing of it
    int kvHeads = 0;
    int headDim = 0; ///< 0 when not known
    std::string fingerprint; ///< "sha256:…" of the weights; empty when not known
    /// [layers] or empty: the window that the model's own file gives a layer, in tokens, 0: none, `unknownWindow`: not told.
    std::vector<std::int64_t> fileWindows = {};

    /// Whether the model's own file makes a layer local: it keeps its window whatever a map says, and is not counted as ours.
    bool isLocal(int layer) const { return !fileWindows.empty() && fileWindows[static_cast<std::size_t>(layer)] != 0; }
    int localLayers() const;
    /// Those that a map decides; sparsity, counts and budgets speak of them alone.
    int mappableLayers() const { return layers - localLayers(); }
    int mappableHeads() const { return mappableLayers() * kvHeads; }

    bool operator==(const ModelShape &) const = default;
};

/// What a map decides of a head. Retrieval: keeps every key. Streaming: keeps the sinks and a recent window. Which keys those
/// are, what they cost and how the head is written, its pattern says (HeadMap::pattern).
enum class HeadKind : std::uint8_t { Retrieval, Streaming };
/// Local: the model's own file gives the layer a window, so that no map decides anything of it.
enum class LayerKind : std::uint8_t { Retrieval, Streaming, Mixed, Local };

/// The window that commands and panels start with.
inline constexpr int defaultSink = 64;
inline constexpr int defaultRecent = 256;

/// What a streaming head keeps, in tokens.
struct StreamingWindow {
    int sink = defaultSink, recent = defaultRecent;
    auto operator<=>(const StreamingWindow &) const = default;
};

constexpr HeadPattern patternOf(HeadKind kind, StreamingWindow window)
{
    return kind == HeadKind::Retrieval ? HeadPattern::full() : HeadPattern::streaming(window.sink, window.recent);
}

/// What a head of a layer sees, where `asked` is what a map or a caller would have: a window of the model's own file has its way.
/// `fileWindows` as in ModelShape and ModelConfig.
HeadPattern patternIn(std::span<const std::int64_t> fileWindows, int layer, const HeadPattern &asked);

/// Where a map came from; free text that is kept from file to file.
struct Provenance {
    std::string criterion;
    std::string scores;
    double sparsity = 0.0;
    std::string tool;
    std::string engine = {}; ///< as which layers were measured when they were chosen (HeadScores::engine); empty: ours

    bool operator==(const Provenance &) const = default;
};

/// Which KV heads retrieve and which stream, layers × KV heads, and what a streaming head of each layer keeps. A value type.
/// Layers that the model's own file makes local (ModelShape::isLocal) are no part of what it decides: their heads read as
/// retrieval and their window as the file's, setting either is without effect, and nothing here counts them.
class HeadMap
{
public:
    HeadMap() = default;
    HeadMap(ModelShape model, HeadKind everywhere, int sink, int recent);

    const ModelShape &model() const { return m_model; }
    /// One of as many layers and KV heads. Layers that it makes local lose what the map said of them.
    void setModel(ModelShape model);
    bool isLocal(int layer) const { return m_model.isLocal(layer); }
    int layers() const { return m_model.layers; }
    int kvHeads() const { return m_model.kvHeads; }

    /// What the streaming heads of a layer keep; of a layer without any, what they would.
    StreamingWindow window(int layer) const { return m_windows[indexOf(layer)]; }
    void setWindow(int sink, int recent); ///< of all layers
    void setLayerWindow(int layer, int sink, int recent)
    {
        if (!isLocal(layer))
            m_windows[indexOf(layer)] = {sink, recent};
    }
    const std::vector<StreamingWindow> &windows() const { return m_windows; } // [layers]
    /// The window of all layers that are not local, or nothing where they differ: who can use one alone says so then.
    std::optional<StreamingWindow> oneWindow() const;
    /// The same over the layers that stream alone, which is all that counts for how the map runs; where none does, any window
    /// would do, and it is the first layer's.
    std::optional<StreamingWindow> oneStreamingWindow() const;

    /// Which keys a head sees.
    HeadPattern pattern(int layer, int head) const
    {
        return patternIn(m_model.fileWindows, layer, patternOf(at(layer, head), window(layer)));
    }
    std::vector<HeadPattern> patterns(int layer) const; // [kv_heads]
    /// A letter for each head of a layer, as files and tables write it (HeadPattern::letter).
    std::string letters(int layer) const;
    HeadKind at(int layer, int head) const { return m_heads[index(layer, head)]; }
    void set(int layer, int head, HeadKind kind)
    {
        if (!isLocal(layer))
            m_heads[index(layer, head)] = kind;
    }
    void setLayer(int layer, HeadKind kind);
    /// The same model and windows with every head of one kind, and no provenance.
    HeadMap withEvery(HeadKind kind) const;

    LayerKind layerKind(int layer) const;
    bool hasStreaming(int layer) const; ///< whether some head of the layer streams: its window counts then
    int streamingHeads() const;
    int mixedLayers() const;
    bool isExclusive() const { return mixedLayers() == 0; }
    /// Fraction of the KV heads that a map decides (ModelShape::mappableHeads) that stream.
    double sparsity() const;

    const Provenance &provenance() const { return m_provenance; }
    void setProvenance(Provenance provenance) { m_provenance = std::move(provenance); }

    bool operator==(const HeadMap &) const = default;

private:
    std::size_t indexOf(int layer) const
    {
        assert(layer >= 0 && layer < layers());
        return static_cast<std::size_t>(layer);
    }
    std::size_t index(int layer, int head) const
    {
        assert(head >= 0 && head < kvHeads());
        return indexOf(layer) * static_cast<std::size_t>(m_model.kvHeads) + static_cast<std::size_t>(head);
    }

    /// What stands for the layers that are not the map's: so that equal maps are equal, whatever was asked of these layers.
    void settleLocalLayers();

    ModelShape m_model;
    std::vector<StreamingWindow> m_windows; // [layers]
    std::vector<HeadKind> m_heads; // [layers, kv_heads]
    Provenance m_provenance;
};

/// What the streaming heads keep, for a person: "sink 64, recent 256", or that layers differ.
std::string windowText(const HeadMap &map);

} // namespace zigzag
