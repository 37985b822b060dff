// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/run/device_model.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace zigzag {

/// A key and the share of attention that a query gives it.
struct StrongKey {
    std::int32_t position = -1; ///< −1: the query sees fewer keys
    float weight = 0;
};

/// Where the attention of a query goes: shares of 1. What they leave goes to a sink logit, where the model has one.
struct AttentionShares {
    float sink = 0; ///< tokens that a streaming head would keep for ever
    float window = 0; ///< its recent tokens; those that are sinks as well count here
    float beyond = 0; ///< what it would not see
};

/// The attention of one query head over a prompt, in a model that keeps everything.
struct AttentionPicture {
    static constexpr int mostBins = 256;
    static constexpr int strongKeys = 8; ///< kept of each query

    int layer = 0, queryHead = 0;
    StreamingWindow window; ///< whose shares are told
    std::int64_t tokens = 0;
    int bins = 0; ///< of each side; bin b holds the positions from binBegin(b) to binBegin(b + 1)
    // Pooled over the pairs of a bin where the key is not behind the query; 0 where there are none.
    std::vector<float> mean, largest; // [bins, bins]: query by key
    std::vector<StrongKey> strongest; // [tokens, strongKeys]: by falling weight, the earlier key among equals
    std::vector<AttentionShares> shares; // [tokens]

    std::int64_t binBegin(int bin) const { return (tokens * bin + bins - 1) / bins; }
    int binOf(std::int64_t position) const { return static_cast<int>(position * bins / tokens); }
    std::span<const StrongKey> strongestOf(std::int64_t query) const
    {
        return std::span(strongest).subspan(static_cast<std::size_t>(query) * strongKeys, strongKeys);
    }
    /// Over the queries that a streaming head would leave without some key; zeros where there are none.
    AttentionShares meanShares() const;
};

struct AttentionPicturePlan {
    static constexpr std::int64_t mostTokens = 32768;

    int layer = 0, kvHead = 0;
    std::vector<int> tokens = {}; ///< 1 to mostTokens
    StreamingWindow window = {};
};

/// The pictures of all query heads of one KV head; the layers below run with full attention, as this one does. A layer that the
/// model's own file makes local sees what its window holds. Refused: layers, heads and prompts that are none, and a device
/// without the memory. Cancelled, it fails as such.
Result<std::vector<AttentionPicture>> pictureAttention(const std::shared_ptr<DeviceModel> &device,
                                                       const AttentionPicturePlan &plan,
                                                       const std::atomic<bool> *cancel = nullptr,
                                                       const std::function<void(double share)> &progress = {});

} // namespace zigzag
