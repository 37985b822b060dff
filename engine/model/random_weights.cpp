// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/memory_limit.h"
#include "engine/model/weight_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <new>
#include <sys/mman.h>

namespace zigzag {

namespace {

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators": a bijection that looks random, so numbers come
/// from a counter and every block can be filled by itself.
std::uint64_t mixed(std::uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

template <class Store> void fillBlock(std::int64_t begin, std::int64_t end, std::uint64_t seed, float scale, Store store)
{
    for (std::int64_t i = begin; i < end; i += 4) {
        const std::uint64_t bits = mixed(seed + static_cast<std::uint64_t>(i));
        for (int k = 0; k < 4 && i + k < end; ++k)
            // Half a step off the integers, so that no weight is zero and the mean is.
            store(i + k, (static_cast<float>(static_cast<std::int16_t>(bits >> (16 * k))) + 0.5f) * scale);
    }
}

/// Uniform numbers of the given deviation: sums of them, which is what a layer computes, are normal soon enough, and they
/// cost a fraction of normal ones.
void fillRandom(std::byte *data, DType type, std::int64_t count, std::uint64_t seed, double deviation)
{
    const auto scale = static_cast<float>(deviation * std::sqrt(3.0) / 32768.0);
    auto *const halves = reinterpret_cast<std::uint16_t *>(data);
    auto *const floats = reinterpret_cast<float *>(data);
    constexpr std::int64_t block = 1 << 16;
#pragma omp parallel for schedule(static)
    for (std::int64_t begin = 0; begin < count; begin += block) {
        const std::int64_t end = std::min(count, begin + block);
        if (type == DType::BF16)
            fillBlock(begin, end, seed, scale, [&](std::int64_t i, float value) { halves[i] = floatToBf16(value); });
        else if (type == DType::F16)
            fillBlock(begin, end, seed, scale, [&](std::int64_t i, float value) { halves[i] = floatToF16(value); });
        else
            fillBlock(begin, end, seed, scale, [&](std::int64_t i, float value) { floats[i] = value; });
    }
}

void fillOnes(std::byte *data, DType type, std::int64_t count)
{
    const float one = 1.0f;
    const std::uint16_t half = type == DType::BF16 ? floatToBf16(one) : floatToF16(one);
    for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(data + i * bytesOf(type), type == DType::F32 ? static_cast<const void *>(&one) : &half,
                    static_cast<std::size_t>(bytesOf(type)));
}

std::shared_ptr<void> allocate(std::size_t bytes)
{
    void *memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return nullptr;
    ::madvise(memory, bytes, MADV_HUGEPAGE); // fewer TLB misses while weights stream through; harmless where refused
    return {memory, [bytes](void *pointer) { ::munmap(pointer, bytes); }};
}

constexpr std::int64_t alignment = 64;

std::int64_t aligned(std::int64_t bytes)
{
    return (bytes + alignment - 1) / alignment * alignment;
}

} // namespace

Result<Weights> randomWeights(const ModelConfig &config, std::uint64_t seed)
{
    Weights weights;
    const std::vector<PlannedTensor> plan = planWeights(config, weights);
    std::int64_t bytes = 0;
    for (const PlannedTensor &planned : plan)
        bytes += aligned(planned.rows * planned.columns * bytesOf(config.dtype));
    ZIGZAG_CHECK(checkFitsMemory(config.name, bytes, availableMemory()));
    const std::shared_ptr<void> storage = allocate(static_cast<std::size_t>(bytes));
    if (!storage)
        return failed(
            fmt::format("{}: {} bytes of memory for the weights could not be had; close other programs", config.name, bytes));
    auto *data = static_cast<std::byte *>(storage.get());
    std::uint64_t tensor = mixed(seed);
    for (const PlannedTensor &planned : plan) {
        const std::int64_t count = planned.rows * planned.columns;
        tensor = mixed(tensor);
        if (planned.role == TensorRole::Norm)
            fillOnes(data, config.dtype, count);
        else // keeps the size of activations from layer to layer, however wide
            fillRandom(data, config.dtype, count, tensor,
                       planned.role == TensorRole::Bias ? 0.02 : 1 / std::sqrt(static_cast<double>(planned.columns)));
        *planned.view = {data, config.dtype, planned.rows, planned.columns};
        data += aligned(count * bytesOf(config.dtype));
    }
    if (config.tiedEmbeddings)
        weights.head = weights.embedding;
    weights.storage = storage;
    return weights;
}

} // namespace zigzag
