// SPDX-License-Identifier: GPL-3.0-or-later
#include "profiler/cost/tensor_parallel.h"

#include "engine/map/kv_layout.h"

#include <algorithm>
#include <fmt/format.h>

namespace zigzag {

namespace {

constexpr int mostGpus = 1024;

std::int64_t roundedUp(std::int64_t value, std::int64_t step)
{
    return (value + step - 1) / step * step;
}

} // namespace

HeadRange headsOfRank(int kvHeads, int gpus, int rank)
{
    const int perRank = std::max(1, kvHeads / gpus), ranksPerHead = std::max(1, gpus / kvHeads);
    const int first = rank / ranksPerHead * perRank;
    return {first, first + perRank};
}

Result<void> checkDealing(const ModelConfig &config, int gpus)
{
    if (gpus < 1 || gpus > mostGpus)
        return badInput(fmt::format("{} GPUs: give a count from 1 to {}", gpus, mostGpus));
    if (config.queryHeads % gpus != 0)
        return badInput(fmt::format("{} GPUs: they do not divide the {} query heads of {}; give a divisor", gpus,
                                    config.queryHeads, config.name));
    if (config.kvHeads % gpus != 0 && gpus % config.kvHeads != 0)
        return badInput(
            fmt::format("{} GPUs: neither divides the other, GPUs and the {} KV heads of {}; give a divisor or a multiple", gpus,
                        config.kvHeads, config.name));
    return {};
}

Result<TensorParallelPlan> planTensorParallel(const ModelConfig &config, const HeadMap &map, int gpus, std::int64_t context,
                                              double bytesPerSecond)
{
    ZIGZAG_CHECK(checkDealing(config, gpus));
    if (context < 1 || !(bytesPerSecond > 0))
        return badInput(fmt::format("plan at {} tokens and {} bytes per second: give numbers above 0", context, bytesPerSecond));
    const KvLayout layout(map, context, config.dtype);
    const auto ms = [&](std::int64_t bytes) { return 1e3 * static_cast<double>(bytes) / bytesPerSecond; };

    TensorParallelPlan plan;
    plan.gpus = gpus;
    plan.ranks.resize(static_cast<std::size_t>(gpus));
    plan.weightBytesPerRank = (config.weightBytesReadPerToken() + gpus - 1) / gpus;
    std::int64_t awaited = 0, all = 0; // bytes of the slowest rank in each layer; bytes of all ranks
    for (int layer = 0; layer < map.layers(); ++layer) {
        std::int64_t slowest = 0;
        for (int rank = 0; rank < gpus; ++rank) {
            const HeadRange held = headsOfRank(config.kvHeads, gpus, rank);
            std::int64_t bytes = 0;
            for (int head = held.first; head < held.end; ++head)
                bytes += layout.headBytes(layer, head);
            plan.ranks[static_cast<std::size_t>(rank)].kvBytes += bytes;
            slowest = std::max(slowest, bytes);
            all += bytes;
        }
        awaited += slowest;
    }
    for (RankLoad &rank : plan.ranks) {
        rank.attentionMs = ms(rank.kvBytes);
        plan.largestKvBytes = std::max(plan.largestKvBytes, rank.kvBytes);
    }
    plan.memoryImbalance = static_cast<double>(plan.largestKvBytes) * gpus / static_cast<double>(all);
    plan.timeImbalance = static_cast<double>(awaited) * gpus / static_cast<double>(all);
    plan.decodeFloorMs = ms(plan.weightBytesPerRank + awaited);
    return plan;
}

std::optional<VllmBill> vllmBill(const ModelConfig &config, const HeadMap &map, std::int64_t context, const VllmServing &serving)
{
    VllmBill bill;
    std::int64_t recent = 1;
    for (int layer = 0; layer < map.layers(); ++layer) {
        const std::int64_t own = config.fileWindows.empty() ? 0 : config.fileWindows[static_cast<std::size_t>(layer)];
        if (own == 0 && map.layerKind(layer) != LayerKind::Streaming) {
            ++bill.fullLayers;
            continue;
        }
        const std::int64_t window = own > 0 ? own : map.window(layer).recent;
        if (bill.slidingLayers > 0 && recent != window)
            return {};
        recent = window;
        ++bill.slidingLayers;
    }
    const int fewer = std::min(bill.fullLayers, bill.slidingLayers), more = std::max(bill.fullLayers, bill.slidingLayers);
    // One kind alone is one group of all layers.
    bill.groupSize = fewer == 0 || 2 * more < 3 * fewer ? more : fewer;
    bill.billedFull = static_cast<int>(roundedUp(bill.fullLayers, bill.groupSize));
    bill.billedSliding = static_cast<int>(roundedUp(bill.slidingLayers, bill.groupSize));
    const std::int64_t layerToken = 2 * config.kvWidth() * bytesOf(config.dtype);
    const std::int64_t block = serving.blockTokens, full = roundedUp(context, block);
    const std::int64_t window = std::min(full, roundedUp(recent - 1, block) + block);
    const std::int64_t admitted = roundedUp(std::min(recent - 1 + serving.batchedTokens, context), block) + block;
    bill.bytes = layerToken * (bill.billedFull * full + bill.billedSliding * window);
    bill.admissionBytes = layerToken * (bill.billedFull * full + bill.billedSliding * admitted);
    return bill;
}

} // namespace zigzag
