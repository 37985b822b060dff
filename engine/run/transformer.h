// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"
#include "engine/run/kv_cache.h"
#include "engine/run/session.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace zigzag {

/// The activations of one forward pass of at most `chunk` tokens, and the rotation table.
struct Workspace {
    static Result<Workspace> create(Backend &backend, const ModelConfig &config, std::int64_t context, std::int64_t chunk,
                                    MixedMode mixed);
    /// What `create` will ask for, so that a plan can be refused first.
    static std::int64_t bytesNeeded(const ModelConfig &config, std::int64_t context, std::int64_t chunk, MixedMode mixed);

    static constexpr std::int64_t logitsRows = 64; ///< rows of logits that are computed at a time

    std::unique_ptr<Buffer> residual; // [chunk, hidden]
    std::unique_ptr<Buffer> normed; // [chunk, hidden]
    std::unique_ptr<Buffer> queries; // [chunk, query_heads, head_dim]
    std::unique_ptr<Buffer> keys; // [chunk, kv_heads, head_dim]
    std::unique_ptr<Buffer> values; // [chunk, kv_heads, head_dim]
    std::unique_ptr<Buffer> attended; // [chunk, query_heads, head_dim]
    std::unique_ptr<Buffer> gathered, gatheredOut; // [chunk, query_heads, head_dim], MixedMode::Reference alone
    std::unique_ptr<Buffer> gate, up; // [chunk, intermediate]
    std::unique_ptr<Buffer> logits; // [logits_rows, vocabulary]
    std::unique_ptr<Buffer> strongest; // [chunk, query_heads] int32
    std::unique_ptr<Buffer> rotation; // [context, 2, head_dim / 2]
};

/// One forward pass: the only place that knows the order of the ops.
class Transformer
{
public:
    Transformer(const DeviceModel &model, const KvLayout &layout, const KvCache &cache, Workspace &workspace, MixedMode mixed);

    /// Runs `tokens` (at most a chunk) at `firstPosition` and leaves their hidden states in the workspace. False when
    /// `cancel` stopped it between layers.
    bool forward(std::span<const int> tokens, std::int64_t firstPosition);
    /// Logits of rows [first, first + count) of the last forward pass, appended to `out`.
    void logits(std::int64_t first, std::int64_t count, std::vector<float> &out);

    TraceSink *sink = nullptr;
    const std::atomic<bool> *cancel = nullptr;
    Session::AttentionObserver observer;

private:
    void attentionBlock(int layer, std::int64_t tokens, std::int64_t firstPosition);
    void feedForwardBlock(int layer, std::int64_t tokens);
    void attention(int layer, std::int64_t tokens, std::int64_t firstPosition);
    void attentionByCopies(const AttentionArgs &whole, std::span<const int> kvHeads);

    const DeviceModel &m_model;
    const KvLayout &m_layout;
    const KvCache &m_cache;
    Workspace &m_work;
    Backend &m_backend;
    const ModelConfig &m_config;
    MixedMode m_mixed;
    std::vector<int> m_allHeads; // 0 … kv_heads − 1
    std::vector<std::vector<int>> m_retrieval, m_streaming; // [layers]: KV heads of each kind
};

} // namespace zigzag
