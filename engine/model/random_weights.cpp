// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/random_weights.h"

#include "engine/base/thread_pool.h"
#include "engine/model/memory_limit.h"
#include "engine/model/random_bits.h"
#include "engine/model/random_blocks.h"
#include "engine/model/weight_memory.h"
#include "engine/model/weight_plan.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fmt/format.h>
#include <new>

namespace zigzag {

namespace {

template <class Store> void fillBlock(std::int64_t begin, std::int64_t end, std::uint64_t seed, float scale, Store store)
{
    for (std::int64_t i = begin; i < end; i += 4) {
        const std::uint64_t bits = mixedBits(seed + static_cast<std::uint64_t>(i));
        for (int k = 0; k < 4 && i + k < end; ++k)
            // Half a step off the integers, so that no weight is zero and the mean is.
            store(i + k, (static_cast<float>(static_cast<std::int16_t>(bits >> (16 * k))) + 0.5f) * scale);
    }
}

/// A part of a tensor, filled by one thread.
struct Block {
    std::byte *data; ///< of the whole tensor
    WeightType type;
    std::int64_t begin, end;
    std::uint64_t seed;
    double deviation; ///< 0: all ones
};

/// Uniform numbers, or codes, of the given deviation: sums of them, which is what a layer computes, are normal soon enough, and
/// they cost a fraction of normal ones.
void fill(const Block &block)
{
    if (const auto type = block.type.block()) {
        const std::int64_t length = block.type.blockLength();
        return fillBlocks(*type, block.deviation, block.seed, block.begin / length, block.end / length, block.data);
    }
    if (block.type == DType::F8) // up to the type's largest number, as quantisers scale it
        return fillBlock(block.begin, block.end, block.seed, f8Max / 32768,
                         [&](std::int64_t i, float value) { block.data[i] = std::byte{floatToF8(value)}; });
    const auto scale = static_cast<float>(block.deviation * std::sqrt(3.0) / 32768.0);
    const auto each = [&](auto store) {
        if (block.deviation > 0)
            fillBlock(block.begin, block.end, block.seed, scale, store);
        else
            for (std::int64_t i = block.begin; i < block.end; ++i)
                store(i, 1.0f);
    };
    auto *const halves = reinterpret_cast<std::uint16_t *>(block.data);
    auto *const floats = reinterpret_cast<float *>(block.data);
    if (block.type == DType::BF16)
        each([=](std::int64_t i, float value) { halves[i] = floatToBf16(value); });
    else if (block.type == DType::F16)
        each([=](std::int64_t i, float value) { halves[i] = floatToF16(value); });
    else
        each([=](std::int64_t i, float value) { floats[i] = value; });
}

/// Of F8: the same for every 128 × 128 numbers, as files have them in blocks.
constexpr std::int64_t scaledBlock = 128;

std::int64_t scalesOf(const PlannedTensor &planned)
{
    return planned.type == DType::F8 ? WeightScales{nullptr, scaledBlock, scaledBlock}.count(planned.rows, planned.columns) : 0;
}

/// Blocks are about a millisecond each, so a cancelled load ends at once.
void fillAll(const std::vector<Block> &blocks, const LoadWatch &watch)
{
    constexpr std::size_t seldom = 64;
    std::atomic<std::size_t> done = 0;
    parallelParts(std::ssize(blocks), [&](std::int64_t i) {
        if (watch.isCancelled())
            return;
        fill(blocks[static_cast<std::size_t>(i)]);
        const std::size_t now = ++done;
        // The caller's thread alone speaks, about as often with many threads as with few.
        if (watch.progress && ThreadPool::threadIndex() == 0
            && now % seldom < static_cast<std::size_t>(ThreadPool::current().threads()))
            watch.progress(static_cast<double>(now) / static_cast<double>(blocks.size()));
    });
}

/// What keeps the size of activations from layer to layer, however wide.
double deviationOf(const PlannedTensor &planned)
{
    switch (planned.role) {
    case TensorRole::Norm:
        return 0;
    case TensorRole::Bias:
        return 0.02;
    case TensorRole::Matrix:
        break;
    }
    return 1 / std::sqrt(static_cast<double>(planned.columns));
}

} // namespace

Result<Weights> randomWeights(const ModelConfig &config, std::uint64_t seed, const LoadWatch &watch)
{
    Weights weights;
    const std::vector<PlannedTensor> plan = planWeights(config);
    std::int64_t bytes = 0;
    for (const PlannedTensor &planned : plan)
        bytes += alignedBytes(planned.rows * rowBytes(planned.type, planned.columns))
            + alignedBytes(scalesOf(planned) * bytesOf(DType::F32));
    ZIGZAG_CHECK(checkFitsMemory(config.name, bytes, availableMemory()));
    const std::shared_ptr<void> storage = allocateWeights(static_cast<std::size_t>(bytes));
    if (!storage)
        return failed(
            fmt::format("{}: {} bytes of memory for the weights could not be had; close other programs", config.name, bytes));
    auto *data = static_cast<std::byte *>(storage.get());
    std::vector<Block> blocks;
    constexpr std::int64_t blockLength = 1 << 18;
    std::uint64_t tensor = mixedBits(seed);
    for (const PlannedTensor &planned : plan) {
        const std::int64_t count = planned.rows * planned.columns;
        tensor = mixedBits(tensor);
        for (std::int64_t begin = 0; begin < count; begin += blockLength)
            blocks.push_back({data, planned.type, begin, std::min(count, begin + blockLength), tensor, deviationOf(planned)});
        TensorView &view = planned.in(weights);
        view = {data, planned.type, planned.rows, planned.columns};
        data += alignedBytes(view.bytes());
        if (const std::int64_t scales = scalesOf(planned); scales > 0) {
            auto *const to = reinterpret_cast<float *>(data);
            std::fill(to, to + scales, static_cast<float>(deviationOf(planned) * std::sqrt(3.0)) / f8Max);
            view.scales = {to, scaledBlock, scaledBlock};
            data += alignedBytes(scales * bytesOf(DType::F32));
        }
    }
    fillAll(blocks, watch);
    if (watch.isCancelled())
        return cancelled();
    if (config.tiedEmbeddings)
        weights.head = weights.embedding;
    weights.storage = storage;
    return weights;
}

} // namespace zigzag
