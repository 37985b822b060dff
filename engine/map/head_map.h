// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <vector>

namespace zigzag {

/// What a head map or a score file says of the model that it is for.
struct ModelShape {
    std::string name;
    int layers = 0;
    int queryHeads = 0; ///< 0 when not known: a bare score file says nothing of it
    int kvHeads = 0;
    int headDim = 0; ///< 0 when not known
    std::string fingerprint; ///< "sha256:…" of the weights; empty when not known

    bool operator==(const ModelShape &) const = default;
};

/// Retrieval: keeps every key. Streaming: keeps the sinks and a recent window.
enum class HeadKind : std::uint8_t { Retrieval, Streaming };
enum class LayerKind : std::uint8_t { Retrieval, Streaming, Mixed };

/// The window that commands and panels start with.
inline constexpr int defaultSink = 64;
inline constexpr int defaultRecent = 256;

/// Where a map came from; free text that is kept from file to file.
struct Provenance {
    std::string criterion;
    std::string scores;
    double sparsity = 0.0;
    std::string tool;

    bool operator==(const Provenance &) const = default;
};

/// Which KV heads retrieve and which stream: layers × KV heads. A value type.
class HeadMap
{
public:
    HeadMap() = default;
    HeadMap(ModelShape model, HeadKind everywhere, int sink, int recent)
        : m_model(std::move(model))
        , m_sink(sink)
        , m_recent(recent)
        , m_heads(static_cast<std::size_t>(m_model.layers) * static_cast<std::size_t>(m_model.kvHeads), everywhere)
    { }

    const ModelShape &model() const { return m_model; }
    void setModel(ModelShape model)
    {
        assert(model.layers == m_model.layers && model.kvHeads == m_model.kvHeads);
        m_model = std::move(model);
    }
    int layers() const { return m_model.layers; }
    int kvHeads() const { return m_model.kvHeads; }
    int sink() const { return m_sink; }
    int recent() const { return m_recent; }
    void setWindow(int sink, int recent) { m_sink = sink, m_recent = recent; }

    HeadKind at(int layer, int head) const { return m_heads[index(layer, head)]; }
    void set(int layer, int head, HeadKind kind) { m_heads[index(layer, head)] = kind; }
    void setLayer(int layer, HeadKind kind);

    LayerKind layerKind(int layer) const;
    int streamingHeads() const;
    int mixedLayers() const;
    bool isExclusive() const { return mixedLayers() == 0; }
    /// Fraction of KV heads that stream.
    double sparsity() const;

    const Provenance &provenance() const { return m_provenance; }
    void setProvenance(Provenance provenance) { m_provenance = std::move(provenance); }

    bool operator==(const HeadMap &) const = default;

private:
    std::size_t index(int layer, int head) const
    {
        assert(layer >= 0 && layer < layers() && head >= 0 && head < kvHeads());
        return static_cast<std::size_t>(layer) * static_cast<std::size_t>(m_model.kvHeads) + static_cast<std::size_t>(head);
    }

    ModelShape m_model;
    int m_sink = 0;
    int m_recent = 0;
    std::vector<HeadKind> m_heads; // [layers, kv_heads]
    Provenance m_provenance;
};

} // namespace zigzag
