// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/base/result.h"
#include "engine/map/head_map.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zigzag {

/// What a target keeps of a map; known without writing anything.
struct ExportVerdict {
    bool sinksKept = true;
    bool perHeadKept = true;
    bool kvFreed = true;
    std::string note; ///< one sentence: how the target runs it and what differs
};

/// One target. One file per format; `exportFormats()` lists them all.
struct ExportFormat {
    std::string_view name; ///< of `--format`
    std::string_view title;
    bool writesFolder = false;
    ExportVerdict (*verdict)(const HeadMap &map);
    Result<void> (*write)(const HeadMap &map, const std::filesystem::path &out);
};

std::span<const ExportFormat> exportFormats();
Result<const ExportFormat *> findExportFormat(std::string_view name);

} // namespace zigzag
