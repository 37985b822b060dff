// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/layer_ops.h"

#include "engine/run/collective.h"

#include <cassert>
#include <numeric>
#include <vector>

namespace zigzag {

namespace {

struct LayerOpRunner {
    Backend &backend;
    const ModelConfig &config;
    const DeviceLayer &layer;
    const LayerArgs &run;
    DType type = backend.activationType(config.dtype);
    float epsilon = static_cast<float>(config.normEpsilon);
    static constexpr std::int64_t fewTokens = 64; ///< whose sums wait for the link and not for its bandwidth

    void norm(const float *in, WeightId weight) const
    {
        backend.rmsNorm({.in = in,
                         .weight = layer.vector(weight),
                         .out = run.normed,
                         .tokens = run.tokens,
                         .width = config.hiddenSize,
                         .epsilon = epsilon,
                         .type = type,
                         .readAgain = (weight == WeightId::PostNorm && layer.matrix(WeightId::Router)) // by the experts, too
                             || (weight == WeightId::InputNorm && run.width)}); // by values, a product of their own
    }

    Product product(WeightId matrix, WeightId bias, void *out) const
    {
        return {.matrix = layer.matrix(matrix), .bias = layer.vector(bias), .out = out};
    }

    /// What attention or feed-forward add, normed where the product before left it.
    void addNormed(WeightId weight, const float *residual) const
    {
        backend.rmsNorm({.in = run.added,
                         .weight = layer.vector(weight),
                         .out = run.out,
                         .tokens = run.tokens,
                         .width = config.hiddenSize,
                         .epsilon = epsilon,
                         .type = DType::F32,
                         .residual = residual});
    }

    /// out = scale · (in · matrixᵀ + bias) + residual; where a norm follows, what is to be added stays by itself.
    void addProduct(const void *in, WeightId matrix, WeightId bias, const float *residual, Op norm) const
    {
        if (run.collective)
            return addParts(in, matrix, bias, residual, layer.plan.find(norm) != nullptr);
        if (layer.plan.find(norm)) {
            const Product alone{.matrix = layer.matrix(matrix), .bias = layer.vector(bias), .out = run.added, .floatOut = true};
            return backend.matmul({in, run.tokens, {&alone, 1}});
        }
        const Product sum{.matrix = layer.matrix(matrix),
                          .bias = layer.vector(bias),
                          .residual = residual,
                          .out = run.out,
                          .scale = static_cast<float>(config.residualScale)};
        backend.matmul({in, run.tokens, {&sum, 1}});
    }

    /// The same where each rank has some of the columns. A chunk's parts travel in the type of activations, because the link's
    /// bandwidth is what they cost; those of a few tokens in float32.
    void addParts(const void *in, WeightId matrix, WeightId bias, const float *residual, bool isNormedNext) const
    {
        const DType partType = run.tokens > fewTokens ? type : DType::F32;
        const Product product{.matrix = layer.matrix(matrix),
                              .bias = layer.vector(bias),
                              .out = run.part,
                              .floatOut = partType == DType::F32,
                              .scale = isNormedNext ? 1.0F : static_cast<float>(config.residualScale)};
        backend.matmul({in, run.tokens, {&product, 1}});
        run.collective->sum({.part = run.part,
                             .type = partType,
                             .out = isNormedNext ? run.added : run.out,
                             .residual = isNormedNext ? nullptr : residual,
                             .count = run.tokens * config.hiddenSize});
    }

    /// Of a rank whose norms are over all ranks' heads, queries and keys stay floats until they are together.
    void qkvParts() const
    {
        Product products[] = {product(WeightId::Query, WeightId::QueryBias, run.width.parts),
                              product(WeightId::Key, WeightId::KeyBias, keyParts())};
        for (Product &each : products)
            each.floatOut = true;
        backend.matmul({run.normed, run.tokens, products});
        const Product values = product(WeightId::Value, WeightId::ValueBias, run.values);
        backend.matmul({run.normed, run.tokens, {&values, 1}});
    }

    float *keyParts() const { return run.width.parts + run.tokens * std::int64_t{config.queryWidth()}; }

    /// A rank's queries, or keys, normed with those of all: in the order of the ranks, as the weight is.
    void normOverRanks(const float *part, std::span<const std::int64_t> widths, WeightId weight, void *out) const
    {
        run.collective->gather({part, run.width.whole, run.tokens, widths});
        std::int64_t whole = 0, before = 0;
        for (std::size_t rank = 0; rank < widths.size(); ++rank) {
            before += static_cast<int>(rank) < run.width.rank ? widths[rank] : 0;
            whole += widths[rank];
        }
        backend.rmsNorm({.in = run.width.whole,
                         .weight = layer.vector(weight),
                         .out = run.width.normed,
                         .tokens = run.tokens,
                         .width = whole,
                         .epsilon = epsilon,
                         .type = type});
        std::vector<int> own(static_cast<std::size_t>(widths[static_cast<std::size_t>(run.width.rank)] / config.headDim));
        std::iota(own.begin(), own.end(), static_cast<int>(before / config.headDim));
        backend.copyHeads({run.width.normed, out, own, run.tokens, static_cast<int>(whole / config.headDim),
                           static_cast<int>(own.size()), config.headDim, false, type});
    }

    void qkv() const
    {
        if (run.width)
            return qkvParts();
        const Product products[]
            = {product(WeightId::Query, WeightId::QueryBias, run.queries), product(WeightId::Key, WeightId::KeyBias, run.keys),
               product(WeightId::Value, WeightId::ValueBias, run.values)};
        backend.matmul({run.normed, run.tokens, products});
    }

    void ropeAppend() const
    {
        if (run.width) {
            normOverRanks(run.width.parts, run.width.queryWidths, WeightId::QueryNorm, run.queries);
            normOverRanks(keyParts(), run.width.keyWidths, WeightId::KeyNorm, run.keys);
        }
        const bool isNormed = static_cast<bool>(run.width);
        backend.ropeAppend({.queries = run.queries,
                            .keys = run.keys,
                            .values = run.values,
                            .queryNorm = isNormed ? nullptr : layer.vector(WeightId::QueryNorm),
                            .keyNorm = isNormed ? nullptr : layer.vector(WeightId::KeyNorm),
                            .cosSin = run.rotation,
                            .heads = run.heads,
                            .tokens = run.tokens,
                            .firstPosition = run.firstPosition,
                            .queryHeads = config.queryHeads,
                            .kvHeads = config.kvHeads,
                            .headDim = config.headDim,
                            .type = type,
                            .cacheType = run.cacheType,
                            .scales = layer.kvScales(run.cacheType),
                            .epsilon = epsilon,
                            .rows = run.rows,
                            .rotaryDim = config.rotated(),
                            .interleaved = config.interleavedRope,
                            .normsWidth = config.normsWidth && !isNormed,
                            .queryScales = run.queryScales});
    }

    void gateUp() const
    {
        const Product products[]
            = {product(WeightId::Gate, WeightId::GateBias, run.gate), product(WeightId::Up, WeightId::UpBias, run.up)};
        backend.matmul({run.normed, run.tokens, products});
    }

    void activation() const
    {
        backend.swiGlu({run.gate, run.up, run.gate, run.tokens * layer.matrix(WeightId::Gate)->rows, type, config.activation});
    }

    void router() const
    {
        const Product scores{.matrix = layer.matrix(WeightId::Router), .out = run.routes, .floatOut = true};
        backend.matmul({run.normed, run.tokens, {&scores, 1}});
    }

    void experts() const
    {
        const std::int64_t numbers = run.tokens * config.hiddenSize;
        if (run.collective)
            run.collective->clear(run.part, numbers);
        backend.experts({.in = run.normed,
                         .routes = run.routes,
                         .out = run.collective ? run.part : run.out,
                         .gates = layer.matrices(WeightId::ExpertGate),
                         .ups = layer.matrices(WeightId::ExpertUp),
                         .downs = layer.matrices(WeightId::ExpertDown),
                         .tokens = run.tokens,
                         .perToken = config.expertsPerToken,
                         .renormalises = config.renormalisesExperts});
        if (run.collective)
            run.collective->sum({.part = run.part, .out = run.out, .residual = run.out, .count = numbers});
    }
};

} // namespace

void runLayerOp(Backend &backend, const ModelConfig &config, const DeviceLayer &layer, const OpPlan &op, const LayerArgs &run)
{
    const LayerOpRunner ops{backend, config, layer, run};
    switch (op.op) {
    case Op::InputNorm:
        return ops.norm(run.in, WeightId::InputNorm);
    case Op::Qkv:
        return ops.qkv();
    case Op::RopeAppend:
        return ops.ropeAppend();
    case Op::OutputProjection:
        return ops.addProduct(run.attended, WeightId::Output, WeightId::OutputBias, run.in, Op::AttentionNorm);
    case Op::AttentionNorm:
        return ops.addNormed(WeightId::AttentionNorm, run.in);
    case Op::PostNorm:
        return ops.norm(run.out, WeightId::PostNorm);
    case Op::GateUp:
        return ops.gateUp();
    case Op::Activation:
        return ops.activation();
    case Op::Down:
        return ops.addProduct(run.gate, WeightId::Down, WeightId::DownBias, run.out, Op::FeedForwardNorm);
    case Op::FeedForwardNorm:
        return ops.addNormed(WeightId::FeedForwardNorm, run.out);
    case Op::Router:
        return ops.router();
    case Op::Experts:
        return ops.experts();
    case Op::Attention: // its callers'
    case Op::Embed:
    case Op::FinalNorm:
    case Op::Logits:
    case Op::NextToken:
    case Op::Commit:
    case Op::CopyHeads:
    case Op::Pass:
        break;
    }
    assert(false && "no op of a layer that runs by itself");
}

} // namespace zigzag
