// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/op_cost.h"

#include "engine/map/kv_layout.h"

#include <algorithm>
#include <cmath>

namespace zigzag {
namespace {

constexpr double floatBytes = 4; // activations

/// An op that reads its weights once, and `moved` floats a token.
OpCost pointwise(std::int64_t weightBytes, std::int64_t moved, double tokens)
{
    return {.bytes = static_cast<double>(weightBytes),
            .activationBytes = floatBytes * tokens * static_cast<double>(moved),
            .flops = 0.0,
            .tokens = tokens};
}

/// Of `count` experts, those that `tokens` tokens are expected to choose between them, each `perToken` at random.
double chosenExperts(int count, int perToken, double tokens)
{
    return count * (1.0 - std::pow(1.0 - static_cast<double>(perToken) / count, tokens));
}

/// What the plan says of an op: its weights, read once, and its matrices' products with each token.
OpCost planned(const ModelConfig &config, const LayerPlan &plan, const OpPlan &op, double tokens)
{
    OpCost cost = pointwise(0, op.moved, tokens);
    for (const WeightSpec &weight : plan.weightsOf(op)) {
        const double each = static_cast<double>(weight.rows) * static_cast<double>(weight.columns);
        const bool isOfExperts = weight.count > 1;
        const double read = isOfExperts ? chosenExperts(weight.count, config.expertsPerToken, tokens) : 1.0;
        cost.bytes += read * static_cast<double>(weight.bytesOfEach());
        if (weight.role == TensorRole::Matrix)
            cost.flops += 2.0 * each * tokens * (isOfExperts ? config.expertsPerToken : 1);
    }
    return cost;
}

/// Keys and values, and what each query does with those that it sees.
void addAttention(OpCost &cost, const ModelConfig &config, const HeadMap &map, int layer, const PassShape &pass)
{
    // A query and a key meet in one dot product and one weighted sum: 2 · head_dim operations each, for every query head.
    const double perPair = 4.0 * config.headDim * config.group() * pass.batch;
    const double perKey = 2.0 * config.headDim * static_cast<double>(bytesOf(config.kvType)) * pass.batch;
    const std::int64_t end = pass.firstPosition + pass.tokens;
    for (int head = 0; head < map.kvHeads(); ++head) {
        const HeadPattern pattern = map.pattern(layer, head);
        cost.bytes += perKey * static_cast<double>(pattern.keysOf(pass.firstPosition, pass.tokens));
        cost.flops += perPair * static_cast<double>(pattern.pairs(end) - pattern.pairs(pass.firstPosition));
    }
}

/// A chunk's keys and values, read from the stage and written to the ring, for every head that has one.
OpCost commit(const ModelConfig &config, const HeadMap &map, int layer, const PassShape &pass)
{
    std::int64_t kept = 0;
    for (const HeadPattern &pattern : map.patterns(layer))
        kept += pattern.keepsEverything() ? 0 : pattern.slots(pass.tokens);
    const double keys = static_cast<double>(kept) * pass.batch;
    return {.bytes = 2 * 2 * keys * config.headDim * static_cast<double>(bytesOf(config.kvType)),
            .tokens = static_cast<double>(pass.tokens) * pass.batch};
}

double sumOver(const ModelConfig &config, const HeadMap &map, Phase phase, std::int64_t context, int batch, double OpCost::*what)
{
    double sum = 0.0;
    for (std::size_t i = 0; i < opNames.size(); ++i) {
        const Op op = static_cast<Op>(i);
        if (isInLayer(op))
            for (int layer = 0; layer < config.layers; ++layer)
                sum += opCost(config, map, op, layer, phase, context, batch).*what;
        else
            sum += opCost(config, map, op, -1, phase, context, batch).*what;
    }
    return sum;
}

} // namespace

OpCost passCost(const ModelConfig &config, const HeadMap &map, Op op, int layer, const PassShape &pass)
{
    const double tokens = static_cast<double>(pass.tokens) * pass.batch;
    const std::int64_t hidden = config.hiddenSize, vocabulary = config.vocabulary;
    switch (op) {
    case Op::Embed: {
        OpCost cost = pointwise(0, hidden, tokens);
        cost.bytes = tokens * static_cast<double>(rowBytes(config.embeddingType(), hidden));
        return cost;
    }
    case Op::FinalNorm:
        return pointwise(config.finalNormType().bytesFor(hidden), 2 * hidden, tokens);
    case Op::Logits: {
        OpCost cost = pointwise(vocabulary * rowBytes(config.headType(), hidden), vocabulary + hidden, tokens);
        cost.flops = 2.0 * static_cast<double>(vocabulary * hidden) * tokens;
        return cost;
    }
    case Op::NextToken:
        return pointwise(0, vocabulary, tokens);
    case Op::Commit:
        return commit(config, map, layer, pass);
    case Op::CopyHeads: // one of the two halves' gathers or scatters: on average half of the query heads
        return pointwise(0, config.queryWidth(), tokens);
    case Op::Pass:
        return {};
    default:
        break;
    }
    const LayerPlan plan = layerPlan(config, layer);
    const OpPlan *inLayer = plan.find(op);
    if (!inLayer)
        return {};
    OpCost cost = planned(config, plan, *inLayer, tokens);
    if (op == Op::Attention)
        addAttention(cost, config, map, layer, pass);
    return cost;
}

OpCost opCost(const ModelConfig &config, const HeadMap &map, Op op, int layer, Phase phase, std::int64_t context, int batch)
{
    PassShape pass = {.tokens = 1, .firstPosition = context - 1, .batch = batch};
    if (phase == Phase::Prefill)
        pass = {.tokens = context, .firstPosition = 0, .batch = batch};
    if (op == Op::FinalNorm || op == Op::Logits) // a prefill wants the next token alone: one row
        pass = {.tokens = 1, .firstPosition = context - 1, .batch = batch};
    if (op == Op::Commit || op == Op::CopyHeads) // what an implementation may move besides what it must
        return {};
    return passCost(config, map, op, layer, pass);
}

double opFloorNs(const OpCost &cost, const ModelConfig &config, const MachineProfile &machine, bool cached)
{
    // Activations are small and were just written: the last-level cache has them.
    const double weights = cached ? machine.cachedReadBytesPerSecond : machine.readBytesPerSecond;
    const double activations = machine.cachedReadBytesPerSecond;
    const double rate = machine.matrixCeiling(config.dtype).perSecond;
    if (weights <= 0 || activations <= 0 || rate <= 0)
        return 0;
    return 1e9 * std::max(cost.bytes / weights + cost.activationBytes / activations, cost.flops / rate);
}

Floor computeFloor(const ModelConfig &config, const HeadMap &map, const MachineProfile &machine, Phase phase,
                   std::int64_t context, int batch)
{
    if (phase == Phase::Prefill) {
        const auto [rate, name] = machine.matrixCeiling(config.dtype);
        const double flops = sumOver(config, map, phase, context, batch, &OpCost::flops);
        return {rate > 0 ? 1e3 * flops / rate : 0.0, rate, name};
    }
    const double bytes = sumOver(config, map, phase, context, batch, &OpCost::bytes);
    const auto [rate, name] = machine.readCeiling(bytes);
    return {rate > 0 ? 1e3 * bytes / rate : 0.0, rate, name};
}

double floorMs(const ModelConfig &config, const HeadMap &map, const MachineProfile &machine, Phase phase, std::int64_t context)
{
    return computeFloor(config, map, machine, phase, context).ms;
}

} // namespace zigzag
