// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "engine/model/model_config.h"
#include "profiler/exports/serving_ranks.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// The model that an export is for, where one is given.
struct ExportModel {
    std::string name; ///< as the user named it: a folder, bundled:NAME or preset:NAME
    ModelConfig config;
    std::string configText; ///< its config.json
    std::string servedAs
        = {}; ///< what commands that are written call it: a name on a hub, a path elsewhere; empty: where it lies here
    ServingRanks ranks = {}; ///< GPUs that such a command asks for
    std::int64_t context = 0; ///< of a sequence whose keys and values on each of them are told beside it; 0: not told
};
Result<ExportModel> loadExportModel(const std::string &name);

enum class KvFreed { Yes, No, OptIn };
std::string_view nameOf(KvFreed freed);

/// What a target keeps of a map; known without writing anything.
struct ExportVerdict {
    bool sinksKept = true;
    bool perHeadKept = true;
    KvFreed kvFreed = KvFreed::Yes;
    std::string minimumVersion; ///< of the target, as "vLLM 0.10.1"; empty where any will do
    /// Streaming heads that retrieve there, because their layer is mixed and the target knows layers alone.
    int headsLost = 0;
    int localLayers = 0; ///< layers that keep the window of the model's own file there, as here
    std::string note; ///< one sentence: how the target runs it and what differs
    std::string refusal; ///< why this map cannot be exported, and what to do; empty where it can
};

/// One target. One file per format; `exportFormats()` lists them all. `model` may be null, which some targets refuse.
struct ExportFormat {
    std::string_view name; ///< of `--format` and of `--as-engine`
    std::string_view title;
    bool writesFolder = false;
    ExportVerdict (*verdict)(const HeadMap &map, const ExportModel *model);
    /// Only for a map that `verdict` does not refuse. Leaves nothing behind when it fails.
    Result<void> (*write)(const HeadMap &map, const ExportModel *model, const std::filesystem::path &out);
    /// The map that the target really runs, for an evaluation as that engine.
    HeadMap (*asRun)(const HeadMap &map);
    std::string_view engine = {}; ///< that serves it, as profiler/cost/engine_memory.h calls it; empty where none does or many do
};

std::span<const ExportFormat> exportFormats();
Result<const ExportFormat *> findExportFormat(std::string_view name);
/// Refuses what the format cannot express; otherwise writes.
Result<void> exportMap(const ExportFormat &format, const HeadMap &map, const ExportModel *model,
                       const std::filesystem::path &out);

} // namespace zigzag
