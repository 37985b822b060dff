// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/map/kv_layout.h"
#include "engine/run/backend.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace zigzag {

/// The memory behind a KvLayout, once for each sequence: one allocation, each head's keys and then its values; and a staging
/// area in which one layer of one sequence at a time keeps the chunk of its streaming heads.
class KvCache
{
public:
    static Result<KvCache> create(Backend &backend, const KvLayout &layout, std::int64_t chunk, int sequences);
    static std::int64_t stagingBytes(const KvLayout &layout, std::int64_t chunk);

    /// The heads of a layer as the ops want them; `staged` for several tokens of one sequence. [kv_heads]
    std::span<const HeadCache> heads(int layer, bool staged) const
    {
        const auto &heads = staged ? m_staged : m_straight;
        return std::span(heads).subspan(static_cast<std::size_t>(layer) * m_kvHeads, m_kvHeads);
    }
    std::int64_t sequenceBytes() const { return m_sequenceBytes; }
    /// Bytes of keys and values as allocated, without the staging area.
    std::int64_t bytes() const { return static_cast<std::int64_t>(m_memory->bytes()); }
    /// Seeded random keys and values in every slot.
    void fillRandom(Backend &backend, std::uint64_t seed);

private:
    std::unique_ptr<Buffer> m_memory;
    std::unique_ptr<Buffer> m_staging; // null where no head streams
    std::vector<HeadCache> m_straight; // [layers, kv_heads]
    std::vector<HeadCache> m_staged; // [layers, kv_heads]
    std::int64_t m_sequenceBytes = 0;
    std::size_t m_kvHeads = 0;
    DType m_type = DType::F32;
};

} // namespace zigzag
