// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"
#include "profiler/carry/granite_swa_folder.h"
#include "profiler/exports/export_format.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace zigzag {

/// A map as its engine reads it.
struct EngineExport {
    std::filesystem::path out; ///< file or folder
    std::string command; ///< that serves it, where the export is one; else empty
    int weights = 0; ///< files of the model that were put beside a folder's own, so that it can be served as it is
};

/// Writes a map by a format's name (exportFormats) into a folder: `NAME/` where the format writes folders, or `NAME.sh`. A folder
/// without the model's weights and its tokenizer gets them, as `files` says. Refuses what the format refuses.
Result<EngineExport> exportForEngine(std::string_view format, const HeadMap &map, const ExportModel &model,
                                     const std::filesystem::path &folder, WeightFiles files = WeightFiles::Link);

} // namespace zigzag
