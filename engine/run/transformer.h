// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/device_model.h"
#include "engine/run/kv_cache.h"
#include "engine/run/session_options.h"
#include "engine/run/trace_sink.h"
#include "engine/run/workspace.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace zigzag {

/// One forward pass: the only place that knows the order of the ops.
class Transformer
{
public:
    Transformer(const DeviceModel &model, const KvLayout &layout, const KvCache &cache, Workspace &workspace,
                const SessionOptions &options);

    /// Runs `tokens` (at most a chunk) of one sequence at `firstPosition` and leaves their hidden states in the workspace.
    /// Fails when `cancel` stopped it between layers, or the device did.
    Result<void> prefill(std::span<const int> tokens, std::int64_t firstPosition, int sequence);
    /// Logits of rows [first, first + count) of the last pass, appended to `out`. Fails where one is not finite.
    Result<void> logits(std::int64_t first, std::int64_t count, std::vector<float> &out);

    /// Decode: the tokens that the first sequences run next, and where. tokens, positions: [rows], at most the batch
    void setNext(std::span<const std::int32_t> tokens, std::span<const std::int32_t> positions);
    /// One token of each of these sequences: forward pass, logits, greedy choice of the next token, and on to the next position.
    /// Nothing waits for the device. From the second step on a device that has recordings replays one.
    Result<void> step();
    /// Waits, and appends the logits of the last step. [rows, vocabulary] Fails where one is not finite.
    Result<void> stepLogits(std::vector<float> &out);

    TraceSink *sink = nullptr;
    bool tracesReplays = false; ///< a recorded step is replayed with a sink too (Session::Replays)
    const std::atomic<bool> *cancel = nullptr;
    AttentionObserver observer;

private:
    /// The rows of one pass.
    struct Pass {
        std::int64_t tokens = 0; ///< rows
        std::int64_t firstPosition = 0; ///< of row 0, or the furthest that decode may get
        SequenceRows rows;
        bool isStaged() const { return rows.count == 1 && tokens > 1; }
    };

    bool isCancelled() const;
    Result<void> forward(const Pass &pass);
    Result<void> decode();
    Result<void> runLayer(int layer, const Pass &pass);
    Result<void> attention(int layer, const Pass &pass);
    void attentionByCopies(const AttentionArgs &whole, int layer, std::span<const int> kvHeads);
    Result<void> takeLogits(std::int64_t rows, std::vector<float> &out);
    Result<void> checkStates(std::int64_t rows);
    void headLogits(std::int64_t first, std::int64_t rows);
    /// The span of an op of the pass that runs now, or ran last.
    SpanInfo spanOf(Op op, int layer = -1) const;

    const DeviceModel &m_model;
    const KvLayout &m_layout;
    const KvCache &m_cache;
    Workspace &m_work;
    Backend &m_backend;
    const ModelConfig &m_config;
    DType m_type; ///< of activations
    MixedMode m_mixed;
    int m_rows; ///< sequences that decode runs
    SpanInfo m_pass; ///< what the spans of the pass have in common
    std::int64_t m_nextPosition = 0; ///< of the sequence that decode has taken furthest
    std::vector<LayerKind> m_kinds; // [layers]
    std::vector<int> m_allHeads; // 0 … kv_heads − 1
    std::vector<std::vector<int>> m_retrieval, m_streaming; // [layers]: KV heads of each kind
    std::unique_ptr<Recording> m_recording; ///< of one decode step
    int m_steps = 0;
};

} // namespace zigzag
