// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/op_cost.h"

#include "engine/map/kv_layout.h"

#include <algorithm>

namespace zigzag {
namespace {

/// A product with weights [rows, columns] for `tokens` inputs.
OpCost product(std::int64_t rows, std::int64_t columns, bool bias, std::int64_t tokens, DType type)
{
    const double weights = static_cast<double>(rows) * static_cast<double>(columns);
    return {.bytes = (weights + (bias ? static_cast<double>(rows) : 0.0)) * static_cast<double>(bytesOf(type)),
            .flops = 2.0 * weights * static_cast<double>(tokens),
            .tokens = static_cast<double>(tokens)};
}

OpCost pointwise(std::int64_t weights, std::int64_t tokens, DType type)
{
    return {.bytes = static_cast<double>(weights * bytesOf(type)), .flops = 0.0, .tokens = static_cast<double>(tokens)};
}

OpCost attention(const ModelConfig &config, const HeadMap &map, int layer, Phase phase, std::int64_t context, std::int64_t tokens)
{
    OpCost cost{.bytes = static_cast<double>(KvLayout(map, context, config.dtype).layerBytes(layer)),
                .flops = 0.0,
                .tokens = static_cast<double>(tokens)};
    // A query and a key meet in one dot product and one weighted sum: 2 · head_dim operations each, for every query head.
    const double perPair = 4.0 * config.headDim * config.group();
    for (int head = 0; head < map.kvHeads(); ++head) {
        const HeadKind kind = map.at(layer, head);
        const std::int64_t earlier = phase == Phase::Decode ? visiblePairs(kind, context - 1, map.sink(), map.recent()) : 0;
        cost.flops += perPair * static_cast<double>(visiblePairs(kind, context, map.sink(), map.recent()) - earlier);
    }
    return cost;
}

double sumOver(const ModelConfig &config, const HeadMap &map, Phase phase, std::int64_t context, double OpCost::*what)
{
    double sum = 0.0;
    for (std::size_t i = 0; i < opNames.size(); ++i) {
        const Op op = static_cast<Op>(i);
        if (isInLayer(op))
            for (int layer = 0; layer < config.layers; ++layer)
                sum += opCost(config, map, op, layer, phase, context).*what;
        else
            sum += opCost(config, map, op, -1, phase, context).*what;
    }
    return sum;
}

} // namespace

std::int64_t visiblePairs(HeadKind kind, std::int64_t context, std::int64_t sink, std::int64_t recent)
{
    // Query i sees min(i + 1, width) keys: a triangle up to the width, then a band.
    const std::int64_t width = kind == HeadKind::Retrieval ? context : std::min(context, sink + recent);
    return width * (width + 1) / 2 + (context - width) * width;
}

OpCost opCost(const ModelConfig &config, const HeadMap &map, Op op, int layer, Phase phase, std::int64_t context)
{
    const std::int64_t tokens = phase == Phase::Prefill ? context : 1;
    const DType type = config.dtype;
    switch (op) {
    case Op::Embed:
        return pointwise(tokens * config.hiddenSize, tokens, type);
    case Op::InputNorm:
    case Op::PostNorm:
        return pointwise(config.hiddenSize, tokens, type);
    case Op::Qkv:
        return product(config.queryWidth() + 2 * config.kvWidth(), config.hiddenSize, config.qkvBias, tokens, type);
    case Op::RopeAppend:
        return pointwise(config.queryKeyNorm ? 2 * config.headDim : 0, tokens, type);
    case Op::Attention:
        return attention(config, map, layer, phase, context, tokens);
    case Op::OutputProjection:
        return product(config.hiddenSize, config.queryWidth(), config.outputBias, tokens, type);
    case Op::GateUp:
        return product(2 * std::int64_t{config.intermediateSize}, config.hiddenSize, config.mlpBias, tokens, type);
    case Op::Activation:
        return pointwise(0, tokens, type);
    case Op::Down:
        return product(config.hiddenSize, config.intermediateSize, config.mlpBias, tokens, type);
    case Op::FinalNorm: // a prefill wants the next token alone: one row
        return pointwise(config.hiddenSize, 1, type);
    case Op::Logits:
        return product(config.vocabulary, config.hiddenSize, false, 1, type);
    }
    return {};
}

Floor computeFloor(const ModelConfig &config, const HeadMap &map, const MachineProfile &machine, Phase phase,
                   std::int64_t context)
{
    if (phase == Phase::Prefill) {
        // BF16 weights may as well be multiplied in float32: the faster of both is the ceiling.
        const bool bf16 = config.dtype == DType::BF16 && machine.matrixFlopsBf16 >= machine.matrixFlopsF32;
        const double rate = bf16 ? machine.matrixFlopsBf16 : machine.matrixFlopsF32;
        const double flops = sumOver(config, map, phase, context, &OpCost::flops);
        return {rate > 0 ? 1e3 * flops / rate : 0.0, rate, bf16 ? "matrix rate bf16" : "matrix rate f32"};
    }
    // What fits into the last-level cache stays there from step to step, so memory is not its ceiling.
    const double bytes = sumOver(config, map, phase, context, &OpCost::bytes);
    const bool cached = bytes <= static_cast<double>(machine.lastLevelCacheBytes);
    const double rate = cached ? machine.cachedReadBytesPerSecond : machine.readBytesPerSecond;
    return {rate > 0 ? 1e3 * bytes / rate : 0.0, rate, cached ? "cache read bandwidth" : memoryCeiling};
}

double floorMs(const ModelConfig &config, const HeadMap &map, const MachineProfile &machine, Phase phase, std::int64_t context)
{
    return computeFloor(config, map, machine, phase, context).ms;
}

} // namespace zigzag
