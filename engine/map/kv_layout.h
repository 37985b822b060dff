// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/dtype.h"
#include "engine/map/head_map.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace zigzag {

/// The types that keys and values may have, whatever the weights are.
inline constexpr std::array kvTypes = {DType::F32, DType::F16, DType::BF16, DType::F8};

/// The one that nameOf spells so.
constexpr std::optional<DType> findKvType(std::string_view name)
{
    for (const DType type : kvTypes)
        if (name == nameOf(type))
            return type;
    return std::nullopt;
}

/// Where the KV cache keeps what, in integers alone: the cache, the predictor and the plots all ask here.
/// A head that keeps everything has position p in slot p. Any other has its sinks in slots [0, sink) and every later position p
/// in slot sink + (p - sink) mod ring.
class KvLayout
{
public:
    /// `map` must outlive the layout's construction only; `context` is the most tokens the cache will hold.
    KvLayout(const HeadMap &map, std::int64_t context, DType type);

    std::int64_t context() const { return m_context; }
    DType type() const { return m_type; }
    std::int64_t slots(int layer, int head) const { return m_map.pattern(layer, head).slots(m_context); }
    /// Bytes of keys and values of one KV head, of one layer, of the whole model.
    std::int64_t headBytes(int layer, int head) const { return 2 * slots(layer, head) * m_map.model().headDim * bytesOf(m_type); }
    std::int64_t layerBytes(int layer) const;
    std::int64_t bytes() const;

    const HeadMap &map() const { return m_map; }

private:
    HeadMap m_map;
    std::int64_t m_context;
    DType m_type;
};

/// The contract's KV bytes: Σ layers Σ KV heads 2 · head_dim · bytes(type) · slots.
std::int64_t kvBytes(const HeadMap &map, std::int64_t context, DType type);

} // namespace zigzag
