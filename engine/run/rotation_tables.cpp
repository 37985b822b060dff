// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/rotation_tables.h"

#include "engine/run/rope.h"

#include <algorithm>
#include <vector>

namespace zigzag {

namespace {

bool hasRope(const ModelConfig &config, LayerRope wanted)
{
    return config.layerRopes.empty()
        ? wanted == LayerRope::Main
        : std::find(config.layerRopes.begin(), config.layerRopes.end(), wanted) != config.layerRopes.end();
}

Result<std::unique_ptr<Buffer>> uploaded(Backend &backend, const std::vector<float> &values)
{
    ZIGZAG_TRY(buffer, backend.allocate(values.size() * sizeof(float)));
    backend.upload(*buffer, 0, values.data(), values.size() * sizeof(float));
    return std::move(buffer);
}

} // namespace

std::int64_t RotationTables::bytesNeeded(const ModelConfig &config, std::int64_t context)
{
    const std::int64_t tables = hasRope(config, LayerRope::Main) + hasRope(config, LayerRope::Local);
    const std::int64_t floats = tables * config.rotated() + (config.rope.queryScaleBeta != 0 ? 1 : 0);
    return floats * context * static_cast<std::int64_t>(sizeof(float));
}

Result<RotationTables> RotationTables::create(Backend &backend, const ModelConfig &config, std::int64_t context)
{
    RotationTables tables;
    if (hasRope(config, LayerRope::Main)) {
        ZIGZAG_TRY(main, uploaded(backend, rotationTable(config, config.rope, context)));
        tables.m_main = std::move(main);
    }
    if (hasRope(config, LayerRope::Local)) {
        ZIGZAG_TRY(local, uploaded(backend, rotationTable(config, config.localRope, context)));
        tables.m_local = std::move(local);
    }
    if (config.rope.queryScaleBeta != 0) {
        ZIGZAG_TRY(scales, uploaded(backend, zigzag::queryScales(config.rope, context)));
        tables.m_queryScales = std::move(scales);
    }
    return tables;
}

} // namespace zigzag
