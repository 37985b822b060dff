// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/layer_pass.h"

#include "engine/model/context_limit.h"
#include "engine/run/finite.h"
#include "engine/run/optional_buffer.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace zigzag {

namespace {

/// Rows of last hidden states and logits that are computed at a time.
constexpr std::int64_t rowBlock = 64;

/// What a model's layers have that gradients are not written for, or null.
const char *withoutGradient(const ModelConfig &config)
{
    if (const char *what = otherNormsOrGates(config))
        return what;
    if (config.scoreCap > 0)
        return "soft caps of scores";
    if (config.rope.queryScaleBeta != 0)
        return "queries that are scaled by their position";
    return nullptr;
}

} // namespace

LayerPass::LayerPass(std::shared_ptr<DeviceModel> model)
    : m_model(std::move(model))
    , m_backend(*m_model->backend)
{ }

/// Every buffer with its size in bytes: the one list behind the plan and the allocation.
std::vector<std::pair<LayerPass::Member, std::int64_t>> LayerPass::sizes(const Backend &backend, const ModelConfig &config,
                                                                         std::int64_t tokens, bool gradients)
{
    const std::int64_t real = sizeof(float), integer = sizeof(std::int32_t);
    const std::int64_t active = bytesOf(backend.activationType(config.dtype));
    const std::int64_t hidden = config.hiddenSize, queries = config.queryWidth(), keys = config.kvWidth(),
                       wide = mostRows(config, WeightId::Gate);
    std::vector<std::pair<Member, std::int64_t>> list = {
        {&LayerPass::m_cache, 2 * tokens * keys * (gradients ? active : bytesOf(config.kvType))},
        {&LayerPass::m_ids, tokens * integer},
        {&LayerPass::m_added, normsBehind(config) ? tokens * hidden * real : 0},
        {&LayerPass::m_normed, tokens * hidden * active},
        {&LayerPass::m_queries, tokens * queries * active},
        {&LayerPass::m_keys, tokens * keys * active},
        {&LayerPass::m_values, tokens * keys * active},
        {&LayerPass::m_attended, tokens * queries * active},
        {&LayerPass::m_gate, tokens * wide * active},
        {&LayerPass::m_up, tokens * wide * active},
        {&LayerPass::m_routes, tokens * mostRows(config, WeightId::Router) * real},
        {&LayerPass::m_rowStates, rowBlock * hidden * real},
        {&LayerPass::m_rowNormed, rowBlock * hidden * (gradients ? real : active)}, // gradients as well
        {&LayerPass::m_logits, rowBlock * config.vocabulary * real},
    };
    if (!gradients)
        return list;
    list.emplace_back(&LayerPass::m_full, tokens * queries * active);
    list.emplace_back(&LayerPass::m_streaming, tokens * queries * active);
    const std::pair<Member, std::int64_t> backward[] = {
        {&LayerPass::m_middle, hidden}, {&LayerPass::m_gradAttended, queries}, {&LayerPass::m_gradQueries, queries},
        {&LayerPass::m_gradKeys, keys}, {&LayerPass::m_gradValues, keys},      {&LayerPass::m_gradNormed, hidden},
        {&LayerPass::m_gradGate, wide}, {&LayerPass::m_gradUp, wide},
    };
    for (const auto &[buffer, width] : backward)
        list.emplace_back(buffer, tokens * width * real);
    if (config.queryKeyNorm)
        list.emplace_back(&LayerPass::m_plainQueries, tokens * queries * active);
    return list;
}

std::int64_t LayerPass::bytesNeeded(const Backend &backend, const ModelConfig &config, std::int64_t tokens, bool gradients)
{
    std::int64_t sum = RotationTables::bytesNeeded(config, tokens);
    for (const auto &[buffer, bytes] : sizes(backend, config, tokens, gradients))
        sum += bytes;
    return sum;
}

Result<std::unique_ptr<LayerPass>> LayerPass::create(std::shared_ptr<DeviceModel> model, std::int64_t tokens, bool gradients)
{
    const ModelConfig &config = model->config();
    if (model->isDealt())
        return badInput(fmt::format(
            "{} was dealt to several devices, and layers are run one by one on one alone: leave --gpus out", config.name));
    Backend &backend = *model->backend;
    ZIGZAG_CHECK(checkRuns(backend, config));
    ZIGZAG_CHECK(checkWithinMaximum(config, tokens)); // what runs through here is judged
    const DType activation = backend.activationType(config.dtype);
    if (gradients && config.experts > 0)
        return badInput(fmt::format("{} has layers of experts, which have no backward pass: search layers by ablation or greedy",
                                    config.name));
    if (const char *what = gradients ? withoutGradient(config) : nullptr)
        return badInput(
            fmt::format("{} has {}, which have no backward pass: search layers by ablation or greedy", config.name, what));
    if (gradients && !backend.gradients())
        return badInput(fmt::format("the {} backend has no backward pass: choose --backend cpu", backend.name()));
    if (gradients && !backend.gradients()->takes(activation))
        return badInput(
            fmt::format("the {} backend has no backward pass in {}: choose --backend cpu", backend.name(), nameOf(activation)));
    const std::int64_t needed = bytesNeeded(backend, config, tokens, gradients), available = backend.device().memoryBytes;
    if (needed > available)
        return failed(fmt::format("layers of {} over {} tokens need {} bytes and {} are free: choose a shorter context",
                                  config.name, tokens, needed, available));
    std::unique_ptr<LayerPass> pass(new LayerPass(std::move(model)));
    pass->m_tokens = tokens;
    pass->m_cacheType = gradients ? activation : config.kvType;
    pass->m_activation = activation;
    for (const auto &[buffer, bytes] : sizes(backend, config, tokens, gradients)) {
        if (bytes == 0)
            continue;
        ZIGZAG_TRY(memory, backend.allocate(static_cast<std::size_t>(bytes)));
        (*pass).*buffer = std::move(memory);
    }
    const std::int64_t headBytes = tokens * config.headDim * bytesOf(pass->m_cacheType);
    for (int head = 0; head < config.kvHeads; ++head) {
        auto *at = pass->m_cache->as<std::byte>() + std::int64_t{2} * head * headBytes;
        pass->m_heads.push_back({.keys = at, .values = at + headBytes, .slots = tokens});
    }
    ZIGZAG_TRY(rotations, RotationTables::create(backend, config, tokens));
    pass->m_rotations = std::move(rotations);
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
    m_backend.embed({m_ids->as<std::int32_t>(), static_cast<std::int64_t>(ids.size()), m_model->embedding.get(), out.as<float>(),
                     config().embeddingFactor()});
    return {};
}

LayerArgs LayerPass::layerArgs(int layer, std::int64_t tokens, const Buffer &in, Buffer &out) const
{
    return {.tokens = tokens,
            .in = in.as<float>(),
            .out = out.as<float>(),
            .normed = m_normed->data(),
            .queries = m_queries->data(),
            .attended = m_attended->data(),
            .keys = m_keys->data(),
            .values = m_values->data(),
            .gate = dataOrNull(m_gate),
            .up = dataOrNull(m_up),
            .routes = orNull(m_routes),
            .added = orNull(m_added),
            .rotation = m_rotations.ofLayer(config(), layer),
            .queryScales = m_rotations.queryScales(),
            .heads = m_heads,
            .cacheType = m_cacheType,
            .rows = {}};
}

void LayerPass::runOps(int layer, Op first, Op last, const LayerArgs &run, const std::function<void()> &attention)
{
    const DeviceLayer &weights = m_model->layers[static_cast<std::size_t>(layer)];
    for (const OpPlan &op : weights.plan.ops()) {
        if (op.op < first || op.op > last)
            continue;
        if (op.op == Op::RopeAppend && m_plainQueries) { // what the norm of queries was given, for its gradient
            std::vector<int> all(static_cast<std::size_t>(config().queryHeads));
            std::iota(all.begin(), all.end(), 0);
            m_backend.copyHeads({run.queries, m_plainQueries->data(), all, run.tokens, config().queryHeads, config().queryHeads,
                                 config().headDim, false, m_activation});
        }
        if (op.op == Op::Attention)
            attention();
        else
            runLayerOp(m_backend, config(), weights, op, run);
    }
}

const float *LayerPass::sinkLogitsOf(int layer) const
{
    return m_model->layers[static_cast<std::size_t>(layer)].vector(WeightId::SinkLogits);
}

void LayerPass::attend(int layer, const float *sinkLogits, std::span<const HeadCache> heads, std::int64_t tokens, Buffer &out)
{
    const ModelConfig &c = config();
    std::vector<int> all(heads.size());
    std::iota(all.begin(), all.end(), 0);
    m_backend.attention({.queries = m_queries->data(),
                         .out = out.data(),
                         .heads = heads,
                         .selected = all,
                         .tokens = tokens,
                         .queryHeads = c.queryHeads,
                         .kvHeads = c.kvHeads,
                         .headDim = c.headDim,
                         .scale = static_cast<float>(c.scoreScale),
                         .sinkLogits = sinkLogits,
                         .softCap = static_cast<float>(c.scoreCap),
                         .type = m_activation,
                         .cacheType = m_cacheType,
                         .scales = kvScalesOf(layer),
                         .rows = {}});
}

void LayerPass::run(int layer, std::span<const HeadPattern> patterns, std::int64_t tokens, const Buffer &in, Buffer &out)
{
    std::vector<HeadCache> heads = m_heads;
    for (std::size_t i = 0; i < heads.size(); ++i)
        heads[i].pattern = patternIn(config().fileWindows, layer, patterns[i]);
    runOps(layer, firstLayerOp, lastLayerOp, layerArgs(layer, tokens, in, out),
           [&] { attend(layer, sinkLogitsOf(layer), heads, tokens, *m_attended); });
}

/// The rows' hidden states side by side, and after the final norm.
Result<void> LayerPass::gatherRows(std::span<const std::int64_t> rows, const Buffer &in)
{
    const auto width = static_cast<std::size_t>(config().hiddenSize);
    std::vector<float> gathered(rows.size() * width);
    for (std::size_t i = 0; i < rows.size(); ++i)
        m_backend.download(gathered.data() + i * width, in.as<float>() + static_cast<std::size_t>(rows[i]) * width,
                           width * sizeof(float));
    ZIGZAG_CHECK(m_backend.synchronize()); // behind the downloads, whose failure it tells as well
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
    ZIGZAG_CHECK(m_backend.synchronize());
    ZIGZAG_CHECK(checkFinite(out, *m_model->model, "hidden states"));
    return out;
}

Result<std::vector<float>> LayerPass::logits(std::span<const std::int64_t> rows, const Buffer &in)
{
    const auto width = static_cast<std::size_t>(config().vocabulary);
    std::vector<float> out(rows.size() * width);
    for (std::size_t done = 0; done < rows.size(); done += rowBlock) {
        const auto part = rows.subspan(done, std::min<std::size_t>(rowBlock, rows.size() - done));
        ZIGZAG_CHECK(gatherRows(part, in));
        const Product product{.matrix = &m_model->head(),
                              .out = m_logits->data(),
                              .floatOut = true,
                              .scale = static_cast<float>(config().logitScale)};
        m_backend.matmul({m_rowNormed->data(), static_cast<std::int64_t>(part.size()), {&product, 1}});
        if (config().logitCap > 0)
            m_backend.softCap(
                {m_logits->as<float>(), static_cast<std::int64_t>(part.size() * width), static_cast<float>(config().logitCap)});
        m_backend.download(out.data() + done * width, m_logits->data(), part.size() * width * sizeof(float));
        ZIGZAG_CHECK(m_backend.synchronize());
    }
    ZIGZAG_CHECK(checkFinite(out, *m_model->model, "logits"));
    return out;
}

} // namespace zigzag
