// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/layer_pass.h"
#include "engine/run/optional_buffer.h"

#include <algorithm>
#include <cassert>

namespace zigzag {

void LayerPass::runGated(int layer, std::span<const float> gates, const HeadPattern &streaming, std::int64_t tokens,
                         const Buffer &in, Buffer &out)
{
    gatedAttention(layer, gates, streaming, tokens, in, out);
    runOps(layer, Op::PostNorm, lastLayerOp, layerArgs(layer, tokens, in, out));
}

/// The first half of the layer: out = in + output projection of the blended heads.
void LayerPass::gatedAttention(int layer, std::span<const float> gates, const HeadPattern &streaming, std::int64_t tokens,
                               const Buffer &in, Buffer &out)
{
    assert(m_full && gates.size() == m_heads.size());
    std::vector<HeadCache> heads = m_heads;
    runOps(layer, firstLayerOp, Op::OutputProjection, layerArgs(layer, tokens, in, out), [&] {
        for (const auto &[pattern, to] :
             {std::pair(HeadPattern::full(), m_full.get()), std::pair(streaming, m_streaming.get())}) {
            for (HeadCache &head : heads)
                head.pattern = patternIn(config().fileWindows, layer, pattern);
            attend(layer, sinkLogitsOf(layer), heads, tokens, *to);
        }
        m_backend.gradients()->blend({.full = m_full->data(),
                                      .streaming = m_streaming->data(),
                                      .gates = gates,
                                      .out = m_attended->data(),
                                      .tokens = tokens,
                                      .queryHeads = config().queryHeads,
                                      .headDim = config().headDim,
                                      .type = m_activation});
    });
}

void LayerPass::backward(int layer, std::span<const float> gates, const HeadPattern &streaming, std::int64_t tokens,
                         const Buffer &in, Buffer &gradient, std::span<double> gradGates)
{
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    const ModelConfig &c = config();
    GradientOps &ops = *m_backend.gradients();
    auto *gradAttended = m_gradAttended->as<float>();

    // Forward once more, up to the last of what the gradients read.
    gatedAttention(layer, gates, streaming, tokens, in, *m_middle);
    runOps(layer, Op::PostNorm, Op::GateUp, layerArgs(layer, tokens, in, *m_middle));
    feedForwardBackward(layer, tokens, gradient);

    const ProductGradient output{weights.matrix(WeightId::Output), gradient.as<float>(), static_cast<float>(c.residualScale)};
    ops.matmul({{&output, 1}, gradAttended, tokens, false});
    // The blend's inputs are read for the last time here: they make room for their gradients.
    ops.blendGradient({.full = m_full->data(),
                       .streaming = m_streaming->data(),
                       .gates = gates,
                       .gradOut = gradAttended,
                       .gradFull = m_full->data(),
                       .gradStreaming = m_streaming->data(),
                       .gradGates = gradGates,
                       .tokens = tokens,
                       .queryHeads = c.queryHeads,
                       .headDim = c.headDim,
                       .type = m_activation});
    attentionBackward(layer, streaming, tokens);
    projectionsBackward(layer, tokens, in, gradient);
}

/// From the gradient of the layer's output to that of what is between attention and feed-forward, whose activations were computed
/// again.
void LayerPass::feedForwardBackward(int layer, std::int64_t tokens, Buffer &gradient)
{
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    const ModelConfig &c = config();
    GradientOps &ops = *m_backend.gradients();
    auto *grad = gradient.as<float>(), *gradNormed = m_gradNormed->as<float>();
    auto *gradGate = m_gradGate->as<float>(), *gradUp = m_gradUp->as<float>();
    const ProductGradient down{weights.matrix(WeightId::Down), grad, static_cast<float>(c.residualScale)};
    ops.matmul({{&down, 1}, gradGate, tokens, false});
    ops.swiGlu(
        {m_gate->data(), m_up->data(), gradGate, gradGate, gradUp, tokens * weights.matrix(WeightId::Gate)->rows, m_activation});
    const ProductGradient wide[] = {{weights.matrix(WeightId::Gate), gradGate}, {weights.matrix(WeightId::Up), gradUp}};
    ops.matmul({wide, gradNormed, tokens, false});
    ops.rmsNorm({m_middle->as<float>(), weights.vector(WeightId::PostNorm), gradNormed, grad, tokens, c.hiddenSize,
                 static_cast<float>(c.normEpsilon), true});
}

/// From the gradients of rotated queries and keys and of values to that of the layer's input; theirs become those before both
/// norm and rotation.
void LayerPass::projectionsBackward(int layer, std::int64_t tokens, const Buffer &in, Buffer &gradient)
{
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    const ModelConfig &c = config();
    GradientOps &ops = *m_backend.gradients();
    const auto epsilon = static_cast<float>(c.normEpsilon);
    auto *gradQueries = m_gradQueries->as<float>(), *gradKeys = m_gradKeys->as<float>(), *gradNormed = m_gradNormed->as<float>();
    const float *rotation = m_rotations.ofLayer(c, layer);
    ops.rotate({gradQueries, dataOrNull(m_plainQueries), weights.vector(WeightId::QueryNorm), rotation, tokens, 0, c.queryHeads,
                c.headDim, epsilon, c.rotated(), c.interleavedRope, m_activation});
    ops.rotate({gradKeys, m_keys->data(), weights.vector(WeightId::KeyNorm), rotation, tokens, 0, c.kvHeads, c.headDim, epsilon,
                c.rotated(), c.interleavedRope, m_activation});
    const ProductGradient qkv[] = {{weights.matrix(WeightId::Query), gradQueries},
                                   {weights.matrix(WeightId::Key), gradKeys},
                                   {weights.matrix(WeightId::Value), m_gradValues->as<float>()}};
    ops.matmul({qkv, gradNormed, tokens, false});
    ops.rmsNorm({in.as<float>(), weights.vector(WeightId::InputNorm), gradNormed, gradient.as<float>(), tokens, c.hiddenSize,
                 epsilon, true});
}

AttentionGradientArgs LayerPass::attentionGradient(std::span<const HeadCache> heads, const Buffer &gradOut,
                                                   const float *sinkLogits, std::int64_t tokens) const
{
    const ModelConfig &c = config();
    return {.queries = m_queries->data(),
            .heads = heads,
            .gradOut = gradOut.data(),
            .gradQueries = m_gradQueries->as<float>(),
            .gradKeys = m_gradKeys->as<float>(),
            .gradValues = m_gradValues->as<float>(),
            .tokens = tokens,
            .queryHeads = c.queryHeads,
            .kvHeads = c.kvHeads,
            .headDim = c.headDim,
            .scale = static_cast<float>(c.scoreScale),
            .sinkLogits = sinkLogits,
            .type = m_activation};
}

void LayerPass::attentionBackward(int layer, const HeadPattern &streaming, std::int64_t tokens)
{
    std::vector<HeadCache> heads = m_heads;
    bool add = false;
    for (const auto &[pattern, from] : {std::pair(HeadPattern::full(), m_full.get()), std::pair(streaming, m_streaming.get())}) {
        for (HeadCache &head : heads)
            head.pattern = patternIn(config().fileWindows, layer, pattern);
        AttentionGradientArgs args = attentionGradient(heads, *from, sinkLogitsOf(layer), tokens);
        args.add = add;
        m_backend.gradients()->attention(args);
        add = true;
    }
}

Result<void> LayerPass::lastStatesGradient(std::span<const std::int64_t> rows, const Buffer &in, std::span<const float> gradOut,
                                           [[maybe_unused]] std::int64_t tokens, Buffer &gradient)
{
    const auto width = static_cast<std::size_t>(config().hiddenSize);
    const std::vector<float> zeros(width);
    m_backend.repeat(gradient, std::as_bytes(std::span(zeros)));
    const auto block = static_cast<std::size_t>(m_rowStates->bytes() / (width * sizeof(float)));
    std::vector<float> back(block * width);
    for (std::size_t done = 0; done < rows.size(); done += block) {
        const auto part = rows.subspan(done, std::min(block, rows.size() - done));
        ZIGZAG_CHECK(gatherRows(part, in));
        m_backend.upload(*m_rowNormed, 0, gradOut.data() + done * width, part.size() * width * sizeof(float));
        m_backend.gradients()->rmsNorm({m_rowStates->as<float>(), m_model->finalNorm->as<float>(), m_rowNormed->as<float>(),
                                        m_rowNormed->as<float>(), static_cast<std::int64_t>(part.size()), config().hiddenSize,
                                        static_cast<float>(config().normEpsilon), false});
        m_backend.download(back.data(), m_rowNormed->data(), part.size() * width * sizeof(float));
        ZIGZAG_CHECK(m_backend.synchronize());
        for (std::size_t i = 0; i < part.size(); ++i)
            m_backend.upload(gradient, static_cast<std::size_t>(part[i]) * width * sizeof(float), back.data() + i * width,
                             width * sizeof(float));
    }
    return {};
}

} // namespace zigzag
