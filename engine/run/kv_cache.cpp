// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/kv_cache.h"

#include "engine/model/tensor_values.h"

#include <random>

namespace zigzag {

std::int64_t KvCache::stagingBytes(const KvLayout &layout, std::int64_t chunk)
{
    const HeadMap &map = layout.map();
    bool hasRings = false;
    for (int layer = 0; layer < map.layers(); ++layer)
        for (const HeadPattern &pattern : map.patterns(layer))
            hasRings = hasRings || !pattern.keepsEverything();
    if (!hasRings || chunk == 1)
        return 0;
    return 2 * chunk * map.kvHeads() * map.model().headDim * bytesOf(layout.type());
}

Result<KvCache> KvCache::create(Backend &backend, const KvLayout &layout, std::int64_t chunk, int sequences)
{
    const HeadMap &map = layout.map();
    KvCache cache;
    cache.m_kvHeads = static_cast<std::size_t>(map.kvHeads());
    cache.m_type = layout.type();
    cache.m_sequenceBytes = layout.bytes();
    ZIGZAG_TRY(memory, backend.allocate(static_cast<std::size_t>(layout.bytes() * sequences)));
    cache.m_memory = std::move(memory);
    const std::int64_t staging = stagingBytes(layout, chunk);
    if (staging > 0) {
        ZIGZAG_TRY(staged, backend.allocate(static_cast<std::size_t>(staging)));
        cache.m_staging = std::move(staged);
    }
    auto *next = cache.m_memory->as<std::byte>();
    for (int layer = 0; layer < map.layers(); ++layer)
        for (int head = 0; head < map.kvHeads(); ++head) {
            HeadCache entry;
            entry.pattern = map.pattern(layer, head);
            entry.slots = layout.slots(layer, head);
            const std::int64_t half = layout.headBytes(layer, head) / 2;
            entry.keys = next;
            entry.values = next + half;
            next += 2 * half;
            cache.m_straight.push_back(entry);
            if (!entry.pattern.keepsEverything() && cache.m_staging) {
                const std::int64_t each = staging / (std::int64_t{2} * map.kvHeads());
                entry.stagedKeys = cache.m_staging->as<std::byte>() + std::int64_t{2} * head * each;
                entry.stagedValues = cache.m_staging->as<std::byte>() + (std::int64_t{2} * head + 1) * each;
            }
            cache.m_staged.push_back(entry);
        }
    return cache;
}

void KvCache::fillRandom(Backend &backend, std::uint64_t seed)
{
    // One block of random values, laid out again and again: as unpredictable for caches and arithmetic as fresh ones, and
    // quick enough for hundreds of gigabytes. Its length is odd in rows, so heads do not repeat each other.
    constexpr std::size_t values = (1u << 19) + 32;
    std::vector<float> block(values);
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    for (float &value : block)
        value = normal(random);
    backend.repeat(*m_memory, storedAs(m_type, block));
}

} // namespace zigzag
