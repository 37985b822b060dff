// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/run/backend.h"

#include <cstdint>
#include <memory>

namespace zigzag {

/// What the layers of a model turn queries and keys by, on the device: a table for each rotary embedding that any of them has.
class RotationTables
{
public:
    static Result<RotationTables> create(Backend &backend, const ModelConfig &config, std::int64_t context);
    static std::int64_t bytesNeeded(const ModelConfig &config, std::int64_t context);

    /// Of a layer: [context, 2, rotated / 2], or null where it has no rotary embedding.
    const float *ofLayer(const ModelConfig &config, int layer) const
    {
        const LayerRope rope = config.ropeOf(layer);
        if (rope == LayerRope::None)
            return nullptr;
        return (rope == LayerRope::Main ? m_main : m_local)->as<float>();
    }
    /// [context], or null where queries are not scaled by their position.
    const float *queryScales() const { return m_queryScales ? m_queryScales->as<float>() : nullptr; }

private:
    std::unique_ptr<Buffer> m_main, m_local, m_queryScales;
};

} // namespace zigzag
