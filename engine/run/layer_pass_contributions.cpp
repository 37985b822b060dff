// SPDX-License-Identifier: GPL-3.0-or-later
// What heads add to the residual stream, each by itself.
#include "engine/model/tensor_values.h"
#include "engine/run/download_floats.h"
#include "engine/run/layer_pass.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace zigzag {

namespace {

double dot(const float *a, const float *b, std::size_t count)
{
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i)
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    return sum;
}

/// How a query's scores become weights.
struct Scoring {
    double scale = 1, cap = 0;
    const float *sinkLogit = nullptr; ///< takes weight as a key with a value of zero would
};

/// The weights of one query over the keys [0, keys); those that it does not see are 0.
void weigh(const float *query, const float *keys, std::size_t dim, const KeyRange &seen, const Scoring &scoring,
           std::vector<double> &weights)
{
    double most = scoring.sinkLogit ? static_cast<double>(*scoring.sinkLogit) : -std::numeric_limits<double>::infinity();
    const auto isSeen = [&](std::int64_t key) { return key < seen.sinkEnd || key >= seen.windowBegin; };
    for (std::int64_t key = 0; key < seen.windowEnd; ++key) {
        double &score = weights[static_cast<std::size_t>(key)];
        if (!isSeen(key))
            continue;
        score = scoring.scale * dot(query, keys + static_cast<std::size_t>(key) * dim, dim);
        if (scoring.cap > 0)
            score = scoring.cap * std::tanh(score / scoring.cap);
        most = std::max(most, score);
    }
    double sum = scoring.sinkLogit ? std::exp(static_cast<double>(*scoring.sinkLogit) - most) : 0.0;
    for (std::int64_t key = 0; key < seen.windowEnd; ++key) {
        double &weight = weights[static_cast<std::size_t>(key)];
        weight = isSeen(key) ? std::exp(weight - most) : 0.0;
        sum += weight;
    }
    for (std::int64_t key = 0; key < seen.windowEnd; ++key)
        weights[static_cast<std::size_t>(key)] /= sum;
}

/// Adds weight · value over the keys to what the head gives, and those of keys that a streaming head would not see once more.
void gather(std::span<const double> weights, const float *values, std::size_t dim, const KeyRange &kept, double *all,
            double *beyond)
{
    for (std::size_t key = 0; key < weights.size(); ++key) {
        const double weight = weights[key];
        if (weight == 0)
            continue;
        const auto at = static_cast<std::int64_t>(key);
        const bool isBeyond = at >= kept.sinkEnd && at < kept.windowBegin;
        for (std::size_t i = 0; i < dim; ++i) {
            const double part = weight * static_cast<double>(values[key * dim + i]);
            all[i] += part;
            if (isBeyond)
                beyond[i] += part;
        }
    }
}

} // namespace

Result<std::vector<float>> LayerPass::rowsOf(std::span<const std::int64_t> rows, const Buffer &in)
{
    const auto width = static_cast<std::size_t>(config().hiddenSize);
    std::vector<float> out(rows.size() * width);
    for (std::size_t i = 0; i < rows.size(); ++i)
        m_backend.download(out.data() + i * width, in.as<float>() + static_cast<std::size_t>(rows[i]) * width,
                           width * sizeof(float));
    ZIGZAG_CHECK(m_backend.synchronize());
    return out;
}

Result<std::vector<float>> LayerPass::finalNormWeight()
{
    return downloadFloats(m_backend, m_model->finalNorm->data(), static_cast<std::size_t>(config().hiddenSize), DType::F32);
}

/// What each query head gives at the rows, before the output projection.
Result<LayerPass::RowOutputs> LayerPass::rowOutputs(int layer, const HeadPattern &window, std::span<const std::int64_t> rows,
                                                    std::int64_t tokens, const Buffer &in)
{
    const ModelConfig &c = config();
    const auto dim = static_cast<std::size_t>(c.headDim), width = static_cast<std::size_t>(c.queryWidth()),
               group = static_cast<std::size_t>(c.group()), count = static_cast<std::size_t>(tokens);
    runOps(layer, firstLayerOp, Op::RopeAppend, layerArgs(layer, tokens, in, *m_attended));
    std::vector<float> queries; // [rows, query_width]
    for (const std::int64_t row : rows) {
        const auto *from
            = static_cast<const std::byte *>(m_queries->data()) + row * static_cast<std::int64_t>(width) * bytesOf(m_activation);
        ZIGZAG_TRY(query, downloadFloats(m_backend, from, width, m_activation));
        queries.insert(queries.end(), query.begin(), query.end());
    }
    std::vector<float> sinkLogits;
    if (const float *logits = sinkLogitsOf(layer)) {
        ZIGZAG_TRY(held, downloadFloats(m_backend, logits, static_cast<std::size_t>(c.queryHeads), DType::F32));
        sinkLogits = std::move(held);
    }
    const KvScales scales = kvScalesOf(layer);
    const HeadPattern sees = patternIn(c.fileWindows, layer, HeadPattern::full());
    Scoring scoring{.scale = static_cast<double>(scoreScale(static_cast<float>(c.scoreScale), c.headDim))
                        * static_cast<double>(scales.key),
                    .cap = c.scoreCap};
    RowOutputs outputs{std::vector<double>(rows.size() * width), std::vector<double>(rows.size() * width)};
    std::vector<double> weights(count);
    for (std::size_t kvHead = 0; kvHead < m_heads.size(); ++kvHead) {
        ZIGZAG_TRY(keys, downloadFloats(m_backend, m_heads[kvHead].keys, count * dim, m_cacheType));
        ZIGZAG_TRY(values, downloadFloats(m_backend, m_heads[kvHead].values, count * dim, m_cacheType));
        for (float &value : values)
            value *= scales.value;
        for (std::size_t head = kvHead * group; head < (kvHead + 1) * group; ++head) {
            scoring.sinkLogit = sinkLogits.empty() ? nullptr : &sinkLogits[head];
            for (std::size_t row = 0; row < rows.size(); ++row) {
                const std::size_t at = row * width + head * dim;
                weigh(queries.data() + at, keys.data(), dim, sees.visibleKeys(rows[row]), scoring, weights);
                gather(std::span(weights).first(static_cast<std::size_t>(rows[row]) + 1), values.data(), dim,
                       window.visibleKeys(rows[row]), outputs.all.data() + at, outputs.beyond.data() + at);
            }
        }
    }
    return outputs;
}

Result<LayerPass::HeadContributions> LayerPass::headContributions(int layer, const HeadPattern &window,
                                                                  std::span<const std::int64_t> rows,
                                                                  std::span<const double> directions, std::int64_t tokens,
                                                                  const Buffer &in)
{
    const ModelConfig &c = config();
    const auto dim = static_cast<std::size_t>(c.headDim), width = static_cast<std::size_t>(c.queryWidth()),
               hidden = static_cast<std::size_t>(c.hiddenSize), heads = static_cast<std::size_t>(c.queryHeads);
    assert(directions.size() == rows.size() * hidden);
    ZIGZAG_TRY(outputs, rowOutputs(layer, window, rows, tokens, in));
    const LayerWeights &stored = m_model->model->weights.layers[static_cast<std::size_t>(layer)];
    const std::vector<float> projection = floatsOf(stored[WeightId::Output]); // [hidden, query_width]
    std::vector<float> bias(hidden), norm;
    if (stored[WeightId::OutputBias])
        bias = floatsOf(stored[WeightId::OutputBias]);
    if (const float *weight = m_model->layers[static_cast<std::size_t>(layer)].vector(WeightId::AttentionNorm)) {
        ZIGZAG_TRY(held, downloadFloats(m_backend, weight, hidden, DType::F32));
        norm = std::move(held);
    }
    HeadContributions found;
    found.bias.resize(rows.size());
    std::vector<double> direction(hidden), towards(width);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const double *all = outputs.all.data() + row * width;
        // How the residual stream's direction is met by what the projection gives: scaled, or through the norm behind it.
        double scale = c.residualScale;
        if (!norm.empty()) {
            double squares = 0;
            for (std::size_t i = 0; i < hidden; ++i) {
                double sum = static_cast<double>(bias[i]);
                for (std::size_t j = 0; j < width; ++j)
                    sum += static_cast<double>(projection[i * width + j]) * all[j];
                squares += sum * sum;
            }
            scale = 1.0 / std::sqrt(squares / static_cast<double>(hidden) + c.normEpsilon);
        }
        std::fill(towards.begin(), towards.end(), 0.0);
        for (std::size_t i = 0; i < hidden; ++i) {
            direction[i] = scale * directions[row * hidden + i] * (norm.empty() ? 1.0 : static_cast<double>(norm[i]));
            found.bias[row] += direction[i] * static_cast<double>(bias[i]);
            for (std::size_t j = 0; j < width; ++j)
                towards[j] += direction[i] * static_cast<double>(projection[i * width + j]);
        }
        for (std::size_t head = 0; head < heads; ++head) {
            double sum = 0, far = 0;
            for (std::size_t j = head * dim; j < (head + 1) * dim; ++j) {
                sum += towards[j] * all[j];
                far += towards[j] * outputs.beyond[row * width + j];
            }
            found.heads.push_back(sum);
            found.beyond.push_back(far);
        }
    }
    return found;
}

} // namespace zigzag
