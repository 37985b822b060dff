// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/layer_pass.h"

#include "engine/run/rope.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <tuple>

namespace zigzag {

namespace {

/// Rows of last hidden states and logits that are computed at a time.
constexpr std::int64_t rowBlock = 64;

const float *orNull(const std::unique_ptr<Buffer> &buffer)
{
    return buffer ? buffer->as<float>() : nullptr;
}

} // namespace

LayerPass::LayerPass(std::shared_ptr<DeviceModel> model)
    : m_model(std::move(model))
    , m_backend(*m_model->backend)
{ }

std::int64_t LayerPass::bytesNeeded(const ModelConfig &config, std::int64_t tokens, bool gradients)
{
    // Activations as float32: what a backend with smaller ones needs is less.
    const std::int64_t real = sizeof(float), hidden = config.hiddenSize, wide = config.intermediateSize;
    const std::int64_t cache = 2 * config.kvWidth() * (gradients ? real : bytesOf(config.dtype));
    const std::int64_t forward = hidden + 2 * config.queryWidth() + 2 * config.kvWidth() + 2 * wide + config.headDim;
    const std::int64_t backward = 2 * hidden + 5 * config.queryWidth() + 2 * config.kvWidth() + 2 * wide;
    return tokens * (cache + real * (forward + (gradients ? backward : 0))) + rowBlock * real * (2 * hidden + config.vocabulary);
}

Result<std::unique_ptr<LayerPass>> LayerPass::create(std::shared_ptr<DeviceModel> model, std::int64_t tokens, bool gradients)
{
    const ModelConfig &config = model->config();
    Backend &backend = *model->backend;
    if (tokens < 1 || tokens > config.maxContext)
        return badInput(fmt::format("a sequence of {} tokens is outside the 1 to {} of {}: choose a context inside", tokens,
                                    config.maxContext, config.name));
    const DType activation = backend.activationType(config.dtype);
    if (gradients && (!backend.gradients() || activation != DType::F32))
        return badInput(fmt::format("the {} backend has no backward pass: choose --backend cpu", backend.name()));
    const std::int64_t needed = bytesNeeded(config, tokens, gradients), available = backend.device().memoryBytes;
    if (needed > available)
        return failed(fmt::format("layers of {} over {} tokens need {} bytes and {} are free: choose a shorter context",
                                  config.name, tokens, needed, available));
    std::unique_ptr<LayerPass> pass(new LayerPass(std::move(model)));
    pass->m_tokens = tokens;
    pass->m_cacheType = gradients ? DType::F32 : config.dtype;
    pass->m_activation = activation;
    const std::int64_t hidden = config.hiddenSize, queries = config.queryWidth(), keys = config.kvWidth(),
                       wide = config.intermediateSize, headBytes = tokens * config.headDim * bytesOf(pass->m_cacheType);
    const auto allocate = [&](std::unique_ptr<Buffer> &to, std::int64_t rows, std::int64_t width, DType type) -> Result<void> {
        ZIGZAG_TRY(buffer, backend.allocate(static_cast<std::size_t>(rows * width * bytesOf(type))));
        to = std::move(buffer);
        return {};
    };
    ZIGZAG_TRY(cache, backend.allocate(static_cast<std::size_t>(2 * config.kvHeads * headBytes)));
    pass->m_cache = std::move(cache);
    for (int head = 0; head < config.kvHeads; ++head) {
        auto *at = pass->m_cache->as<std::byte>() + 2 * head * headBytes;
        pass->m_heads.push_back({.keys = at, .values = at + headBytes, .slots = tokens});
    }
    ZIGZAG_CHECK(allocate(pass->m_ids, tokens, 1, DType::F32)); // int32 is as large
    ZIGZAG_CHECK(allocate(pass->m_rotation, tokens, config.headDim, DType::F32));
    ZIGZAG_CHECK(allocate(pass->m_rowStates, rowBlock, hidden, DType::F32));
    ZIGZAG_CHECK(allocate(pass->m_logits, rowBlock, config.vocabulary, DType::F32));
    const std::vector<float> table = rotationTable(config, tokens);
    backend.upload(*pass->m_rotation, 0, table.data(), table.size() * sizeof(float));
    const std::tuple<std::unique_ptr<Buffer> *, std::int64_t, std::int64_t> forward[] = {
        {&pass->m_normed, tokens, hidden}, {&pass->m_queries, tokens, queries},    {&pass->m_keys, tokens, keys},
        {&pass->m_values, tokens, keys},   {&pass->m_attended, tokens, queries},   {&pass->m_gate, tokens, wide},
        {&pass->m_up, tokens, wide},       {&pass->m_rowNormed, rowBlock, hidden},
    };
    for (const auto &[buffer, rows, width] : forward)
        ZIGZAG_CHECK(allocate(*buffer, rows, width, activation));
    if (!gradients)
        return pass;
    const std::pair<std::unique_ptr<Buffer> *, std::int64_t> backward[] = {
        {&pass->m_full, queries},         {&pass->m_streaming, queries},   {&pass->m_middle, hidden},
        {&pass->m_gradAttended, queries}, {&pass->m_gradQueries, queries}, {&pass->m_gradKeys, keys},
        {&pass->m_gradValues, keys},      {&pass->m_gradNormed, hidden},   {&pass->m_gradGate, wide},
        {&pass->m_gradUp, wide},
    };
    for (const auto &[buffer, width] : backward)
        ZIGZAG_CHECK(allocate(*buffer, tokens, width, DType::F32));
    if (config.queryKeyNorm)
        ZIGZAG_CHECK(allocate(pass->m_plainQueries, tokens, queries, DType::F32));
    return pass;
}

std::int64_t LayerPass::stateBytes() const
{
    return m_tokens * config().hiddenSize * static_cast<std::int64_t>(sizeof(float));
}

Result<std::unique_ptr<Buffer>> LayerPass::states() const
{
    return m_backend.allocate(static_cast<std::size_t>(stateBytes()));
}

Result<void> LayerPass::embed(std::span<const int> tokens, Buffer &out)
{
    if (static_cast<std::int64_t>(tokens.size()) > m_tokens)
        return badInput(
            fmt::format("{} tokens exceed the {} that were planned: ask for a longer context", tokens.size(), m_tokens));
    for (std::size_t i = 0; i < tokens.size(); ++i)
        if (tokens[i] < 0 || tokens[i] >= config().vocabulary)
            return badInput(fmt::format("token {} at index {} is outside the vocabulary of {}: tokenize for this model",
                                        tokens[i], i, config().vocabulary));
    const std::vector<std::int32_t> ids(tokens.begin(), tokens.end());
    m_backend.upload(*m_ids, 0, ids.data(), ids.size() * sizeof(std::int32_t));
    m_backend.embed(
        {m_ids->as<std::int32_t>(), static_cast<std::int64_t>(ids.size()), m_model->embedding.get(), out.as<float>()});
    return {};
}

/// Norm, queries, keys and values, rotated, with keys and values in the cache.
void LayerPass::attentionInput(int layer, std::int64_t tokens, const float *in)
{
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    const ModelConfig &c = config();
    const auto epsilon = static_cast<float>(c.normEpsilon);
    void *queries = m_queries->data();
    m_backend.rmsNorm({in, weights.inputNorm->as<float>(), m_normed->data(), tokens, c.hiddenSize, epsilon, m_activation});
    const Product products[] = {
        {.matrix = weights.query.get(), .bias = orNull(weights.queryBias), .out = queries},
        {.matrix = weights.key.get(), .bias = orNull(weights.keyBias), .out = m_keys->data()},
        {.matrix = weights.value.get(), .bias = orNull(weights.valueBias), .out = m_values->data()},
    };
    m_backend.matmul({m_normed->data(), tokens, products});
    if (m_plainQueries) {
        std::vector<int> all(static_cast<std::size_t>(c.queryHeads));
        std::iota(all.begin(), all.end(), 0);
        m_backend.copyHeads(
            {queries, m_plainQueries->data(), all, tokens, c.queryHeads, c.queryHeads, c.headDim, false, m_activation});
    }
    m_backend.ropeAppend({.queries = queries,
                          .keys = m_keys->data(),
                          .values = m_values->data(),
                          .queryNorm = orNull(weights.queryNorm),
                          .keyNorm = orNull(weights.keyNorm),
                          .cosSin = m_rotation->as<float>(),
                          .heads = m_heads,
                          .tokens = tokens,
                          .queryHeads = c.queryHeads,
                          .kvHeads = c.kvHeads,
                          .headDim = c.headDim,
                          .cacheType = m_cacheType,
                          .epsilon = epsilon,
                          .rows = {}});
}

void LayerPass::attend(std::span<const HeadCache> heads, Window window, std::int64_t tokens, Buffer &out)
{
    const ModelConfig &c = config();
    std::vector<int> all(heads.size());
    std::iota(all.begin(), all.end(), 0);
    m_backend.attention({.queries = m_queries->data(),
                         .out = out.data(),
                         .heads = heads,
                         .selected = all,
                         .tokens = tokens,
                         .sink = window.sink,
                         .recent = window.recent,
                         .queryHeads = c.queryHeads,
                         .kvHeads = c.kvHeads,
                         .headDim = c.headDim,
                         .cacheType = m_cacheType,
                         .rows = {}});
}

void LayerPass::outputProjection(int layer, std::int64_t tokens, const float *in, float *out)
{
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    const Product product{weights.output.get(), orNull(weights.outputBias), in, out};
    m_backend.matmul({m_attended->data(), tokens, {&product, 1}});
}

/// The inputs of the activation. `states`: between attention and feed-forward.
void LayerPass::gateAndUp(int layer, std::int64_t tokens, const float *states)
{
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    void *normed = m_normed->data();
    m_backend.rmsNorm({states, weights.postNorm->as<float>(), normed, tokens, config().hiddenSize,
                       static_cast<float>(config().normEpsilon), m_activation});
    const Product products[] = {
        {.matrix = weights.gate.get(), .bias = orNull(weights.gateBias), .out = m_gate->data()},
        {.matrix = weights.up.get(), .bias = orNull(weights.upBias), .out = m_up->data()},
    };
    m_backend.matmul({normed, tokens, products});
}

/// states += feed-forward(states)
void LayerPass::feedForward(int layer, std::int64_t tokens, float *states)
{
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    gateAndUp(layer, tokens, states);
    void *gate = m_gate->data();
    m_backend.swiGlu({gate, m_up->data(), gate, tokens * config().intermediateSize, m_activation});
    const Product product{weights.down.get(), orNull(weights.downBias), states, states};
    m_backend.matmul({gate, tokens, {&product, 1}});
}

void LayerPass::run(int layer, std::span<const HeadKind> kinds, Window window, std::int64_t tokens, const Buffer &in, Buffer &out)
{
    std::vector<HeadCache> heads = m_heads;
    for (std::size_t i = 0; i < heads.size(); ++i)
        heads[i].kind = kinds[i];
    attentionInput(layer, tokens, in.as<float>());
    attend(heads, window, tokens, *m_attended);
    outputProjection(layer, tokens, in.as<float>(), out.as<float>());
    feedForward(layer, tokens, out.as<float>());
}

/// The rows' hidden states side by side, and after the final norm.
Result<void> LayerPass::gatherRows(std::span<const std::int64_t> rows, const Buffer &in)
{
    ZIGZAG_CHECK(m_backend.synchronize());
    const auto width = static_cast<std::size_t>(config().hiddenSize);
    std::vector<float> gathered(rows.size() * width);
    for (std::size_t i = 0; i < rows.size(); ++i)
        m_backend.download(gathered.data() + i * width, in.as<float>() + static_cast<std::size_t>(rows[i]) * width,
                           width * sizeof(float));
    m_backend.upload(*m_rowStates, 0, gathered.data(), gathered.size() * sizeof(float));
    m_backend.rmsNorm({m_rowStates->as<float>(), m_model->finalNorm->as<float>(), m_rowNormed->data(),
                       static_cast<std::int64_t>(rows.size()), config().hiddenSize, static_cast<float>(config().normEpsilon),
                       m_activation});
    return {};
}

Result<std::vector<float>> LayerPass::lastStates(std::span<const std::int64_t> rows, const Buffer &in)
{
    // On the host, for a few rows: a backend may put a norm off until a product reads it, and there is none here.
    const auto width = static_cast<std::size_t>(config().hiddenSize);
    ZIGZAG_CHECK(m_backend.synchronize());
    std::vector<float> weight(width), out(rows.size() * width);
    m_backend.download(weight.data(), m_model->finalNorm->data(), width * sizeof(float));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        float *row = out.data() + i * width;
        m_backend.download(row, in.as<float>() + static_cast<std::size_t>(rows[i]) * width, width * sizeof(float));
        double squares = 0.0;
        for (std::size_t c = 0; c < width; ++c)
            squares += static_cast<double>(row[c]) * static_cast<double>(row[c]);
        const double scale = 1.0 / std::sqrt(squares / static_cast<double>(width) + config().normEpsilon);
        for (std::size_t c = 0; c < width; ++c)
            row[c] = static_cast<float>(static_cast<double>(row[c]) * scale * static_cast<double>(weight[c]));
    }
    return out;
}

Result<std::vector<float>> LayerPass::logits(std::span<const std::int64_t> rows, const Buffer &in)
{
    const auto width = static_cast<std::size_t>(config().vocabulary);
    std::vector<float> out(rows.size() * width);
    for (std::size_t done = 0; done < rows.size(); done += rowBlock) {
        const auto part = rows.subspan(done, std::min<std::size_t>(rowBlock, rows.size() - done));
        ZIGZAG_CHECK(gatherRows(part, in));
        const Product product{.matrix = &m_model->head(), .out = m_logits->data(), .floatOut = true};
        m_backend.matmul({m_rowNormed->data(), static_cast<std::int64_t>(part.size()), {&product, 1}});
        ZIGZAG_CHECK(m_backend.synchronize());
        m_backend.download(out.data() + done * width, m_logits->data(), part.size() * width * sizeof(float));
    }
    return out;
}

} // namespace zigzag
