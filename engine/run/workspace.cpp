// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/run/workspace.h"

#include <algorithm>
#include <array>
#include <utility>

namespace zigzag {

namespace {

using Member = std::unique_ptr<Buffer> Workspace::*;

/// Every buffer with its size in bytes: the one list behind the plan and the allocation.
std::array<std::pair<Member, std::int64_t>, 22> sizes(const Backend &backend, const ModelConfig &config,
                                                      const SessionOptions &options, const RankMember &member)
{
    const std::int64_t real = sizeof(float), integer = sizeof(std::int32_t);
    const std::int64_t active = bytesOf(backend.activationType(config.dtype));
    const std::int64_t rows = std::max<std::int64_t>(options.chunk, options.batch), context = options.maxContext;
    const std::int64_t copies = options.mixed == MixedMode::Reference ? rows * config.queryWidth() * active : 0;
    const std::int64_t width = member.widthOfQueries(); // 0 where no norm needs it
    return {{{&Workspace::tokens, rows * integer},
             {&Workspace::positions, options.batch * integer},
             {&Workspace::history, options.batch * context * integer},
             {&Workspace::residual, rows * config.hiddenSize * real},
             {&Workspace::normed, std::max(rows, Workspace::logitsRows) * config.hiddenSize * active},
             {&Workspace::queries, rows * config.queryWidth() * active},
             {&Workspace::keys, rows * config.kvWidth() * active},
             {&Workspace::values, rows * config.kvWidth() * active},
             {&Workspace::attended, rows * config.queryWidth() * active},
             {&Workspace::gathered, copies},
             {&Workspace::gatheredOut, copies},
             {&Workspace::gate, rows * mostRows(config, WeightId::Gate) * active},
             {&Workspace::up, rows * mostRows(config, WeightId::Up) * active},
             {&Workspace::routes, rows * mostRows(config, WeightId::Router) * real},
             {&Workspace::logits, std::min(rows, Workspace::logitsRows) * config.vocabulary * real},
             {&Workspace::strongest, rows * config.queryHeads * integer},
             {&Workspace::added, normsBehind(config) ? rows * config.hiddenSize * real : 0},
             {&Workspace::part, member ? rows * config.hiddenSize * real : 0},
             {&Workspace::headPart, std::min(rows, Workspace::logitsRows) * member.widestHead() * real},
             {&Workspace::widthParts, width > 0 ? rows * (config.queryWidth() + config.kvWidth()) * real : 0},
             {&Workspace::widthWhole, rows * width * real},
             {&Workspace::widthNormed, rows * width * active}}};
}

} // namespace

std::int64_t Workspace::bytesNeeded(const Backend &backend, const ModelConfig &config, const SessionOptions &options,
                                    const RankMember &member)
{
    std::int64_t sum = RotationTables::bytesNeeded(config, options.maxContext);
    for (const auto &[place, bytes] : sizes(backend, config, options, member))
        sum += bytes;
    return sum;
}

Result<Workspace> Workspace::create(Backend &backend, const ModelConfig &config, const SessionOptions &options,
                                    const RankMember &member)
{
    Workspace workspace;
    for (const auto &[place, bytes] : sizes(backend, config, options, member)) {
        if (bytes == 0)
            continue;
        ZIGZAG_TRY(buffer, backend.allocate(static_cast<std::size_t>(bytes)));
        workspace.*place = std::move(buffer);
    }
    ZIGZAG_TRY(rotations, RotationTables::create(backend, config, options.maxContext));
    workspace.rotations = std::move(rotations);
    return workspace;
}

} // namespace zigzag
