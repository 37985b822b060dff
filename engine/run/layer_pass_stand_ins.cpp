// SPDX-License-Identifier: GPL-3.0-or-later
// The backward pass that fits what stands in for sinks: sink logits, and what is added to heads, queries, keys and values.
#include "engine/model/tensor_values.h"
#include "engine/run/layer_pass.h"
#include "engine/run/optional_buffer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace zigzag {

namespace {

/// Σ over rows of what lies on the device. [width]
Result<std::vector<double>> sumOfRows(Backend &backend, const float *from, std::int64_t rows, std::int64_t width)
{
    std::vector<float> values(static_cast<std::size_t>(rows * width));
    backend.download(values.data(), from, values.size() * sizeof(float));
    ZIGZAG_CHECK(backend.synchronize());
    std::vector<double> sums(static_cast<std::size_t>(width));
    for (std::size_t i = 0; i < values.size(); ++i)
        sums[i % sums.size()] += static_cast<double>(values[i]);
    return sums;
}

Result<double> rootMeanSquare(Backend &backend, const Buffer &from, std::int64_t count, DType type)
{
    std::vector<std::byte> bytes(static_cast<std::size_t>(count * bytesOf(type)));
    backend.download(bytes.data(), from.data(), bytes.size());
    ZIGZAG_CHECK(backend.synchronize());
    const std::vector<float> values = floatsOf({bytes.data(), type, count, 1});
    double sum = 0;
    for (const float value : values)
        sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum / static_cast<double>(count));
}

} // namespace

Result<LayerPass::StandInSizes> LayerPass::standInSizes(std::int64_t tokens)
{
    const std::int64_t queries = tokens * config().queryWidth(), keys = tokens * config().kvWidth();
    ZIGZAG_TRY(ofHeads, rootMeanSquare(m_backend, *m_attended, queries, m_activation));
    ZIGZAG_TRY(ofQueries, rootMeanSquare(m_backend, *m_queries, queries, m_activation)); // a rotation changes no length
    ZIGZAG_TRY(ofKeys, rootMeanSquare(m_backend, *m_keys, keys, m_activation));
    ZIGZAG_TRY(ofValues, rootMeanSquare(m_backend, *m_values, keys, m_activation));
    return StandInSizes{ofHeads, ofQueries, ofKeys, ofValues};
}

Result<LayerPass::StandInGradient> LayerPass::backwardStandIns(int layer, std::span<const HeadPattern> patterns,
                                                               std::int64_t tokens, const Buffer &in, Buffer &gradient)
{
    assert(m_gradAttended);
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    const ModelConfig &c = config();
    GradientOps &ops = *m_backend.gradients();
    std::vector<HeadCache> heads = m_heads;
    for (std::size_t i = 0; i < heads.size(); ++i)
        heads[i].pattern = patternIn(c.fileWindows, layer, patterns[i]);
    const float *sinkLogits = sinkLogitsOf(layer);

    // Forward once more, up to the last of what the gradients read.
    runOps(layer, firstLayerOp, Op::OutputProjection, layerArgs(layer, tokens, in, *m_middle),
           [&] { attend(layer, sinkLogits, heads, tokens, *m_attended); });
    runOps(layer, Op::PostNorm, Op::GateUp, layerArgs(layer, tokens, in, *m_middle));
    feedForwardBackward(layer, tokens, gradient);

    StandInGradient found;
    auto *gradAttended = m_gradAttended->as<float>();
    const ProductGradient output{weights.matrix(WeightId::Output), gradient.as<float>(), static_cast<float>(c.residualScale)};
    ops.matmul({{&output, 1}, gradAttended, tokens, false});
    ZIGZAG_TRY(ofHeads, sumOfRows(m_backend, gradAttended, tokens, c.queryWidth()));
    found.heads = std::move(ofHeads);
    found.sinkLogits.resize(sinkLogits ? static_cast<std::size_t>(c.queryHeads) : 0);
    const Buffer *gradOut = m_gradAttended.get();
    if (m_activation != DType::F32) { // attention's gradient reads it as an activation
        m_backend.rmsNorm({gradAttended, nullptr, m_attended->data(), tokens, c.queryWidth(), 0, m_activation});
        gradOut = m_attended.get();
    }
    AttentionGradientArgs attention = attentionGradient(heads, *gradOut, sinkLogits, tokens);
    attention.gradSinkLogits = found.sinkLogits;
    ops.attention(attention);
    projectionsBackward(layer, tokens, in, gradient);
    ZIGZAG_TRY(ofQueries, sumOfRows(m_backend, m_gradQueries->as<float>(), tokens, c.queryWidth()));
    ZIGZAG_TRY(ofKeys, sumOfRows(m_backend, m_gradKeys->as<float>(), tokens, c.kvWidth()));
    ZIGZAG_TRY(ofValues, sumOfRows(m_backend, m_gradValues->as<float>(), tokens, c.kvWidth()));
    found.queryBias = std::move(ofQueries);
    found.keyBias = std::move(ofKeys);
    found.valueBias = std::move(ofValues);
    return found;
}

Result<std::vector<float>> LayerPass::logitsGradient(std::span<const float> gradLogits)
{
    const auto hidden = static_cast<std::size_t>(config().hiddenSize), vocabulary = static_cast<std::size_t>(config().vocabulary);
    const std::size_t rows = gradLogits.size() / vocabulary, block = m_rowStates->bytes() / (hidden * sizeof(float));
    std::vector<float> out(rows * hidden);
    for (std::size_t done = 0; done < rows; done += block) {
        const std::size_t count = std::min(block, rows - done);
        m_backend.upload(*m_logits, 0, gradLogits.data() + done * vocabulary, count * vocabulary * sizeof(float));
        const ProductGradient product{&m_model->head(), m_logits->as<float>(), static_cast<float>(config().logitScale)};
        m_backend.gradients()->matmul({{&product, 1}, m_rowStates->as<float>(), static_cast<std::int64_t>(count), false});
        m_backend.download(out.data() + done * hidden, m_rowStates->data(), count * hidden * sizeof(float));
        ZIGZAG_CHECK(m_backend.synchronize());
    }
    return out;
}

} // namespace zigzag
