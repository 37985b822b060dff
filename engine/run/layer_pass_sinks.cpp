// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/download_floats.h"
#include "engine/run/layer_pass.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace zigzag {

/// The scores of the sinks that a query's window has left behind, as one: log Σ exp(score).
Result<void> LayerPass::addSinkScores(int layer, const HeadPattern &streaming, std::int64_t tokens, const Buffer &in,
                                      std::span<double> sums)
{
    const ModelConfig &c = config();
    const auto dim = static_cast<std::size_t>(c.headDim), queryHeads = static_cast<std::size_t>(c.queryHeads),
               group = static_cast<std::size_t>(c.group());
    assert(sums.size() == queryHeads);
    runOps(layer, firstLayerOp, Op::RopeAppend, layerArgs(layer, tokens, in, *m_attended));
    ZIGZAG_TRY(queries,
               downloadFloats(m_backend, m_queries->data(), static_cast<std::size_t>(tokens) * queryHeads * dim, m_activation));
    const auto sinks = static_cast<std::size_t>(std::min(streaming.sink(), tokens));
    const double scale = static_cast<double>(scoreScale(static_cast<float>(c.scoreScale), c.headDim))
        * static_cast<double>(kvScalesOf(layer).key);
    std::vector<double> scores(sinks);
    for (std::size_t kvHead = 0; kvHead < m_heads.size(); ++kvHead) {
        ZIGZAG_TRY(keys, downloadFloats(m_backend, m_heads[kvHead].keys, sinks * dim, m_cacheType));
        for (std::size_t g = 0; g < group; ++g) {
            const std::size_t head = kvHead * group + g;
            for (auto query = static_cast<std::size_t>(streaming.recent()); query < static_cast<std::size_t>(tokens); ++query) {
                const std::size_t dropped = std::min(sinks, query + 1 - static_cast<std::size_t>(streaming.recent()));
                double most = -std::numeric_limits<double>::infinity();
                for (std::size_t key = 0; key < dropped; ++key) {
                    double dot = 0;
                    for (std::size_t i = 0; i < dim; ++i)
                        dot += static_cast<double>(queries[(query * queryHeads + head) * dim + i])
                            * static_cast<double>(keys[key * dim + i]);
                    scores[key] = scale * dot;
                    if (c.scoreCap > 0)
                        scores[key] = c.scoreCap * std::tanh(scores[key] / c.scoreCap);
                    most = std::max(most, scores[key]);
                }
                double sum = 0;
                for (std::size_t key = 0; key < dropped; ++key)
                    sum += std::exp(scores[key] - most);
                sums[head] += most + std::log(sum);
            }
        }
    }
    return {};
}

/// What attention with the sinks gives beyond a window with sink logits, over the queries whose window has left sinks behind.
Result<void> LayerPass::addSinkOutputs(int layer, const HeadPattern &streaming, std::span<const float> sinkLogits,
                                       std::int64_t tokens, const Buffer &in, std::span<double> sums)
{
    const auto width = static_cast<std::size_t>(config().queryWidth());
    assert(sums.size() == width);
    ZIGZAG_TRY(logits, m_backend.allocate(sinkLogits.size_bytes()));
    m_backend.upload(*logits, 0, sinkLogits.data(), sinkLogits.size_bytes());
    runOps(layer, firstLayerOp, Op::RopeAppend, layerArgs(layer, tokens, in, *m_attended));
    std::vector<HeadCache> heads = m_heads;
    for (const bool withSinks : {true, false}) {
        for (HeadCache &head : heads)
            head.pattern = withSinks ? streaming : HeadPattern::streaming(0, streaming.recent());
        attend(layer, withSinks ? nullptr : logits->as<float>(), heads, tokens, *m_attended);
        ZIGZAG_TRY(out, downloadFloats(m_backend, m_attended->data(), static_cast<std::size_t>(tokens) * width, m_activation));
        for (auto query = static_cast<std::size_t>(streaming.recent()); query < static_cast<std::size_t>(tokens); ++query)
            for (std::size_t i = 0; i < width; ++i)
                sums[i] += (withSinks ? 1.0 : -1.0) * static_cast<double>(out[query * width + i]);
    }
    return {};
}

/// output projection · heads, without its bias.
Result<std::vector<float>> LayerPass::projectHeads(int layer, std::span<const float> heads)
{
    const auto width = static_cast<std::size_t>(config().queryWidth());
    assert(heads.size() == width);
    const std::vector<std::byte> stored = storedAs(m_activation, {heads.begin(), heads.end()});
    m_backend.upload(*m_attended, 0, stored.data(), stored.size());
    const Product product{.matrix = m_model->layers[static_cast<std::size_t>(layer)].matrix(WeightId::Output),
                          .out = m_rowStates->data(),
                          .floatOut = true};
    m_backend.matmul({m_attended->data(), 1, {&product, 1}});
    return downloadFloats(m_backend, m_rowStates->data(), static_cast<std::size_t>(config().hiddenSize), DType::F32);
}

} // namespace zigzag
