// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/tensor_values.h"
#include "engine/run/layer_pass.h"

#include <cassert>

namespace zigzag {

/// What one query head meets in a layer: its queries and its KV head's keys and values, as attention gets them.
Result<LayerPass::HeadVectors> LayerPass::headVectors(int layer, int queryHead, std::int64_t tokens, const Buffer &in)
{
    const ModelConfig &c = config();
    assert(layer >= 0 && layer < c.layers && queryHead >= 0 && queryHead < c.queryHeads && tokens <= m_tokens);
    const auto dim = static_cast<std::size_t>(c.headDim), count = static_cast<std::size_t>(tokens);
    runOps(layer, firstLayerOp, Op::RopeAppend, layerArgs(layer, tokens, in, *m_attended));
    HeadVectors vectors;
    const auto widen = [&](const void *from, std::size_t numbers, DType type) -> Result<std::vector<float>> {
        std::vector<std::byte> bytes(numbers * static_cast<std::size_t>(bytesOf(type)));
        m_backend.download(bytes.data(), from, bytes.size());
        ZIGZAG_CHECK(m_backend.synchronize());
        return floatsOf({bytes.data(), type, static_cast<std::int64_t>(numbers), 1});
    };
    // Queries of all heads lie beside each other, a token after a token.
    const std::size_t width = dim * static_cast<std::size_t>(c.queryHeads);
    ZIGZAG_TRY(queries, widen(m_queries->data(), count * width, m_activation));
    vectors.queries.reserve(count * dim);
    for (std::size_t token = 0; token < count; ++token) {
        const auto first
            = queries.begin() + static_cast<std::ptrdiff_t>(token * width + static_cast<std::size_t>(queryHead) * dim);
        vectors.queries.insert(vectors.queries.end(), first, first + static_cast<std::ptrdiff_t>(dim));
    }
    const HeadCache &cache = m_heads[static_cast<std::size_t>(queryHead / c.group())];
    const KvScales scales = kvScalesOf(layer);
    ZIGZAG_TRY(keys, widen(cache.keys, count * dim, m_cacheType));
    ZIGZAG_TRY(values, widen(cache.values, count * dim, m_cacheType));
    for (float &value : values)
        value *= scales.value;
    vectors.keys = std::move(keys);
    vectors.values = std::move(values);
    vectors.scale
        = static_cast<double>(scoreScale(static_cast<float>(c.scoreScale), c.headDim)) * static_cast<double>(scales.key);
    vectors.scoreCap = c.scoreCap;
    if (const float *logits = sinkLogitsOf(layer)) {
        float logit = 0;
        m_backend.download(&logit, logits + queryHead, sizeof(logit));
        ZIGZAG_CHECK(m_backend.synchronize());
        vectors.sinkLogit = logit;
    }
    return vectors;
}

} // namespace zigzag
