// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/run/device_model.h"
#include "engine/run/gradients.h"
#include "engine/run/layer_ops.h"
#include "engine/run/rotation_tables.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace zigzag {

/// Single layers of a model over a whole sequence at once, from stored hidden states to hidden states: what a search over
/// maps needs, where most maps share their lower layers. Each layer is run with whatever kinds of heads the call names, with
/// the same ops as the forward pass of a session and to the same result. One layer's keys and values are held at a time.
/// With gradients, keys and values are of the activations' type and every head has a gate between full and streaming attention.
class LayerPass
{
public:
    /// `tokens`: the longest sequence. With `gradients` the backend must have gradient ops.
    static Result<std::unique_ptr<LayerPass>> create(std::shared_ptr<DeviceModel> model, std::int64_t tokens, bool gradients);
    /// What `create` will ask for, so that a plan can be refused first.
    static std::int64_t bytesNeeded(const Backend &backend, const ModelConfig &config, std::int64_t tokens, bool gradients);

    /// Room for the hidden states of the longest sequence. [tokens, hidden]
    Result<std::unique_ptr<Buffer>> states() const;
    std::int64_t stateBytes() const;

    /// Hidden states at the input of layer 0. Refuses tokens outside the vocabulary and sequences that are too long.
    Result<void> embed(std::span<const int> tokens, Buffer &out);
    /// out = layer(in); `patterns`: [kv_heads]; `out` may be `in`.
    void run(int layer, std::span<const HeadPattern> patterns, std::int64_t tokens, const Buffer &in, Buffer &out);
    /// The same with the output of each head blended by its gate between every key and `streaming`. [kv_heads]
    void runGated(int layer, std::span<const float> gates, const HeadPattern &streaming, std::int64_t tokens, const Buffer &in,
                  Buffer &out);
    /// Backward through runGated: `gradient` comes in as the gradient of the layer's output and leaves as that of its input;
    /// gradGates (host, [kv_heads]) is set. Activations are computed again from `in`.
    void backward(int layer, std::span<const float> gates, const HeadPattern &streaming, std::int64_t tokens, const Buffer &in,
                  Buffer &gradient, std::span<double> gradGates);

    /// One query head over a sequence, as attention gets it; on the host, in float32 whatever the types are.
    struct HeadVectors {
        std::vector<float> queries, keys, values; // [tokens, head_dim] each; queries and keys are rotated
        double scale = 1; ///< of a query's product with a key
        double scoreCap = 0; ///< not 0: scores become cap · tanh(score / cap)
        std::optional<float> sinkLogit; ///< a score that takes weight, as a key with a value of zero would
    };
    /// Of the layer whose input is `in` (layer_pass_attention.cpp).
    Result<HeadVectors> headVectors(int layer, int queryHead, std::int64_t tokens, const Buffer &in);

    /// What each query head adds to the residual stream at some positions, as its product with a direction there: the direct
    /// path of "A Mathematical Framework for Transformer Circuits" (Elhage et al., 2021), a head at a time. Where a layer norms
    /// what attention adds, by the norm's scale as it came out.
    struct HeadContributions {
        std::vector<double> heads; // [rows, query_heads]
        std::vector<double> beyond; // [rows, query_heads]; the part of it that comes from keys outside a window
        std::vector<double> bias; // [rows]; of the output projection, 0 where it has none
    };
    /// Of the layer whose input is `in`, every head with all the keys that the model's own file gives it; `window`: what is not
    /// beyond. `directions`: [rows, hidden], host. Attention is computed again for the rows, in double precision
    /// (layer_pass_contributions.cpp).
    Result<HeadContributions> headContributions(int layer, const HeadPattern &window, std::span<const std::int64_t> rows,
                                                std::span<const double> directions, std::int64_t tokens, const Buffer &in);
    /// Hidden states at some positions as they are, no norm. [rows, hidden], host
    Result<std::vector<float>> rowsOf(std::span<const std::int64_t> rows, const Buffer &in);
    /// The final norm's weight. [hidden], host
    Result<std::vector<float>> finalNormWeight();

    // What stands in for sinks (layer_pass_sinks.cpp): sums over the queries of `in` whose window has left sinks behind.

    /// Adds each query head's log Σ exp of the scores of those sinks. sums: [query_heads], host
    Result<void> addSinkScores(int layer, const HeadPattern &streaming, std::int64_t tokens, const Buffer &in,
                               std::span<double> sums);
    /// Adds what attention with the sinks gives beyond a window with these sink logits. sums: [query_width], host
    Result<void> addSinkOutputs(int layer, const HeadPattern &streaming, std::span<const float> sinkLogits, std::int64_t tokens,
                                const Buffer &in, std::span<double> sums);
    /// Through the output projection, without its bias. [hidden], host
    Result<std::vector<float>> projectHeads(int layer, std::span<const float> heads);

    // Their fit (layer_pass_stand_ins.cpp), of a model that has them as weights of its own (DeviceModel::layers).

    /// The gradient of a loss in what a layer may be given to stand in for sinks; sums over tokens, host.
    struct StandInGradient {
        std::vector<double> sinkLogits; // [query_heads]; empty where the model has none
        std::vector<double> heads; // [query_width], of what is added to the heads before the output projection
        std::vector<double> queryBias, keyBias, valueBias; // [query_width], [kv_width] twice
    };
    /// Backward through run: `gradient` comes in as the gradient of the layer's output and leaves as that of its input.
    Result<StandInGradient> backwardStandIns(int layer, std::span<const HeadPattern> patterns, std::int64_t tokens,
                                             const Buffer &in, Buffer &gradient);
    /// How large the numbers are that stand-ins are added to: root mean squares over the tokens of the layer that ran last.
    struct StandInSizes {
        double heads = 0, queries = 0, keys = 0, values = 0;
    };
    Result<StandInSizes> standInSizes(std::int64_t tokens);
    /// Backward through logits, to what lastStates gives: `gradLogits` [rows, vocabulary], host. [rows, hidden], host
    Result<std::vector<float>> logitsGradient(std::span<const float> gradLogits);

    // Layers are launched and not waited for; what follows waits, and says so when the device failed or a number is none.

    /// The last hidden states (after the final norm) at the given positions. [rows, hidden], host
    Result<std::vector<float>> lastStates(std::span<const std::int64_t> rows, const Buffer &in);
    /// Their logits. [rows, vocabulary], host
    Result<std::vector<float>> logits(std::span<const std::int64_t> rows, const Buffer &in);
    /// Backward through lastStates: `gradOut` [rows, hidden], host; `gradient` [tokens, hidden] becomes that of the last
    /// layer's output, zero elsewhere.
    Result<void> lastStatesGradient(std::span<const std::int64_t> rows, const Buffer &in, std::span<const float> gradOut,
                                    std::int64_t tokens, Buffer &gradient);

    const ModelConfig &config() const { return m_model->config(); }

private:
    explicit LayerPass(std::shared_ptr<DeviceModel> model);

    using Member = std::unique_ptr<Buffer> LayerPass::*;
    static std::vector<std::pair<Member, std::int64_t>> sizes(const Backend &backend, const ModelConfig &config,
                                                              std::int64_t tokens, bool gradients);

    LayerArgs layerArgs(int layer, std::int64_t tokens, const Buffer &in, Buffer &out) const;
    /// Launches the ops of a layer's plan from `first` to `last`; `attention` stands for the one of that name.
    void runOps(int layer, Op first, Op last, const LayerArgs &run, const std::function<void()> &attention = {});
    const float *sinkLogitsOf(int layer) const;
    KvScales kvScalesOf(int layer) const { return m_model->layers[static_cast<std::size_t>(layer)].kvScales(m_cacheType); }
    void attend(int layer, const float *sinkLogits, std::span<const HeadCache> heads, std::int64_t tokens, Buffer &out);
    void gatedAttention(int layer, std::span<const float> gates, const HeadPattern &streaming, std::int64_t tokens,
                        const Buffer &in, Buffer &out);
    /// From `gradOut` and the forward pass's queries, keys and values to the gradients of all three.
    AttentionGradientArgs attentionGradient(std::span<const HeadCache> heads, const Buffer &gradOut, const float *sinkLogits,
                                            std::int64_t tokens) const;
    void attentionBackward(int layer, const HeadPattern &streaming, std::int64_t tokens);
    void feedForwardBackward(int layer, std::int64_t tokens, Buffer &gradient);
    void projectionsBackward(int layer, std::int64_t tokens, const Buffer &in, Buffer &gradient);
    /// What query heads give before the output projection: all of it, and the part of keys beyond a window. [rows, query_width]
    struct RowOutputs {
        std::vector<double> all, beyond;
    };
    Result<RowOutputs> rowOutputs(int layer, const HeadPattern &window, std::span<const std::int64_t> rows, std::int64_t tokens,
                                  const Buffer &in);
    Result<void> gatherRows(std::span<const std::int64_t> rows, const Buffer &in);

    std::shared_ptr<DeviceModel> m_model;
    Backend &m_backend;
    std::int64_t m_tokens = 0; ///< the longest sequence
    DType m_cacheType = DType::F32, m_activation = DType::F32;
    std::vector<HeadCache> m_heads; // [kv_heads]
    std::unique_ptr<Buffer> m_cache, m_ids, m_normed, m_queries, m_keys, m_values, m_attended, m_gate, m_up, m_routes;
    std::unique_ptr<Buffer> m_added; // [tokens, hidden], where a layer norms what is added to the residual stream
    RotationTables m_rotations;
    std::unique_ptr<Buffer> m_rowStates, m_rowNormed, m_logits; // [row_block, hidden] twice, [row_block, vocabulary]
    // With gradients alone:
    std::unique_ptr<Buffer> m_full, m_streaming; // [tokens, query_heads, head_dim]
    std::unique_ptr<Buffer> m_middle; // [tokens, hidden], between attention and feed-forward
    std::unique_ptr<Buffer> m_plainQueries; // [tokens, query_heads, head_dim], before their norm; models with one alone
    std::unique_ptr<Buffer> m_gradAttended, m_gradQueries, m_gradKeys, m_gradValues, m_gradNormed;
    std::unique_ptr<Buffer> m_gradGate, m_gradUp; // [tokens, intermediate]
};

} // namespace zigzag
