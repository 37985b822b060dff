// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/rope.h"
#include "engine/run/transformer.h"

#include <array>
#include <utility>

namespace zigzag {

namespace {

using Member = std::unique_ptr<Buffer> Workspace::*;

/// Every buffer with its size in bytes: the one list behind the plan and the allocation.
std::array<std::pair<Member, std::int64_t>, 13> sizes(const ModelConfig &config, std::int64_t context, std::int64_t chunk,
                                                      MixedMode mixed)
{
    const std::int64_t real = sizeof(float);
    const std::int64_t copies = mixed == MixedMode::Reference ? chunk * config.queryWidth() * real : 0;
    const std::int64_t rotated = context * config.headDim * real;
    const std::int64_t normedRows = std::max(chunk, Workspace::logitsRows);
    return {{{&Workspace::residual, chunk * config.hiddenSize * real},
             {&Workspace::normed, normedRows * config.hiddenSize * real},
             {&Workspace::queries, chunk * config.queryWidth() * real},
             {&Workspace::keys, chunk * config.kvWidth() * real},
             {&Workspace::values, chunk * config.kvWidth() * real},
             {&Workspace::attended, chunk * config.queryWidth() * real},
             {&Workspace::gathered, copies},
             {&Workspace::gatheredOut, copies},
             {&Workspace::gate, chunk * config.intermediateSize * real},
             {&Workspace::up, chunk * config.intermediateSize * real},
             {&Workspace::logits, std::min(chunk, Workspace::logitsRows) * config.vocabulary * real},
             {&Workspace::strongest, chunk * config.queryHeads * static_cast<std::int64_t>(sizeof(std::int32_t))},
             {&Workspace::rotation, rotated}}};
}

} // namespace

std::int64_t Workspace::bytesNeeded(const ModelConfig &config, std::int64_t context, std::int64_t chunk, MixedMode mixed)
{
    std::int64_t sum = 0;
    for (const auto &[member, bytes] : sizes(config, context, chunk, mixed))
        sum += bytes;
    return sum;
}

Result<Workspace> Workspace::create(Backend &backend, const ModelConfig &config, std::int64_t context, std::int64_t chunk,
                                    MixedMode mixed)
{
    Workspace workspace;
    for (const auto &[member, bytes] : sizes(config, context, chunk, mixed)) {
        if (bytes == 0)
            continue;
        ZIGZAG_TRY(buffer, backend.allocate(static_cast<std::size_t>(bytes)));
        workspace.*member = std::move(buffer);
    }
    const std::vector<float> table = rotationTable(config, context);
    backend.upload(*workspace.rotation, 0, table.data(), table.size() * sizeof(float));
    return workspace;
}

} // namespace zigzag
